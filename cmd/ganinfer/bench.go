package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"gantry/infer"
)

var benchCommand = command{"bench", `Usage: ganinfer bench --model g.onnx

Measures a model on random inputs, for each batch and number of threads: the
time of a run from inputs that are ready to float outputs, images per second,
the rate of the operations that the model needs (its matrix products and
convolutions, every tap counted) and its share of what the processor's
multiply-adds alone can do, loading, memory.

Examples:
    ganinfer bench --model g.onnx --seconds 0.1
    ganinfer bench g.onnx --batch 1,8,64 --threads 1 --seconds 0.1
    ganinfer bench g.onnx --json --seconds 0.1    one JSON object a line
`, benchFlags}

func benchFlags(fs *pflag.FlagSet) action {
	var m modelFlags
	batches := fs.String("batch", "1,64", "batches, a `list`")
	threads := fs.String("threads", "1,2", "numbers of threads, a `list`")
	seconds := fs.Float64("seconds", 3, "how long each of them is measured")
	asJSON := fs.Bool("json", false, "print one JSON object a line")
	m.bindFile(fs)
	m.limits.bind(fs)
	return func(ctx context.Context, args []string, std streams) error {
		bs, err := parseSeeds(*batches)
		if err != nil {
			return misusef("for example --batch 1,64", "--batch %s: %w", *batches, err)
		}
		ts, err := parseSeeds(*threads)
		if err != nil {
			return misusef("for example --threads 1,2", "--threads %s: %w", *threads, err)
		}
		if !(*seconds >= 0 && *seconds <= 1e6) {
			return misusef("leave it out for 3", "--seconds %v: must be 0 to 1e6", *seconds)
		}
		head := "batch  threads    p50 ms    p99 ms  images/s  GFLOP/s  of peak   load ms    memory\n"
		for _, t := range ts {
			for _, b := range bs {
				if m.threads = int(t); b < 1 || b > 1<<20 || t < 1 {
					return misusef("", "--batch %d --threads %d: must be at least 1, and a batch at most %d", b, t, 1<<20)
				}
				r, err := infer.Bench(ctx, func() (*infer.Model, error) { return m.load(args) }, int(b), time.Duration(*seconds*1e9))
				if errors.Is(err, infer.ErrLimit) {
					return &hinted{err, "a smaller --batch needs less memory"}
				}
				if err != nil {
					return err
				}
				line := fmt.Sprintf("%s%5d  %7d  %8.3g  %8.3g  %8.0f  %7.1f  %5.0f %%  %8.3g  %5d MB", head,
					r.Batch, r.Threads, r.P50, r.P99, r.ImagesPerS, r.GFLOPS, 100*r.Share, r.Load, r.PeakRSS/1e6)
				if head = ""; *asJSON {
					line = r.JSON()
				}
				if _, err := fmt.Fprintln(std.out, line); err != nil {
					return err
				}
			}
		}
		return nil
	}
}
