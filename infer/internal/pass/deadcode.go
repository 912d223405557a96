package pass

import (
	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
)

// removeIdentities makes readers of an Identity read its argument.
func removeIdentities(g *plan.Graph, _ *Budget) error {
	source := make([]int, len(g.Values)) // by value: what to read instead
	for v := range source {
		source[v] = v
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		for k, v := range n.In {
			if v != plan.Absent {
				n.In[k] = source[v]
			}
		}
		if _, ok := n.Op.(*exec.Identity); ok {
			source[n.Out[0]] = n.In[0]
			n.Op = nil
		}
	}
	for k, v := range g.Outputs {
		g.Outputs[k] = source[v]
	}
	compact(g)
	return nil
}

// removeDeadCode removes nodes that no output needs, and lets go of constants that nobody reads.
func removeDeadCode(g *plan.Graph, _ *Budget) error {
	live := make([]bool, len(g.Values))
	for _, v := range g.Outputs {
		live[v] = true
	}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := &g.Nodes[i]
		needed := false
		for _, v := range n.Out {
			needed = needed || live[v]
		}
		if !needed {
			n.Op = nil
			continue
		}
		for _, v := range n.In {
			if v != plan.Absent {
				live[v] = true
			}
		}
	}
	for v := range g.Values {
		if !live[v] {
			g.Values[v].Const = nil
		}
	}
	compact(g)
	return nil
}
