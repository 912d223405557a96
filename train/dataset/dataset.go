// Package dataset reads the images a GAN is trained on.
//
// # Concepts
//
// A [Dataset] is random access: which images a step of training sees is a
// function of (seed, step) alone, so a reader must be able to return any image
// at any time, in any order, with the same bits. Pixels are float32 in [0, 1],
// laid out [N C H W]; whoever trains maps them to the value range its networks
// want. [Points] are data sets of points instead of images, likewise in [0, 1].
// [Open] reads what a reference such as "idx:DIR" or a folder of images names.
package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Dataset is a fixed, ordered set of images of one shape, with random access.
//
// All methods are safe for concurrent use.
type Dataset interface {
	// Name is short and fit for a file name: "mnist", "fashion".
	Name() string

	// Len returns the number of images, at least 1.
	Len() int

	// Shape returns the shape of one image, [C H W], or of a point, [d]. The caller
	// owns the slice.
	Shape() []int

	// Label returns the class of image i, 0 <= i < Len, or -1 if there is none.
	Label(i int) int

	// Digest identifies the content: the SHA-256, in hexadecimal, of the shape
	// and of every pixel. Neither name, place, compression nor labels enter it.
	// [Mirror] says what it is for mirrored images.
	Digest() string

	// Report says how the data set came about. It must not be changed.
	Report() *Report

	// Read copies the images indices[0], indices[1]... into dst, [N C H W] with
	// N = len(indices) and values in [0, 1]. It reports an error if an index
	// is out of range or dst does not have N·C·H·W elements; dst is then
	// unspecified.
	Read(dst []float32, indices []int) error
}

// Options say what is made of the images.
type Options struct {
	// Resize is the side of the square that images are cropped and scaled to, 1
	// to 1024. 0: images of one shape stay as they are, and those of a folder
	// get the side of Shape.
	Resize int

	// Shape is that of the samples that networks make, if it is known. Images of
	// a folder, and those of others that are resized, get its channels if they
	// are 1 or 3; else they have 3, or 1 if all images are grey.
	Shape []int

	// Mirror doubles the data set, as [Mirror] does.
	Mirror bool

	Threads  int                   // that decode; 0: as many as there are processors
	CacheDir string                // for decoded images; "": gantry in the user's cache directory
	Progress func(done, total int) // called after each image, one call at a time; may be nil
}

// channels is the number that Shape asks for, 0 if it does not say.
func (o *Options) channels() int {
	if len(o.Shape) == 3 && (o.Shape[0] == 1 || o.Shape[0] == 3) {
		return o.Shape[0]
	}
	return 0
}

// MaxSide is the largest side that images are resized to, in pixels.
const MaxSide = 1024

func checkSide(side int) error {
	if side < 1 || side > MaxSide {
		return fmt.Errorf("dataset: images of %d x %[1]d pixels, want 1 to %d", side, MaxSide)
	}
	return nil
}

// Open opens the training images that ref names:
//
//	ring, grid   points in the plane, see [NewPoints]; ring:7 has those of seed 7
//	normal       points on a line, likewise
//	idx:DIR      the training half of a directory of IDX files, see [OpenIDX]
//	DIR          CIFAR-10's binary files, see [OpenCIFAR], or else a folder of images
//	FILE.zip     a folder of images, zipped
//	FILE.bin     one of CIFAR-10's files
//
// Images of a folder are PNG, JPEG, GIF (the first image), BMP and WebP files, by
// their names, in all directories below it, in the order of their paths. They
// are turned upright (EXIF), laid on white where they are transparent, cropped to
// the square in the middle and scaled; their class is the folder they are in.
// One that cannot be read is skipped, as [Report] says. If ctx ends, so does
// Open, with its error.
func Open(ctx context.Context, ref string, o Options) (Dataset, error) {
	if d, ok, err := openPoints(ref); ok {
		return transformed(d, err)(o)
	}
	if dir, ok := strings.CutPrefix(ref, "idx:"); ok {
		if dir == "" {
			return nil, fmt.Errorf("dataset: %q names no directory, want idx:DIR", ref)
		}
		return transformed(OpenIDX(dir, "train"))(o)
	}
	info, err := os.Stat(ref)
	if err != nil {
		return nil, fmt.Errorf("dataset: unknown data set %q, want idx:DIR, a folder of images, a .zip of one, or CIFAR-10: %w", ref, err)
	}
	ext := strings.ToLower(filepath.Ext(ref))
	regular := info.Mode().IsRegular()
	switch {
	case info.IsDir() && isCIFAR(ref), regular && ext == ".bin":
		return transformed(OpenCIFAR(ref))(o)
	case info.IsDir():
		return openFolder(ctx, ref, o)
	case regular && ext == ".zip":
		return openZip(ctx, ref, o)
	}
	return nil, fmt.Errorf("dataset: %s is no data set, want a folder of images, a .zip of one, or a .bin of CIFAR-10", ref)
}

// transformed returns what applies options to a data set that was opened.
func transformed(d Dataset, err error) func(Options) (Dataset, error) {
	return func(o Options) (Dataset, error) {
		if err != nil {
			return nil, err
		}
		return Transform(d, o)
	}
}

// RefName returns a short name for what ref names, fit for a file name, without
// opening it: the [Dataset.Name] that it will have.
func RefName(ref string) string {
	if d, ok, err := openPoints(ref); ok && err == nil {
		return d.Name()
	}
	if dir, ok := strings.CutPrefix(ref, "idx:"); ok {
		return baseName(dir)
	}
	for _, ext := range []string{".zip", ".bin"} {
		if n := len(ref) - len(ext); n > 0 && strings.EqualFold(ref[n:], ext) {
			ref = ref[:n]
		}
	}
	return baseName(ref)
}

// maxName leaves room for what stands beside it in a file name, of at most 255 bytes.
const maxName = 100

// baseName turns the last element of a path into a name fit for a file name.
func baseName(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_':
			return r
		}
		return '-'
	}, filepath.Base(dir))
	name = strings.TrimLeft(name, "-.")
	if name = strings.TrimRight(name[:min(len(name), maxName)], "-."); name == "" {
		return "data"
	}
	return name
}
