package exec

import "gantry/infer/internal/plan"

func init() {
	plan.Register(plan.Operator{Name: "Pow", MinIn: 2, MaxIn: 2, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		return &Pow{mixed: d.Opset >= 12}, nil
	}})
}

// Pow is ONNX Pow. The result has the type of the base. Where one of base and exponent is a float and the other an integer, both are
// taken as float32.
type Pow struct{ mixed bool }

// Infer returns the broadcast shape.
func (p *Pow) Infer(in []*plan.Arg) (plan.Result, error) {
	a, b := in[0].Type, in[1].Type
	if a.DType == b.DType || !p.mixed {
		return power.Infer(in)
	}
	floats := b.DType.Integer() != a.DType.Integer()
	b.DType = a.DType
	r, err := power.Infer([]*plan.Arg{{Type: a}, {Type: b}})
	if err == nil && floats {
		r.Scratch = a.Count() + b.Count() + r.Out[0].Count()
	}
	return r, err
}

// InPlace allows the result to overwrite the base or the exponent.
func (*Pow) InPlace() []int { return []int{0, 1} }

// Run computes the powers.
func (*Pow) Run(c *plan.Context, in, out []*plan.Tensor) error {
	if in[0].DType.Integer() == in[1].DType.Integer() {
		return power.apply(c, out[0], in[0], in[1])
	}
	// As floats in the scratch: base, exponent, result.
	free := c.Scratch
	var f [3]*plan.Tensor
	for i, t := range []*plan.Tensor{in[0], in[1], out[0]} {
		n := t.Count()
		f[i] = &plan.Tensor{Type: plan.Type{DType: plan.Float32, Shape: t.Shape}, F: free[:n]}
		free = free[n:]
		for k := range n {
			castTo(plan.Float32).cast(f[i], t, k)
		}
	}
	if err := power.apply(c, f[2], f[0], f[1]); err != nil {
		return err
	}
	for k := range out[0].Count() {
		castTo(out[0].DType).cast(out[0], f[2], k)
	}
	return nil
}
