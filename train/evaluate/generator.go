package evaluate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gantry/infer"
	"gantry/internal/memory"
	"gantry/models"
	"gantry/train"
	"gantry/train/metric"
)

// A Generator is a model that samples. One goroutine at a time.
type Generator struct {
	path, digest string
	sampler      *infer.Sampler
}

// OpenGenerator opens the ONNX file at path, or the one that a run left in the
// directory at path.
func OpenGenerator(path string, threads int) (*Generator, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		file := filepath.Join(path, "generator.onnx")
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, misuse(fmt.Sprintf("gantrain export %s -o g.onnx makes one of a run's newest checkpoint", train.Quote(path)), "%s holds no generator.onnx", path)
		}
		path = file
	}
	b, m, err := load(path, threads)
	if err != nil {
		return nil, err
	}
	s, err := infer.NewSampler(m, infer.SamplerOptions{})
	if err != nil {
		return nil, misuse("a generator has one input of latents, float32 [N nz]", "%s: %w", path, err)
	}
	return &Generator{path, digest(b), s}, nil
}

// load reads a model, and its bytes.
func load(path string, threads int) ([]byte, *infer.Model, error) {
	const hint = "give an ONNX file, such as gantrain export writes"
	m, err := infer.LoadFile(path, infer.Options{Threads: threads})
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, misuse(hint, "%s: no such file", path)
		}
		return nil, nil, &train.Error{Err: fmt.Errorf("evaluate: %w", err), Hint: hint}
	}
	b, err := os.ReadFile(path)
	return b, m, err
}

func digest(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

// misuse is an error about a request.
func misuse(hint, format string, args ...any) error {
	return &train.Error{Misuse: true, Err: fmt.Errorf("evaluate: "+format, args...), Hint: hint}
}

// Sampler returns what draws the samples.
func (g *Generator) Sampler() *infer.Sampler { return g.sampler }

// Shape returns the shape of a sample: [C H W] or [d].
func (g *Generator) Shape() []int { return g.sampler.Shape() }

// Samples draws samples 0 to n-1 of a seed, as they come out of the network. It
// refuses what memory has no room for, twice: metrics take a copy.
func (g *Generator) Samples(ctx context.Context, n int, seed uint64, o Options) (metric.Set, error) {
	size := models.Elements(g.Shape())
	if free, ok := memory.Free(); ok && int64(n) > free/int64(8*size) {
		return metric.Set{}, &train.Error{
			Err:  fmt.Errorf("evaluate: %d samples of shape %v, and a copy, take %d MB of memory, of which %d are free", n, g.Shape(), int64(n)*int64(8*size)/1e6, free/1e6),
			Hint: "a smaller --count needs less; 10,000 are usual",
		}
	}
	s := metric.Set{X: make([]float32, 0, n*size), Dim: size}
	count := train.NewCounter(o.Words, "samples drawn")
	defer count.End()
	err := g.sampler.Sample(ctx, infer.Range(seed, 0, n), func(i int, x []float32) error {
		s.X = append(s.X, x...)
		count.Step(i+1, n)
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("evaluate: %s: %w", g.path, err)
	}
	return s, nil
}

// Unit maps samples from the generator's value range to [0, 1], in place.
func (g *Generator) Unit(s metric.Set) {
	lo, hi := g.sampler.ValueRange()
	if lo == 0 && hi == 1 {
		return
	}
	for i, v := range s.X {
		s.X[i] = (v - lo) / (hi - lo)
	}
}
