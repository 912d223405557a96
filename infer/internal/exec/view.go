package exec

import "gantry/infer/internal/plan"

// view is embedded by operators whose result may be their argument 0 in another shape.
type view struct{}

func (view) Run(_ *plan.Context, in, out []*plan.Tensor) error {
	copyTensor(out[0], in[0])
	return nil
}

func copyTensor(dst, src *plan.Tensor) {
	copy(dst.F, src.F)
	copy(dst.I, src.I)
}

func result(dtype plan.DType, shape []int) plan.Result {
	return plan.Result{Out: []plan.Type{{DType: dtype, Shape: shape}}}
}

func viewed(dtype plan.DType, shape []int) plan.Result {
	return plan.Result{Out: []plan.Type{{DType: dtype, Shape: shape}}, View: true}
}
