package exec

import (
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "OneHot", Since: 9, MinIn: 3, MaxIn: 3, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		return &OneHot{d.Int("axis", -1), d.Opset >= 11}, nil
	}})
}

// OneHot is ONNX OneHot: each index becomes a row of depth values, off but for that of the index. An index that is no integer is cut.
type OneHot struct {
	axis int64
	back bool // indices below zero count from the end
}

// ValueArgs says that the depth must be known.
func (*OneHot) ValueArgs() []int { return []int{1} }

// Infer returns the shape with the depth at the axis.
func (o *OneHot) Infer(in []*plan.Arg) (plan.Result, error) {
	x, depth, values := in[0], in[1], in[2]
	axis, err := plan.Axis(o.axis, len(x.Shape)+1)
	var n int64
	switch {
	case err != nil:
		return plan.Result{}, err
	case depth.Count() != 1:
		return plan.Result{}, errorf("depth is %v, want one number", depth.Type)
	case depth.Known == nil:
		return plan.Result{}, errorf("depth %w", plan.ErrUnknownValue)
	case values.Count() != 2:
		return plan.Result{}, errorf("values is %v, want two numbers", values.Type)
	}
	if n = number(depth.Known, 0); n < 1 || n > maxGrid {
		return plan.Result{}, errorf("depth is %d, want 1 to %d", n, maxGrid)
	}
	return result(values.DType, slices.Concat(x.Shape[:axis], []int{int(n)}, x.Shape[axis:])), nil
}

// number returns element i as an integer, out of range of any index if it is none.
func number(t *plan.Tensor, i int) int64 {
	if t.DType.Integer() {
		return t.I[i]
	}
	if v := t.F[i]; v > -1<<40 && v < 1<<40 {
		return int64(v)
	}
	return -1 << 40
}

// Run writes the rows.
func (o *OneHot) Run(_ *plan.Context, in, out []*plan.Tensor) error {
	x, values, y := in[0], in[2], out[0]
	axis, err := plan.Axis(o.axis, len(y.Shape))
	if err != nil {
		return err
	}
	n, inner := y.Shape[axis], plan.Count(y.Shape[axis+1:])
	set := func(i, on int) {
		if y.DType.Integer() {
			y.I[i] = values.I[on]
		} else {
			y.F[i] = values.F[on]
		}
	}
	for i := range y.Count() {
		set(i, 0)
	}
	for i := range x.Count() {
		v := number(x, i)
		if v < 0 && o.back {
			v += int64(n)
		}
		if v >= 0 && v < int64(n) {
			set((i/inner*n+int(v))*inner+i%inner, 1)
		}
	}
	return nil
}
