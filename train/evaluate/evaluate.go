package evaluate

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"gantry/models"
	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/metric"
)

// Options says how to evaluate.
type Options struct {
	Count    int       // samples to draw, from 0 on
	Seed     uint64    // of their latents
	Threads  int       // that compute; the result does not depend on it
	CacheDir string    // for features of data; "": gantry in the user's cache directory
	Words    io.Writer // progress goes here; may be nil
}

// metric returns how a metric is to be computed, and what ends the display of its
// progress.
func (o *Options) metric(what string) (metric.Options, func()) {
	count := train.NewCounter(o.Words, what)
	return metric.Options{Threads: o.Threads, Progress: count.Step}, count.End
}

// parzenValidation is how many images the bandwidth is chosen on, at most: the
// first of the last 10,000 training images.
const (
	parzenValidation = 1000
	parzenHeldOut    = 10_000
)

// Parzen estimates the log-likelihood of the test images under the generator, by
// the protocol of the 2014 paper's code: see [metric.Parzen]. The bandwidth is
// chosen on the first 1,000 of the last 10,000 training images.
func Parzen(ctx context.Context, g *Generator, training, test dataset.Dataset, o Options) (*Report, error) {
	start := time.Now()
	r := newReport("parzen", g, test, o)
	if err := g.fits(test); err != nil {
		return nil, err
	}
	samples, err := g.Samples(ctx, o.Count, o.Seed, o)
	if err != nil {
		return nil, err
	}
	g.Unit(samples)
	first := max(0, training.Len()-parzenHeldOut)
	validation, err := Images(training, first, min(parzenValidation, training.Len()-first))
	if err != nil {
		return nil, err
	}
	tested, err := Images(test, 0, test.Len())
	if err != nil {
		return nil, err
	}
	mo, end := o.metric("log-likelihoods estimated")
	defer end()
	result, err := metric.Parzen(samples, validation, tested, mo)
	if err != nil {
		return nil, err
	}
	return r.finish(result, tested.Len(), start), nil
}

// Images returns n images of data from first on, as vectors of pixels in [0, 1].
func Images(data dataset.Dataset, first, n int) (metric.Set, error) {
	size := models.Elements(data.Shape())
	s := metric.Set{X: make([]float32, n*size), Dim: size}
	indices := make([]int, n)
	for i := range indices {
		indices[i] = first + i
	}
	return s, data.Read(s.X, indices)
}

// fits reports whether samples can be compared with images of data: samples that
// are vectors with images of as many elements.
func (g *Generator) fits(data dataset.Dataset) error {
	s, d := g.Shape(), data.Shape()
	if slices.Equal(s, d) || len(s) == 1 && s[0] == models.Elements(d) {
		return nil
	}
	hint := "give --data images like those that it was trained on"
	if len(s) == 3 && s[1] == s[2] && len(d) == 3 {
		hint = fmt.Sprintf("--resize %d makes them fit; or "+hint, s[1])
	}
	return misuse(hint, "%s makes samples of shape %v, but the images of %s have shape %v", g.path, s, data.Name(), d)
}

// A Mixture is a data set of points in the plane around centers, with one standard
// deviation.
type Mixture interface {
	dataset.Dataset
	Centers() [][2]float64
	Std() float64
}

// Modes counts the modes of a mixture that the samples, points in the plane, hit:
// see [metric.Modes].
func Modes(ctx context.Context, g *Generator, data Mixture, o Options) (*Report, error) {
	start := time.Now()
	r := newReport("modes", g, data, o)
	if s := g.Shape(); len(s) != 1 || s[0] != 2 {
		return nil, misuse("modes are those of points in the plane, such as gantrain --preset pacgan2d --data ring learns", "%s makes samples of shape %v, want [2]", g.path, s)
	}
	samples, err := g.Samples(ctx, o.Count, o.Seed, o)
	if err != nil {
		return nil, err
	}
	stats := metric.Modes(samples.X, data.Centers(), data.Std())
	result := &ModesResult{Modes: len(stats.Counts), Hit: stats.Hit, Share: stats.Share(), Counts: stats.Counts}
	if !math.IsNaN(stats.ReverseKL) {
		result.ReverseKL = &stats.ReverseKL
	}
	return r.finish(result, 0, start), nil
}

