package infer

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"

	"gantry/infer/internal/plan"
	"gantry/internal/imaging"
	"gantry/internal/kernel"
	"gantry/internal/onnx"
	"gantry/models"
)

// SamplerOptions says how a Sampler works. The zero value holds the defaults.
type SamplerOptions struct {
	// Batch is the number of samples computed at once; 0 is 64, or fewer where the model's limits
	// want that. A model with a fixed batch keeps its own. The samples do not depend on it.
	Batch int
	// Range holds what a sample's values range over. If it is zero, the metadata says so (gantry.range), or it is [-1, 1].
	Range [2]float32
	// ChannelsLast says that the model's images are [N, H, W, C]. Samples are handed out as [C, H, W] all the same.
	ChannelsLast bool
	// Inputs holds, by name, inputs of the model that are neither latents nor labels. If the model leaves an input's first
	// dimension open, the rows go to the samples of a call in turn, over and over: one row is for all. Any other is
	// given to the model as it is.
	Inputs map[string]Tensor
}

const defaultBatch = 64

// Sampler draws samples from a generator. It must not be used by two goroutines at once.
//
// The generator has an input of latents, float32 [N, nz] or with more dimensions, as [N, nz, 1, 1], and an output,
// float32 [N, C, H, W], [N, d] or of other dimensions; if there are several, the first is sampled. A conditional one has labels too: integers [N] or
// [N, 1], or float32 [N, classes], one-hot, by the name of label, class, onehot, cond, y, c or the like.
type Sampler struct {
	session *Session
	latent  models.Input
	inputs  []feed        // by input of the model
	z       *feed         // of inputs, the latents
	label   *feed         // or nil
	classes int           // 0 without labels, -1 if their number is not known
	keys    []plan.Sample // of a batch
	batch   int
	fixed   bool  // the model takes batches of exactly this size
	shape   []int // of one sample
	last    bool  // channels stand last
	planes  []float32
	lo, hi  float32
}

// NewSampler returns a sampler of m. Latents have the distribution that the metadata gantry.latent
// states, or are normal. A value of the metadata gantry.latent and gantry.range that this version does not know is an
// error; other keys do not matter.
func NewSampler(m *Model, o SamplerOptions) (*Sampler, error) {
	s := &Sampler{session: m.NewSession(), lo: -1, hi: 1, last: o.ChannelsLast}
	latent, values, err := onnx.ParseSampling(m.info.Metadata)
	if err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	if latent != nil {
		s.latent = *latent
	}
	if values != nil {
		s.lo, s.hi = values[0], values[1]
	}
	if o.Range != [2]float32{} {
		s.lo, s.hi = o.Range[0], o.Range[1]
		if !(s.lo < s.hi) || kernel.FirstNonFinite(o.Range[:]) >= 0 {
			return nil, fmt.Errorf("infer: values range over %v, want two finite numbers, the smaller first", o.Range)
		}
	}
	if err := s.assign(m, o.Inputs); err != nil {
		return nil, err
	}
	if latent != nil && (latent.Name != s.latent.Name || latent.Size != s.latent.Size) {
		return nil, fmt.Errorf("infer: metadata gantry.latent describes %q of size %d, but the input is %q of size %d", latent.Name, latent.Size, s.latent.Name, s.latent.Size)
	}
	if err := s.setBatch(m, o.Batch); err != nil {
		return nil, err
	}
	for i := range s.inputs {
		s.inputs[i].make(s.batch)
	}
	return s, nil
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
			if s.last = s.last && len(shape) == 3; s.last {
				s.shape = []int{shape[2], shape[0], shape[1]}
				s.planes = make([]float32, plan.Count(shape))
			}
			return nil
		case s.fixed || want > 0 || s.batch == 1 || !errors.Is(err, plan.ErrLimit):
			return err
		}
		s.batch /= 2
	}
}

func (s *Sampler) outputShape(m *Model) ([]int, error) {
	in, size := make([]*plan.Tensor, len(s.inputs)), int64(0)
	for i := range s.inputs {
		in[i] = s.inputs[i].of(s.batch)
		if err := m.limits.Check(in[i].Type); err != nil {
			return nil, fmt.Errorf("infer: input %q: %w", m.inputs[i].Name, err)
		}
		size += int64(in[i].Count())
	}
	p, err := m.plan(in)
	if err != nil {
		return nil, err
	}
	if n := 4 * (int64(p.Floats) + size); n > m.limits.ArenaBytes {
		return nil, fmt.Errorf("infer: a batch of %d takes %d MiB with its latents, %w of %d", s.batch, n>>20, ErrLimit, m.limits.ArenaBytes>>20)
	}
	out := p.Outputs[0].Type
	if out.DType != plan.Float32 || len(out.Shape) < 2 || out.Shape[0] != s.batch || out.Count() == 0 {
		return nil, fmt.Errorf("infer: output %q is %v for a batch of %d, want float32 [N ...] to sample from it", m.outputs[0].Name, out, s.batch)
	}
	return out.Shape[1:], nil
}

