package dataset

import "math"

// resizer scales square images with the Catmull-Rom cubic (Mitchell and
// Netravali 1988, B = 0, C = 1/2), whose support grows with the step where an
// image shrinks, so that nothing aliases. Weights are integers and so are all
// sums, exactly: the result is the same on every machine. It holds buffers, and
// is not safe for concurrent use.
type resizer struct {
	taps []taps
	from int // the side that taps are for
	line []uint8
	wide []int32 // a line, scaled
	sum  []int64
}

// weightBits is the precision of a weight. A sum of weighted pixels needs 8 bits
// more and a sign, and a factor below 2 where weights are negative: 30 bits after
// one direction, 50 after both.
const weightBits = 20

// resize computes an image of side×side pixels, planes one after the other, from
// one of from×from. row stores line y in dst: from pixels of each plane.
func (r *resizer) resize(dst []uint8, planes, side, from int, row func(dst []uint8, y int)) {
	if r.from != from || len(r.taps) != side {
		r.taps, r.from = newTaps(from, side), from
	}
	r.line = grow(r.line, planes*from)
	r.wide = grow(r.wide, planes*side)
	r.sum = grow(r.sum, planes*side*side)
	clear(r.sum)
	first := 0 // the first line of the result that later lines of the source enter
	for y := range from {
		row(r.line, y)
		for p := range planes {
			line, wide := r.line[p*from:][:from], r.wide[p*side:][:side]
			for x, t := range r.taps {
				s := int32(0)
				for k, v := range line[t.first:][:len(t.weights)] {
					s += int32(v) * t.weights[k]
				}
				wide[x] = s
			}
		}
		for first < side && r.taps[first].first+len(r.taps[first].weights) <= y {
			first++
		}
		for i := first; i < side && r.taps[i].first <= y; i++ {
			k := y - r.taps[i].first
			if k >= len(r.taps[i].weights) {
				continue
			}
			w := int64(r.taps[i].weights[k])
			for p := range planes {
				sum := r.sum[(p*side+i)*side:][:side]
				for x, v := range r.wide[p*side:][:side] {
					sum[x] += w * int64(v)
				}
			}
		}
	}
	const half = 1 << (2*weightBits - 1)
	for i, s := range r.sum {
		dst[i] = uint8(min(max((s+half)>>(2*weightBits), 0), 255))
	}
}

// taps are the weights of one output pixel; their sum is 1<<weightBits.
type taps struct {
	first   int
	weights []int32
}

// newTaps returns the weights for from pixels to become to. The weights of
// pixels beyond the edge fall to the others.
func newTaps(from, to int) []taps {
	all := make([]taps, to)
	ratio := float64(from) / float64(to)
	scale := max(ratio, 1)
	for i := range all {
		centre := float64((float64(i)+0.5)*ratio) - 0.5
		first := max(int(math.Ceil(centre-float64(2*scale))), 0)
		last := min(int(math.Floor(centre+float64(2*scale))), from-1)
		total := 0.0
		for j := first; j <= last; j++ {
			total += catmullRom((float64(j) - centre) / scale)
		}
		// Running sums are rounded, not weights: so errors do not add up.
		weights := make([]int32, last-first+1)
		sum, before := 0.0, int32(0)
		for j := range weights {
			sum += catmullRom((float64(first+j) - centre) / scale)
			next := int32(math.Floor(float64(sum/total*(1<<weightBits)) + 0.5))
			weights[j], before = next-before, next
		}
		all[i] = taps{first, weights}
	}
	return all
}

// catmullRom is the filter. Products are rounded before they are added: a fused
// operation would give another weight on some machines.
func catmullRom(t float64) float64 {
	t = math.Abs(t)
	t2 := float64(t * t)
	t3 := float64(t2 * t)
	switch {
	case t < 1:
		return float64(1.5*t3) - float64(2.5*t2) + 1
	case t < 2:
		return float64(-0.5*t3) + float64(2.5*t2) - float64(4*t) + 2
	}
	return 0
}

// grow returns a slice of n elements, b if it is long enough.
func grow[T any](b []T, n int) []T {
	if cap(b) < n {
		return make([]T, n)
	}
	return b[:n]
}