// FrechetResult is the Fréchet distance, see [metric.Frechet].
type FrechetResult struct {
	Distance float64 `json:"frechet"`
}

// ModesResult is the coverage of modes, see [metric.ModeStats].
type ModesResult struct {
	Modes     int      `json:"modes"` // that there are
	Hit       int      `json:"hit"`
	Share     float64  `json:"high_quality"` // share of the samples
	ReverseKL *float64 `json:"reverse_kl"`   // nats; null where no sample is of high quality
	Counts    []int    `json:"counts"`       // high-quality samples of each mode
}

// Frechet measures the Fréchet distance between the features of samples and of
// data.
func Frechet(ctx context.Context, g *Generator, data dataset.Dataset, e *Extractor, o Options) (*Report, error) {
	return compare(ctx, "frechet", g, data, e, o, func(real, fake metric.Set) (any, error) {
		a, err := metric.NewMoments(real)
		if err != nil {
			return nil, err
		}
		b, err := metric.NewMoments(fake)
		if err != nil {
			return nil, err
		}
		d, err := metric.Frechet(a, b)
		return &FrechetResult{d}, err
	})
}

// KID estimates the kernel distance between the features of samples and of data,
// over the usual 100 subsets of 1,000, or of as many as there are.
func KID(ctx context.Context, g *Generator, data dataset.Dataset, e *Extractor, o Options) (*Report, error) {
	return compare(ctx, "kid", g, data, e, o, func(real, fake metric.Set) (any, error) {
		mo, end := o.metric("subsets compared")
		defer end()
		return metric.KID(real, fake, metric.KIDSubsets, min(metric.KIDSize, real.Len(), fake.Len()), o.Seed, mo)
	})
}

// PRDC measures precision, recall, density and coverage of the features of samples
// among those of data, for the 5 nearest neighbours.
func PRDC(ctx context.Context, g *Generator, data dataset.Dataset, e *Extractor, o Options) (*Report, error) {
	return compare(ctx, "prdc", g, data, e, o, func(real, fake metric.Set) (any, error) {
		mo, end := o.metric("vectors compared")
		defer end()
		return metric.PRDC(real, fake, metric.PRDCNeighbours, mo)
	})
}

// fewest is how many samples and images a comparison takes at least: PRDC's balls
// need more than 5 neighbours.
const fewest = 10

// compare applies a measure to the features of data and of samples: as many of each,
// or all of data that has fewer.
func compare(ctx context.Context, name string, g *Generator, data dataset.Dataset, e *Extractor, o Options, measure func(real, fake metric.Set) (any, error)) (*Report, error) {
	start := time.Now()
	r := newReport(name, g, data, o)
	if err := g.fits(data); err != nil {
		return nil, err
	}
	if _, err := e.batch(data.Shape()); err != nil {
		return nil, err
	}
	if min(o.Count, data.Len()) < fewest {
		return nil, misuse("10,000 of each are usual", "%d samples and %d images of %s are too few to compare, want at least %d", o.Count, data.Len(), data.Name(), fewest)
	}
	real, err := e.ofData(ctx, data, min(data.Len(), o.Count), o)
	if err != nil {
		return nil, err
	}
	samples, err := g.Samples(ctx, o.Count, o.Seed, o)
	if err != nil {
		return nil, err
	}
	fake, err := e.ofSamples(ctx, g, samples, data.Shape(), o)
	if err != nil {
		return nil, err
	}
	result, err := measure(real, fake)
	if err != nil {
		return nil, err
	}
	r.Features = e
	return r.finish(result, real.Len(), start), nil
}
