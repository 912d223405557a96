//go:build linux

package kernel

import "testing"

// TestConvReadsInside: no convolution reads or writes beyond its slices, which
// here lie at the edge of what can be read.
func TestConvReadsInside(t *testing.T) {
	const n = 3
	shapes := []ConvShape{
		square(4, 3, 2, 5, 4, 2, 1), square(4, 17, 2, 50, 4, 2, 1), square(5, 1, 5, 1, 3, 1, 1), square(3, 9, 1, 8, 3, 1, 0),
		square(5, 2, 3, 20, 2, 3, 1), square(8, 48, 4, 50, 4, 2, 1), {5, 4, 6, 5, 4, 6, 3, 3, 1, 1, 1, 1, 1, 1, 6}, square(3, 7, 3, 31, 1, 1, 0), square(2, 260, 1, 3, 2, 1, 0),
	}
	eachTier(t, func(t *testing.T) {
		for _, begins := range []bool{false, true} {
			slice := func(n int) []float32 { return atEdge(t, noiseSlice(n, 1), begins) }
			for _, s := range shapes {
				x, g, w := slice(s.H*s.W*n*s.C), slice(s.OH*s.OW*n*s.K), slice(s.K*s.C/s.Groups*s.R*s.S)
				y, dx, dw := slice(len(g)), slice(len(x)), slice(len(w))
				c := NewFastConv(s, 0)
				c.Forward(nil, y, x, w, n, Epilogue{Bias: slice(s.K), Act: LeakyRelu, Alpha: 0.1})
				c.Transposed(nil, dx, g, w, n, Epilogue{Bias: slice(s.C), Act: Tanh})
				c.Pack(w).Run(nil, y, x, n, Epilogue{})
				c.PackTransposed(w).Run(nil, dx, g, n, Epilogue{})
				c.WeightGrad(nil, dw, x, g, n, 1)
				c.WeightGrad(nil, dw, x, g, n, 3)
			}
		}
	})
}
