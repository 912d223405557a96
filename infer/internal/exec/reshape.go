package exec

import (
	"math"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Reshape", MinIn: 2, MaxIn: 2, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		r := &Reshape{}
		if d.Opset >= 14 {
			r.allowZero = d.Bool("allowzero", false)
		}
		return r, nil
	}})
	plan.Register(plan.Operator{Name: "Flatten", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		return &Flatten{axis: d.Int("axis", 1)}, nil
	}})
}

// Reshape is ONNX Reshape: -1 in the shape stands for what is left, 0 for the dimension of the
// input at its place (or, with allowzero, for an empty dimension).
type Reshape struct {
	view
	allowZero bool
}

// ValueArgs says that the shape must be known.
func (*Reshape) ValueArgs() []int { return []int{1} }

// Infer returns the wanted shape.
func (r *Reshape) Infer(in []*plan.Arg) (plan.Result, error) {
	want, err := plan.KnownInts("shape", in[1])
	if err != nil {
		return plan.Result{}, err
	}
	if len(want) > plan.MaxRank {
		return plan.Result{}, errorf("shape has %d dimensions, want at most %d", len(want), plan.MaxRank)
	}
	x := in[0]
	mismatch := errorf("shape is %v, which does not fit %v", want, x.Type)
	shape := make([]int, len(want))
	open, count := -1, 1
	for i, d := range want {
		switch {
		case d == -1 && open < 0:
			open = i
			continue
		case d == 0 && !r.allowZero:
			if i >= len(x.Shape) {
				return plan.Result{}, mismatch
			}
			d = int64(x.Shape[i])
		case d < 0 || d > 0 && int64(count) > math.MaxInt32/d:
			return plan.Result{}, mismatch // more elements than any tensor has
		}
		shape[i] = int(d)
		count *= int(d)
	}
	if open >= 0 {
		if count == 0 || x.Count()%count != 0 {
			return plan.Result{}, mismatch
		}
		shape[open] = x.Count() / count
		count *= shape[open]
	}
	if count != x.Count() {
		return plan.Result{}, mismatch
	}
	return viewed(x.DType, shape), nil
}

// Flatten is ONNX Flatten: a matrix, with the dimensions before axis in its rows.
type Flatten struct {
	view
	axis int64
}

// Infer returns the matrix' shape.
func (f *Flatten) Infer(in []*plan.Arg) (plan.Result, error) {
	x := in[0]
	axis := len(x.Shape)
	if f.axis != int64(axis) {
		var err error
		if axis, err = plan.Axis(f.axis, len(x.Shape)); err != nil {
			return plan.Result{}, err
		}
	}
	return viewed(x.DType, []int{plan.Count(x.Shape[:axis]), plan.Count(x.Shape[axis:])}), nil
}
