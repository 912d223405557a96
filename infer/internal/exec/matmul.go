package exec

import (
	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func init() {
	plan.Register(plan.Operator{Name: "MatMul", MinIn: 2, MaxIn: 2, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) { return &MatMul{}, nil }})
}

// MatMul is ONNX MatMul, numpy.matmul: matrices in the last two dimensions, the others broadcast, and
// vectors where an operand has rank 1. A MatMul by a constant matrix becomes a Linear.
type MatMul struct{}

// matrices splits the shapes of A and B into batch dimensions and m, n, k.
func matrices(a, b []int) (batchA, batchB []int, m, n, k int, err error) {
	if len(a) == 0 || len(b) == 0 {
		return nil, nil, 0, 0, 0, errorf("inputs are %s and %s, want rank 1 or more", plan.ShapeString(a), plan.ShapeString(b))
	}
	m, n = 1, 1
	k = a[len(a)-1]
	if len(a) > 1 {
		m, batchA = a[len(a)-2], a[:len(a)-2]
	}
	kb := b[0]
	if len(b) > 1 {
		kb, n, batchB = b[len(b)-2], b[len(b)-1], b[:len(b)-2]
	}
	if k != kb {
		err = errorf("input B is %s, so A needs %d in its last dimension, got %s", plan.ShapeString(b), kb, plan.ShapeString(a))
	}
	return batchA, batchB, m, n, k, err
}

// Infer returns the batch dimensions with m and n, each left out where its operand is a vector.
func (*MatMul) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := plan.WantFloats(in); err != nil {
		return plan.Result{}, err
	}
	batchA, batchB, m, n, _, err := matrices(in[0].Shape, in[1].Shape)
	if err != nil {
		return plan.Result{}, err
	}
	shape, err := plan.Broadcast(batchA, batchB)
	if err != nil {
		return plan.Result{}, errorf("batch dimensions: %w", err)
	}
	if len(in[0].Shape) > 1 {
		shape = append(shape, m)
	}
	if len(in[1].Shape) > 1 {
		shape = append(shape, n)
	}
	return result(plan.Float32, shape), nil
}

// Run multiplies each pair of matrices.
func (*MatMul) Run(c *plan.Context, in, out []*plan.Tensor) error {
	a, b, y := in[0].F, in[1].F, out[0].F
	if len(y) == 0 {
		return nil
	}
	batchA, batchB, m, n, k, err := matrices(in[0].Shape, in[1].Shape)
	if err != nil {
		return err
	}
	if plan.Count(batchB) == 1 { // one B for all: one tall product
		product(c, kernel.NN, y, a, b, len(y)/n, n, k)
		return nil
	}
	batch, err := plan.Broadcast(batchA, batchB)
	if err != nil {
		return err
	}
	w := newBroadcast(batch, batchA, batchB)
	// A thread computes whole products where there are enough, else all threads share each: the bits are the same.
	count, whole := len(y)/(m*n), *c
	share := func(f func(lo, hi int)) { f(0, count) }
	if count >= c.Pool.Threads() {
		whole.Pool = nil
		share = func(f func(lo, hi int)) { each(c, count, m*n*max(k, 1), f) }
	}
	share(func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p, q := w.at(0, i)*m*k, w.at(1, i)*k*n
			product(&whole, kernel.NN, y[i*m*n:(i+1)*m*n], a[p:p+m*k], b[q:q+k*n], m, n, k)
		}
	})
	return nil
}
