package exec

import "gantry/infer/internal/plan"

func init() {
	plan.Register(plan.Operator{Name: "Trilu", MinIn: 1, MaxIn: 2, MaxOut: 1, Since: 14, New: func(d *plan.Decl) (plan.Op, error) {
		return &Trilu{d.Bool("upper", true)}, nil
	}})
}

// Trilu is ONNX Trilu: matrices whose elements below (upper) or above a diagonal become 0.
type Trilu struct{ upper bool }

// Infer returns the argument's type.
func (*Trilu) Infer(in []*plan.Arg) (plan.Result, error) {
	if len(in[0].Shape) < 2 {
		return plan.Result{}, errorf("input is %s, want rank 2 or more", plan.ShapeString(in[0].Shape))
	}
	if len(in) > 1 && (in[1].DType != plan.Int64 || plan.Count(in[1].Shape) != 1) {
		return plan.Result{}, errorf("k is %v, want one int64", in[1].Type)
	}
	return result(in[0].DType, in[0].Shape), nil
}

// InPlace allows the result to overwrite the argument.
func (*Trilu) InPlace() []int { return []int{0} }

// Run copies what stays.
func (t *Trilu) Run(_ *plan.Context, in, out []*plan.Tensor) error {
	y := out[0]
	if y.Count() == 0 {
		return nil
	}
	rows, n := y.Shape[len(y.Shape)-2], y.Shape[len(y.Shape)-1]
	k := 0
	if len(in) > 1 {
		k = int(min(max(in[1].I[0], int64(-rows)), int64(n)))
	}
	copyTensor(y, in[0])
	for r := range y.Count() / n {
		lo, hi := 0, min(max(r%rows+k, 0), n) // of the zeros
		if !t.upper {
			lo, hi = min(max(r%rows+k+1, 0), n), n
		}
		if y.DType.Integer() {
			clear(y.I[r*n+lo : r*n+hi])
		} else {
			clear(y.F[r*n+lo : r*n+hi])
		}
	}
	return nil
}
