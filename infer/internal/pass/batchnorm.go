package pass

import (
	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
	"gantry/internal/fold"
	"gantry/internal/kernel"
)

// foldBatchNorms puts a batch norm behind a Linear into its weights and bias. A second one behind it
// stays, so that a chain of them costs no more than its length. So does one that the budget has no copy of the weights for.
func foldBatchNorms(g *plan.Graph, b *Budget) error {
	joins(g, func(first, n *plan.Node, k int) bool {
		l, ok := first.Op.(exec.Linear)
		norm, isNorm := n.Op.(exec.BatchNorm)
		if !ok || !isNorm || k != 0 || !l.Matrix || l.Folded || l.Act != kernel.Identity {
			return false
		}
		var p [4][]float32 // scale, bias, mean, variance
		for i := range p {
			t := g.Values[n.In[i+1]].Const
			if t == nil || t.DType != plan.Float32 || len(t.Shape) != 1 || len(t.F) != l.N {
				return false
			}
			p[i] = t.F
		}
		if !b.take(len(l.W) + l.N) {
			return false
		}
		w, bias := fold.BatchNorm(l.W, l.Bias, p[0], p[1], p[2], p[3], norm.Eps, !l.Trans)
		l.W, l.Bias, l.Folded = w, bias, true
		first.Op = l
		return true
	})
	return nil
}
