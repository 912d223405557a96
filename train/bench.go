package train

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"gantry/internal/kernel"
	"gantry/internal/memory"
	"gantry/internal/rng"
	"gantry/models"
	"gantry/train/dataset"
)

// A BenchResult is what [Bench] has measured.
type BenchResult struct {
	Preset         string  `json:"preset"`
	Batch          int     `json:"batch"`
	Threads        int     `json:"threads"`
	Tier           string  `json:"tier"`             // of the kernels
	Steps          int     `json:"steps"`            // that were measured
	SecondsPerStep float64 `json:"seconds_per_step"` // median
	ImagesPerSec   float64 `json:"images_per_s"`     // real images, at that rate
	NeededGFLOP    float64 `json:"needed_gflop"`     // models.StepFlops
	GFLOPS         float64 `json:"gflops"`           // NeededGFLOP in SecondsPerStep
	PeakGFLOPS     float64 `json:"peak_gflops,omitzero"`
	Share          float64 `json:"share,omitzero"`          // GFLOPS of PeakGFLOPS
	PeakRSSBytes   int64   `json:"peak_rss_bytes,omitzero"` // of this process, where the system tells
}

// String returns the result as some lines for people.
func (r *BenchResult) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, batch %d, %s (%s), synthetic images\n", r.Preset, r.Batch, plural(r.Threads, "thread"), r.Tier)
	fmt.Fprintf(&b, "step: %.3g ms (median of %d), %.0f images/s\n", r.SecondsPerStep*1e3, r.Steps, r.ImagesPerSec)
	fmt.Fprintf(&b, "it needs %.3g GFLOP: %.0f GFLOP/s", r.NeededGFLOP, r.GFLOPS)
	if r.PeakGFLOPS > 0 {
		fmt.Fprintf(&b, ", %.0f %% of the %.0f of multiply-adds alone", 100*r.Share, r.PeakGFLOPS)
	}
	b.WriteString("\n")
	if r.PeakRSSBytes > 0 {
		fmt.Fprintf(&b, "memory: %s at the most\n", humanBytes(r.PeakRSSBytes))
	}
	return b.String()
}

// Bench trains p on synthetic images for about the given time, at least three
// steps, and measures the step. Between steps, not all before or after them, it
// measures the loop of multiply-adds that is the processor's ceiling, five times
// a second: what disturbs the one disturbs the other, so that their medians give
// an honest share.
func Bench(p *models.Preset, threads int, length time.Duration) (*BenchResult, error) {
	s := DefaultSettings(p)
	s.Threads = threads
	if err := s.check(); err != nil {
		return nil, err
	}
	n := max(p.Recipe.Batch, 1024)
	e := NewEstimate(&s, nil)
	e.Memory += int64(n) * elements(p.Spec.Sample.Shape)
	if err := checkMemory(e); err != nil {
		return nil, err
	}
	data, err := syntheticImages(p.Spec.Sample.Shape, n)
	if err != nil {
		return nil, err
	}
	flops, err := models.StepFlops(&p.Spec, &p.Recipe)
	if err != nil {
		return nil, err
	}
	t, err := NewTrainer(&p.Spec, &p.Recipe, data, s.Seed, Options{Threads: threads})
	if err != nil {
		return nil, err
	}
	defer t.Close()
	const warmUp = 2
	var steps, peaks []float64
	var start, peakAt time.Time
	for n := 0; n < warmUp+3 || time.Since(start) < length; n++ {
		if n == warmUp {
			start = time.Now()
		}
		if n >= warmUp && time.Since(peakAt) > 200*time.Millisecond {
			peaks = append(peaks, kernel.Peak(t.pool))
			peakAt = time.Now()
		}
		begin := time.Now()
		if _, err := t.Step(); err != nil {
			return nil, failure("", "%w", err)
		}
		if n >= warmUp {
			steps = append(steps, time.Since(begin).Seconds())
		}
	}
	r := &BenchResult{
		Preset: p.Name, Batch: p.Recipe.Batch, Threads: threads, Tier: kernel.Tier(), Steps: len(steps),
		SecondsPerStep: median(steps), NeededGFLOP: float64(flops) / 1e9, PeakGFLOPS: median(peaks),
	}
	r.ImagesPerSec = float64(p.Recipe.K) * float64(p.Recipe.Batch) / r.SecondsPerStep
	r.GFLOPS = r.NeededGFLOP / r.SecondsPerStep
	if r.PeakGFLOPS > 0 {
		r.Share = r.GFLOPS / r.PeakGFLOPS
	}
	r.PeakRSSBytes, _ = memory.Peak()
	return r, nil
}

// syntheticImages is a data set of n images of noise for samples of a shape.
func syntheticImages(shape []int, n int) (dataset.Dataset, error) {
	pixels := make([]byte, 0, n*models.Elements(shape)+16)
	for i := 0; len(pixels) < n*models.Elements(shape); i++ {
		for _, w := range rng.Block(0, rng.Augment, 0, uint64(i), 0) {
			pixels = binary.LittleEndian.AppendUint32(pixels, w)
		}
	}
	if len(shape) == 1 {
		shape = []int{1, 1, shape[0]}
	}
	return dataset.New("noise", shape, pixels[:n*models.Elements(shape)], nil)
}

// median returns the middle one of some values, the upper of two.
func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}
