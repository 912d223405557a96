package exec

import (
	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

// grids is a convolution as the kernels see it: in two dimensions, with what a first of three dimensions, the depth, makes of it. A
// convolution reads the grids that the taps of the depth reach as more channels of one image; a transposed one makes such channels,
// to be added to the grids that they belong to. Without depth both are one grid.
type grids struct {
	kernel.ConvShape // C holds the taps of the depth
	depth            span
	in, out          int // lengths of the depth
}

// deep reports whether the depth makes a difference.
func (g *grids) deep() bool {
	return g.depth.taps > 1 || g.in > 1 || g.out > 1 || g.depth.before > 0
}

// images returns how many images of two dimensions n of the file's are for the kernels.
func (g *grids) images(n int, transposed bool) int {
	if transposed {
		return n * g.in
	}
	return n * g.out
}

// sizes returns the elements of the fine and the coarse grids of n images.
func (g *grids) sizes(n int, transposed bool) (fine, coarse int) {
	n = g.images(n, transposed)
	return volume([]int{n, g.H, g.W, g.C}), volume([]int{n, g.OH, g.OW, g.K})
}

// enter lays out x [n c in pixels] for the kernels, as images of one depth before the others.
func (g *grids) enter(ctx *plan.Context, dst, x []float32, transposed bool, pixels int) {
	if transposed {
		sumBlocks(ctx, dst, x, pixels, 1, nil, func(i, _ int) int { return swapped(i, g.in, g.K) })
		return
	}
	channels := g.C / g.depth.taps
	sumBlocks(ctx, dst, x, pixels, 1, nil, func(i, _ int) int {
		image, c := i/g.C, i%g.C
		at := image%g.out*g.depth.stride - g.depth.before + c%g.depth.taps*g.depth.dilation
		if at < 0 || at >= g.in {
			return -1
		}
		return (image/g.out*channels+c/g.depth.taps)*g.in + at
	})
}

// leave makes dst [n c out pixels] of what the kernels made of images; bias is for each channel of a transposed convolution.
func (g *grids) leave(ctx *plan.Context, dst, x []float32, transposed bool, pixels int, bias []float32) {
	if !transposed {
		sumBlocks(ctx, dst, x, pixels, 1, nil, func(i, _ int) int { return swapped(i, g.K, g.out) })
		return
	}
	channels := g.C / g.depth.taps
	sumBlocks(ctx, dst, x, pixels, g.depth.taps, func(i int) float32 {
		if bias == nil {
			return 0
		}
		return bias[i/g.out%channels]
	}, func(i, t int) int {
		at := i%g.out + g.depth.before - t*g.depth.dilation
		if at < 0 || at%g.depth.stride != 0 || at/g.depth.stride >= g.in {
			return -1
		}
		return (i/(channels*g.out)*g.in+at/g.depth.stride)*g.C + i/g.out%channels*g.depth.taps + t
	})
}

// swapped returns where block i of [n a b] is in [n b a].
func swapped(i, a, b int) int { return i/(a*b)*(a*b) + i%b*a + i/b%a }

// sumBlocks makes each block of dst, of size elements, the sum of blocks from(i, 0) ... from(i, terms-1) of x, where it is not
// below zero, and of add(i).
func sumBlocks(c *plan.Context, dst, x []float32, size, terms int, add func(i int) float32, from func(i, t int) int) {
	each(c, len(dst)/size, size*terms, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y, empty := dst[i*size:(i+1)*size], true
			for t := range terms {
				j := from(i, t)
				switch {
				case j < 0:
				case empty:
					copy(y, x[j*size:])
					empty = false
				default:
					kernel.Add(nil, y, y, x[j*size:(j+1)*size])
				}
			}
			if empty {
				clear(y)
			}
			if add != nil {
				b := add(i)
				for k := range y {
					y[k] += b
				}
			}
		}
	})
}
