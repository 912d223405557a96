package evaluate

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gantry/infer"
	"gantry/internal/imaging"
	"gantry/models"
	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/metric"
	"gantry/train/metric/mnistnet"
)

// MNISTFeatures is the name of the classifier that comes with Gantry.
const MNISTFeatures = "mnist"

// An Extractor is a network that makes features of images: those that one of its
// outputs gives, flattened. One goroutine at a time.
type Extractor struct {
	Name   string     `json:"name"` // of the file, without ".onnx"
	SHA256 string     `json:"sha256"`
	Output string     `json:"output"`
	Range  [2]float32 `json:"range"` // what it wants pixels 0 and 255 to be
	Dim    int        `json:"dim"`   // elements of a feature vector; 0 before the first

	input   infer.ValueInfo
	session *infer.Session
}

// OpenExtractor opens MNISTFeatures, or the ONNX file at path: a network with one
// input of images, float32 [N C H W], in the given range. After the path may
// stand a colon and the name of the output that is the features; otherwise it is the
// one that is called "features", or the first.
func OpenExtractor(path string, values [2]float32, threads int) (*Extractor, error) {
	e := &Extractor{Name: path, Range: values}
	var (
		b   []byte
		m   *infer.Model
		err error
	)
	if path == MNISTFeatures {
		b, e.Name = mnistnet.ONNX, "mnist-classifier"
		m, err = infer.LoadBytes(b, infer.Options{Threads: threads})
	} else {
		if at := strings.LastIndex(path, ".onnx:"); at >= 0 {
			path, e.Output = path[:at+len(".onnx")], path[at+len(".onnx:"):]
		}
		e.Name = strings.TrimSuffix(filepath.Base(path), ".onnx")
		b, m, err = load(path, threads)
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, y := range m.Outputs() {
		names = append(names, y.Name)
	}
	switch {
	case e.Output != "" && !slices.Contains(names, e.Output):
		return nil, misuse("its outputs: "+strings.Join(names, ", "), "%s has no output %q", path, e.Output)
	case e.Output == "" && slices.Contains(names, "features"):
		e.Output = "features"
	case e.Output == "":
		e.Output = names[0]
	}
	inputs := m.Inputs()
	if len(inputs) != 1 || inputs[0].DType != infer.Float32 || inputs[0].Shape != nil && len(inputs[0].Shape) != 4 {
		return nil, misuse("features are made by a network such as a classifier", "%s takes %v, want one input of images, float32 [N C H W]", path, inputs)
	}
	e.input, e.session, e.SHA256 = inputs[0], m.NewSession(), digest(b)
	return e, nil
}

// String names the features.
func (e *Extractor) String() string {
	return fmt.Sprintf("%s of %s (%d, SHA-256 %.12s...)", e.Output, e.Name, e.Dim, e.SHA256)
}

// featureBatch is how many images go through the network at once.
const featureBatch = 64

// batch checks that the network takes images of a shape, and returns how many at once.
func (e *Extractor) batch(shape []int) (int, error) {
	wrong := len(shape) != 3
	for i, d := range e.input.Shape {
		wrong = wrong || i > 0 && d >= 0 && d != shape[i-1]
	}
	if wrong {
		return 0, misuse("give --features a network that takes such images", "%s takes %s, but images are %v", e.Name, e.input, shape)
	}
	if e.input.Shape != nil && e.input.Shape[0] > 0 {
		return e.input.Shape[0], nil
	}
	return featureBatch, nil
}

// features makes the features of n images of a shape. next writes pixels in
// [0, 1] of images first, first+1... to dst.
func (e *Extractor) features(ctx context.Context, n int, shape []int, next func(dst []float32, first int) error, o Options) (metric.Set, error) {
	var s metric.Set
	batch, err := e.batch(shape)
	if err != nil {
		return s, err
	}
	size := models.Elements(shape)
	x := make([]float32, batch*size)
	count := train.NewCounter(o.Words, "images made into features")
	defer count.End()
	for first := 0; first < n; first += batch {
		here := min(batch, n-first)
		rows := here
		if e.input.Shape != nil && e.input.Shape[0] > 0 {
			rows = batch // the rest is whatever the last images were
		}
		if err := next(x[:here*size], first); err != nil {
			return s, err
		}
		lo, hi := e.Range[0], e.Range[1]
		if lo != 0 || hi != 1 {
			for i, v := range x[:here*size] {
				x[i] = float32(v*(hi-lo)) + lo
			}
		}
		out, err := e.session.Run(ctx, map[string]infer.Tensor{e.input.Name: {DType: infer.Float32, Shape: append([]int{rows}, shape...), F32: x[:rows*size]}})
		if err != nil {
			return s, fmt.Errorf("evaluate: %s: %w", e.Name, err)
		}
		y := out[e.Output]
		if y.DType != infer.Float32 || len(y.Shape) < 2 || y.Shape[0] != rows {
			return s, misuse("name another output: FILE.onnx:OUTPUT", "output %q of %s is %s %v for %d images, want float32 [N d]", e.Output, e.Name, y.DType, y.Shape, rows)
		}
		if s.X == nil {
			s.Dim = len(y.F32) / rows
			s.X = make([]float32, 0, n*s.Dim)
		}
		s.X = append(s.X, y.F32[:here*s.Dim]...)
		count.Step(first+here, n)
	}
	e.Dim = s.Dim
	return s, nil
}

// ofSamples makes the features of samples, as 8-bit pixels. Samples that are
// vectors are images of the given shape.
func (e *Extractor) ofSamples(ctx context.Context, g *Generator, samples metric.Set, shape []int, o Options) (metric.Set, error) {
	lo, hi := g.sampler.ValueRange()
	pixels := make([]uint8, featureBatch*samples.Dim)
	return e.features(ctx, samples.Len(), shape, func(dst []float32, first int) error {
		x := samples.X[first*samples.Dim:][:len(dst)]
		pixels = slices.Grow(pixels[:0], len(x))[:len(x)]
		imaging.Pixels(pixels, x, lo, hi)
		for i, p := range pixels {
			dst[i] = float32(p) / 255
		}
		return nil
	}, o)
}

// ofData makes the features of n images of data, evenly spread, or reads them from
// the cache.
func (e *Extractor) ofData(ctx context.Context, data dataset.Dataset, n int, o Options) (metric.Set, error) {
	c := newCache(e, data, n, o)
	if s, ok := c.read(); ok {
		e.Dim = s.Dim
		return s, nil
	}
	indices := spread(data.Len(), n)
	s, err := e.features(ctx, n, data.Shape(), func(dst []float32, first int) error {
		return data.Read(dst, indices[first:][:len(dst)/models.Elements(data.Shape())])
	}, o)
	if err == nil {
		c.write(s)
	}
	return s, err
}

// spread returns n of the numbers below most, evenly spread.
func spread(most, n int) []int {
	indices := make([]int, n)
	for i := range indices {
		indices[i] = int(int64(i) * int64(most) / int64(n))
	}
	return indices
}
