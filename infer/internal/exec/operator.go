package exec

import (
	"fmt"

	"gantry/infer/internal/plan"
)

// function is an operator that needs no type of its own.
type function struct {
	infer  func(in []*plan.Arg) (plan.Result, error)
	run    func(c *plan.Context, in, out []*plan.Tensor) error
	values []int // arguments whose elements infer reads
	types  bool  // neither reads elements
}

// Infer returns the types of the results.
func (f *function) Infer(in []*plan.Arg) (plan.Result, error) { return f.infer(in) }

// Run computes the results.
func (f *function) Run(c *plan.Context, in, out []*plan.Tensor) error { return f.run(c, in, out) }

// ValueArgs names the arguments whose elements must be known.
func (f *function) ValueArgs() []int { return f.values }

// FromTypes reports whether types alone decide the results.
func (f *function) FromTypes() bool { return f.types }

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

// asArgs returns what Infer would see of arguments that Run has.
//
//go:noinline
func asArgs(in []*plan.Tensor) []*plan.Arg {
	args := make([]*plan.Arg, len(in))
	for i, t := range in {
		if t != nil {
			args[i] = &plan.Arg{Type: t.Type, Known: t}
		}
	}
	return args
}
