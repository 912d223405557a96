package plan

import (
	"fmt"
	"strings"
)

// DType is the type of a tensor's elements.
type DType uint8

// The element types that operators take. 0 is none of them. Integers of any type and booleans are held as int64: they are
// few (shapes, labels, indices, masks), and one form of them is one form of each operator.
const (
	Float32 DType = iota + 1
	Int64
	Int32
	Uint8
	Bool
)

// String returns the name that error messages use: float32, int64, int32, uint8, bool.
func (d DType) String() string {
	if d < Float32 || d > Bool {
		return "no dtype"
	}
	return [...]string{"float32", "int64", "int32", "uint8", "bool"}[d-1]
}

// Integer reports whether elements of the type are held as int64: whether it is not Float32.
func (d DType) Integer() bool { return d != Float32 }

// Size returns the bytes that one element takes in memory.
func (d DType) Size() int {
	if d.Integer() {
		return 8
	}
	return 4
}

// Wrap returns what v becomes as an element of the type, which is an integer one: an int32 or uint8 keeps the low bits, a bool is 0 or 1.
func (d DType) Wrap(v int64) int64 {
	switch d {
	case Int32:
		return int64(int32(v))
	case Uint8:
		return int64(uint8(v))
	case Bool:
		if v != 0 {
			return 1
		}
	}
	return v
}

// Type is what is known of a tensor without its elements.
type Type struct {
	DType DType
	Shape []int
}

func (t Type) String() string { return t.DType.String() + ShapeString(t.Shape) }

// Count returns the number of elements. The type must have passed Limits.Check.
func (t Type) Count() int { return Count(t.Shape) }

// Tensor is a dense array in C order: F or I holds the elements, as DType says. Elements of I are in the range of the DType.
type Tensor struct {
	Type
	F []float32
	I []int64
}

// NewTensor returns a tensor of zeros.
func NewTensor(t Type) *Tensor {
	x := &Tensor{Type: t}
	if t.DType.Integer() {
		x.I = make([]int64, t.Count())
	} else {
		x.F = make([]float32, t.Count())
	}
	return x
}

// View returns the elements of t in another shape of as many elements.
func (t *Tensor) View(shape []int) *Tensor {
	return &Tensor{Type: Type{t.DType, shape}, F: t.F, I: t.I}
}

// Count returns the product of shape's dimensions: 1 for the empty shape. Out of line, for the size of programs.
//
//go:noinline
func Count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// SameShape reports whether a and b are equal.
func SameShape(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// ShapeString writes shape as [2 3]; a dimension below zero, which is open, as ?.
func ShapeString(shape []int) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, d := range shape {
		if i > 0 {
			b.WriteByte(' ')
		}
		if d < 0 {
			b.WriteByte('?')
		} else {
			fmt.Fprint(&b, d)
		}
	}
	b.WriteByte(']')
	return b.String()
}

// Axis returns axis counted from the front for a tensor of the given rank, or an error that names
// both. An axis of ONNX may count from the back: -1 is the last.
func Axis(axis int64, rank int) (int, error) {
	a := axis
	if a < 0 {
		a += int64(rank)
	}
	if a < 0 || a >= int64(rank) {
		return 0, fmt.Errorf("axis %d is out of range for rank %d", axis, rank)
	}
	return int(a), nil
}

// Broadcast returns the shape that a and b have together by numpy's rules.
func Broadcast(a, b []int) ([]int, error) {
	n := max(len(a), len(b))
	out := make([]int, n)
	for i := range out {
		x, y := 1, 1
		if j := i - n + len(a); j >= 0 {
			x = a[j]
		}
		if j := i - n + len(b); j >= 0 {
			y = b[j]
		}
		switch {
		case x == y || y == 1:
			out[i] = x
		case x == 1:
			out[i] = y
		default:
			return nil, fmt.Errorf("shapes %s and %s do not broadcast", ShapeString(a), ShapeString(b))
		}
	}
	return out, nil
}
