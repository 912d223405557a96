package exec

import (
	"math"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func init() {
	for name, f := range map[string]func(p *kernel.Pool, dst, x []float32){"Exp": kernel.Exp, "Log": kernel.Log} {
		plan.Register(plan.Operator{Name: name, MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) {
			return &Unary{f: f}, nil
		}})
	}
	for name, f := range map[string]func(x float32) float32{
		"Abs":        func(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) },
		"Ceil":       func(x float32) float32 { return float32(math.Ceil(float64(x))) },
		"Floor":      func(x float32) float32 { return float32(math.Floor(float64(x))) },
		"Neg":        func(x float32) float32 { return -x },
		"Reciprocal": func(x float32) float32 { return 1 / x },
		"Sqrt":       func(x float32) float32 { return float32(math.Sqrt(float64(x))) },
	} {
		plan.Register(plan.Operator{Name: name, MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) {
			return &Unary{one: f}, nil
		}})
	}
	plan.Register(plan.Operator{Name: "Clip", MinIn: 1, MaxIn: 3, MaxOut: 1, New: newClip})
}

// Unary is a function of each element. Results are the float32 nearest to the exact value; those of Exp and Log are within 1 ulp.
type Unary struct {
	f   func(p *kernel.Pool, dst, x []float32) // or
	one func(x float32) float32
}

// HWNC returns the operator on HWNC images.
func (u *Unary) HWNC() plan.Op { return u }

// Infer returns the argument's type.
func (u *Unary) Infer(in []*plan.Arg) (plan.Result, error) {
	return result(plan.Float32, in[0].Shape), plan.WantFloats(in)
}

// InPlace allows the result to overwrite the argument.
func (u *Unary) InPlace() []int { return []int{0} }

// Run applies the function.
func (u *Unary) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0].F, out[0].F
	if u.f != nil {
		u.f(c.Pool, y, x)
		return nil
	}
	each(c, len(y), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y[i] = u.one(x[i])
		}
	})
	return nil
}

// Clip is ONNX Clip: elements below min become min, then those above max become max. NaN stays.
type Clip struct{ min, max float32 } // where the inputs are not there

func newClip(d *plan.Decl) (plan.Op, error) {
	c := &Clip{float32(math.Inf(-1)), float32(math.Inf(1))}
	switch {
	case d.Opset < 11 && len(d.In) > 1:
		return nil, errorf("has min and max as inputs, which begins with opset 11")
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
		if a != nil && plan.Count(a.Shape) != 1 {
			return plan.Result{}, errorf("%s is %v, want one number", [2]string{"min", "max"}[i], a.Type)
		}
	}
	return result(plan.Float32, in[0].Shape), plan.WantFloats(in)
}

// InPlace allows the result to overwrite the argument.
func (c *Clip) InPlace() []int { return []int{0} }

// Run clips.
func (c *Clip) Run(ctx *plan.Context, in, out []*plan.Tensor) error {
	x, y, least, most := in[0].F, out[0].F, c.min, c.max
	if len(in) > 1 && in[1] != nil {
		least = in[1].F[0]
	}
	if len(in) > 2 && in[2] != nil {
		most = in[2].F[0]
	}
	each(ctx, len(y), 1, func(lo, hi int) {
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
	return nil
}
