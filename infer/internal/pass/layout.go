package pass

import (
	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
)

// chooseLayouts gives Convolutions their images in HWNC. A value is HWNC if the node that computes it makes
// it so: a Convolution, or an operator on HWNC values that does not care. All other readers, and the graph's outputs, get
// it as the file means it. Changes of layout stand where the two meet, one for each value.
func chooseLayouts(g *plan.Graph, _ *Budget) error {
	l := layouts{g: g, inner: map[int]int{}, rank: map[int]int{}, made: map[int]bool{}, plain: map[int]bool{}}
	nodes := g.Nodes
	g.Nodes = make([]plan.Node, 0, len(nodes))
	for _, n := range nodes {
		if !l.keep(&n) {
			for _, v := range n.In {
				l.leave(v)
			}
		}
		g.Nodes = append(g.Nodes, n)
	}
	for _, v := range g.Outputs {
		l.leave(v)
	}
	return nil
}

// layouts knows the values that exist in HWNC.
type layouts struct {
	g     *plan.Graph
	inner map[int]int  // by value: the one that holds it in HWNC
	rank  map[int]int  // by value that has such a one
	made  map[int]bool // values of inner that their node makes so, rather than a change of layout
	plain map[int]bool // values of inner that exist as the file means them, too
}

// keep makes n work on HWNC values, if it can and should.
func (l *layouts) keep(n *plan.Node) bool {
	var in []int
	rank := 0
	switch op := n.Op.(type) {
	case exec.Convolution:
		rank = op.Rank()
		in = []int{l.enter(n, rank)}
	case exec.Activation, exec.Arithmetic:
		made := false
		for _, v := range n.In {
			if _, ok := l.inner[v]; !ok {
				continue
			}
			if rank != 0 && rank != l.rank[v] {
				return false
			}
			rank, made = l.rank[v], made || l.made[v]
		}
		if !made {
			return false
		}
		for _, v := range n.In {
			h, ok := l.inner[v]
			if !ok {
				h, ok = l.constant(v, rank)
			}
			if !ok {
				return false
			}
			in = append(in, h)
		}
	case exec.BatchNorm:
		if !l.made[n.In[0]] {
			return false
		}
		h := l.inner[n.In[0]]
		rank = l.rank[n.In[0]]
		for _, v := range n.In[1:] {
			l.leave(v)
		}
		op.Last = true
		n.Op = op
		in = append([]int{h}, n.In[1:]...)
	default:
		return false
	}
	v := n.Out[0]
	n.In, n.Out = in, []int{l.add(v, rank)}
	l.made[v] = true
	return true
}

// add makes the HWNC form of v, which the next node computes.
func (l *layouts) add(v, rank int) int {
	h := l.g.AddValue(plan.Value{Name: l.g.Values[v].Name + "@hwnc"})
	l.inner[v], l.rank[v] = h, rank
	return h
}

// enter returns the HWNC form of argument 0 of n.
func (l *layouts) enter(n *plan.Node, rank int) int {
	v := n.In[0]
	if h, ok := l.inner[v]; ok && l.rank[v] == rank {
		return h
	}
	l.leave(v)
	h := l.add(v, rank)
	l.plain[v] = true
	l.g.Nodes = append(l.g.Nodes, plan.Node{Index: n.Index, Name: n.Name, Kind: n.Kind, Op: exec.ToHWNC{Rank: rank}, In: []int{v}, Out: []int{h}})
	return h
}

// leave makes v exist as the file means it.
func (l *layouts) leave(v int) {
	h, ok := l.inner[v]
	if !ok || l.plain[v] {
		return
	}
	l.plain[v] = true
	l.g.Nodes = append(l.g.Nodes, plan.Node{Kind: "FromHWNC", Op: exec.FromHWNC{Rank: l.rank[v]}, In: []int{h}, Out: []int{v}})
}

// constant returns constant v as it broadcasts with HWNC values of the given rank: one number, or one for
// each channel.
func (l *layouts) constant(v, rank int) (int, bool) {
	if v == plan.Absent {
		return 0, false
	}
	t := l.g.Values[v].Const
	if t == nil || t.DType != plan.Float32 || len(t.Shape) > rank {
		return 0, false
	}
	shape := []int{len(t.F)}
	if at := len(t.Shape) - rank + 1; len(t.F) != 1 && (at < 0 || t.Shape[at] != len(t.F)) {
		return 0, false
	}
	return l.g.AddValue(plan.Value{Name: l.g.Values[v].Name + "@hwnc", Const: t.View(shape)}), true
}
