package exec

import "gantry/infer/internal/plan"

func init() {
	for name, op := range map[string]Arithmetic{"Max": Max, "Min": Min, "Sum": Add, "Mean": Add} {
		plan.Register(plan.Operator{Name: name, MinIn: 1, MaxIn: -1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
			if len(d.In) == 2 && name != "Mean" {
				return op, nil
			}
			return &Variadic{op, name == "Mean"}, nil
		}})
	}
}

// Variadic is ONNX Max, Min, Sum or Mean of any number of inputs, taken in order: of two inputs they are Arithmetic, but Mean.
type Variadic struct {
	op   Arithmetic
	mean bool
}

// Infer returns the broadcast shape.
func (v *Variadic) Infer(in []*plan.Arg) (plan.Result, error) { return v.op.Infer(in) }

// Run computes the result.
func (v *Variadic) Run(c *plan.Context, in, out []*plan.Tensor) error {
	y := out[0]
	if len(in) == 1 {
		copyTensor(y, in[0])
		return nil
	}
	a := in[0]
	for _, b := range in[1:] {
		if err := v.op.apply(c, y, a, b); err != nil {
			return err
		}
		a = y
	}
	if v.mean {
		n := float32(len(in))
		for i := range y.F {
			y.F[i] /= n
		}
		for i := range y.I {
			y.I[i] /= int64(len(in))
		}
	}
	return nil
}
