package pass

import (
	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
)

// addressRandom tells each Random which node it is and whether its shape may follow from an input of the model.
func addressRandom(g *plan.Graph) {
	follows := make([]bool, len(g.Values))
	for _, v := range g.Inputs {
		follows[v] = true
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		any := false
		for _, v := range n.In {
			any = any || v != plan.Absent && follows[v]
		}
		for _, v := range n.Out {
			follows[v] = any
		}
		if op, ok := n.Op.(*exec.Random); ok {
			r := *op
			r.Node, r.PerSample = n.Index, any
			n.Op = &r
		}
	}
}
