package train

import (
	"context"
	"fmt"

	"gantry/infer"
	"gantry/internal/imaging"
	"gantry/models"
	"gantry/train/dataset"
)

// gridSamples is the number of images in a grid, in rows of gridSide.
const (
	gridSide    = 8
	gridSamples = gridSide * gridSide
)

// drawable tells whether samples of a shape can be drawn: images in a grid, or
// points in the plane.
func drawable(shape []int) bool {
	return len(shape) == 3 && (shape[0] == 1 || shape[0] == 3) || scattered(shape)
}

// gridSize returns the pixels of a picture of samples.
func gridSize(shape []int) (width, height int) {
	if scattered(shape) {
		return scatterSide, scatterSide
	}
	return gridSide * (shape[2] + imaging.Gap), gridSide * (shape[1] + imaging.Gap)
}

// drawReals writes a grid of the first images of the data, or a scatter plot of
// its points.
func drawReals(path string, data dataset.Dataset) error {
	s := data.Shape()
	if scattered(s) {
		return writeScatter(path, data, nil)
	}
	n := min(gridSamples, data.Len())
	indices := make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	x := make([]float32, n*models.Elements(s))
	if err := data.Read(x, indices); err != nil {
		return err
	}
	pix := make([]uint8, len(x))
	imaging.Pixels(pix, x, 0, 1)
	return writeGrid(path, pix, n, s)
}

// drawFakes writes a grid of what the generator in an ONNX file makes of the
// seeds 0 to 63: always the same latents, and what "ganinfer sample --seeds
// 0-63" draws. Of points it is a scatter plot of the samples 0 to 2499 of seed 0.
// The images' shape is that of the data, which a generator of vectors does not
// tell.
func drawFakes(ctx context.Context, path string, onnx []byte, data dataset.Dataset, threads int) error {
	m, err := infer.LoadBytes(onnx, infer.Options{Threads: threads})
	if err != nil {
		return err
	}
	sampler, err := infer.NewSampler(m, infer.SamplerOptions{})
	if err != nil {
		return err
	}
	lo, hi := sampler.ValueRange()
	shape := data.Shape()
	if scattered(shape) {
		x := make([]float32, 0, 2*scatterPoints)
		err := sampler.Sample(ctx, infer.Range(0, 0, scatterPoints), func(_ int, p []float32) error {
			x = append(x, (p[0]-lo)/(hi-lo), (p[1]-lo)/(hi-lo))
			return nil
		})
		if err != nil {
			return err
		}
		return writeScatter(path, data, x)
	}
	seeds := make([]uint64, gridSamples)
	for i := range seeds {
		seeds[i] = uint64(i)
	}
	size := models.Elements(shape)
	pix := make([]uint8, gridSamples*size)
	err = sampler.Sample(ctx, infer.Seeds(seeds), func(i int, x []float32) error {
		imaging.Pixels(pix[i*size:][:size], x, lo, hi)
		return nil
	})
	if err != nil {
		return err
	}
	return writeGrid(path, pix, gridSamples, shape)
}

func writeGrid(path string, pix []uint8, n int, shape []int) error {
	img, err := imaging.Grid(pix, n, shape[0], shape[1], shape[2], 0)
	if err != nil {
		return fmt.Errorf("train: %s: %w", path, err)
	}
	return imaging.WritePNG(path, img)
}
