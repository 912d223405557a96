package exec

import (
	"errors"
	"slices"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

// Linear is what passes make of Gemm and MatMul by constant weights: act(x·W + bias). It is no
// operator of ONNX.
type Linear struct {
	Fused
	Matrix  bool // x must have rank 2, as Gemm wants; otherwise the leading dimensions are rows
	W       []float32
	N, K    int
	Trans   bool     // W is [N K] instead of [K N]
	weights *weights // made by Settle, which drops W
}

// Outputs returns the number of columns of the result.
func (l *Linear) Outputs() int { return l.N }

// Fuse returns the same Linear with another epilogue.
func (l *Linear) Fuse(f Fused) plan.Op {
	c := *l
	c.Fused = f
	return &c
}

// Settle returns the same Linear, ready to run. Nothing may change its weights afterwards.
func (l *Linear) Settle() plan.Op {
	c := *l
	c.weights = newWeights(l)
	c.W = nil
	return &c
}

// Infer returns the shape of x with N in the last dimension.
func (l *Linear) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := plan.WantFloats(in); err != nil {
		return plan.Result{}, err
	}
	x := in[0].Shape
	switch {
	case l.Matrix && len(x) != 2:
		return plan.Result{}, errorf("input A is %s, want a matrix", plan.ShapeString(x))
	case len(x) == 0 || x[len(x)-1] != l.K:
		return plan.Result{}, errorf("weight is [%d %d], so input needs %d in its last dimension, got %s", l.K, l.N, l.K, plan.ShapeString(x))
	}
	shape := slices.Clone(x)
	shape[len(x)-1] = l.N
	return result(plan.Float32, shape), nil
}

// Run computes the product with its epilogue.
func (l *Linear) Run(c *plan.Context, in, out []*plan.Tensor) error {
	if l.weights == nil {
		return errors.New("exec: internal error: the weights of a linear are not settled")
	}
	if m := len(out[0].F) / l.N; m > 0 {
		l.weights.product(c.Pool, out[0].F, in[0].F, m, kernel.Epilogue{Bias: l.Bias, Act: l.Act, Alpha: l.Alpha})
	}
	return nil
}

// Describe says what rides in the epilogue.
func (l *Linear) Describe() string { return "linear" + l.describe() }
