package kernel

import (
	"fmt"
	"math"
	"os"
	"sync"
	"testing"
	"time"
)

// mathCases are the transcendental functions, with the reference that their
// error is measured against: double precision leaves 29 bits to spare.
var mathCases = []struct {
	name      string
	kernel    func(dst, x []float32)
	reference func(x float64) float64
	edges     []float32 // the neighbours of these are tried too
	bound     float64   // ulps; half an ulp is the rounding itself
}{
	{"tanh", func(dst, x []float32) { Apply(nil, Tanh, 0, dst, x) }, math.Tanh, []float32{tanhMax, 9.01, 0.549, tanhSmall}, 1.4},
	{"sigmoid", func(dst, x []float32) { Apply(nil, Sigmoid, 0, dst, x) }, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
		[]float32{expMin, 103.97, 88.72, 17.33}, 1.5},
	{"exp", func(dst, x []float32) { Exp(nil, dst, x) }, math.Exp, []float32{expMax, expMin, 88.722839, -87.336544, -103.97208, 0.34657359}, 1},
	{"log", func(dst, x []float32) { Log(nil, dst, x) }, math.Log, []float32{1.5, 0.75, 1, 0x1p-126, math.MaxFloat32}, 0.9},
}

// checkMath compares the results got for x with the reference, and returns the
// largest error.
func checkMath(t *testing.T, name string, got, x []float32, reference func(float64) float64, bound float64) float64 {
	worst := 0.
	for i, v := range x {
		want := reference(float64(v))
		if y := float32(want); math.Float32bits(y) == math.Float32bits(got[i]) || y != y && got[i] != got[i] {
			if y != y || math.IsInf(float64(y), 0) {
				continue
			}
		} else if y != y || got[i] != got[i] || math.IsInf(float64(y), 0) || math.IsInf(float64(got[i]), 0) {
			t.Errorf("%s(%v) = %v, want %v", name, v, got[i], y)
			continue
		}
		e := math.Abs(float64(got[i])-want) / ulp(want)
		if e > bound {
			t.Errorf("%s(%v) = %v, want %v: off by %.6f ulp, bound %v", name, v, got[i], want, e, bound)
		}
		worst = max(worst, e)
	}
	return worst
}

// TestMathSample tries a dense sample of all numbers, and the neighbours of the
// edges, on every tier; the tiers must agree to the bit.
func TestMathSample(t *testing.T) {
	for _, c := range mathCases {
		var x []float32
		step := uint64(4099)
		if testing.Short() {
			step = 65537
		}
		for b := uint64(0); b < 1<<32; b += step {
			x = append(x, math.Float32frombits(uint32(b)))
		}
		for _, v := range append([]float32{0, float32(math.Inf(1)), float32(math.NaN()), math.SmallestNonzeroFloat32, 0x1p-126, math.MaxFloat32}, c.edges...) {
			for d := range uint32(2001) {
				b := math.Float32bits(v) + d - 1000
				x = append(x, math.Float32frombits(b), math.Float32frombits(b^1<<31))
			}
		}
		var first []float32
		for _, ti := range tiers {
			got := make([]float32, len(x))
			onTier(ti, func() { c.kernel(got, x) })
			if first == nil {
				first = got
				t.Logf("%s: at most %.6f ulp", c.name, checkMath(t, c.name, got, x, c.reference, c.bound))
			}
			sameBits(t, c.name+" on "+ti.name, got, first)
		}
	}
}

// TestAllInputs tries every float32: the errors on the best tier, and on one
// block in 64 whether all tiers agree to the bit. It takes three minutes on
// two processors:
//
//	GANTRY_LONG=1 go test -run AllInputs -v -timeout 1h ./internal/kernel
func TestAllInputs(t *testing.T) {
	if os.Getenv("GANTRY_LONG") == "" {
		t.Skip("GANTRY_LONG is not set")
	}
	const block = 1 << 16
	for _, c := range mathCases {
		start := time.Now()
		const threads = 2
		var worst [threads]float64
		var wait sync.WaitGroup
		for w := range threads {
			wait.Go(func() {
				x, got := make([]float32, block), make([]float32, block)
				for b := w * block; b < 1<<32; b += threads * block {
					for i := range x {
						x[i] = math.Float32frombits(uint32(b + i))
					}
					c.kernel(got, x)
					worst[w] = max(worst[w], checkMath(t, c.name, got, x, c.reference, c.bound))
				}
			})
		}
		wait.Wait()
		t.Logf("%s: at most %.9f ulp, after %v", c.name, max(worst[0], worst[1]), time.Since(start).Round(time.Second))
		x, got, want := make([]float32, block), make([]float32, block), make([]float32, block)
		for b := 0; b < 1<<32; b += 64 * block {
			for i := range x {
				x[i] = math.Float32frombits(uint32(b + b/(64*block)%64*block + i))
			}
			c.kernel(want, x)
			for _, ti := range tiers[1:] {
				onTier(ti, func() { c.kernel(got, x) })
				sameBits(t, fmt.Sprintf("%s on %s from %#08x on", c.name, ti.name, math.Float32bits(x[0])), got, want)
			}
		}
	}
}
