package kernel

import (
	"fmt"
	"math"
	"testing"
)

// TestLerp compares with float64, and all tiers and threads with a plain loop.
func TestLerp(t *testing.T) {
	pools := testPools(t)
	for _, n := range []int{0, 1, 7, 16, 33, 40001} {
		for _, step := range []float32{0, 0.009, 1} {
			from, to := noiseSlice(n, 1), noiseSlice(n, 2)
			for i := range to {
				to[i] *= float32(math.Ldexp(1, i%40-20))
			}
			want := make([]float32, n)
			for i := range want {
				way := float32(to[i] - from[i])
				want[i] = from[i] + float32(step*way)
				// Three roundings, each of at most half a unit in the last place.
				exact := float64(from[i]) + float64(step)*(float64(to[i])-float64(from[i]))
				if d := math.Abs(float64(want[i]) - exact); d > 0x1p-24*(math.Abs(exact)+3*float64(step)*math.Abs(float64(way))) {
					t.Fatalf("element %d is %v, want %v: off by %v", i, want[i], exact, d)
				}
			}
			eachTier(t, func(t *testing.T) {
				for _, p := range pools {
					what := fmt.Sprintf("%d elements, step %v, %d threads", n, step, p.Threads())
					got, x := guard(from, 1), guard(to, 3)
					Lerp(p, got.x, x.x, step)
					sameBits(t, what, got.x, want)
					sameBits(t, what+": x", x.x, to)
					got.check(t, what)
				}
			})
		}
	}
}
