package pass

import (
	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

// fuseBias puts an Add of a constant behind a Linear or a Convolution without bias into it, if it is one number
// for each column or channel.
func fuseBias(g *plan.Graph, _ *Budget) error {
	joins(g, func(first, n *plan.Node, k int) bool {
		op, ok := first.Op.(exec.Fuser)
		if !ok || n.Op != exec.Add || n.In[1-k] == plan.Absent {
			return false
		}
		f := op.Epilogue()
		if f.Bias != nil || f.Act != kernel.Identity {
			return false
		}
		c := g.Values[n.In[1-k]].Const
		switch op := op.(type) {
		case *exec.Linear:
			rank := 1 // of the result of a MatMul: at least 1, and a longer bias might raise it
			if op.Matrix {
				rank = 2
			}
			ok = isRow(c, op.N, rank)
		case *exec.Convolution:
			ok = isChannels(c, op.Outputs(), op.Rank())
		}
		if !ok {
			return false
		}
		f.Bias = row(c, op.Outputs())
		first.Op = op.Fuse(f)
		return true
	})
	return nil
}

// isChannels reports whether t is a constant that can be added to images of n channels (0: any number), channel by
// channel, of the given rank: [n 1 1], one number, or these with leading dimensions of 1.
func isChannels(t *plan.Tensor, n, rank int) bool {
	if t == nil || t.DType != plan.Float32 || len(t.Shape) > rank {
		return false
	}
	at := len(t.Shape) - rank + 1 // of the channels
	return len(t.F) == 1 || (len(t.F) == n || n == 0) && at >= 0 && t.Shape[at] == len(t.F)
}

// fuseActivations puts an activation behind a Linear or a Convolution into its epilogue.
func fuseActivations(g *plan.Graph, _ *Budget) error {
	joins(g, func(first, n *plan.Node, _ int) bool {
		op, ok := first.Op.(exec.Fuser)
		a, isAct := n.Op.(*exec.Activation)
		if !ok || !isAct {
			return false
		}
		f := op.Epilogue()
		if f.Act != kernel.Identity {
			return false
		}
		f.Act, f.Alpha = a.Act, a.Alpha
		first.Op = op.Fuse(f)
		return true
	})
	return nil
}

// settleWeights makes each Linear and Convolution ready to run: from here on its weights are its own.
func settleWeights(g *plan.Graph, _ *Budget) error {
	for i := range g.Nodes {
		switch op := g.Nodes[i].Op.(type) {
		case *exec.Linear:
			g.Nodes[i].Op = op.Settle()
		case *exec.Convolution:
			g.Nodes[i].Op = op.Settle()
		}
	}
	return nil
}
