package repro

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"strings"

	"gantry/infer"
	"gantry/internal/imaging"
	"gantry/models"
	"gantry/train/dataset"
	"gantry/train/evaluate"
	"gantry/train/metric"
)

// Figure2 is what [RunFigure2] found.
type Figure2 struct {
	Data    string      `json:"data"`
	Rows    []Neighbour `json:"rows"`
	Picture string      `json:"picture"`
}

// A Neighbour is the training image nearest to a sample.
type Neighbour struct {
	Sample   int     `json:"sample"`   // number of the sample
	Image    int     `json:"image"`    // number of the training image
	Distance float64 `json:"distance"` // Euclidean, of pixels in [0, 1]
}

// Samples in each row of figure 2, and rows of it.
const (
	figure2Columns = 5
	figure2Rows    = 6
)

// RunFigure2 draws samples of a generator, and in a column apart the training
// image nearest to the last sample of each row, as figure 2 of Goodfellow et al.
// (2014) has it to show that nothing was learned by heart. model is a run or an
// ONNX file; open opens the training images, in the shape of its samples.
func RunFigure2(ctx context.Context, o Options, model string, open func(shape []int) (dataset.Dataset, error)) (*Figure2, error) {
	g, err := openImages(model, &o)
	if err != nil {
		return nil, err
	}
	data, err := open(g.Shape())
	if err != nil {
		return nil, err
	}
	size := models.Elements(data.Shape())
	if !slices.Equal(data.Shape(), g.Shape()) {
		return nil, misuse("give --data what it was trained on", "%s makes samples of shape %v, but the images of %s have shape %v", model, g.Shape(), data.Name(), data.Shape())
	}
	if err := o.prepare(); err != nil {
		return nil, err
	}
	s, err := g.Samples(ctx, figure2Columns*figure2Rows, o.Seed, evaluate.Options{})
	if err != nil {
		return nil, err
	}
	g.Unit(s)
	r := &Figure2{Data: data.Name()}
	for i := figure2Columns - 1; i < s.Len(); i += figure2Columns {
		r.Rows = append(r.Rows, Neighbour{Sample: i, Distance: math.Inf(1)})
	}
	if err := r.search(ctx, s, data); err != nil {
		return nil, err
	}
	nearest := make([]float32, len(r.Rows)*size)
	for i, n := range r.Rows {
		if err := data.Read(nearest[i*size:][:size], []int{n.Image}); err != nil {
			return nil, err
		}
	}
	left, err := grid(s.X, data.Shape(), figure2Columns)
	if err != nil {
		return nil, err
	}
	right, err := grid(nearest, data.Shape(), 1)
	if err != nil {
		return nil, err
	}
	r.Picture, err = o.picture("figure2.png", zoomed(beside(left, right), data.Shape()[1]))
	return r, err
}

// search finds the nearest images. Of equally near ones it is the first.
func (r *Figure2) search(ctx context.Context, s metric.Set, data dataset.Dataset) error {
	const chunk = 500
	x := make([]float32, chunk*s.Dim)
	for first := 0; first < data.Len(); first += chunk {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var indices []int
		for i := first; i < min(first+chunk, data.Len()); i++ {
			indices = append(indices, i)
		}
		if err := data.Read(x[:len(indices)*s.Dim], indices); err != nil {
			return err
		}
		for k := range r.Rows {
			n := &r.Rows[k]
			sample := s.Slice(n.Sample, n.Sample+1).X
			for i := range indices {
				sum := 0.0
				for j, v := range x[i*s.Dim:][:s.Dim] {
					d := float64(v) - float64(sample[j])
					sum += float64(d * d)
				}
				if d := math.Sqrt(sum); d < n.Distance {
					n.Image, n.Distance = first+i, d
				}
			}
		}
	}
	return nil
}