// Shape returns the shape of one sample: [C, H, W] if it is an image, or another.
func (s *Sampler) Shape() []int { return slices.Clone(s.shape) }

// ValueRange returns what the values of a sample range over: black and white, for images.
func (s *Sampler) ValueRange() (lo, hi float32) { return s.lo, s.hi }

// Classes returns the number of a conditional model's classes: labels are 0 to Classes()-1. It is 0 for any other model, and -1
// if the file does not say how many there are.
func (s *Sampler) Classes() int { return s.classes }

// Sample computes the samples of keys, in order, and calls emit with each: i is the position in
// keys, x the values in C order, valid until emit returns. An error of emit ends Sample and is
// returned as it is; so does ctx.
func (s *Sampler) Sample(ctx context.Context, keys []Key, emit func(i int, x []float32) error) error {
	return s.SampleFunc(ctx, len(keys), func(z []float32, i int) Key { s.Latent(z, keys[i]); return keys[i] }, emit)
}

// SampleFunc is [Sampler.Sample] for count latents of one's own: latent writes that of sample i to z, which is LatentSize
// long, and returns a key for the rest: the label, if the model is conditional, and the seed and index of the random
// numbers that the model itself may draw.
func (s *Sampler) SampleFunc(ctx context.Context, count int, latent func(z []float32, i int) Key, emit func(i int, x []float32) error) error {
	size := plan.Count(s.shape)
	for first := 0; first < count; first += s.batch {
		n := min(s.batch, count-first)
		s.keys = s.keys[:0]
		for i := range n {
			z := s.z.row(i)
			k := latent(z, first+i)
			s.keys = append(s.keys, plan.Sample{Seed: k.Seed, Index: k.Index})
			if at := kernel.FirstNonFinite(z); at >= 0 {
				return fmt.Errorf("infer: element %d of latent %d is %v", at, first+i, z[at])
			}
			if err := s.setLabel(i, k.Label); err != nil {
				return fmt.Errorf("infer: sample %d: %w", first+i, err)
			}
		}
		rows := n
		if s.fixed {
			rows = s.batch
			clear(s.z.t.F[n*s.latent.Size:])
			s.keys = append(s.keys, make([]plan.Sample, rows-n)...)
		}
		s.session.runner.Samples = s.keys
		for k := range s.inputs {
			s.inputs[k].fill(first, n)
			*s.session.args[k] = *s.inputs[k].of(rows)
		}
		results, err := s.session.run(ctx)
		if err != nil {
			return err
		}
		y := results[0]
		if len(y.F) != rows*size {
			return fmt.Errorf("infer: output %q is %v for a batch of %d, but a sample is %s", s.session.m.outputs[0].Name, y.Type, rows, plan.ShapeString(s.shape))
		}
		for i := range n {
			if err := emit(first+i, s.sample(y.F[i*size:(i+1)*size:(i+1)*size])); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// sample returns x as [C H W], whatever the model's layout is.
func (s *Sampler) sample(x []float32) []float32 {
	if !s.last {
		return x
	}
	channels := s.shape[0]
	pixels := len(x) / channels
	for c := range channels {
		for p := range pixels {
			s.planes[c*pixels+p] = x[p*channels+c]
		}
	}
	return s.planes
}

// Image draws the sample of one key as a picture of 8 bits, an *image.Gray or an opaque *image.NRGBA:
// floor((x-lo)·255/(hi-lo) + 0.5), clamped, for the range [lo, hi] of [Sampler.ValueRange]. That a sample has not 1 or 3
// channels, or a value that is not finite, is an error.
func (s *Sampler) Image(ctx context.Context, k Key) (img image.Image, err error) {
	if len(s.shape) != 3 {
		return nil, fmt.Errorf("infer: a sample has shape %s, which is no picture", plan.ShapeString(s.shape))
	}
	err = s.Sample(ctx, []Key{k}, func(_ int, x []float32) error {
		if at := kernel.FirstNonFinite(x); at >= 0 {
			return fmt.Errorf("infer: element %d of the sample is %v", at, x[at])
		}
		pix := make([]uint8, len(x))
		imaging.Pixels(pix, x, s.lo, s.hi)
		img, err = imaging.Grid(pix, 1, s.shape[0], s.shape[1], s.shape[2], 1)
		return err
	})
	return img, err
}
