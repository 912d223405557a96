package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestForGrid runs weights that were packed for one grid on others: the bits are those
// of weights packed for them.
func TestForGrid(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = r.Float32() - 0.5
		}
		return x
	}
	for _, transposed := range []bool{false, true} {
		for _, c := range []int{3, 20} { // the thin form, and the other
			shape := func(coarse int) ConvShape {
				return ConvShape{H: 2 * coarse, W: 2*coarse + 1, C: c, OH: coarse, OW: coarse, K: 6, R: 4, S: 3, StrideH: 2, StrideW: 2,
					PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 1}
			}
			w := random(6 * c * 12)
			first := NewConv(shape(3))
			packed := first.Pack(w)
			if transposed {
				packed = first.PackTransposed(w)
			}
			for _, coarse := range []int{1, 2, 5} {
				s := shape(coarse)
				conv := NewConv(s)
				fine, grid := random(s.H*s.W*2*c), random(s.OH*s.OW*2*6)
				if transposed {
					got, want := make([]float32, len(fine)), make([]float32, len(fine))
					packed.ForTransposedGrid(conv).Run(nil, got, grid, 2, Epilogue{})
					if conv.Transposed(nil, want, grid, w, 2, Epilogue{}); !slices.Equal(got, want) {
						t.Errorf("transposed, %d channels, coarse grid %d: other bits", c, coarse)
					}
				} else {
					got, want := make([]float32, len(grid)), make([]float32, len(grid))
					packed.ForGrid(conv).Run(nil, got, fine, 2, Epilogue{})
					if conv.Forward(nil, want, fine, w, 2, Epilogue{}); !slices.Equal(got, want) {
						t.Errorf("%d channels, coarse grid %d: other bits", c, coarse)
					}
				}
			}
			s := shape(3)
			s.H, s.OH = 1, 1
			if transposed && c > thinWidth && packed.ForTransposedGrid(NewConv(s)) != nil {
				t.Error("a grid of one row has one phase: got weights, want nil")
			}
		}
	}
}

// TestForGridOfAnotherForm: a grid that is convolved to one pixel does without the
// thin form, a larger one has it, and neither takes the other's weights.
func TestForGridOfAnotherForm(t *testing.T) {
	one, more := NewConv(square(8, 5, 1, 1, 8, 1, 0)), NewConv(square(9, 5, 2, 1, 8, 1, 0))
	w := noiseSlice(5*64, 1)
	if one.forward.thin || !more.forward.thin || one.Pack(w).ForGrid(more) != nil || more.Pack(w).ForGrid(one) != nil {
		t.Error("weights of another form: got some, want nil")
	}
}