// String returns the table, for people.
func (r *Figure2) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%6s  %6s  %s\n", "sample", "image", "distance")
	for _, n := range r.Rows {
		fmt.Fprintf(&b, "%6d  %6d  %8.3f\n", n.Sample, n.Image, n.Distance)
	}
	fmt.Fprintf(&b, "the image is the nearest one of %s, by Euclidean distance of pixels from 0 to 1\nfigure: %s\n", r.Data, r.Picture)
	return b.String()
}

// Rows of figure 3, and images in each of them.
const (
	figure3Rows    = 6
	figure3Columns = 10
)

// Figure3 is what [RunFigure3] drew.
type Figure3 struct {
	Picture string `json:"picture"`
}

// String says where the picture is.
func (r *Figure3) String() string { return fmt.Sprintf("figure: %s\n", r.Picture) }

// RunFigure3 draws samples on straight lines between two latents, as figure 3 of
// Goodfellow et al. (2014) does: row r goes from latent 2r of the seed to latent
// 2r+1.
func RunFigure3(ctx context.Context, o Options, model string) (*Figure3, error) {
	g, err := openImages(model, &o)
	if err != nil {
		return nil, err
	}
	if err := o.prepare(); err != nil {
		return nil, err
	}
	s := g.Sampler()
	n := s.LatentSize()
	to := make([]float32, n)
	latent := func(z []float32, i int) infer.Key {
		first := infer.Key{Seed: o.Seed, Index: uint64(i / figure3Columns * 2)}
		s.Latent(z, first)
		s.Latent(to, infer.Key{Seed: o.Seed, Index: first.Index + 1})
		a := float32(i%figure3Columns) / (figure3Columns - 1)
		for k := range z {
			z[k] = float32((1-a)*z[k]) + float32(a*to[k])
		}
		return first
	}
	x := metric.Set{Dim: models.Elements(g.Shape())}
	err = s.SampleFunc(ctx, figure3Rows*figure3Columns, latent, func(_ int, y []float32) error {
		x.X = append(x.X, y...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("repro: %s: %w", model, err)
	}
	g.Unit(x)
	img, err := grid(x.X, g.Shape(), figure3Columns)
	if err != nil {
		return nil, err
	}
	path, err := o.picture("figure3.png", zoomed(img, g.Shape()[1]))
	return &Figure3{path}, err
}

// openImages opens a generator of images.
func openImages(model string, o *Options) (*evaluate.Generator, error) {
	g, err := evaluate.OpenGenerator(model, o.Threads)
	if err != nil {
		return nil, err
	}
	if s := g.Shape(); len(s) != 3 || s[0] != 1 && s[0] != 3 {
		return nil, misuse("give a generator of images, grey or in colour", "%s makes samples of shape %v, which are no images", model, s)
	}
	return g, nil
}

// grid draws images with values in [0, 1].
func grid(x []float32, shape []int, columns int) (image.Image, error) {
	pix := make([]uint8, len(x))
	imaging.Pixels(pix, x, 0, 1)
	img, err := imaging.Grid(pix, len(x)/models.Elements(shape), shape[0], shape[1], shape[2], columns)
	if err != nil {
		return nil, fmt.Errorf("repro: %w", err)
	}
	return img, nil
}

// beside draws two images of one height, with a white gap between them.
func beside(left, right image.Image) image.Image {
	const gap = 4 * imaging.Gap
	a, b := left.Bounds(), right.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, a.Dx()+gap+b.Dx(), a.Dy()))
	draw.Draw(out, out.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, a, left, a.Min, draw.Src)
	draw.Draw(out, b.Add(image.Pt(a.Dx()+gap, 0)), right, b.Min, draw.Src)
	return out
}

// zoomed repeats pixels, so that small images of the given height can be seen.
func zoomed(img image.Image, height int) image.Image {
	n := max(1, 84/height)
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, n*b.Dx(), n*b.Dy()))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, img.At(b.Min.X+x/n, b.Min.Y+y/n))
		}
	}
	return out
}
