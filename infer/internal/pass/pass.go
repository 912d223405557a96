// Package pass rewrites graphs before they are planned: it removes what does nothing and joins nodes
// that one kernel can do. A pass is a function on the graph, in a file of its own; [All] lists them in
// order. Shapes are not known yet, so a pass must hold for every shape that the graph accepts.
package pass

import (
	"fmt"
	"slices"

	"gantry/infer/internal/plan"
)

// Pass is a rewriting of a graph in place.
type Pass struct {
	Name string
	Run  func(g *plan.Graph, b *Budget) error
}

// Budget is what the passes of a graph may spend.
type Budget struct {
	plan.Limits
	copies int               // elements that copies of weights may still take
	reads  int               // elements that foldConstants may still read
	own    map[*float32]bool // weights that may be overwritten, by their first element
}

// NewBudget returns the budget for g: copies of all its weights, twice, 16 readings of them, and a little. A graph that
// shares a matrix among many nodes wants more and does not get it.
func NewBudget(g *plan.Graph, lim plan.Limits) *Budget {
	b := &Budget{Limits: lim, copies: foldTotal, reads: 16 * foldTotal}
	for v := range g.Values {
		if t := g.Values[v].Const; t != nil {
			b.copies += 2 * t.Count()
			b.reads += 16 * t.Count()
		}
	}
	return b
}

// take spends n elements on a copy, if they are left.
func (b *Budget) take(n int) bool {
	if n > b.copies {
		return false
	}
	b.copies -= n
	return true
}

// ownWeights lets passes overwrite the weights of g that one convolution or product reads, and nothing else. A view of
// them would be another reader.
func (b *Budget) ownWeights(g *plan.Graph) {
	b.own = map[*float32]bool{}
	uses := g.Uses()
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if !slices.Contains([]string{"Conv", "ConvTranspose", "Gemm", "MatMul"}, n.Kind) || len(n.In) < 2 || n.In[1] == plan.Absent {
			continue
		}
		if t := g.Values[n.In[1]].Const; t != nil && len(t.F) > 0 && uses[n.In[1]] == 1 {
			b.own[&t.F[0]] = true
		}
	}
}

// owns reports whether nothing else reads w, and nobody needs it afterwards.
func (b *Budget) owns(w []float32) bool { return len(w) > 0 && b.own[&w[0]] }

// folded returns where weights that change go, beside a new bias of n elements: to their own place where that is allowed, or
// to a copy; nil if the elements for it are not left.
func (b *Budget) folded(w []float32, n int) []float32 {
	switch own := b.owns(w); {
	case own && b.take(n):
		return w
	case !own && b.take(len(w)+n):
		return make([]float32, len(w))
	}
	return nil
}

// All holds the passes in the order in which they run.
var All = []Pass{
	{"fold constants", foldConstants},
	{"remove identities", removeIdentities},
	{"remove dead code", removeDeadCode}, // a dead reader would stand in the way of joins
	{"make linear", makeLinear},
	{"make convolutions", makeConvolutions},
	{"fold batch norms", foldBatchNorms},
	{"fuse bias", fuseBias},
	{"fuse activations", fuseActivations},
	{"choose layouts", chooseLayouts},
	{"let constants go", removeDeadCode},
	{"settle weights", settleWeights},
}

// Run returns g after all passes; g itself does not change. If own is set, nobody needs its weights any more, and some of
// them may be overwritten. trace, which may be nil, sees the graph after each pass.
func Run(g *plan.Graph, lim plan.Limits, own bool, trace func(pass string, g *plan.Graph)) (*plan.Graph, error) {
	g = g.Clone()
	addressRandom(g)
	b := NewBudget(g, lim)
	if own {
		b.ownWeights(g)
	}
	for _, p := range All {
		if err := p.Run(g, b); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		if trace != nil {
			trace(p.Name, g)
		}
	}
	return g, nil
}

// compact removes the nodes that a pass has taken out by setting their Op to nil.
func compact(g *plan.Graph) {
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n plan.Node) bool { return n.Op == nil })
}

// joins calls try for each node whose argument k is computed by another node and read by nobody
// else; first is that node. If try returns true, it has put the work of node n into first: first
// takes over n's results and n goes.
func joins(g *plan.Graph, try func(first, n *plan.Node, k int) bool) {
	uses, producer := g.Uses(), g.Producers()
	for i := range g.Nodes {
		n := &g.Nodes[i]
		for k, v := range n.In {
			if v == plan.Absent || uses[v] != 1 || producer[v] < 0 || len(n.Out) != 1 {
				continue
			}
			first := &g.Nodes[producer[v]]
			if len(first.Out) == 1 && try(first, n, k) {
				first.Out[0] = n.Out[0]
				producer[n.Out[0]] = producer[v]
				n.Op = nil
				break
			}
		}
	}
	compact(g)
}
