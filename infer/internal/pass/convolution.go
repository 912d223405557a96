package pass

import (
	"fmt"

	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
)

// makeConvolutions turns Conv and ConvTranspose with constant weights and at most two spatial dimensions into Convolution, whose layout is
// HWNC from chooseLayouts on. Each will pack its own copy of the weights: those that the budget has no
// copies for stay as they are.
func makeConvolutions(g *plan.Graph, b *Budget) error {
	for i := range g.Nodes {
		n := &g.Nodes[i]
		op, ok := n.Op.(*exec.Conv)
		if !ok || n.In[1] == plan.Absent {
			continue
		}
		w := g.Values[n.In[1]].Const
		if w == nil || w.DType != plan.Float32 || len(w.Shape) == 5 {
			continue
		}
		c := &exec.Convolution{Conv: op, W: w.F, Shape: w.Shape, Own: b.owns(w.F)}
		var bias []int
		known := true
		if len(n.In) > 2 && n.In[2] != plan.Absent {
			t := g.Values[n.In[2]].Const
			if known = t != nil && t.DType == plan.Float32; known {
				c.Bias, bias = t.F, t.Shape
			}
		}
		if err := op.CheckWeights(w.Shape, bias); err != nil {
			return fmt.Errorf("%s: %w", n.Where(), err)
		}
		if !known {
			continue
		}
		size := c.FastSize()
		if c.Fast = size > 0 && b.take(size+c.Outputs()); c.Fast || b.take(c.PackedSize()+c.Outputs()) {
			n.Op, n.In = c, n.In[:1]
		}
	}
	return nil
}
