// Package dataset reads the images a GAN is trained on.
//
// # Concepts
//
// A [Dataset] is random access: which images a step of training sees is a
// function of (seed, step) alone, so a reader must be able to return any image
// at any time, in any order, with the same bits. Pixels are float32 in [0, 1],
// laid out [N C H W]; whoever trains maps them to the value range its networks
// want. [Open] reads a reference such as "idx:DIR".
package dataset

import (
	"fmt"
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

	// Shape returns the shape of one image, [C H W]. The caller owns the slice.
	Shape() []int

	// Label returns the class of image i, 0 <= i < Len, or -1 if there is none.
	Label(i int) int

	// Digest identifies the content: the SHA-256, in hexadecimal, of the shape
	// and of every pixel. Neither name, place, compression nor labels enter it.
	Digest() string

	// Read copies the images indices[0], indices[1]... into dst, [N C H W] with
	// N = len(indices) and values in [0, 1]. It reports an error if an index
	// is out of range or dst does not have N·C·H·W elements; dst is then
	// unspecified.
	Read(dst []float32, indices []int) error
}

// Open opens the training images that ref names. "idx:DIR" is the training half
// of a directory of IDX files, as [OpenIDX] reads it.
func Open(ref string) (Dataset, error) {
	kind, arg, found := strings.Cut(ref, ":")
	switch {
	case kind == "idx" && arg != "":
		return OpenIDX(arg, "train")
	case kind == "idx":
		return nil, fmt.Errorf("dataset: %q names no directory, expected idx:DIR", ref)
	case !found:
		return nil, fmt.Errorf("dataset: unknown data set %q, expected idx:DIR", ref)
	}
	return nil, fmt.Errorf("dataset: unknown kind %q in %q, expected idx:DIR", kind, ref)
}

// RefName returns a short name for what ref names, fit for a file name, without
// opening it: the [Dataset.Name] that an "idx:DIR" will have, or ref itself.
func RefName(ref string) string {
	if dir, ok := strings.CutPrefix(ref, "idx:"); ok {
		return baseName(dir)
	}
	return ref
}
