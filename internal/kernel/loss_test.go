package kernel

import (
	"math"
	"testing"
)

func TestSoftplusMean(t *testing.T) {
	for _, n := range []int{0, 1, 6, 128, 600} {
		x := noiseSlice(n, 1)
		for i := range x {
			x[i] *= 30
		}
		for _, sign := range []float32{1, -1} {
			for _, shards := range []int{1, 2, 3} {
				if n%shards != 0 {
					continue
				}
				want := 0.
				for _, v := range x {
					v := float64(sign * v)
					want += math.Max(v, 0) + math.Log1p(math.Exp(-math.Abs(v)))
				}
				if n > 0 {
					want *= 0.5 / float64(n)
				}
				got := SoftplusMean(x, sign, 0.5, shards)
				if d := math.Abs(float64(got) - want); d > ulp(want) {
					t.Errorf("%d logits, sign %v, %d shards: got %v, want %v", n, sign, shards, got, want)
				}
			}
			grad := newGuarded(n, 1)
			SoftplusMeanGrad(grad.x, x, sign, 0.5)
			for i, v := range x {
				want := 0.5 * float64(sign) / float64(n) / (1 + math.Exp(float64(-sign*v)))
				if d := math.Abs(float64(grad.x[i]) - want); d > 2*ulp(want) {
					t.Errorf("gradient at %v, sign %v: got %v, want %v", v, sign, grad.x[i], want)
				}
			}
			grad.check(t, "gradient")
		}
		want := 0.
		for _, v := range x {
			want += 1 / (1 + math.Exp(-float64(v))) / float64(n)
		}
		if got := SigmoidMean(x); math.Abs(float64(got)-want) > 2*ulp(want) {
			t.Errorf("SigmoidMean of %d = %v, want %v", n, got, want)
		}
	}
}

// TestSoftplusShards: a shard's sum does not depend on the others.
func TestSoftplusShards(t *testing.T) {
	x := noiseSlice(300, 2)
	whole := float64(SoftplusMean(x, 1, 1, 3))
	sum := 0.
	for s := range 3 {
		sum += float64(SoftplusMean(x[s*100:(s+1)*100], 1, 1, 1)) / 3
	}
	if math.Abs(whole-sum) > 2*ulp(whole) {
		t.Errorf("mean over 3 shards is %v, mean of their means %v", whole, sum)
	}
}
