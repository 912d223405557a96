package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
	"gantry/internal/rng"
	"gantry/models"
)

// Key names one sample of a generator: image Index of Seed.
type Key struct{ Seed, Index uint64 }

// Range returns the keys of count images of one seed, from first on.
func Range(seed, first uint64, count int) []Key {
	keys := make([]Key, max(count, 0))
	for i := range keys {
		keys[i] = Key{seed, first + uint64(i)}
	}
	return keys
}

// Seeds returns the keys of image 0 of each seed.
func Seeds(seeds []uint64) []Key {
	keys := make([]Key, len(seeds))
	for i, s := range seeds {
		keys[i] = Key{Seed: s}
	}
	return keys
}

// SamplerOptions says how a Sampler works. The zero value holds the defaults.
type SamplerOptions struct {
	// Batch is the number of samples computed at once; 0 is 64, or fewer where the model's limits
	// want that. A model with a fixed batch keeps its own. The samples do not depend on it.
	Batch int
}

const defaultBatch = 64

// Sampler draws samples from a generator: a model with one input of latents, float32 [N, nz], and an
// output, float32 [N, C, H, W] or [N, d]. It must not be used by two goroutines at once.
type Sampler struct {
	session *Session
	latent  models.Input
	z       []float32 // latents of a batch
	zShape  []int     // of one latent
	fixed   bool      // the model takes batches of exactly this size
	batch   int
	shape   []int // of one sample
	lo, hi  float32
}

// NewSampler returns a sampler of m. Latents have the distribution that the metadata gantry.latent
// states, or are normal; what a sample's values range over is in gantry.range, or [-1, 1]. A value of
// these keys that this version does not know is an error; other keys do not matter. If the model has
// several outputs, the first is sampled.
func NewSampler(m *Model, o SamplerOptions) (*Sampler, error) {
	s := &Sampler{session: m.NewSession(), lo: -1, hi: 1}
	if err := s.readInput(m); err != nil {
		return nil, err
	}
	latent, values, err := onnx.ParseSampling(m.info.Metadata)
	if err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	if latent != nil {
		if latent.Name != s.latent.Name || latent.Size != s.latent.Size {
			return nil, fmt.Errorf("infer: metadata gantry.latent describes %q of size %d, but the input is %q of size %d", latent.Name, latent.Size, s.latent.Name, s.latent.Size)
		}
		s.latent = *latent
	}
	if values != nil {
		s.lo, s.hi = values[0], values[1]
	}
	if err := s.setBatch(m, o.Batch); err != nil {
		return nil, err
	}
	s.z = make([]float32, s.batch*s.latent.Size)
	return s, nil
}

// readInput finds the shape of a latent.
func (s *Sampler) readInput(m *Model) error {
	if len(m.inputs) != 1 || m.inputs[0].DType != Float32 {
		return fmt.Errorf("infer: the model's inputs are %s, want one of float32 to sample from it", names(m.inputs))
	}
	in := m.inputs[0]
	if len(in.Shape) < 2 || slices.Min(in.Shape[1:]) < 1 {
		return fmt.Errorf("infer: input %q has shape %s, want [N, nz] with a fixed nz to sample from it", in.Name, in.shapeString(nil))
	}
	s.zShape = in.Shape[1:]
	if err := m.limits.Check(plan.Type{DType: plan.Float32, Shape: s.zShape}); err != nil {
		return fmt.Errorf("infer: input %q: %w", in.Name, err)
	}
	s.latent = models.Input{Name: in.Name, Size: plan.Count(s.zShape), Distribution: models.Normal}
	if s.batch = in.Shape[0]; s.batch >= 0 {
		s.fixed = true
	}
	return nil
}

// setBatch settles the batch and finds the shape of a sample, by planning.
func (s *Sampler) setBatch(m *Model, want int) error {
	switch {
	case want < 0:
		return fmt.Errorf("infer: batch is %d, want at least 1", want)
	case s.fixed:
	case want > 0:
		s.batch = want
	default:
		s.batch = defaultBatch
	}
	for {
		shape, err := s.outputShape(m)
		switch {
		case err == nil:
			s.shape = shape
			return nil
		case s.fixed || want > 0 || s.batch == 1 || !errors.Is(err, plan.ErrLimit):
			return err
		}
		s.batch /= 2
	}
}

