package kernel

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"
)

// burst returns the GFLOP/s of three parts of [Peak] on each of p's threads, which
// a part before has woken.
func burst(p *Pool) float64 {
	p.Do(p.Threads(), &peakTask{})
	start := time.Now()
	p.Do(3*p.Threads(), &peakTask{})
	return 2 * float64(peakRounds*peakRound*tier.lanes*3*p.Threads()) / time.Since(start).Seconds() / 1e9
}

// measurePeak returns the GFLOP/s of the FMA loop on all of p's threads, or 0
// for a tier without one: the best of some bursts.
func measurePeak(p *Pool) float64 {
	best := 0.
	for range 5 {
		best = max(best, Peak(p))
	}
	return best
}

// A timing is what benchTimed measures of a function.
type timing struct {
	fastest time.Duration // of all calls: what the machine does when nobody else wants it
	peak    float64       // GFLOP/s of the fastest burst, 0 without one
	pairs   []pair
}

// pair is the fastest call of some milliseconds, and the burst before them.
type pair struct {
	call time.Duration
	peak float64
}

// benchTimed runs f as often as the benchmark wants, in turn with bursts of the
// FMA loop: the clock of a processor changes with its load and its neighbours',
// and what runs within some milliseconds has the same.
func benchTimed(b *testing.B, p *Pool, f func()) timing {
	f()
	hasPeak := archPeak(tier.id, 1)
	t := timing{fastest: 1 << 62}
	now := pair{call: 1 << 62}
	var spent time.Duration
	if hasPeak {
		now.peak = burst(p)
	}
	for b.Loop() {
		start := time.Now()
		f()
		d := time.Since(start)
		now.call = min(now.call, d)
		if spent += d; spent < 4*time.Millisecond || !hasPeak {
			t.fastest = min(t.fastest, now.call)
			continue
		}
		t.add(now)
		now, spent = pair{1 << 62, burst(p)}, 0
	}
	if now.call < 1<<62 {
		t.add(now)
	}
	return t
}

func (t *timing) add(p pair) {
	t.fastest, t.peak = min(t.fastest, p.call), max(t.peak, p.peak)
	t.pairs = append(t.pairs, p)
}

// of returns the share of the peak, in percent, that flops operations a call make:
// the median over the pairs. It is 0 without a peak.
func (t *timing) of(flops float64) float64 {
	if t.peak == 0 {
		return 0
	}
	shares := make([]float64, len(t.pairs))
	for i, p := range t.pairs {
		shares[i] = 100 * flops / p.call.Seconds() / 1e9 / p.peak
	}
	slices.Sort(shares)
	return shares[len(shares)/2]
}

// benchGemmShapes: a square product, then what a training step of mlp28 does
// at batch 128 (forward NT, data gradient NN, weight gradient TN), then
// sampling.
var benchGemmShapes = []struct {
	f       Form
	m, n, k int
}{
	{NN, 1024, 1024, 1024}, {NT, 1024, 1024, 1024}, {TN, 1024, 1024, 1024},
	{NT, 128, 256, 100}, {NT, 128, 512, 256}, {NT, 128, 1024, 512}, {NT, 128, 784, 1024}, {NT, 128, 1, 256},
	{NN, 128, 256, 1}, {NN, 128, 512, 256}, {NN, 128, 784, 512}, {NN, 128, 1024, 784},
	{TN, 256, 100, 128}, {TN, 512, 784, 128}, {TN, 784, 1024, 128}, {TN, 1024, 512, 128}, {TN, 1, 256, 128},
	{NT, 1, 1024, 512}, {NT, 1, 784, 1024}, {NT, 16, 784, 1024}, {NN, 1, 1024, 1024},
}

