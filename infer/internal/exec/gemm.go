package exec

import (
	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func init() {
	plan.Register(plan.Operator{Name: "Gemm", MinIn: 2, MaxIn: 3, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		if d.Opset < 11 && !d.Has(2) {
			return nil, errorf("input C is left out, which opset %d does not allow", d.Opset)
		}
		return &Gemm{d.Bool("transA", false), d.Bool("transB", false), d.Float("alpha", 1), d.Float("beta", 1)}, nil
	}})
}

// Gemm is ONNX Gemm with operands that are computed at run time: alpha·A'·B' + beta·C. A Gemm with
// constant weights becomes a Linear.
type Gemm struct {
	TransA, TransB bool
	Alpha, Beta    float32
}

// sizes returns m, n and k for the shapes of A and B.
func (g *Gemm) sizes(a, b []int) (m, n, k int, err error) {
	if len(a) != 2 || len(b) != 2 {
		return 0, 0, 0, errorf("inputs A %s and B %s are not both matrices", plan.ShapeString(a), plan.ShapeString(b))
	}
	m, k = a[0], a[1]
	if g.TransA {
		m, k = k, m
	}
	kb, n := b[0], b[1]
	if g.TransB {
		kb, n = n, kb
	}
	if k != kb {
		return 0, 0, 0, errorf("input B is %s, so A needs %d in the summed dimension, got %d", plan.ShapeString(b), kb, k)
	}
	return m, n, k, nil
}

// Infer returns [m n].
func (g *Gemm) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := plan.WantFloats(in); err != nil {
		return plan.Result{}, err
	}
	m, n, _, err := g.sizes(in[0].Shape, in[1].Shape)
	if err != nil {
		return plan.Result{}, err
	}
	if len(in) > 2 && in[2] != nil {
		s, err := plan.Broadcast([]int{m, n}, in[2].Shape)
		if err != nil || !plan.SameShape(s, []int{m, n}) {
			return plan.Result{}, errorf("input C is %s, which does not broadcast to [%d %d]", plan.ShapeString(in[2].Shape), m, n)
		}
	}
	r := result(plan.Float32, []int{m, n})
	if g.TransA && g.TransB {
		r.Scratch = in[0].Count()
	}
	return r, nil
}

// Run computes the product, then what alpha, beta and C add.
func (g *Gemm) Run(c *plan.Context, in, out []*plan.Tensor) error {
	a, b, y := in[0], in[1], out[0]
	m, n, k, err := g.sizes(a.Shape, b.Shape)
	if err != nil {
		return err
	}
	if m == 0 || n == 0 {
		return nil
	}
	form, x := kernel.NN, a.F
	switch {
	case g.TransA && g.TransB:
		x = c.Scratch[:m*k]
		transpose(x, a.F, k, m)
		form = kernel.NT
	case g.TransA:
		form = kernel.TN
	case g.TransB:
		form = kernel.NT
	}
	product(c, form, y.F, x, b.F, m, n, k)
	if g.Alpha != 1 {
		kernel.Affine(c.Pool, y.F, y.F, g.Alpha, 0)
	}
	if len(in) < 3 || in[2] == nil {
		return nil
	}
	w := newBroadcast(y.Shape, y.Shape, in[2].Shape)
	step := w.stride[1][0]
	w.rows(0, len(y.F)/w.shape[0], func(lo, _, j int) {
		for i := range w.shape[0] {
			y.F[lo+i] += float32(g.Beta * in[2].F[j+i*step])
		}
	})
	return nil
}

// product computes dst = A·B, which is zero if the sum is empty.
func product(c *plan.Context, form kernel.Form, dst, a, b []float32, m, n, k int) {
	if k == 0 {
		clear(dst)
		return
	}
	kernel.Gemm(c.Pool, form, dst, a, b, m, n, k, kernel.Epilogue{})
}

// transpose writes x [rows cols] to dst [cols rows].
func transpose(dst, x []float32, rows, cols int) {
	for i := range rows {
		for j := range cols {
			dst[j*rows+i] = x[i*cols+j]
		}
	}
}