func (s *Sampler) outputShape(m *Model) ([]int, error) {
	in := plan.Type{DType: plan.Float32, Shape: append([]int{s.batch}, s.zShape...)}
	p, err := m.plan([]*plan.Tensor{{Type: in}})
	if err != nil {
		return nil, err
	}
	if n := 4 * (int64(p.Floats) + int64(in.Count())); n > m.limits.ArenaBytes {
		return nil, fmt.Errorf("infer: a batch of %d takes %d MiB with its latents, %w of %d", s.batch, n>>20, ErrLimit, m.limits.ArenaBytes>>20)
	}
	out := p.Outputs[0].Type
	if out.DType != plan.Float32 || len(out.Shape) != 2 && len(out.Shape) != 4 || out.Shape[0] != s.batch || out.Count() == 0 {
		return nil, fmt.Errorf("infer: output %q is %v for a batch of %d, want float32 [N C H W] or [N d] to sample from it", m.outputs[0].Name, out, s.batch)
	}
	return out.Shape[1:], nil
}

// Shape returns the shape of one sample: [C, H, W] or [d].
func (s *Sampler) Shape() []int { return slices.Clone(s.shape) }

// ValueRange returns the bounds of the samples' values.
func (s *Sampler) ValueRange() (lo, hi float32) { return s.lo, s.hi }

// LatentSize returns the number of elements of one latent, nz.
func (s *Sampler) LatentSize() int { return s.latent.Size }

// Latent writes the latent of a key to dst, which must be LatentSize long: element i is the number
// that docs/latents.md defines for the key's seed and index.
func (s *Sampler) Latent(dst []float32, k Key) {
	if s.latent.Distribution == models.Uniform {
		rng.Uniform(dst, s.latent.Bounds[0], s.latent.Bounds[1], k.Seed, rng.SampleLatent, 0, k.Index)
	} else {
		rng.Normal(dst, k.Seed, rng.SampleLatent, 0, k.Index)
	}
}

// Sample computes the samples of keys, in order, and calls emit with each: i is the position in
// keys, x the values in C order, valid until emit returns. An error of emit ends Sample and is
// returned as it is; so does ctx.
func (s *Sampler) Sample(ctx context.Context, keys []Key, emit func(i int, x []float32) error) error {
	return s.sample(ctx, len(keys), func(dst []float32, i int) { s.Latent(dst, keys[i]) }, emit)
}

// SampleLatents is Sample for latents of one's own: z is [n, nz].
func (s *Sampler) SampleLatents(ctx context.Context, z []float32, emit func(i int, x []float32) error) error {
	n := s.latent.Size
	if len(z)%n != 0 {
		return fmt.Errorf("infer: latents have %d elements, want a multiple of %d", len(z), n)
	}
	for i, v := range z {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("infer: element %d of latent %d is %v", i%n, i/n, v)
		}
	}
	return s.sample(ctx, len(z)/n, func(dst []float32, i int) { copy(dst, z[i*n:]) }, emit)
}

func (s *Sampler) sample(ctx context.Context, count int, latent func(dst []float32, i int), emit func(i int, x []float32) error) error {
	size, nz := plan.Count(s.shape), s.latent.Size
	for first := 0; first < count; first += s.batch {
		n := min(s.batch, count-first)
		for i := range n {
			latent(s.z[i*nz:(i+1)*nz], first+i)
		}
		rows := n
		if s.fixed {
			rows = s.batch
			clear(s.z[n*nz:])
		}
		*s.session.args[0] = plan.Tensor{Type: plan.Type{DType: plan.Float32, Shape: append([]int{rows}, s.zShape...)}, F: s.z[:rows*nz]}
		results, err := s.session.run(ctx)
		if err != nil {
			return err
		}
		y := results[0]
		if len(y.F) != rows*size {
			return fmt.Errorf("infer: output %q is %v for a batch of %d, but a sample is %s", s.session.m.outputs[0].Name, y.Type, rows, plan.ShapeString(s.shape))
		}
		for i := range n {
			if err := emit(first+i, y.F[i*size:(i+1)*size:(i+1)*size]); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}
