package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"gantry/infer"
	"gantry/internal/npy"
)

var sampleCommand = command{"sample", `Usage: ganinfer sample --model g.onnx WHICH WHERE

WHICH samples:
    --seeds 0-35,85                      image 0 of each seed
    --seed 7 --first 5000 --count 1000   images 5000 to 5999 of seed 7
    --z z.npy                            latents of your own, float32 [n, nz]
WHERE they go, one or both:
    --grid grid.png                      one picture of all
    --out DIR                            a PNG file for each
    --out samples.npy                    an array: uint8 [n, C, H, W],
                                         or float32 [n, d]

Examples:
    ganinfer sample --model g.onnx --seeds 0-63 --grid grid.png
    ganinfer sample --model g.onnx --seeds 1,4,9 --out images
    ganinfer sample --model g.onnx --seed 7 --count 10000 --out samples.npy
`, sampleFlags}

// maxLatents is the largest file of latents that --z reads.
const maxLatents = 1 << 30

// sampleOptions are the flags of the command.
type sampleOptions struct {
	model       modelFlags
	seeds, z    string
	seed, first uint64
	count       int
	bySeed      bool // --seed is given
	ranged      bool // --first or --count is given
	batch       int
	grid, out   string
}

func sampleFlags(fs *pflag.FlagSet) func(context.Context, []string, io.Writer) error {
	var o sampleOptions
	o.model.bind(fs)
	fs.StringVar(&o.seeds, "seeds", "", "seeds, a `list` with ranges; image 0 of each is drawn")
	fs.Uint64Var(&o.seed, "seed", 0, "one seed; --count of its images are drawn, from --first on")
	fs.Uint64Var(&o.first, "first", 0, "number of the first image")
	fs.IntVar(&o.count, "count", 1, "number of images")
	fs.StringVar(&o.z, "z", "", "an .npy `file` of latents to use instead of seeds")
	fs.StringVar(&o.grid, "grid", "", "a PNG `file` for all samples in one picture")
	fs.StringVar(&o.out, "out", "", "a directory for PNG files, or an .npy `file`")
	fs.IntVar(&o.batch, "batch", 0, "samples computed at once; 0 is a good value;\nresults do not depend on it")
	return func(ctx context.Context, args []string, _ io.Writer) error {
		o.bySeed, o.ranged = fs.Changed("seed"), fs.Changed("first") || fs.Changed("count")
		return o.run(ctx, args)
	}
}

func (o *sampleOptions) run(ctx context.Context, args []string) error {
	sources := 0
	for _, given := range []bool{o.seeds != "", o.bySeed, o.z != ""} {
		if given {
			sources++
		}
	}
	switch {
	case sources != 1:
		return misusef("for example --seeds 0-63", "want one of --seeds, --seed and --z, got %d", sources)
	case o.ranged && !o.bySeed:
		return misusef("for example --seed 7 --first 5000 --count 1000", "--first and --count need --seed")
	case o.grid == "" && o.out == "":
		return misusef("--grid grid.png makes one picture, --out DIR a file for each sample", "no output: --grid and --out are missing")
	case o.count < 1 || o.count > math.MaxInt32:
		return misusef("", "--count %d: must be 1 to %d", o.count, math.MaxInt32)
	case o.first > math.MaxUint64-uint64(o.count-1):
		return misusef("", "--first %d: images are numbered up to %d", o.first, uint64(math.MaxUint64))
	case o.batch < 0:
		return misusef("leave it out for a good value", "--batch %d: must be at least 1", o.batch)
	}
	if err := o.checkOutputs(); err != nil {
		return err
	}
	src, err := o.source()
	if err != nil {
		return err
	}
	m, err := o.model.load(args)
	if err != nil {
		return err
	}
	s, err := infer.NewSampler(m, infer.SamplerOptions{Batch: o.batch})
	if errors.Is(err, infer.ErrLimit) && o.batch > 0 {
		return &hinted{err, "a smaller --batch needs less memory"}
	}
	if err != nil {
		return err
	}
	sink, err := newSink(s, src, o.grid, o.out)
	if err != nil {
		return err
	}
	return sink.write(func(emit func(i int, x []float32) error) error { return src.draw(ctx, s, emit) })
}

// checkOutputs refuses names of outputs that cannot be meant.
func (o *sampleOptions) checkOutputs() error {
	if err := checkOutput("--grid", o.grid); err != nil {
		return err
	}
	if err := checkOutput("--out", o.out); err != nil {
		return err
	}
	if ext := strings.ToLower(filepath.Ext(o.grid)); o.grid != "" && ext != ".png" {
		return misusef("the picture is a PNG file, as in --grid grid.png", "--grid %s: want a name that ends in .png", o.grid)
	}
	switch ext := strings.ToLower(filepath.Ext(o.out)); ext {
	case ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".npz":
		return misusef("--grid grid.png makes one picture of all", "--out %s: want a directory or a name that ends in .npy", o.out)
	}
	return nil
}

// source says which samples to draw.
type source struct {
	count int
	name  func(i int) string // of sample i, for a file name
	seeds []uint64           // or
	first infer.Key          // or
	z     *npy.Array
}

func (o *sampleOptions) source() (*source, error) {
	switch {
	case o.seeds != "":
		seeds, err := parseSeeds(o.seeds)
		if err != nil {
			return nil, misusef("a list with inclusive ranges, as in --seeds 0-35,85", "--seeds %s: %w", o.seeds, err)
		}
		if o.out != "" && !isArray(o.out) { // a file for each seed
			if s, ok := twice(seeds); ok {
				return nil, misusef("an array or a grid may repeat seeds", "--seeds %s: %d is there twice, which is one file of --out %s", o.seeds, s, o.out)
			}
		}
		return &source{count: len(seeds), seeds: seeds, name: func(i int) string { return fmt.Sprintf("seed%04d", seeds[i]) }}, nil
	case o.bySeed:
		return &source{count: o.count, first: infer.Key{Seed: o.seed, Index: o.first},
			name: func(i int) string { return fmt.Sprintf("seed%04d-%06d", o.seed, o.first+uint64(i)) }}, nil
	}
	z, err := npy.ReadFile(o.z, maxLatents)
	if err != nil {
		return nil, err
	}
	if z, err = asFloat32(z); err != nil || len(z.Shape) < 2 || len(z.F32) == 0 {
		return nil, fmt.Errorf("%s: is %s %v, want float32 [n, nz]", o.z, z.DType, z.Shape)
	}
	return &source{count: z.Shape[0], z: z, name: func(i int) string { return fmt.Sprintf("z%06d", i) }}, nil
}

// keysAtOnce bounds the memory that keys of a long range take.
const keysAtOnce = 1 << 16

func (src *source) draw(ctx context.Context, s *infer.Sampler, emit func(i int, x []float32) error) error {
	if src.z != nil {
		if n := len(src.z.F32) / src.count; n != s.LatentSize() {
			return fmt.Errorf("--z: a latent has %d elements, but the model wants %d", n, s.LatentSize())
		}
		return s.SampleLatents(ctx, src.z.F32, emit)
	}
	if src.seeds != nil {
		return s.Sample(ctx, infer.Seeds(src.seeds), emit)
	}
	for at := 0; at < src.count; at += keysAtOnce {
		keys := infer.Range(src.first.Seed, src.first.Index+uint64(at), min(keysAtOnce, src.count-at))
		if err := s.Sample(ctx, keys, func(i int, x []float32) error { return emit(at+i, x) }); err != nil {
			return err
		}
	}
	return nil
}
