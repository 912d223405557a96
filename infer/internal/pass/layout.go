package pass

import (
	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
)

// chooseLayouts gives Convolutions their images in HWNC. A value is HWNC if the node that computes it makes
// it so: a Convolution, or an operator on HWNC values that does not care. All other readers, and the graph's outputs, get
// it as the file means it. Changes of layout stand where the two meet, one for each value.
func chooseLayouts(g *plan.Graph, _ *Budget) error {
	l := layouts{g: g, images: make([]image, len(g.Values))}
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

// layouts knows which values exist in HWNC.
type layouts struct {
	g      *plan.Graph
	images []image // by value
}

// image is what is known of a value of the file.
type image struct {
	inner int  // the value that holds it in HWNC
	rank  int  // of both; 0 without inner
	made  bool // its node makes it so, rather than a change of layout
	plain bool // it exists as the file means it, too
}

// keep makes n work on HWNC values, if it can and should.
func (l *layouts) keep(n *plan.Node) bool {
	var in []int
	rank := 0
	switch op := n.Op.(type) {
	case *exec.Convolution:
		rank = op.Rank()
		in = []int{l.enter(n, rank)}
	case *exec.Activation, exec.Arithmetic, *exec.Variadic, *exec.Pow:
		if rank, in = l.alike(n.In); in == nil {
			return false
		}
	case *exec.Shape: // whose result is no image
		if x := l.images[n.In[0]]; x.rank != 0 && !x.plain {
			n.Op, n.In = op.HWNC(), []int{x.inner}
			return true
		}
		return false
	case exec.Imager:
		x := l.images[n.In[0]]
		inner := op.HWNC()
		if !x.made || inner == nil || len(n.Out) > 1 {
			return false
		}
		for _, v := range n.In[1:] {
			l.leave(v)
		}
		n.Op = inner
		rank, in = x.rank, append([]int{x.inner}, n.In[1:]...)
	default:
		return false
	}
	v := n.Out[0]
	h := l.add(v)
	l.images[v] = image{inner: h, rank: rank, made: true}
	n.In, n.Out = in, []int{h}
	return true
}

// alike returns the HWNC forms of arguments that an operator treats alike, if one of them was made in HWNC and all
// have one of the same rank, or are constants.
func (l *layouts) alike(args []int) (rank int, in []int) {
	made := false
	for _, v := range args {
		if v == plan.Absent {
			return 0, nil
		}
		x := l.images[v]
		if x.rank != 0 && rank != 0 && x.rank != rank {
			return 0, nil
		}
		rank, made = max(rank, x.rank), made || x.made
	}
	if !made {
		return 0, nil
	}
	for _, v := range args {
		h := l.images[v].inner
		if l.images[v].rank == 0 {
			t := l.g.Values[v].Const
			if !isChannels(t, 0, rank) {
				return 0, nil
			}
			h = l.add(v)
			l.g.Values[h].Const = t.View([]int{len(t.F)})
		}
		in = append(in, h)
	}
	return rank, in
}

// add makes a value for the HWNC form of v.
func (l *layouts) add(v int) int {
	return l.g.AddValue(plan.Value{Name: l.g.Values[v].Name + "@hwnc"})
}

// enter returns the HWNC form of argument 0 of n.
func (l *layouts) enter(n *plan.Node, rank int) int {
	v := n.In[0]
	if x := l.images[v]; x.rank == rank {
		return x.inner
	}
	l.leave(v)
	h := l.add(v)
	l.images[v] = image{inner: h, rank: rank, plain: true}
	l.g.Nodes = append(l.g.Nodes, plan.Node{Index: n.Index, Name: n.Name, Kind: n.Kind, Op: &exec.ToHWNC{Rank: rank}, In: []int{v}, Out: []int{h}})
	return h
}

// leave makes v exist as the file means it.
func (l *layouts) leave(v int) {
	if v == plan.Absent || l.images[v].rank == 0 || l.images[v].plain {
		return
	}
	x := &l.images[v]
	x.plain = true
	l.g.Nodes = append(l.g.Nodes, plan.Node{Kind: "FromHWNC", Op: &exec.FromHWNC{Rank: x.rank}, In: []int{x.inner}, Out: []int{v}})
}
