package main

import (
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"time"

	"gantry/internal/imaging"
	"gantry/internal/imaging/animation"
	"gantry/internal/kernel"
	"gantry/internal/npy"
)

// maxPicture is the largest number of bytes that the samples of one picture or animation may have.
const maxPicture = 1 << 28

// sink is where samples go.
type sink struct {
	*drawing
	grid    string // file, or ""
	out     string // directory, .npy or .gif file, or ""
	std     streams
	shape   []int // of a sample
	lo, hi  float32
	pix     []uint8 // of the current sample
	allPix  []uint8 // of all, for the grid
	isImage bool
}

func newSink(d *drawing, grid, out string, std streams) (*sink, error) {
	if err := d.checkRows(); err != nil {
		return nil, err
	}
	k := &sink{drawing: d, grid: grid, out: out, std: std, shape: d.sampler.Shape()}
	k.lo, k.hi = d.sampler.ValueRange()
	size := 1
	for _, d := range k.shape {
		size *= d
	}
	k.isImage = len(k.shape) == 3
	asPicture := grid != "" || out != "" && !isArray(out)
	switch {
	case asPicture && !k.isImage:
		return nil, misusef("--out samples.npy writes it as an array", "a sample has shape %v, which is no picture", k.shape)
	case asPicture && k.shape[0] != 1 && k.shape[0] != 3:
		hint := "--out samples.npy writes it as an array"
		if c := k.shape[2]; c == 1 || c == 3 {
			hint = "is it [H, W, C]? add --layout nhwc"
		}
		return nil, misusef(hint, "a sample has %d channels, want 1 (grey) or 3 (RGB)", k.shape[0])
	case (grid != "" || extension(out) == ".gif") && d.total() > maxPicture/size:
		return nil, misusef("draw fewer samples, or use --out DIR", "%d samples of %v are too much for one picture", d.total(), k.shape)
	}
	if k.isImage {
		k.pix = make([]uint8, size)
	}
	if grid != "" {
		k.allPix = make([]uint8, 0, d.total()*size)
	}
	return k, nil
}

// write draws all samples. No file is there before it is complete; that a file cannot be
// made is found before anything is drawn.
func (k *sink) write(ctx context.Context) error {
	if k.grid == "" {
		return k.writeOut(ctx)
	}
	return k.std.writeFile(k.grid, func(w io.Writer) error {
		if err := k.writeOut(ctx); err != nil {
			return err
		}
		columns := 0
		if len(k.labels) > 1 {
			columns = k.count // a row for each label
		}
		img, err := imaging.Grid(k.allPix, k.total(), k.shape[0], k.shape[1], k.shape[2], columns)
		if err != nil {
			return err
		}
		return imaging.EncodePNG(w, img)
	})
}

// writeOut draws, and writes what --out asks for.
func (k *sink) writeOut(ctx context.Context) error {
	switch {
	case k.out == "":
		return k.draw(ctx, func(int, []float32) error { return nil })
	case isArray(k.out):
		return k.std.writeFile(k.out, func(w io.Writer) error { return k.writeArray(ctx, w) })
	case !isDir(k.out):
		return k.std.writeFile(k.out, func(w io.Writer) error { return k.writeAnimation(ctx, w) })
	}
	if err := os.MkdirAll(k.out, 0o777); err != nil {
		return err
	}
	return k.draw(ctx, func(i int, _ []float32) error {
		img, err := k.image()
		if err != nil {
			return err
		}
		return k.std.writeFile(filepath.Join(k.out, k.sampleName(i)+".png"), func(w io.Writer) error { return imaging.EncodePNG(w, img) })
	})
}

// draw computes all samples, turns each into pixels if it is an image, and keeps these if there will be a grid.
func (k *sink) draw(ctx context.Context, emit func(i int, x []float32) error) error {
	bar := newProgress(k.std, k.total())
	defer bar.end()
	return k.drawing.draw(ctx, func(i int, x []float32) error {
		if at := kernel.FirstNonFinite(x); at >= 0 {
			return fmt.Errorf("sample %d (%s): element %d is %v, want a finite number", i, k.sampleName(i), at, x[at])
		}
		if k.isImage {
			imaging.Pixels(k.pix, x, k.lo, k.hi)
		}
		if k.grid != "" {
			k.allPix = append(k.allPix, k.pix...)
		}
		if err := emit(i, x); err != nil {
			return err
		}
		if bar != nil {
			bar.at(i+1, time.Now())
		}
		return nil
	})
}

// image returns the current sample.
func (k *sink) image() (image.Image, error) {
	return imaging.Grid(k.pix, 1, k.shape[0], k.shape[1], k.shape[2], 1)
}

func (k *sink) writeArray(ctx context.Context, w io.Writer) error {
	dtype := npy.Float32
	if k.isImage {
		dtype = npy.Uint8
	}
	a, err := npy.NewWriter(w, dtype, append([]int{k.total()}, k.shape...))
	if err != nil {
		return err
	}
	err = k.draw(ctx, func(_ int, x []float32) error {
		if k.isImage {
			return a.Uint8(k.pix)
		}
		return a.Float32(x)
	})
	if err != nil {
		return err
	}
	return a.Close()
}

// writeAnimation writes a GIF of 25 frames a second.
func (k *sink) writeAnimation(ctx context.Context, w io.Writer) error {
	const delay = 4
	var frames []*image.Paletted
	err := k.draw(ctx, func(int, []float32) error {
		img, err := k.image()
		if err == nil {
			frames = append(frames, animation.Paletted(img, img.Bounds()))
		}
		return err
	})
	if err != nil {
		return err
	}
	return animation.Encode(w, frames, delay, delay)
}
