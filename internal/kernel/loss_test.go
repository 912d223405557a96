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

// treeOf adds numbers in the documented tree.
func treeOf(parts []float64) float64 {
	if len(parts) == 1 {
		return parts[0]
	}
	left := 1
	for left*2 < len(parts) {
		left *= 2
	}
	return treeOf(parts[:left]) + treeOf(parts[left:])
}

// TestSoftplusShards compares with the documented sum: float64 in order within a
// shard, the shards in the tree, one rounding at the end. Where the mean of n
// would be 2⁵⁰ + 2²⁶, midway between two float32, log 2 adds nothing to the sum,
// but twice log 2 tips it.
func TestSoftplusShards(t *testing.T) {
	const big, half, zero, log2 = 1 << 50, 1 << 26, -1e9, 0
	for _, c := range []struct {
		x      []float32
		shards []int
	}{
		{noiseSlice(300, 2), []int{1, 2, 3, 5}},
		{noiseSlice(7, 3), []int{1, 7}},
		{[]float32{6 * big, 6 * half, log2, log2, log2, zero}, []int{1, 2, 3}},
		{[]float32{6 * big, 6 * half, log2, zero, log2, zero}, []int{3}},
		{[]float32{10 * big, 10 * half, log2, zero, zero, zero, zero, zero, log2, zero}, []int{5}},
		{[]float32{10 * big, 10 * half, zero, zero, log2, zero, log2, zero, zero, zero}, []int{5}},
	} {
		for _, shards := range c.shards {
			var parts []float64
			for i := range shards {
				sum, n := 0., len(c.x)/shards
				for _, v := range c.x[i*n : (i+1)*n] {
					sum += softplus(float64(v))
				}
				parts = append(parts, sum)
			}
			for _, scale := range []float32{0.3, 1, 7} {
				want := float32(float64(scale) * treeOf(parts) / float64(len(c.x)))
				if got := SoftplusMean(c.x, 1, scale, shards); got != want {
					t.Errorf("%d logits in %d shards, scale %v: got %v, want %v", len(c.x), shards, scale, got, want)
				}
			}
		}
	}
}
