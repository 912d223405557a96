package pass

import (
	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

// makeLinear turns Gemm and MatMul by a constant matrix into Linear. alpha and beta go into the
// weights and the bias. Each Linear will pack its own copy of the weights; a graph that shares one matrix
// among so many nodes that the copies would take twice the weights keeps the rest as they are.
func makeLinear(g *plan.Graph, _ plan.Limits) error {
	left := foldTotal
	for v := range g.Values {
		if t := g.Values[v].Const; t != nil {
			left += 2 * t.Count()
		}
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if len(n.In) < 2 || n.In[1] == plan.Absent {
			continue
		}
		if t := g.Values[n.In[1]].Const; t == nil || t.Count() > left {
			continue
		}
		switch op := n.Op.(type) {
		case exec.Gemm:
			if op.TransA {
				continue
			}
			l, ok := linearWeights(g, n, op.TransB, op.Alpha)
			if !ok {
				continue
			}
			l.Matrix = true
			if len(n.In) > 2 && n.In[2] != plan.Absent {
				if l.Bias, ok = row(g.Values[n.In[2]].Const, l.N, 2); !ok {
					continue
				}
				l.Bias = scaled(l.Bias, op.Beta)
			}
			n.Op, n.In = l, n.In[:1]
			left -= len(l.W)
		case exec.MatMul:
			if l, ok := linearWeights(g, n, false, 1); ok {
				n.Op, n.In = l, n.In[:1]
				left -= len(l.W)
			}
		}
	}
	return nil
}

// linearWeights returns a Linear with the weights of argument 1, if those are a constant matrix.
func linearWeights(g *plan.Graph, n *plan.Node, trans bool, alpha float32) (exec.Linear, bool) {
	w := g.Values[n.In[1]].Const
	if w == nil || w.DType != plan.Float32 || len(w.Shape) != 2 || w.Count() == 0 {
		return exec.Linear{}, false
	}
	l := exec.Linear{W: scaled(w.F, alpha), K: w.Shape[0], N: w.Shape[1], Trans: trans}
	if trans {
		l.K, l.N = l.N, l.K
	}
	return l, true
}

// scaled returns x·by, which is x itself for 1.
func scaled(x []float32, by float32) []float32 {
	if by == 1 {
		return x
	}
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = v * by
	}
	return y
}

// row returns the constant t as n floats to be added to each row of a matrix, if it is that: [n],
// one number, or (up to rank maxRank) these with leading dimensions of 1.
func row(t *plan.Tensor, n, maxRank int) ([]float32, bool) {
	if t == nil || t.DType != plan.Float32 || len(t.Shape) > maxRank {
		return nil, false
	}
	switch {
	case len(t.F) == 1:
		b := make([]float32, n)
		for i := range b {
			b[i] = t.F[0]
		}
		return b, true
	case len(t.F) == n && t.Shape[len(t.Shape)-1] == n:
		return t.F, true
	}
	return nil, false
}

// fuseBias puts an Add of a constant row behind a Linear without bias into it.
func fuseBias(g *plan.Graph, _ plan.Limits) error {
	joins(g, func(first, n *plan.Node, k int) bool {
		l, ok := first.Op.(exec.Linear)
		if !ok || n.Op != exec.Add || l.Bias != nil || l.Act != kernel.Identity || n.In[1-k] == plan.Absent {
			return false
		}
		rank := 1 // of the result of a MatMul: at least 1, and a longer bias might raise it
		if l.Matrix {
			rank = 2
		}
		if l.Bias, ok = row(g.Values[n.In[1-k]].Const, l.N, rank); ok {
			first.Op = l
		}
		return ok
	})
	return nil
}

// fuseActivations puts an activation behind a Linear into its epilogue.
func fuseActivations(g *plan.Graph, _ plan.Limits) error {
	joins(g, func(first, n *plan.Node, _ int) bool {
		l, ok := first.Op.(exec.Linear)
		a, isAct := n.Op.(exec.Activation)
		if !ok || !isAct || l.Act != kernel.Identity {
			return false
		}
		l.Act, l.Alpha = a.Act, a.Alpha
		first.Op = l
		return true
	})
	return nil
}

// settleWeights makes each Linear ready to run: from here on its weights are its own.
func settleWeights(g *plan.Graph, _ plan.Limits) error {
	for i := range g.Nodes {
		if l, ok := g.Nodes[i].Op.(exec.Linear); ok {
			g.Nodes[i].Op = l.Settle()
		}
	}
	return nil
}
