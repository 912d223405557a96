package plan

import (
	"context"
	"fmt"
	"slices"

	"gantry/internal/arena"
)

// Plan runs a graph for one set of input shapes. It never changes.
type Plan struct {
	Steps   []Step
	Inputs  []Type
	Outputs []Ref
	Floats  int // length of the arena, in float32; the scratch stands at its end
	Scratch int // length of the scratch, in float32
}

// Step is a node with the places of its arguments and results.
type Step struct {
	Node    *Node
	Run     Runner // the node's Op, or what it is bound to
	In, Out []Ref
}

// Ref says where a tensor is.
type Ref struct {
	Source Source
	Type   Type
	Index  int     // FromArena: offset in float32; FromInput: position in Graph.Inputs
	Const  *Tensor // FromConst
}

// Source is where a tensor's memory comes from.
type Source uint8

// The sources.
const (
	None Source = iota // an argument that is left out
	FromArena
	FromInput
	FromConst
)

// What Compile computes itself: small tensors, most of them shapes, and not many of them.
const (
	maxKnown      = 4096
	maxKnownTotal = 1 << 20
)

// Compile makes the plan of g for inputs in: the types, and the values of those inputs that
// g.ValueInputs names. Errors name the node.
func Compile(ctx context.Context, g *Graph, in []*Arg, lim Limits) (*Plan, error) {
	c := &compiler{g: g, lim: lim, args: make([]*Arg, len(g.Values)), from: make([]Ref, len(g.Values)), view: make([]bool, len(g.Nodes)), done: make([]bool, len(g.Nodes))}
	for v := range g.Values {
		if t := g.Values[v].Const; t != nil {
			c.setConst(v, t)
		}
	}
	p := &Plan{}
	for i, v := range g.Inputs {
		if err := lim.Check(in[i].Type); err != nil {
			return nil, fmt.Errorf("input %q: %w", g.Values[v].Name, err)
		}
		c.args[v] = in[i]
		c.from[v] = Ref{Source: FromInput, Type: in[i].Type, Index: i}
		p.Inputs = append(p.Inputs, in[i].Type)
	}
	for i := range g.Nodes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := c.node(p, i); err != nil {
			return nil, fmt.Errorf("%s: %w", g.Nodes[i].Where(), err)
		}
	}
	c.store = newStorage(g, c.view, c.done)
	for k, i := range c.stepped {
		c.keep(&p.Steps[k], i)
	}
	for _, v := range g.Outputs {
		p.Outputs = append(p.Outputs, c.from[v])
	}
	return p, c.layOut(p)
}

type compiler struct {
	g     *Graph
	lim   Limits
	args  []*Arg // by value: its type, and its elements if they are known
	from  []Ref  // by value; FromArena carries the value's number until layOut
	store *storage
	known int // elements computed so far

	view    []bool // by node: its result is a view of its argument
	done    []bool // by node: its results are known
	stepped []int  // by step: its node
}

func (c *compiler) setConst(v int, t *Tensor) {
	c.args[v] = &Arg{Type: t.Type, Known: t}
	c.from[v] = Ref{Source: FromConst, Type: t.Type, Const: t}
}

