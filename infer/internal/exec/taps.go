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

// separable computes sums of x over the taps of one dimension after the other, in the order of dims, or the largest elements of them. Each
// sum begins with its first tap; products and sums are rounded.
func separable(c *plan.Context, y, x []float32, shape, dims []int, all []*taps, most bool) {
	scratch := c.Scratch
	shape = slices.Clone(shape)
	if len(dims) == 0 {
		copy(y, x)
	}
	for i, k := range dims {
		t, inner := all[i], plan.Count(shape[k+1:])
		shape[k] = len(t.ends)
		dst := y
		if i+1 < len(dims) {
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
func separableScratch(from, to, dims []int) int {
	shape, total := slices.Clone(from), 0
	for i, k := range dims {
		if i+1 < len(dims) {
			shape[k] = to[k]
			total += volume(shape)
		}
	}
	return total
}

// apply computes y [outer out inner] from x [outer in inner].
func (t *taps) apply(c *plan.Context, y, x []float32, inner int, most bool) {
	n := len(t.ends)
	each(c, len(y)/inner, inner*(len(t.list)/n+1), func(lo, hi int) {
		if inner == 1 {
			t.single(y, x, lo, hi, most)
			return
		}
		for r := lo; r < hi; r++ {
			src, dst, list := x[r/n*t.in*inner:], y[r*inner:(r+1)*inner], t.of(r%n)
			if len(list) == 0 {
				for j := range dst {
					dst[j] = t.none(most)
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
						dst[j] = max(dst[j], v)
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

// single is apply for outputs lo ... hi-1, where inner is 1.
func (t *taps) single(y, x []float32, lo, hi int, most bool) {
	n := len(t.ends)
	for lo < hi {
		o := lo % n
		src, first := x[lo/n*t.in:][:t.in], 0
		if o > 0 {
			first = t.ends[o-1]
		}
		for ; o < n && lo < hi; o, lo = o+1, lo+1 {
			list := t.list[first:t.ends[o]]
			first = t.ends[o]
			if len(list) == 0 {
				y[lo] = t.none(most)
				continue
			}
			v := src[list[0].at]
			if most {
				for _, p := range list[1:] {
					v = max(v, src[p.at])
				}
			} else {
				v *= list[0].weight
				for _, p := range list[1:] {
					v += float32(p.weight * src[p.at])
				}
			}
			y[lo] = v
		}
	}
}

// none is the result without taps.
func (t *taps) none(most bool) float32 {
	if most {
		return float32(math.Inf(-1))
	}
	return 0
}
