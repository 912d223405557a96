package kernel

import (
	"fmt"
	"math"
	"testing"
)

// ulp returns the distance between float32 numbers around x.
func ulp(x float64) float64 {
	x = math.Abs(x)
	if x < 0x1p-126 {
		return 0x1p-149
	}
	_, e := math.Frexp(x)
	return math.Ldexp(1, e-24)
}

// ulpSample calls check for float32 numbers of every exponent and sign.
func ulpSample(check func(x float32)) {
	step := uint32(5003)
	if testing.Short() {
		step = 70001
	}
	for b := uint32(0); b < 0xff800000-step; b += step {
		if x := math.Float32frombits(b); x == x {
			check(x)
		}
	}
	for _, x := range []float32{0, 1, -1, 20, 88, -88, 104, -104, math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1))} {
		check(x)
	}
}

func TestTanhSigmoidAccuracy(t *testing.T) {
	for _, c := range []struct {
		name  string
		got   func(float32) float32
		exact func(float64) float64
		bound float64 // ulps; half an ulp is the rounding itself
	}{
		{"tanh", tanh, math.Tanh, 1.4},
		{"sigmoid", sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 1.5},
		{"softplus", func(x float32) float32 { return float32(softplus(float64(x))) }, func(x float64) float64 {
			return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
		}, 0.501},
	} {
		worst := 0.
		ulpSample(func(x float32) {
			got, want := float64(c.got(x)), c.exact(float64(x))
			if got == want {
				return
			}
			if want > math.MaxFloat32 {
				t.Fatalf("%s(%v) = %v, want %v", c.name, x, got, want)
			}
			e := math.Abs(got-want) / ulp(want)
			if !(e < c.bound) {
				t.Fatalf("%s(%v) = %v, want %v: off by %.3f ulp, bound %v", c.name, x, got, want, e, c.bound)
			}
			worst = max(worst, e)
		})
		t.Logf("%s: at most %.6f ulp", c.name, worst)
		nan := float32(math.NaN())
		if got := c.got(nan); got == got {
			t.Errorf("%s(NaN) = %v, want NaN", c.name, got)
		}
	}
	for _, x := range []float32{0, 0x1p-149, 0.25, 9} {
		if got, want := tanh(-x), -tanh(x); math.Float32bits(got) != math.Float32bits(want) {
			t.Errorf("tanh(%v) = %v, want %v", -x, got, want)
		}
	}
}

// TestTanhSigmoidTiers compares the tiers on numbers of every exponent.
func TestTanhSigmoidTiers(t *testing.T) {
	var x []float32
	ulpSample(func(v float32) {
		if len(x) < 1<<19 || v < 100 && v > 1e-5 {
			x = append(x, v)
		}
	})
	got, want := make([]float32, len(x)), make([]float32, len(x))
	for _, act := range []Act{Tanh, Sigmoid} {
		applyGeneric(act, 0, want, x)
		for _, ti := range tiers {
			onTier(ti, func() { Apply(nil, act, 0, got, x) })
			sameBits(t, ti.name, got, want)
		}
	}
}

// actSample holds what the activations treat specially, then noise.
func actSample(n int) []float32 {
	x := []float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e-42, -1e-42, 30, -30, -110, 110}
	var s noise
	for len(x) < n {
		x = append(x, s.float()*8, s.bits())
	}
	return x[:n]
}

var acts = []struct {
	act   Act
	alpha float32
	f, d  func(x float64) float64 // the function, and its derivative from its value
}{
	{Identity, 0, func(x float64) float64 { return x }, func(y float64) float64 { return 1 }},
	{Relu, 0, func(x float64) float64 { return math.Max(x, 0) }, func(y float64) float64 { return step(y, 0) }},
	{LeakyRelu, 0.2, func(x float64) float64 { return math.Max(x, float64(float32(0.2))*x) }, func(y float64) float64 { return step(y, float64(float32(0.2))) }},
	{Tanh, 0, math.Tanh, func(y float64) float64 { return 1 - y*y }},
	{Sigmoid, 0, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, func(y float64) float64 { return y * (1 - y) }},
}

func step(y, below float64) float64 {
	if y > 0 {
		return 1
	}
	return below
}

func TestApply(t *testing.T) {
	pools := testPools(t)
	for _, c := range acts {
		for _, n := range []int{0, 1, 7, 8, 15, 16, 17, 31, 33, 100, 40001} {
			x := actSample(n)
			g := noiseSlice(n, 5)
			want, wantGrad := make([]float32, n), make([]float32, n)
			applyGeneric(c.act, c.alpha, want, x)
			applyGradGeneric(c.act, c.alpha, wantGrad, want, g)
			for i := range x {
				y := c.f(float64(x[i]))
				if d := math.Abs(float64(want[i]) - y); d > 1.5*ulp(y) && y == y && !math.IsInf(y, 0) {
					t.Fatalf("act %d of %v = %v, want %v", c.act, x[i], want[i], y)
				}
				d := c.d(float64(want[i])) * float64(g[i])
				// Two roundings, of factors below 1: 1-y cancels.
				if e := math.Abs(float64(wantGrad[i]) - d); e > 2*0x1p-24 && want[i] == want[i] && d == d {
					t.Fatalf("gradient of act %d at y = %v, g = %v is %v, want %v", c.act, want[i], g[i], wantGrad[i], d)
				}
			}
			for _, ti := range tiers {
				onTier(ti, func() {
					for _, p := range pools {
						for offset := range 2 {
							what := fmt.Sprintf("act %d, %d elements on %s, %d threads", c.act, n, ti.name, p.Threads())
							dst := newGuarded(n, offset)
							Apply(p, c.act, c.alpha, dst.x, x)
							sameBits(t, what, dst.x, want)
							dst.check(t, what)
							ApplyGrad(p, c.act, c.alpha, dst.x, want, g)
							sameBits(t, what+", gradient", dst.x, wantGrad)
							dst.check(t, what)
							dst = guard(x, offset)
							Apply(p, c.act, c.alpha, dst.x, dst.x)
							sameBits(t, what+", in place", dst.x, want)
							dst = guard(g, offset)
							ApplyGrad(p, c.act, c.alpha, dst.x, want, dst.x)
							sameBits(t, what+", gradient in place of g", dst.x, wantGrad)
						}
					}
				})
			}
		}
	}
}

// noiseSlice returns n numbers in [-1,1) of the given seed.
func noiseSlice(n int, seed uint64) []float32 {
	s := noise(seed)
	return s.slice(n)
}
