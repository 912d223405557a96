package exec

import "gantry/infer/internal/plan"

func init() {
	plan.Register(plan.Operator{Name: "Identity", MinIn: 1, MaxIn: 1, MaxOut: 1,
		New: func(*plan.Decl) (plan.Op, error) { return &Identity{}, nil }})
}

// Identity is ONNX Identity.
type Identity struct{ view }

// Infer returns the argument's type.
func (*Identity) Infer(in []*plan.Arg) (plan.Result, error) {
	return viewed(in[0].DType, in[0].Shape), nil
}
