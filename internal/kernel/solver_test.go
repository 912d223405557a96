package kernel

import (
	"fmt"
	"math"
	"testing"
)

// TestAdam compares ten steps with Adam in float64, and all tiers and threads
// with the reference.
func TestAdam(t *testing.T) {
	const lr, beta1, beta2, eps = float32(2e-4), 0.5, 0.999, float32(1e-8)
	pools := testPools(t)
	for _, n := range []int{1, 7, 8, 16, 33, 40001} {
		type state struct{ w, m, v guarded }
		fresh := func() state {
			return state{guard(noiseSlice(n, 1), 1), guard(make([]float32, n), 2), guard(make([]float32, n), 3)}
		}
		grad := func(step int) []float32 {
			g := noiseSlice(n, uint64(10+step))
			for i := range g {
				g[i] *= float32(math.Ldexp(1, -i%20))
			}
			return g
		}
		want := fresh()
		w64, m64, v64 := make([]float64, n), make([]float64, n), make([]float64, n)
		for i, v := range want.w.x {
			w64[i] = float64(v)
		}
		onTier(&goTier, func() {
			for step := 1; step <= 10; step++ {
				g := grad(step)
				Adam(nil, want.w.x, g, want.m.x, want.v.x, lr, beta1, beta2, eps, step)
				c1, c2 := 1-math.Pow(beta1, float64(step)), 1-math.Pow(beta2, float64(step))
				for i, d := range g {
					d := float64(d)
					m64[i] = beta1*m64[i] + (1-beta1)*d
					v64[i] = beta2*v64[i] + (1-beta2)*d*d
					w64[i] -= float64(lr) / c1 * m64[i] / (math.Sqrt(v64[i])/math.Sqrt(c2) + float64(eps))
				}
			}
		})
		for i := range w64 {
			// Ten steps, each rounding w once and the step (at most some lr) a few times.
			if d := math.Abs(float64(want.w.x[i]) - w64[i]); d > 10*(0x1p-24*math.Abs(w64[i])+20*0x1p-24*float64(lr)) {
				t.Fatalf("weight %d is %v, want %v: off by %v", i, want.w.x[i], w64[i], d)
			}
			if d := math.Abs(float64(want.v.x[i]) - v64[i]); d > 40*0x1p-24*v64[i] {
				t.Fatalf("second moment %d is %v, want %v", i, want.v.x[i], v64[i])
			}
		}
		for _, ti := range tiers {
			onTier(ti, func() {
				for _, p := range pools {
					what := fmt.Sprintf("%d elements on %s, %d threads", n, ti.name, p.Threads())
					got := fresh()
					for step := 1; step <= 10; step++ {
						Adam(p, got.w.x, grad(step), got.m.x, got.v.x, lr, beta1, beta2, eps, step)
					}
					sameBits(t, what+": w", got.w.x, want.w.x)
					sameBits(t, what+": m", got.m.x, want.m.x)
					sameBits(t, what+": v", got.v.x, want.v.x)
					got.w.check(t, what)
					got.m.check(t, what)
					got.v.check(t, what)
				}
			})
		}
	}
}

func TestMomentum(t *testing.T) {
	pools := testPools(t)
	for _, n := range []int{0, 1, 17, 40001} {
		w0, g, v0 := noiseSlice(n, 1), noiseSlice(n, 2), noiseSlice(n, 3)
		wantW, wantV := make([]float32, n), make([]float32, n)
		for i := range w0 {
			wantV[i] = float32(v0[i]*0.7) - float32(0.1*g[i])
			wantW[i] = w0[i] + wantV[i]
		}
		for _, ti := range tiers {
			onTier(ti, func() {
				for _, p := range pools {
					w, v := guard(w0, 1), guard(v0, 2)
					Momentum(p, w.x, g, v.x, 0.1, 0.7)
					sameBits(t, "w", w.x, wantW)
					sameBits(t, "v", v.x, wantV)
					w.check(t, "w")
					v.check(t, "v")
				}
			})
		}
	}
}

func TestPow(t *testing.T) {
	for _, x := range []float64{0.5, 0.9, 0.999} {
		for _, n := range []int{0, 1, 2, 3, 10, 1000, 123457} {
			if got, want := pow(x, n), math.Pow(x, float64(n)); math.Abs(got-want) > 1e-13*float64(n+1)*want {
				t.Errorf("pow(%v, %d) = %v, want %v", x, n, got, want)
			}
		}
	}
}
