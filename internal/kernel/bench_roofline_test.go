package kernel

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// The roofline of a computation is the least time that this machine could need
// for it, by two ceilings: the loop of pure multiply-adds of measurePeak, and the
// bandwidth of memory, if every operand is moved once:
//
//	rate <= min(peak, intensity·bandwidth)
//
// with the intensity in operations for a byte. What finds its operands in a cache
// may exceed the second.

// rooflineFloats is the length of the arrays that are read and copied: 256 MB,
// more than a processor's caches hold.
const rooflineFloats = 64 << 20

// readTask reads a slice in parts: the vector code looks for a value that is
// not finite, and finds none.
type readTask struct{ x []float32 }

func (r *readTask) Run(part int) {
	lo := part * memoryPart
	if FirstNonFinite(r.x[lo:min(lo+memoryPart, len(r.x))]) >= 0 {
		panic("a value that is not finite")
	}
}

const rooflineParts = (rooflineFloats + memoryPart - 1) / memoryPart

// rooflineSlice is memory that the system has really given.
func rooflineSlice() []float32 {
	x := make([]float32, rooflineFloats)
	for i := range x {
		x[i] = 1
	}
	return x
}

// bandwidths holds what measureBandwidth has found, by number of threads.
var bandwidths = map[int]float64{}

// measureBandwidth returns the GB/s at which p's threads read memory: the best
// of some runs.
func measureBandwidth(p *Pool) float64 {
	if rate, ok := bandwidths[p.Threads()]; ok {
		return rate
	}
	best := time.Duration(1 << 62)
	onTier(tiers[0], func() {
		task := &readTask{rooflineSlice()}
		for range 8 {
			start := time.Now()
			p.Do(rooflineParts, task)
			best = min(best, time.Since(start))
		}
	})
	bandwidths[p.Threads()] = 4 * rooflineFloats / best.Seconds() / 1e9
	return bandwidths[p.Threads()]
}

// benchFastest runs f as often as the benchmark wants and returns the fastest
// call, the one that other programs on the machine disturbed least.
func benchFastest(b *testing.B, f func()) time.Duration {
	f()
	best := time.Duration(1 << 62)
	for b.Loop() {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	return best
}

// BenchmarkRoofline reports both ceilings of this machine. A copied byte counts
// twice: it is read and written.
func BenchmarkRoofline(b *testing.B) {
	benchTiers(b, func(b *testing.B, p *Pool) {
		b.Run(fmt.Sprintf("multiply-add/threads=%d", p.Threads()), func(b *testing.B) {
			peak := 0.
			for b.Loop() {
				peak = max(peak, measurePeak(p))
			}
			b.ReportMetric(peak, "GFLOP/s")
		})
	})
	x, y := rooflineSlice(), rooflineSlice()
	for threads := 1; threads <= runtime.GOMAXPROCS(0); threads *= 2 {
		p := NewPool(threads)
		for _, c := range []struct {
			name  string
			bytes float64
			task  Task
		}{
			{"read", 4 * rooflineFloats, &readTask{x}},
			{"copy", 8 * rooflineFloats, &copyTask{y, x}},
		} {
			b.Run(fmt.Sprintf("memory/%s/threads=%d", c.name, threads), func(b *testing.B) {
				best := benchFastest(b, func() { p.Do(rooflineParts, c.task) })
				b.ReportMetric(c.bytes/best.Seconds()/1e9, "GB/s")
			})
		}
		p.Close()
	}
}

// BenchmarkGemmPeers runs the products that bench/openblas.py gives to OpenBLAS.
func BenchmarkGemmPeers(b *testing.B) {
	benchTiers(b, func(b *testing.B, p *Pool) {
		for _, s := range []gemmShape{{1024, 1024, 1024}, {2048, 2048, 2048}, {128, 1024, 784}} {
			b.Run(fmt.Sprintf("%s/threads=%d", shapeName(s.m, s.n, s.k), p.Threads()), func(b *testing.B) {
				x, y, dst := noiseSlice(s.m*s.k, 1), noiseSlice(s.k*s.n, 2), make([]float32, s.m*s.n)
				reportGemm(b, s.m, s.n, s.k, benchTimed(b, p, func() { Gemm(p, NN, dst, x, y, s.m, s.n, s.k, Epilogue{}) }))
			})
		}
	})
}
