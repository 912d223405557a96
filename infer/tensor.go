package infer

import (
	"fmt"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
)

// DType is the type of a tensor's elements. Its String is float32, int64, int32, uint8 or bool, its Size the bytes that an
// element takes here.
type DType = plan.DType

// The element types that models take and give. A model that declares another floating-point type takes and gives float32, and one
// that declares another integer type int32 or int64, whichever holds it: it is computed in that type.
const (
	Float32 = plan.Float32
	Int64   = plan.Int64
	Int32   = plan.Int32
	Uint8   = plan.Uint8
	Bool    = plan.Bool
)

// Tensor is a dense array in C order. Exactly one of F32 and I64 holds the elements: F32 those of Float32, I64 those of
// all others, in their range; its length is the product of Shape (1 for the empty shape, a scalar).
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
		return fmt.Sprintf("%s %v of any shape", onnx.Printable(v.Name), v.DType)
	}
	return fmt.Sprintf("%s %v %s", onnx.Printable(v.Name), v.DType, v.shapeString(nil))
}
