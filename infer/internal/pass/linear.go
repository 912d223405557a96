package pass

import (
	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
)

// makeLinear turns Gemm and MatMul by a constant matrix into Linear. alpha and beta go into the
// weights and the bias. Each Linear will pack its own copy of the weights: those that the budget has
// no copies for stay as they are.
func makeLinear(g *plan.Graph, b *Budget) error {
	for i := range g.Nodes {
		n := &g.Nodes[i]
		switch op := n.Op.(type) {
		case *exec.Gemm:
			if !op.TransA {
				linearGemm(g, n, op, b)
			}
		case *exec.MatMul:
			if l, ok := linearWeights(g, n, false); ok && b.take(len(l.W)+l.N) {
				n.Op, n.In = l, n.In[:1]
			}
		}
	}
	return nil
}

// linearGemm makes n, which is op, a Linear if it can.
func linearGemm(g *plan.Graph, n *plan.Node, op *exec.Gemm, b *Budget) {
	l, ok := linearWeights(g, n, op.TransB)
	if !ok {
		return
	}
	l.Matrix = true
	var c *plan.Tensor
	if len(n.In) > 2 && n.In[2] != plan.Absent {
		if c = g.Values[n.In[2]].Const; !isRow(c, l.N, 2) {
			return
		}
	}
	copies := len(l.W) + l.N // packed weights, and a bias, now or when one is fused
	if op.Alpha != 1 {
		copies += len(l.W)
	}
	if !b.take(copies) {
		return
	}
	l.W = scaled(l.W, op.Alpha)
	if c != nil {
		l.Bias = scaled(row(c, l.N), op.Beta)
	}
	n.Op, n.In = l, n.In[:1]
}

// linearWeights returns a Linear with the weights of argument 1, if those are a constant matrix.
func linearWeights(g *plan.Graph, n *plan.Node, trans bool) (*exec.Linear, bool) {
	if len(n.In) < 2 || n.In[1] == plan.Absent {
		return nil, false
	}
	w := g.Values[n.In[1]].Const
	if w == nil || w.DType != plan.Float32 || len(w.Shape) != 2 || w.Count() == 0 {
		return nil, false
	}
	l := &exec.Linear{W: w.F, K: w.Shape[0], N: w.Shape[1], Trans: trans}
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

// isRow reports whether t is a constant that can be added to each row of a matrix of n columns: [n],
// one number, or (up to rank maxRank) these with leading dimensions of 1.
func isRow(t *plan.Tensor, n, maxRank int) bool {
	if t == nil || t.DType != plan.Float32 || len(t.Shape) > maxRank {
		return false
	}
	return len(t.F) == 1 || len(t.F) == n && t.Shape[len(t.Shape)-1] == n
}

// row returns t, for which isRow holds, as n floats.
func row(t *plan.Tensor, n int) []float32 {
	if len(t.F) == n {
		return t.F
	}
	b := make([]float32, n)
	for i := range b {
		b[i] = t.F[0]
	}
	return b
}
