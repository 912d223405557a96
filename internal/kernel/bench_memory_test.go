package kernel

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// copyTask copies x to dst in parts: the yardstick of [BenchmarkMemory].
type copyTask struct{ dst, x []float32 }

func (c *copyTask) Run(part int) {
	lo := part * memoryPart
	hi := min(lo+memoryPart, len(c.dst))
	copy(c.dst[lo:hi], c.x[lo:hi])
}

const memoryPart = 1 << 20

// BenchmarkMemory runs elementwise work on slices of rooflineFloats, beyond the
// caches, and Adam on 10 million parameters. Each
// operation reports GB/s, counting every element that it reads or writes once,
// and the ratio of its time to that of copying as many bytes: the copies run
// between the operation's own runs, and the fastest of each counts.
//
//	go test -run '^$' -bench Memory -benchtime 20x ./internal/kernel
func BenchmarkMemory(b *testing.B) {
	const n, parameters = rooflineFloats, 10_000_000
	x, y, z, w := noiseSlice(n, 1), noiseSlice(n, 2), noiseSlice(n, 3), noiseSlice(n, 4)
	for i := range z {
		z[i] *= z[i] // a second moment of Adam
	}
	bytes, a, a2 := make([]uint8, n), make([]float32, 1024), make([]float32, 1024)
	for threads := 1; threads <= runtime.GOMAXPROCS(0); threads *= 2 {
		p := NewPool(threads)
		for _, c := range []struct {
			name    string
			streams float64 // slices read and written
			f       func()
		}{
			{"Add", 3, func() { Add(p, y, x, w) }},
			{"Mul", 3, func() { Mul(p, y, x, w) }},
			{"Affine", 2, func() { Affine(p, y, x, 0.5, 0.25) }},
			{"AffineInPlace", 2, func() { Affine(p, y, y, 0.5, 0.25) }},
			{"Relu", 2, func() { Apply(p, Relu, 0, y, x) }},
			{"LeakyRelu", 2, func() { Apply(p, LeakyRelu, 0.2, y, x) }},
			{"Tanh", 2, func() { Apply(p, Tanh, 0, y, x) }},
			{"Sigmoid", 2, func() { Apply(p, Sigmoid, 0, y, x) }},
			{"ReluGrad", 3, func() { ApplyGrad(p, Relu, 0, y, x, w) }},
			{"LeakyReluGrad", 3, func() { ApplyGrad(p, LeakyRelu, 0.2, y, x, w) }},
			{"TanhGrad", 3, func() { ApplyGrad(p, Tanh, 0, y, x, w) }},
			{"SigmoidGrad", 3, func() { ApplyGrad(p, Sigmoid, 0, y, x, w) }},
			{"Adam", 7. * parameters / n, func() {
				Adam(p, w[:parameters], x[:parameters], y[:parameters], z[:parameters], 1e-9, 0.5, 0.999, 1e-8, 1000)
			}},
			{"Momentum", 5, func() { Momentum(p, w, x, y, 1e-9, 0.5) }},
			{"AllFinite", 1, func() { AllFinite(p, x) }},
			{"Exp", 2, func() { Exp(p, y, x) }},
			{"Log", 2, func() { Log(p, y, z) }},
			{"MaxPieces5", 1.2, func() { MaxPieces(p, y, x, 1, n/5, 5) }},
			{"MaxPieces5Grad", 2.2, func() { MaxPiecesGrad(p, y, x, w, 1, n/5, 5) }},
			{"ToHWNC128x3", 2, func() { ToHWNC(p, y, x, 128, 3, n/(128*3)) }},
			{"FromHWNC128x3", 2, func() { FromHWNC(p, y, x, 128, 3, n/(128*3)) }},
			{"ToHWNC128x64at1024", 2, func() { ToHWNC(p, y, x, 128, 64, 1024) }},
			{"FromBytes", 1.25, func() { FromBytes(p, y, bytes, 2./255, -1) }},
			{"ToBytes", 1.25, func() { ToBytes(p, bytes, x, -1, 1) }},
		} {
			b.Run(fmt.Sprintf("%s/threads=%d", c.name, threads), func(b *testing.B) {
				benchMemory(b, p, c.streams*4*n, &copyTask{y, x}, c.f)
			})
		}
		for _, c := range []int{3, 32, 64, 100, 256, 1024} {
			m := n / c
			v := noiseSlice(c, 5)
			for _, op := range []struct {
				name    string
				streams float64
				f       func()
			}{
				{"Stats", 1, func() { BatchNormStats(p, a, a2, x, m, c, 1) }},
				{"Apply", 2, func() { BatchNormApply(p, y, x, v, v, v, v, m, c, LeakyRelu, 0.2) }},
				{"Grad", 5, func() { BatchNormGrad(p, y, a, a2, x, nil, w, v, v, v, v, m, c, 1, LeakyRelu, 0.2) }},
			} {
				b.Run(fmt.Sprintf("BatchNorm%s/%s/threads=%d", op.name, shapeName(m, c), threads), func(b *testing.B) {
					benchMemory(b, p, op.streams*4*float64(m*c), &copyTask{y, x}, op.f)
				})
			}
		}
		p.Close()
	}
}

// benchMemory reports how fast f moves so many bytes, alone and against copies.
func benchMemory(b *testing.B, p *Pool, bytes float64, task *copyTask, f func()) {
	fastest := func(best time.Duration, f func()) time.Duration {
		start := time.Now()
		f()
		return min(best, time.Since(start))
	}
	const never = time.Duration(1 << 62)
	op, copying := never, never
	parts := (len(task.dst) + memoryPart - 1) / memoryPart
	for b.Loop() {
		copying = fastest(copying, func() { p.Do(parts, task) })
		op = fastest(op, f)
	}
	rate := bytes / op.Seconds() / 1e9
	b.ReportMetric(rate, "GB/s")
	b.ReportMetric(8*float64(len(task.dst))/copying.Seconds()/1e9/rate, "xcopy")
}
