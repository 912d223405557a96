package exec

import (
	"errors"
	"math"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Clip", MinIn: 1, MaxIn: 3, MaxOut: 1, New: newClip})
}

// Clip is ONNX Clip: elements below min become min, then those above max become max. NaN stays.
type Clip struct{ min, max float32 } // where the inputs are not there

func newClip(d *plan.Decl) (plan.Op, error) {
	c := &Clip{float32(math.Inf(-1)), float32(math.Inf(1))}
	switch {
	case d.Opset < 11 && len(d.In) > 1:
		return nil, errors.New("has min and max as inputs, which begins with opset 11")
	case d.Opset < 11:
		c.min, c.max = d.Float("min", -math.MaxFloat32), d.Float("max", math.MaxFloat32)
	}
	return c, nil
}

// HWNC returns the operator on HWNC images.
func (c *Clip) HWNC() plan.Op { return c }

// Infer returns the argument's type.
func (c *Clip) Infer(in []*plan.Arg) (plan.Result, error) {
	for i, a := range in[1:] {
		if a != nil && (a.DType != in[0].DType || plan.Count(a.Shape) != 1) {
			return plan.Result{}, errorf("%s is %v, want one number of type %v", [2]string{"min", "max"}[i], a.Type, in[0].DType)
		}
	}
	return result(in[0].DType, in[0].Shape), nil
}

// InPlace allows the result to overwrite the argument.
func (c *Clip) InPlace() []int { return []int{0} }

// Run clips.
func (c *Clip) Run(ctx *plan.Context, in, out []*plan.Tensor) error {
	lo, hi, lowest, highest := c.min, c.max, int64(math.MinInt64), int64(math.MaxInt64)
	for i, t := range in[1:] {
		switch {
		case t == nil:
		case t.DType.Integer() && i == 0:
			lowest = t.I[0]
		case t.DType.Integer():
			highest = t.I[0]
		case i == 0:
			lo = t.F[0]
		default:
			hi = t.F[0]
		}
	}
	clip(ctx, out[0].F, in[0].F, lo, hi)
	clip(ctx, out[0].I, in[0].I, lowest, highest)
	return nil
}

func clip[T int64 | float32](c *plan.Context, y, x []T, least, most T) {
	each(c, len(y), 1, func(lo, hi int) {
		for i, v := range x[lo:hi] {
			if v < least {
				v = least
			}
			if v > most {
				v = most
			}
			y[lo+i] = v
		}
	})
}
