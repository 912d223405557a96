package infer

import (
	"context"
	"fmt"
	"runtime/debug"
	"sort"
	"time"

	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
	"gantry/internal/memory"
	"gantry/internal/rng"
)

// BenchResult is what [Bench] has measured.
type BenchResult struct {
	Batch, Threads int
	P50, P99       float64 // ms of a Run
	ImagesPerS     float64 // Batch in P50
	// GFLOPS is the rate at which the operations that the model needs are done in P50: those of its matrix products and
	// convolutions, where a multiplication with its addition is two and every tap of a convolution counts, in padding too.
	GFLOPS     float64
	PeakGFLOPS float64 // of multiply-adds alone, on as many threads; 0 where it is not known
	Share      float64 // GFLOPS of PeakGFLOPS
	Load       float64 // ms from the file to the model
	PeakRSS    int64   // bytes of the process, loading and running; 0 where the system does not tell
}

// JSON returns r as an object in one line.
func (r *BenchResult) JSON() string {
	return fmt.Sprintf(`{"batch":%d,"threads":%d,"p50_ms":%g,"p99_ms":%g,"images_per_s":%g,"gflops":%g,"peak_gflops":%g,"share":%g,"load_ms":%g,"peak_rss_bytes":%d}`,
		r.Batch, r.Threads, r.P50, r.P99, r.ImagesPerS, r.GFLOPS, r.PeakGFLOPS, r.Share, r.Load, r.PeakRSS)
}

// Bench loads a model and runs it for about the given time, at least five times, on random inputs in which every open dimension
// is batch. It times [Session.Run] alone. Between runs, five times a second, it measures the loop of multiply-adds that is
// the processor's ceiling: what disturbs the one disturbs the other, so that their medians give an honest share.
func Bench(ctx context.Context, load func() (*Model, error), batch int, length time.Duration) (*BenchResult, error) {
	debug.FreeOSMemory() // what was there before is not of this model
	memory.ResetPeak()
	start := time.Now()
	m, err := load()
	if err != nil {
		return nil, err
	}
	r := &BenchResult{Batch: batch, Threads: m.pool.Threads(), Load: milliseconds(time.Since(start))}
	p, err := m.openPlan(batch)
	if err != nil {
		return nil, err
	}
	inputs, err := m.benchInputs(batch)
	if err != nil {
		return nil, err
	}
	const warmUp, least = 2, 5
	var runs, peaks []float64
	var peakAt time.Time
	session := m.NewSession()
	for n := 0; n < warmUp+least || time.Since(start) < length; n++ {
		if n == warmUp {
			start = time.Now()
		}
		if n >= warmUp && time.Since(peakAt) > 200*time.Millisecond {
			peaks = append(peaks, kernel.Peak(m.pool))
			peakAt = time.Now()
		}
		begin := time.Now()
		if _, err := session.Run(ctx, inputs); err != nil {
			return nil, err
		}
		if n >= warmUp {
			runs = append(runs, milliseconds(time.Since(begin)))
		}
	}
	sort.Float64s(runs)
	sort.Float64s(peaks)
	r.P50, r.P99 = runs[len(runs)/2], runs[len(runs)*99/100]
	r.ImagesPerS = float64(batch) / r.P50 * 1e3
	r.GFLOPS = 2e-6 * float64(exec.MultiplyAdds(p)) / r.P50
	if r.PeakGFLOPS = peaks[len(peaks)/2]; r.PeakGFLOPS > 0 {
		r.Share = r.GFLOPS / r.PeakGFLOPS
	}
	r.PeakRSS, _ = memory.Peak()
	return r, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

// benchInputs returns inputs of normal numbers, and of zeros where they are integers: there is a class 0.
func (m *Model) benchInputs(batch int) (map[string]Tensor, error) {
	inputs := map[string]Tensor{}
	for i := range m.inputs {
		v := &m.inputs[i]
		if i == 0 && len(v.Shape) > 0 && v.Shape[0] >= 0 && v.Shape[0] != batch {
			return nil, fmt.Errorf("infer: input %q has shape %s, so a batch of %d cannot be measured", v.Name, v.shapeString(nil), batch)
		}
		x := plan.NewTensor(plan.Type{DType: v.DType, Shape: v.open(batch)})
		rng.Normal(x.F, 0, rng.SampleLatent, 0, uint64(i))
		inputs[v.Name] = Tensor{x.DType, x.Shape, x.F, x.I}
	}
	return inputs, nil
}
