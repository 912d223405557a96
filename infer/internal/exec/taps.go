package exec

import (
	"math"
	"slices"

	"gantry/infer/internal/plan"
)

// tap is an element that an output reads, counted along its dimension, and its weight.
type tap struct {
	at     int
	weight float32
}

// taps says how each output along a dimension of in elements is made: from the taps of list between two ends.
type taps struct {
	in   int
	ends []int
	list []tap
}

// of returns the taps of output i.
func (t *taps) of(i int) []tap {
	first := 0
	if i > 0 {
		first = t.ends[i-1]
	}
	return t.list[first:t.ends[i]]
}

// tapFloats is the memory that taps take at most, in float32, for the given numbers of outputs and taps of each.
func tapFloats(outputs int, each float64) int {
	return int(min(float64(outputs)*(float64(8*each)+4), 1<<50))
}

// separable computes sums of x over the taps of one dimension after the other, from the last on; with most, the largest
// elements. dims[k] is nil where dimension k stays. Each sum begins with its first tap; products and sums are rounded.
func separable(c *plan.Context, y, x, scratch []float32, shape []int, dims []*taps, most bool) {
	shape = slices.Clone(shape)
	left := 0
	for _, t := range dims {
		if t != nil {
			left++
		}
	}
	if left == 0 {
		copy(y, x)
	}
	for k := len(dims) - 1; k >= 0; k-- {
		t := dims[k]
		if t == nil {
			continue
		}
		inner := plan.Count(shape[k+1:])
		shape[k] = len(t.ends)
		dst := y
		if left--; left > 0 {
			n := plan.Count(shape)
			dst, scratch = scratch[:n], scratch[n:]
		}
		if len(dst) > 0 {
			t.apply(c, dst, x, inner, most)
		}
		x = dst
	}
}

// separableScratch returns the scratch that separable needs to turn the shape from into to.
func separableScratch(from, to []int) int {
	shape := slices.Clone(from)
	total := 0
	for k := len(to) - 1; k > 0; k-- {
		shape[k] = to[k]
		total += volume(shape)
	}
	return min(total, 1<<50)
}

// apply computes y [outer out inner] from x [outer in inner].
func (t *taps) apply(c *plan.Context, y, x []float32, inner int, most bool) {
	n := len(t.ends)
	each(c, len(y)/inner, inner*(len(t.list)/n+1), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			src, dst, list := x[r/n*t.in*inner:], y[r*inner:(r+1)*inner], t.of(r%n)
			if len(list) == 0 {
				for j := range dst {
					dst[j] = 0
					if most {
						dst[j] = float32(math.Inf(-1))
					}
				}
				continue
			}
			for k, p := range list {
				from := src[p.at*inner:][:len(dst)]
				switch {
				case k == 0 && most:
					copy(dst, from)
				case k == 0:
					for j, v := range from {
						dst[j] = p.weight * v
					}
				case most:
					for j, v := range from {
						if v > dst[j] || v != v {
							dst[j] = v
						}
					}
				default:
					for j, v := range from {
						dst[j] += float32(p.weight * v)
					}
				}
			}
		}
	})
}
