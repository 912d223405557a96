package kernel

import (
	"fmt"
	"sync"
	"testing"
)

// convLayer is a layer of a network. A generator's layers are transposed
// convolutions: they go forward by Transposed, and the gradient of their data
// is Forward; a discriminator's layers do it the other way round.
type convLayer struct {
	name      string
	generator bool
	s         ConvShape
}

// dcganLayers are the convolutions of two DCGANs, for images of 64x64 pixels in
// colour and of 28x28 in grey, from input to output.
var dcganLayers = []convLayer{
	{"dcgan64/g1", true, square(4, 512, 1, 100, 4, 1, 0)},
	{"dcgan64/g2", true, square(8, 256, 4, 512, 4, 2, 1)},
	{"dcgan64/g3", true, square(16, 128, 8, 256, 4, 2, 1)},
	{"dcgan64/g4", true, square(32, 64, 16, 128, 4, 2, 1)},
	{"dcgan64/g5", true, square(64, 3, 32, 64, 4, 2, 1)},
	{"dcgan64/d1", false, square(64, 3, 32, 64, 4, 2, 1)},
	{"dcgan64/d2", false, square(32, 64, 16, 128, 4, 2, 1)},
	{"dcgan64/d3", false, square(16, 128, 8, 256, 4, 2, 1)},
	{"dcgan64/d4", false, square(8, 256, 4, 512, 4, 2, 1)},
	{"dcgan64/d5", false, square(4, 512, 1, 1, 4, 1, 0)},
	{"dcgan28/g1", true, square(7, 128, 1, 100, 7, 1, 0)},
	{"dcgan28/g2", true, square(14, 64, 7, 128, 4, 2, 1)},
	{"dcgan28/g3", true, square(28, 1, 14, 64, 4, 2, 1)},
	{"dcgan28/d1", false, square(28, 1, 14, 32, 4, 2, 1)},
	{"dcgan28/d2", false, square(14, 32, 7, 64, 4, 2, 1)},
	{"dcgan28/d3", false, square(7, 64, 1, 1, 7, 1, 0)},
}

// BenchmarkConv runs what a training step does with each layer, at batch 128,
// and with weights packed once what one image needs.
//
//	go test -run '^$' -bench Conv/avx512/dcgan64/g2 ./internal/kernel
//	go test -run '^$' -bench Conv/avx512/dcgan64/./forward ./internal/kernel
func BenchmarkConv(b *testing.B) {
	benchTiers(b, func(b *testing.B, p *Pool) {
		for _, l := range dcganLayers {
			l.bench(b, p)
		}
	})
}

// convOperands are the operands and results of a layer, for one batch.
type convOperands struct {
	x, dx, g, y, w, dw []float32 // fine, coarse, weights
}

func (l *convLayer) bench(b *testing.B, p *Pool) {
	const n = 128
	s, c := l.s, NewFastConv(l.s, 0)
	operands := sync.OnceValue(func() *convOperands { // only if a benchmark wants them
		o := &convOperands{x: noiseSlice(s.H*s.W*n*s.C, 1), g: noiseSlice(s.OH*s.OW*n*s.K, 2), w: noiseSlice(s.K*s.C*s.R*s.S, 3)}
		o.dx, o.y, o.dw = make([]float32, len(o.x)), make([]float32, len(o.g)), make([]float32, len(o.w))
		return o
	})
	run := func(name string, n int, prepare func(o *convOperands) func()) {
		b.Run(fmt.Sprintf("%s/%s/threads=%d", l.name, name, p.Threads()), func(b *testing.B) {
			bandwidth := measureBandwidth(p)
			l.report(b, n, benchTimed(b, p, prepare(operands())), bandwidth)
		})
	}
	forward := func(o *convOperands) func() {
		return func() { c.Forward(p, o.y, o.x, o.w, n, Epilogue{}) }
	}
	transposed := func(o *convOperands) func() {
		return func() { c.Transposed(p, o.dx, o.g, o.w, n, Epilogue{}) }
	}
	image := func(o *convOperands) func() {
		w := NewFastConv(l.s, OneImage).Pack(o.w)
		return func() { w.Run(p, o.y, o.x, 1, Epilogue{}) }
	}
	if l.generator {
		forward, transposed = transposed, forward
		image = func(o *convOperands) func() {
			w := NewFastConv(l.s, OneImage).PackTransposed(o.w)
			return func() { w.Run(p, o.dx, o.g, 1, Epilogue{}) }
		}
	}
	run("forward", n, forward)
	run("data", n, transposed)
	run("weight", n, func(o *convOperands) func() {
		return func() { c.WeightGrad(p, o.dw, o.x, o.g, n, 1) }
	})
	run("image", 1, image)
}

// flops returns the operations that a layer needs at batch n, in each direction:
// a multiplication and an addition for each weight, coarse pixel and image.
func (l *convLayer) flops(n int) float64 {
	return 2 * float64(l.s.K*l.s.C*l.s.R*l.s.S) * float64(l.s.OH*l.s.OW*n)
}

// report reports the rate of the fastest call at batch n and its shares: of the
// peak, and of the roofline, the lower of both ceilings.
func (l *convLayer) report(b *testing.B, n int, t timing, bandwidth float64) {
	s, flops := l.s, l.flops(n)
	b.ReportMetric(flops/t.fastest.Seconds()/1e9, "GFLOP/s")
	if share := t.of(flops); share > 0 {
		floats := s.K*s.C*s.R*s.S + s.H*s.W*n*s.C + s.OH*s.OW*n*s.K
		intensity := flops / float64(4*floats)
		b.ReportMetric(share, "%peak")
		b.ReportMetric(share*max(1, t.peak/(intensity*bandwidth)), "%roofline")
	}
}
