package main

import (
	"fmt"
	"math"

	"github.com/spf13/pflag"

	"gantry/infer"
	"gantry/internal/npy"
)

// maxLatents is the largest file of latents that --z reads.
const maxLatents = 1 << 30

// sourceFlags are the flags that say which latents are meant.
type sourceFlags struct {
	seeds, z    string
	seed, first uint64
	count       int
	given       func(flag string) bool
}

func (o *sourceFlags) bind(fs *pflag.FlagSet) {
	fs.StringVar(&o.seeds, "seeds", "", "seeds, a `list` with ranges; image 0 of each is drawn")
	fs.Uint64Var(&o.seed, "seed", 0, "one seed; --count of its images are drawn, from --first on")
	fs.Uint64Var(&o.first, "first", 0, "number of the first image")
	fs.IntVar(&o.count, "count", 1, "number of images")
	fs.StringVar(&o.z, "z", "", "an .npy `file` of latents to use instead of seeds")
	o.given = fs.Changed
}

// source is a number of latents.
type source struct {
	count  int
	name   func(i int) string                                   // of sample i, for a file name
	latent func(s *infer.Sampler, z []float32, i int) infer.Key // writes latent i to z
	seeds  []uint64                                             // if it was made of a list
	size   int                                                  // of a latent, if that is known
}

// open checks the flags and returns what they say.
func (o *sourceFlags) open() (*source, error) {
	sources := 0
	for _, given := range []bool{o.seeds != "", o.given("seed"), o.z != ""} {
		if given {
			sources++
		}
	}
	switch {
	case sources != 1:
		return nil, misusef("for example --seeds 0-63", "want one of --seeds, --seed and --z, got %d", sources)
	case (o.given("first") || o.given("count")) && !o.given("seed"):
		return nil, misusef("for example --seed 7 --first 5000 --count 1000", "--first and --count need --seed")
	case o.count < 1 || o.count > math.MaxInt32:
		return nil, misusef("", "--count %d: must be 1 to %d", o.count, math.MaxInt32)
	case o.first > math.MaxUint64-uint64(o.count-1):
		return nil, misusef("", "--first %d: images are numbered up to %d", o.first, uint64(math.MaxUint64))
	case o.seeds != "":
		seeds, err := parseSeeds(o.seeds)
		if err != nil {
			return nil, misusef("a list with inclusive ranges, as in --seeds 0-35,85", "--seeds %s: %w", o.seeds, err)
		}
		return &source{count: len(seeds), seeds: seeds, name: func(i int) string { return fmt.Sprintf("seed%04d", seeds[i]) },
			latent: drawn(func(i int) infer.Key { return infer.Key{Seed: seeds[i]} })}, nil
	case o.z == "":
		return &source{count: o.count, name: func(i int) string { return fmt.Sprintf("seed%04d-%06d", o.seed, o.first+uint64(i)) },
			latent: drawn(func(i int) infer.Key { return infer.Key{Seed: o.seed, Index: o.first + uint64(i)} })}, nil
	}
	a, err := npy.ReadFile(o.z, maxLatents)
	if err != nil {
		return nil, err
	}
	if a, err = asFloat32(a); err != nil || len(a.Shape) < 2 || len(a.F32) == 0 {
		return nil, fmt.Errorf("%s: is %s %v, want float32 [n, nz]", o.z, a.DType, a.Shape)
	}
	size := len(a.F32) / a.Shape[0]
	return &source{count: a.Shape[0], size: size, name: func(i int) string { return fmt.Sprintf("z%06d", i) },
		latent: func(_ *infer.Sampler, z []float32, i int) infer.Key {
			copy(z, a.F32[i*size:])
			return infer.Key{Index: uint64(i)}
		}}, nil
}

// drawn returns what writes the latents of keys.
func drawn(key func(i int) infer.Key) func(*infer.Sampler, []float32, int) infer.Key {
	return func(s *infer.Sampler, z []float32, i int) infer.Key {
		k := key(i)
		s.Latent(z, k)
		return k
	}
}
