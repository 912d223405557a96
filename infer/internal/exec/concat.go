package exec

import (
	"errors"
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Concat", MinIn: 1, MaxIn: -1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		if !d.Given("axis") {
			return nil, errors.New("attribute axis is left out")
		}
		return &Concat{axis: d.Int("axis", 0)}, nil
	}})
}

// Concat is ONNX Concat: its inputs one behind the other along an axis.
type Concat struct{ axis int64 }

// Infer returns the shape whose dimension at the axis is the sum of the inputs'.
func (c *Concat) Infer(in []*plan.Arg) (plan.Result, error) {
	first := in[0]
	axis, err := plan.Axis(c.axis, len(first.Shape))
	if err != nil {
		return plan.Result{}, err
	}
	shape := slices.Clone(first.Shape)
	for i, a := range in[1:] {
		ok := a.DType == first.DType && len(a.Shape) == len(shape)
		for k := range shape {
			ok = ok && (k == axis || a.Shape[k] == shape[k])
		}
		if !ok {
			return plan.Result{}, errorf("input %d is %v, input 0 is %v: they may differ in dimension %d only", i+1, a.Type, first.Type, axis)
		}
		shape[axis] += a.Shape[axis]
	}
	return result(first.DType, shape), nil
}

// Run copies the inputs to their places.
func (c *Concat) Run(ctx *plan.Context, in, out []*plan.Tensor) error {
	y := out[0]
	axis, err := plan.Axis(c.axis, len(y.Shape))
	if err != nil || y.Count() == 0 {
		return err
	}
	outer, row := plan.Count(y.Shape[:axis]), plan.Count(y.Shape[axis:])
	at := 0
	for _, x := range in {
		n := plan.Count(x.Shape[axis:])
		each(ctx, outer, n, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				if y.DType.Integer() {
					copy(y.I[i*row+at:], x.I[i*n:(i+1)*n])
				} else {
					copy(y.F[i*row+at:], x.F[i*n:(i+1)*n])
				}
			}
		})
		at += n
	}
	return nil
}
