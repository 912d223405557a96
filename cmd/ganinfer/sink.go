package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gantry/infer"
	"gantry/internal/imaging"
	"gantry/internal/kernel"
	"gantry/internal/npy"
)

// maxGrid is the largest number of bytes that the samples of one picture may have.
const maxGrid = 1 << 28

// sink is where samples go.
type sink struct {
	grid    string // file, or ""
	out     string // directory or .npy file, or ""
	count   int
	name    func(i int) string
	shape   []int // of a sample
	lo, hi  float32
	pix     []uint8 // of the current sample
	allPix  []uint8 // of all, for the grid
	isImage bool
}

func newSink(s *infer.Sampler, src *source, grid, out string) (*sink, error) {
	k := &sink{grid: grid, out: out, count: src.count, name: src.name, shape: s.Shape()}
	k.lo, k.hi = s.ValueRange()
	size := 1
	for _, d := range k.shape {
		size *= d
	}
	k.isImage = len(k.shape) == 3
	asPNG := grid != "" || out != "" && !isArray(out)
	switch {
	case asPNG && !k.isImage:
		return nil, misusef("--out samples.npy writes it as an array", "a sample has shape %v, which is no picture", k.shape)
	case asPNG && k.shape[0] != 1 && k.shape[0] != 3:
		return nil, misusef("--out samples.npy writes it as an array", "a sample has %d channels, want 1 (grey) or 3 (RGB)", k.shape[0])
	case grid != "" && k.count > maxGrid/size:
		return nil, misusef("draw fewer samples, or use --out", "--grid: %d samples of %v are too much for one picture", k.count, k.shape)
	}
	if k.isImage {
		k.pix = make([]uint8, size)
	}
	if grid != "" {
		k.allPix = make([]uint8, 0, k.count*size)
	}
	return k, nil
}

// isArray reports whether --out names an array file.
func isArray(out string) bool { return strings.EqualFold(filepath.Ext(out), ".npy") }

// drawer computes all samples and hands them to emit, in order.
type drawer func(emit func(i int, x []float32) error) error

// write takes all samples from draw. No file is there before it is complete; that a file cannot be
// made is found before anything is drawn.
func (k *sink) write(draw drawer) error {
	finite := func(emit func(i int, x []float32) error) error {
		return draw(func(i int, x []float32) error {
			if at := kernel.FirstNonFinite(x); at >= 0 {
				return fmt.Errorf("sample %d (%s): element %d is %v, want a finite number", i, k.name(i), at, x[at])
			}
			return emit(i, x)
		})
	}
	if k.grid == "" {
		return k.writeOut(finite)
	}
	return writeFile(k.grid, func(w io.Writer) error {
		if err := k.writeOut(finite); err != nil {
			return err
		}
		img, err := imaging.Grid(k.allPix, k.count, k.shape[0], k.shape[1], k.shape[2], 0)
		if err != nil {
			return err
		}
		return imaging.EncodePNG(w, img)
	})
}

// writeOut draws, and writes what --out asks for.
func (k *sink) writeOut(draw drawer) error {
	switch {
	case k.out == "":
		return draw(func(_ int, x []float32) error { return k.collect(x) })
	case isArray(k.out):
		return writeFile(k.out, func(w io.Writer) error { return k.writeArray(w, draw) })
	}
	if err := os.MkdirAll(k.out, 0o777); err != nil {
		return err
	}
	return draw(k.writeImage)
}

// collect turns a sample into pixels and keeps them if there will be a grid.
func (k *sink) collect(x []float32) error {
	if k.isImage {
		imaging.Pixels(k.pix, x, k.lo, k.hi)
	}
	if k.grid != "" {
		k.allPix = append(k.allPix, k.pix...)
	}
	return nil
}

func (k *sink) writeArray(w io.Writer, draw drawer) error {
	dtype := npy.Float32
	if k.isImage {
		dtype = npy.Uint8
	}
	a, err := npy.NewWriter(w, dtype, append([]int{k.count}, k.shape...))
	if err != nil {
		return err
	}
	err = draw(func(_ int, x []float32) error {
		if err := k.collect(x); err != nil || !k.isImage {
			return firstError(err, func() error { return a.Float32(x) })
		}
		return a.Uint8(k.pix)
	})
	return firstError(err, a.Close)
}

func firstError(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

func (k *sink) writeImage(i int, x []float32) error {
	if err := k.collect(x); err != nil {
		return err
	}
	img, err := imaging.Grid(k.pix, 1, k.shape[0], k.shape[1], k.shape[2], 1)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(k.out, k.name(i)+".png"), func(w io.Writer) error { return imaging.EncodePNG(w, img) })
}
