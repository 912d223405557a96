package pass

import (
	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
	"gantry/internal/fold"
	"gantry/internal/kernel"
)

// foldBatchNorms puts a batch norm behind a Linear or a Convolution into its weights and bias. A second one
// behind it stays, so that a chain of them costs no more than its length. So does one that the budget has no
// copy of the weights for.
func foldBatchNorms(g *plan.Graph, b *Budget) error {
	joins(g, func(first, n *plan.Node, k int) bool {
		op, ok := first.Op.(exec.Fuser)
		norm, isNorm := n.Op.(*exec.BatchNorm)
		if !ok || !isNorm || k != 0 {
			return false
		}
		f := op.Epilogue()
		if f.Folded || f.Act != kernel.Identity {
			return false
		}
		var p [4][]float32 // scale, bias, mean, variance
		for i := range p {
			t := g.Values[n.In[i+1]].Const
			if t == nil || t.DType != plan.Float32 || len(t.Shape) != 1 || len(t.F) != op.Outputs() {
				return false
			}
			p[i] = t.F
		}
		f.Folded = true
		var w []float32
		switch op := op.(type) {
		case *exec.Linear:
			if !op.Matrix {
				return false
			}
			w = op.W
		case *exec.Convolution:
			w = op.W
		}
		to := b.folded(w, op.Outputs())
		if to == nil {
			return false
		}
		switch op := op.(type) {
		case *exec.Linear:
			l := *op
			l.Fused = f
			l.W, l.Bias = fold.BatchNorm(to, w, f.Bias, p[0], p[1], p[2], p[3], norm.Eps, !op.Trans)
			first.Op = &l
		case *exec.Convolution:
			c := *op
			c.Fused, c.Own = f, true
			if op.Conv.Transposed {
				c.W, c.Bias = fold.ConvTranspose(to, w, f.Bias, p[0], p[1], p[2], p[3], norm.Eps, op.Inputs(), op.Groups())
			} else {
				c.W, c.Bias = fold.Conv(to, w, f.Bias, p[0], p[1], p[2], p[3], norm.Eps)
			}
			first.Op = &c
		}
		return true
	})
	return nil
}
