package kernel

import (
	"fmt"
	"math"
	"testing"
)

func TestElementwise(t *testing.T) {
	pools := testPools(t)
	for _, n := range []int{0, 1, 7, 8, 15, 16, 17, 33, 100, 40001} {
		a, b := actSample(n), noiseSlice(n, 3)
		ops := []struct {
			name string
			run  func(p *Pool, dst, a []float32)
			want func(i int) float32
		}{
			{"Add", func(p *Pool, dst, a []float32) { Add(p, dst, a, b) }, func(i int) float32 { return a[i] + b[i] }},
			{"Mul", func(p *Pool, dst, a []float32) { Mul(p, dst, a, b) }, func(i int) float32 { return a[i] * b[i] }},
			{"Affine", func(p *Pool, dst, a []float32) { Affine(p, dst, a, 0.3, -7) }, func(i int) float32 { return float32(a[i]*0.3) + -7 }},
			{"Exp", func(p *Pool, dst, a []float32) { Exp(p, dst, a) }, func(i int) float32 { return exp32(a[i]) }},
			{"Log", func(p *Pool, dst, a []float32) { Log(p, dst, a) }, func(i int) float32 { return log32(a[i]) }},
		}
		for _, op := range ops {
			want := make([]float32, n)
			for i := range want {
				want[i] = op.want(i)
			}
			for _, ti := range tiers {
				onTier(ti, func() {
					for _, p := range pools {
						what := fmt.Sprintf("%s, %d elements on %s, %d threads", op.name, n, ti.name, p.Threads())
						dst := newGuarded(n, 1)
						op.run(p, dst.x, a)
						sameBits(t, what, dst.x, want)
						dst.check(t, what)
						dst = guard(a, 3)
						op.run(p, dst.x, dst.x)
						sameBits(t, what+", in place", dst.x, want)
						dst.check(t, what)
					}
				})
			}
		}
	}
}

func TestFirstNonFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	eachTier(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 15, 16, 17, 64, 100, 1000} {
			x := noiseSlice(n, 9)
			if n > 0 {
				x[0] = -math.MaxFloat32
			}
			if got := FirstNonFinite(x); got != -1 {
				t.Errorf("%d finite elements: got %d, want -1", n, got)
			}
			for i := range x {
				old := x[i]
				x[i] = []float32{nan, inf, -inf}[i%3]
				if got := FirstNonFinite(x); got != i {
					t.Errorf("%v at %d of %d: got %d", x[i], i, n, got)
				}
				if i+5 < n {
					x[i+5], old = nan, x[i+5]
					if got := FirstNonFinite(x); got != i {
						t.Errorf("the first of two, at %d of %d: got %d", i, n, got)
					}
					x[i+5] = old
					x[i] = 0
					continue
				}
				x[i] = old
			}
		}
	})
}

func TestAllFinite(t *testing.T) {
	x := noiseSlice(5*chunk+3, 9)
	for _, p := range testPools(t) {
		for _, n := range []int{0, 1, 100, 2 * chunk, 2*chunk + 1, len(x)} {
			if !AllFinite(p, x[:n]) {
				t.Errorf("%d finite elements, %d threads: got false", n, p.Threads())
			}
			for _, i := range []int{0, 99, 2 * chunk, len(x) - 1} {
				if i >= n {
					continue
				}
				old := x[i]
				x[i] = float32(math.Inf(-1))
				if AllFinite(p, x[:n]) {
					t.Errorf("an infinity at %d of %d, %d threads: got true", i, n, p.Threads())
				}
				x[i] = old
			}
		}
	}
}
