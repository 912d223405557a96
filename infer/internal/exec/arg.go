package exec

import (
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	for _, name := range []string{"ArgMax", "ArgMin"} {
		plan.Register(plan.Operator{Name: name, MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
			a := &Arg{axis: d.Int("axis", 0), keep: d.Bool("keepdims", true), least: name == "ArgMin"}
			if d.Opset >= 12 {
				a.last = d.Bool("select_last_index", false)
			}
			return a, nil
		}})
	}
}

// Arg is ONNX ArgMax or ArgMin: where along an axis the largest or smallest element is, the first of equal ones or the last. The first NaN is
// both.
type Arg struct {
	axis              int64
	keep, least, last bool
}

// Infer returns the shape without the axis, of int64.
func (a *Arg) Infer(in []*plan.Arg) (plan.Result, error) {
	x := in[0].Shape
	axis, err := plan.Axis(a.axis, len(x))
	if err != nil {
		return plan.Result{}, err
	}
	shape := slices.Concat(x[:axis], []int{1}, x[axis+1:])
	if !a.keep {
		shape = slices.Concat(x[:axis], x[axis+1:])
	}
	if x[axis] == 0 && plan.Count(shape) > 0 {
		return plan.Result{}, errorf("input is %s, which has nothing along axis %d", plan.ShapeString(x), axis)
	}
	return result(plan.Int64, shape), nil
}

// Run finds the places.
func (a *Arg) Run(c *plan.Context, in, out []*plan.Tensor) error {
	axis, err := plan.Axis(a.axis, len(in[0].Shape))
	if err != nil || len(out[0].I) == 0 {
		return err
	}
	n, step := in[0].Shape[axis], plan.Count(in[0].Shape[axis+1:])
	each(c, len(out[0].I), n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			at := i/step*step*n + i%step
			if in[0].DType.Integer() {
				out[0].I[i] = whereBest(a, in[0].I[at:], n, step)
			} else {
				out[0].I[i] = whereBest(a, in[0].F[at:], n, step)
			}
		}
	})
	return nil
}

// whereBest returns the place among n elements of x, step apart.
func whereBest[T int64 | float32](a *Arg, x []T, n, step int) int64 {
	best := 0
	for i := 1; i < n; i++ {
		v, b := x[i*step], x[best*step]
		if v > b && !a.least || v < b && a.least || v == b && a.last || v != v && b == b {
			best = i
		}
	}
	return int64(best)
}
