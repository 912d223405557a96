// Package npy reads and writes NumPy's array files, versions 1.0 and 2.0 of
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, for
// the element types that samples, latents and tensors need, little-endian and
// in C order.
package npy

import "fmt"

// DType is the type of an array's elements.
type DType uint8

// Element types, with NumPy's names for them.
const (
	Float32 DType = iota + 1 // <f4
	Float64                  // <f8
	Int64                    // <i8
	Uint8                    // |u1
	Int32                    // <i4
	Bool                     // |b1
)

var descrs = [...]string{Float32: "<f4", Float64: "<f8", Int64: "<i8", Uint8: "|u1", Int32: "<i4", Bool: "|b1"}
var sizes = [...]int64{Float32: 4, Float64: 8, Int64: 8, Uint8: 1, Int32: 4, Bool: 1}

// String returns NumPy's name for t, such as "<f4".
func (t DType) String() string {
	if !t.valid() {
		return fmt.Sprintf("DType(%d)", uint8(t))
	}
	return descrs[t]
}

// Size returns the number of bytes of an element.
func (t DType) Size() int { return int(sizes[t]) }

func (t DType) valid() bool { return t >= Float32 && t <= Bool }

// Array is an array in C order: the last dimension varies fastest. Of the data
// slices, the one of the array's type is set, with as many elements as Shape
// says; a Shape of length 0 is a scalar.
type Array struct {
	DType DType
	Shape []int
	F32   []float32
	F64   []float64
	I64   []int64
	I32   []int32
	U8    []uint8 // of Uint8, and of Bool: 0 or 1
}

// maxDims is the largest number of dimensions, as in NumPy before 2.0.
const maxDims = 32

// elements returns the number of elements of a shape, if it is not above max,
// which must be below 2^60. Dimensions must be 0..2^31-1.
func elements(shape []int, max int64) (int64, error) {
	if len(shape) > maxDims {
		return 0, fmt.Errorf("npy: shape: %d dimensions, want at most %d", len(shape), maxDims)
	}
	n := int64(1)
	for i, d := range shape {
		if d < 0 || int64(d) > 1<<31-1 {
			return 0, fmt.Errorf("npy: shape: dimension %d is %d, want 0..2147483647", i, d)
		}
		if d == 0 {
			n = 0
		}
	}
	for _, d := range shape {
		if n > 0 && int64(d) > max/n {
			return 0, fmt.Errorf("npy: shape %v: want at most %d elements", shape, max)
		}
		n *= int64(d)
	}
	return n, nil
}