// node infers the types of node i's results and adds its step to p, unless it needs none.
func (c *compiler) node(p *Plan, i int) error {
	n := &c.g.Nodes[i]
	in := make([]*Arg, len(n.In))
	known, types := true, fromTypes(n.Op)
	for k, v := range n.In {
		if v != Absent {
			in[k] = c.args[v]
			known = known && (types || in[k].Known != nil)
		}
	}
	res, err := n.Op.Infer(in)
	if err != nil {
		return err
	}
	if len(res.Out) < len(n.Out) {
		return fmt.Errorf("has %d outputs, want at most %d", len(n.Out), len(res.Out))
	}
	size := 0
	for _, t := range res.Out {
		if err := c.lim.Check(t); err != nil {
			return err
		}
		size += t.Count()
	}
	if res.View {
		c.view[i] = true
		v, t := n.In[0], res.Out[0]
		c.args[n.Out[0]] = &Arg{Type: t}
		if k := c.args[v].Known; k != nil {
			c.args[n.Out[0]].Known = k.View(t.Shape)
		}
		c.from[n.Out[0]] = c.from[v]
		c.from[n.Out[0]].Type = t
		if k := c.from[v].Const; k != nil {
			c.from[n.Out[0]].Const = k.View(t.Shape)
		}
		return nil
	}
	if need := max(res.Scratch, res.Extra); int64(need) > c.lim.ArenaBytes/4 {
		return fmt.Errorf("needs %d MiB of scratch, %w of %d", need>>18, ErrLimit, c.lim.ArenaBytes>>20)
	}
	if known && !res.Late && size <= maxKnown && c.known+size <= maxKnownTotal {
		c.known += size
		c.done[i] = true
		return c.evaluate(n, in, res)
	}
	s := Step{Node: n, In: make([]Ref, len(n.In)), Out: make([]Ref, len(n.Out))}
	for k, v := range n.In {
		if v != Absent {
			s.In[k] = c.from[v]
		}
	}
	for k, v := range n.Out {
		c.args[v] = &Arg{Type: res.Out[k]}
		c.from[v] = Ref{Source: FromArena, Type: res.Out[k], Index: v}
		s.Out[k] = c.from[v]
	}
	s.Run = Bound(n.Op, in)
	p.Scratch = max(p.Scratch, res.Scratch)
	p.Steps = append(p.Steps, s)
	c.stepped = append(c.stepped, i)
	return nil
}

// Bound returns what runs op on arguments like in.
func Bound(op Op, in []*Arg) Runner {
	if b, ok := op.(Binder); ok {
		return b.Bind(in)
	}
	return op
}

// keep gives the results of a step, which is node i, their memory.
func (c *compiler) keep(s *Step, i int) {
	n := &c.g.Nodes[i]
	for k, v := range n.Out {
		if k > 0 || !c.inPlace(n, i, v) {
			c.store.add(v, i, s.Out[k].Type)
		}
	}
}

// inPlace puts result 0 of node i into the memory of an argument that dies there, if it can and no other argument is in that memory.
func (c *compiler) inPlace(n *Node, i, out int) bool {
	op, ok := n.Op.(InPlacer)
	if !ok {
		return false
	}
	t := c.args[out].Type
	for _, k := range op.InPlace() {
		if k >= len(n.In) || n.In[k] == Absent {
			continue
		}
		v := n.In[k]
		a := c.args[v].Type
		shared := func(u int) bool { return u != Absent && c.store.find(u) == c.store.find(v) }
		if slices.ContainsFunc(n.In[:k], shared) || slices.ContainsFunc(n.In[k+1:], shared) {
			continue
		}
		if c.from[v].Source == FromArena && a.DType == t.DType && a.Count() == t.Count() && c.store.diesAt(v, i) {
			c.store.merge(v, out)
			return true
		}
	}
	return false
}

// evaluate computes a node whose arguments are all known.
func (c *compiler) evaluate(n *Node, in []*Arg, res Result) error {
	args, outs := make([]*Tensor, len(in)), make([]*Tensor, len(n.Out))
	for k, a := range in {
		if a != nil {
			args[k] = &Tensor{Type: a.Type} // all that a TypeReader wants
			if a.Known != nil {
				args[k] = a.Known
			}
		}
	}
	for k := range outs {
		outs[k] = NewTensor(res.Out[k])
	}
	if err := Bound(n.Op, in).Run(&Context{Scratch: make([]float32, res.Scratch)}, args, outs); err != nil {
		return err
	}
	for k, v := range n.Out {
		c.setConst(v, outs[k])
	}
	return nil
}

// layOut gives each buffer its offset in the arena and writes the offsets into p.
func (c *compiler) layOut(p *Plan) error {
	offset, total := arena.Place(c.store.buffers)
	total += arena.Align(p.Scratch)
	if int64(total) > c.lim.ArenaBytes/4 {
		return fmt.Errorf("the tensors alive at once take %d MiB, %w of %d", total>>18, ErrLimit, c.lim.ArenaBytes>>20)
	}
	p.Floats = total
	move := func(r *Ref) {
		if r.Source == FromArena {
			r.Index = offset[c.store.buffer(r.Index)]
		}
	}
	for i := range p.Steps {
		for k := range p.Steps[i].In {
			move(&p.Steps[i].In[k])
		}
		for k := range p.Steps[i].Out {
			move(&p.Steps[i].Out[k])
		}
	}
	for i := range p.Outputs {
		move(&p.Outputs[i])
	}
	return nil
}
