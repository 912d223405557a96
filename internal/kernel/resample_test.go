package kernel

import (
	"math"
	"slices"
	"testing"
)

// TestResample compares with the definitions, element by element, on one thread
// and on several.
func TestResample(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	for _, s := range []struct{ h, w, row, factor int }{{1, 1, 1, 2}, {3, 2, 5, 2}, {2, 3, 33, 3}, {4, 4, 0, 2}, {8, 8, 300, 2}} {
		x := sequence(s.h * s.w * s.row)
		fine := sequence(s.h * s.w * s.row * s.factor * s.factor)
		up, sum := make([]float32, len(fine)), make([]float32, len(x))
		for y := range s.h * s.factor {
			for x0 := range s.w * s.factor {
				for c := range s.row {
					from := (y/s.factor*s.w+x0/s.factor)*s.row + c
					at := (y*s.w*s.factor+x0)*s.row + c
					up[at] = x[from]
					if y%s.factor+x0%s.factor == 0 {
						sum[from] = fine[at]
					} else {
						sum[from] += fine[at]
					}
				}
			}
		}
		mean, spread := make([]float32, s.row), make([]float32, len(x))
		for c := range s.row {
			mean[c] = x[c]
			for q := 1; q < s.h*s.w; q++ {
				mean[c] += x[q*s.row+c]
			}
			mean[c] *= 1 / float32(s.h*s.w)
			for q := range s.h * s.w {
				spread[q*s.row+c] = x[c] * (1 / float32(s.h*s.w))
			}
		}
		for _, p := range []*Pool{nil, pool} {
			for _, o := range []struct {
				name string
				want []float32
				run  func(dst []float32)
			}{
				{"Upsample", up, func(dst []float32) { Upsample(p, dst, x, s.h, s.w, s.row, s.factor) }},
				{"UpsampleGrad", sum, func(dst []float32) { UpsampleGrad(p, dst, fine, s.h, s.w, s.row, s.factor) }},
				{"MeanPixels", mean, func(dst []float32) { MeanPixels(p, dst, x, s.h*s.w, s.row) }},
				{"MeanPixelsGrad", spread, func(dst []float32) { MeanPixelsGrad(p, dst, x, s.h*s.w, s.row) }},
			} {
				dst := make([]float32, len(o.want))
				for i := range dst {
					dst[i] = float32(math.NaN())
				}
				if o.run(dst); !slices.Equal(dst, o.want) {
					t.Errorf("%s %+v: got %v, want %v", o.name, s, dst, o.want)
				}
			}
		}
	}
}

// sequence returns n numbers whose sums depend on their order.
func sequence(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i*7919%1009)/64 - 7.3
	}
	return x
}

func TestShardRows(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	const pixels, n, c = 6, 12, 5
	x := sequence(pixels * n * c)
	for _, shards := range []int{1, 2, 3, 12} {
		for _, p := range []*Pool{nil, pool} {
			got, back := make([]float32, len(x)), make([]float32, len(x))
			ToShards(p, got, x, pixels, n, c, shards)
			for i, v := range x {
				q, image, channel := i/(n*c), i/c%n, i%c
				per := n / shards
				if at := ((image/per*pixels+q)*per+image%per)*c + channel; got[at] != v {
					t.Fatalf("%d shards: element %d is %v, want %v", shards, at, got[at], v)
				}
			}
			if FromShards(p, back, got, pixels, n, c, shards); !slices.Equal(back, x) {
				t.Errorf("%d shards: there and back differ", shards)
			}
		}
	}
}
