package train

import (
	"context"
	"fmt"

	"gantry/infer"
	"gantry/internal/imaging"
	"gantry/models"
	"gantry/train/dataset"
)

// gridSamples is the number of images in a grid: 8 rows of 8.
const (
	gridSide    = 8
	gridSamples = gridSide * gridSide
)

// drawable tells whether samples of a shape are images.
func drawable(shape []int) bool {
	return len(shape) == 3 && (shape[0] == 1 || shape[0] == 3)
}

// drawReals writes a grid of the first images of the data.
func drawReals(path string, data dataset.Dataset) error {
	s := data.Shape()
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
// 0-63" draws. shape is that of the images, which a generator of vectors does
// not tell.
func drawFakes(ctx context.Context, path string, onnx []byte, shape []int, threads int) error {
	m, err := infer.LoadBytes(onnx, infer.Options{Threads: threads})
	if err != nil {
		return err
	}
	sampler, err := infer.NewSampler(m, infer.SamplerOptions{})
	if err != nil {
		return err
	}
	seeds := make([]uint64, gridSamples)
	for i := range seeds {
		seeds[i] = uint64(i)
	}
	lo, hi := sampler.ValueRange()
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