func BenchmarkGemm(b *testing.B) {
	benchTiers(b, func(b *testing.B, p *Pool) {
		for _, s := range benchGemmShapes {
			var noise noise
			x, y := noise.slice(s.m*s.k), noise.slice(s.k*s.n)
			dst := make([]float32, s.m*s.n)
			run := func(name string, f func()) {
				b.Run(fmt.Sprintf("%s/%s/threads=%d", shapeName(s.m, s.n, s.k), name, p.Threads()), func(b *testing.B) {
					reportGemm(b, s.m, s.n, s.k, benchTimed(b, p, f))
				})
			}
			run([]string{"NN", "NT", "TN"}[s.f], func() { Gemm(p, s.f, dst, x, y, s.m, s.n, s.k, Epilogue{}) })
			if s.f == NT {
				w := PackB(NT, y, s.n, s.k)
				run("packed", func() { GemmPacked(p, dst, x, s.m, w, Epilogue{}) })
			}
		}
	})
}

// benchTiers runs body on every tier but the reference, on 1 thread and on all.
func benchTiers(b *testing.B, body func(b *testing.B, p *Pool)) {
	best := tier
	defer func() { tier = best }()
	for _, ti := range tiers {
		if ti == &goTier && len(tiers) > 1 && !testing.Verbose() {
			continue
		}
		tier = ti
		b.Run(ti.name, func(b *testing.B) {
			for threads := 1; threads <= runtime.GOMAXPROCS(0); threads *= 2 {
				p := NewPool(threads)
				body(b, p)
				p.Close()
			}
		})
	}
}

// reportGemm reports the rate of the fastest call, and the share of the peak.
func reportGemm(b *testing.B, m, n, k int, t timing) {
	flops := 2 * float64(m) * float64(n) * float64(k)
	b.ReportMetric(flops/t.fastest.Seconds()/1e9, "GFLOP/s")
	if share := t.of(flops); share > 0 {
		b.ReportMetric(share, "%peak")
	}
}

// BenchmarkElementwise reports nanoseconds for an element, on one thread, of
// slices that fit the second cache.
func BenchmarkElementwise(b *testing.B) {
	const n = 50000
	x, y, z, w := noiseSlice(n, 1), noiseSlice(n, 2), noiseSlice(n, 3), noiseSlice(n, 4)
	best := tier
	defer func() { tier = best }()
	for _, ti := range tiers {
		tier = ti
		for _, c := range []struct {
			name string
			f    func()
		}{
			{"Tanh", func() { Apply(nil, Tanh, 0, y, x) }},
			{"Sigmoid", func() { Apply(nil, Sigmoid, 0, y, x) }},
			{"LeakyRelu", func() { Apply(nil, LeakyRelu, 0.2, y, x) }},
			{"LeakyReluGrad", func() { ApplyGrad(nil, LeakyRelu, 0.2, y, x, z) }},
			{"Add", func() { Add(nil, y, x, z) }},
			{"Adam", func() { Adam(nil, w, x, y, z, 2e-4, 0.5, 0.999, 1e-8, 1000) }},
			{"ColSum", func() { ColSum(nil, y, x, 100, 500, 1) }},
			{"BatchNormStats", func() { BatchNormStats(nil, y, z, x, 100, 500, 1) }},
			{"BatchNormApply", func() { BatchNormApply(nil, y, x, z, z, z, z, 100, 500, Identity, 0) }},
			{"BatchNormGrad", func() { BatchNormGrad(nil, y, z, z, x, nil, w, z, z, z, z, 100, 500, 1, Identity, 0) }},
			{"MaxPieces", func() { MaxPieces(nil, y, x, 100, 100, 5) }},
			{"MaxPiecesGrad", func() { MaxPiecesGrad(nil, y, x, w, 100, 100, 5) }},
			{"FirstNonFinite", func() { FirstNonFinite(x) }},
		} {
			b.Run(ti.name+"/"+c.name, func(b *testing.B) {
				fastest := time.Duration(1 << 62)
				for b.Loop() {
					clear(z)
					start := time.Now()
					c.f()
					fastest = min(fastest, time.Since(start))
				}
				b.ReportMetric(float64(fastest.Nanoseconds())/n, "ns/element")
			})
		}
	}
}
