package exec

import (
	"errors"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Identity", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) { return &Identity{}, nil }})
	plan.Register(plan.Operator{Name: "Dropout", MinIn: 1, MaxIn: 3, MaxOut: 2, New: newDropout})
}

// Identity is ONNX Identity: its argument.
type Identity struct{ view }

// Infer returns the argument's type.
func (*Identity) Infer(in []*plan.Arg) (plan.Result, error) {
	return viewed(in[0].DType, in[0].Shape), nil
}

// newDropout returns Dropout as it is in inference: it lets all through, and its mask, if somebody wants it, is all true.
func newDropout(d *plan.Decl) (plan.Op, error) {
	mask := plan.Bool
	switch {
	case d.Opset >= 12:
		d.Int("seed", 0)
	case len(d.In) > 1:
		return nil, errors.New("has its ratio as an input, which begins with opset 12")
	default:
		if d.Float("ratio", 0.5); d.Opset < 10 {
			mask = plan.Float32
		}
	}
	if d.Outs < 2 && !d.Has(2) {
		return &Identity{}, nil
	}
	outs := d.Outs
	return &function{values: []int{2},
		infer: func(in []*plan.Arg) (plan.Result, error) {
			if len(in) > 2 && in[2] != nil {
				switch t := in[2]; {
				case t.DType != plan.Bool || plan.Count(t.Shape) != 1:
					return plan.Result{}, errorf("training_mode is %v, want one bool", t.Type)
				case t.Known == nil || t.Known.I[0] != 0:
					return plan.Result{}, errors.New("may be in training mode; export the model for inference (model.eval() in PyTorch)")
				}
			}
			r := viewed(in[0].DType, in[0].Shape)
			if outs == 2 {
				r.View = false
				r.Out = append(r.Out, plan.Type{DType: mask, Shape: in[0].Shape})
			}
			return r, nil
		},
		run: func(_ *plan.Context, in, out []*plan.Tensor) error {
			copyTensor(out[0], in[0])
			if len(out) > 1 {
				fill(out[1], &plan.Tensor{F: []float32{1}, I: []int64{1}})
			}
			return nil
		}}, nil
}
