package exec

import (
	"fmt"

	"gantry/infer/internal/plan"
)

// view is embedded by operators whose result may be their argument 0 in another shape.
type view struct{}

func (view) Run(_ *plan.Context, in, out []*plan.Tensor) error {
	copyTensor(out[0], in[0])
	return nil
}

// copyTensor copies the elements. Out of line: each view has a Run that calls it.
//
//go:noinline
func copyTensor(dst, src *plan.Tensor) {
	copy(dst.F, src.F)
	copy(dst.I, src.I)
}

// result returns a result of one type. Out of line, for the size of programs: it has many callers.
//
//go:noinline
func result(dtype plan.DType, shape []int) plan.Result {
	return plan.Result{Out: []plan.Type{{DType: dtype, Shape: shape}}}
}

// viewed returns a result that is a view of argument 0.
//
//go:noinline
func viewed(dtype plan.DType, shape []int) plan.Result {
	return plan.Result{Out: []plan.Type{{DType: dtype, Shape: shape}}, View: true}
}

// errorf is fmt.Errorf out of line: in line, which the compiler prefers, the calls of this package take kilobytes.
//
//go:noinline
func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }
