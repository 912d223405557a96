package infer

import "fmt"

// DType is the type of a tensor's elements.
type DType uint8

// The element types that models take and give.
const (
	Float32 DType = iota + 1
	Int64
)

// String returns the name that error messages use: float32, int64.
func (d DType) String() string {
	switch d {
	case Float32:
		return "float32"
	case Int64:
		return "int64"
	}
	return "no dtype"
}

// Tensor is a dense array in C order. Exactly one of F32 and I64 holds the elements, as DType says;
// its length is the product of Shape (1 for the empty shape, a scalar).
type Tensor struct {
	DType DType
	Shape []int
	F32   []float32
	I64   []int64
}

// ValueInfo describes an input or an output of a model.
type ValueInfo struct {
	Name  string
	DType DType
	// Shape is nil if the model does not state it; -1 stands for a dimension that it leaves open.
	Shape []int
	// Symbols holds the names of open dimensions, "" where there is none; as long as Shape.
	Symbols []string
}

// String writes v for people: z float32 [N 100].
func (v ValueInfo) String() string {
	if v.Shape == nil {
		return fmt.Sprintf("%s %v of any shape", v.Name, v.DType)
	}
	return fmt.Sprintf("%s %v %s", v.Name, v.DType, v.shapeString(nil))
}
