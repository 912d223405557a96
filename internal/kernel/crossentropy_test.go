package kernel

import (
	"math"
	"testing"
)

func TestCrossEntropyMean(t *testing.T) {
	const classes = 10
	for _, m := range []int{0, 1, 6, 60} {
		for _, scale := range []float32{1, 30, 2000} { // of the logits
			x, y := noiseSlice(m*classes, 1), make([]float32, m*classes)
			for i := range x {
				x[i] *= scale
			}
			for i := range m {
				y[i*classes+i%classes] = 0.75
				y[i*classes+(i+3)%classes] = 0.25
			}
			want, grad := 0., make([]float64, m*classes)
			size := 0. // of what is added up
			for i := range m {
				row := x[i*classes : (i+1)*classes]
				most, sum := math.Inf(-1), 0.
				for _, v := range row {
					most = max(most, float64(v))
				}
				for _, v := range row {
					sum += math.Exp(float64(v) - most)
				}
				for k, v := range row {
					want += float64(y[i*classes+k]) * (most + math.Log(sum) - float64(v)) / float64(m)
					size += float64(y[i*classes+k]) * (1 + math.Abs(most-float64(v))) / float64(m)
					grad[i*classes+k] = (math.Exp(float64(v)-most)/sum - float64(y[i*classes+k])) * 0.5 / float64(m)
				}
			}
			for _, shards := range []int{1, 2, 3} {
				if m%shards != 0 {
					continue
				}
				got := CrossEntropyMean(x, y, m, classes, shards)
				if d := math.Abs(float64(got) - want); d > ulp(want)+0x1p-35*size {
					t.Errorf("%d rows, %d shards, logits of %v: got %v, want %v", m, shards, scale, got, want)
				}
			}
			dst := newGuarded(m*classes, 1)
			CrossEntropyMeanGrad(dst.x, x, y, m, classes, 0.5)
			for i, w := range grad {
				if d := math.Abs(float64(dst.x[i]) - w); d > ulp(w)+0x1p-35/float64(m) {
					t.Errorf("%d rows, logits of %v: gradient %d is %v, want %v", m, scale, i, dst.x[i], w)
				}
			}
			dst.check(t, "gradient")
		}
	}
	x := 1.
	for range 300 {
		if d := math.Abs(log64(x) - math.Log(x)); d > 0x1p-35*(1+math.Log(x)) {
			t.Errorf("log64(%v) = %v, want %v", x, log64(x), math.Log(x))
		}
		x *= 1.07
	}
}
