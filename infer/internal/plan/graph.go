package plan

import (
	"fmt"
	"slices"
)

// Absent stands in Node.In for an optional input that is left out.
const Absent = -1

// Graph is a model. Values are named by their index in Values; Nodes stand in an order in which each
// comes after those that compute its inputs.
type Graph struct {
	Opset   int64
	Values  []Value
	Nodes   []Node
	Inputs  []int
	Outputs []int
}

// Value is a tensor of the graph: an input, a constant, or the result of a node.
type Value struct {
	Name  string
	Const *Tensor // nil unless the value is known; never written to
}

// Node is an operator at its place in a graph.
type Node struct {
	Index int            // in the file, for messages
	Name  string         // in the file, for messages; may be empty
	Kind  string         // the operator's name
	Attrs map[string]any // in the file; the reference reads them
	Op    Op
	In    []int // values, or Absent
	Out   []int // values
}

// Where names a node in error messages: node 12 "up3" (ConvTranspose).
func (n *Node) Where() string {
	if n.Name == "" {
		return fmt.Sprintf("node %d (%s)", n.Index, n.Kind)
	}
	return fmt.Sprintf("node %d %q (%s)", n.Index, n.Name, n.Kind)
}

// Clone returns a copy that passes may rewrite. Constants and operators, which never change, are shared.
func (g *Graph) Clone() *Graph {
	c := *g
	c.Values = slices.Clone(g.Values)
	c.Nodes = slices.Clone(g.Nodes)
	for i := range c.Nodes {
		c.Nodes[i].In = slices.Clone(c.Nodes[i].In)
		c.Nodes[i].Out = slices.Clone(c.Nodes[i].Out)
	}
	c.Inputs, c.Outputs = slices.Clone(g.Inputs), slices.Clone(g.Outputs)
	return &c
}

// AddValue appends a value and returns its number. Out of line, for the size of programs.
//
//go:noinline
func (g *Graph) AddValue(v Value) int {
	g.Values = append(g.Values, v)
	return len(g.Values) - 1
}

// Uses counts, for each value, how often nodes and the graph's outputs read it.
func (g *Graph) Uses() []int {
	uses := make([]int, len(g.Values))
	for i := range g.Nodes {
		for _, v := range g.Nodes[i].In {
			if v != Absent {
				uses[v]++
			}
		}
	}
	for _, v := range g.Outputs {
		uses[v]++
	}
	return uses
}

// Producers returns, for each value, the index in Nodes of the node that computes it, or -1.
func (g *Graph) Producers() []int {
	p := make([]int, len(g.Values))
	for i := range p {
		p[i] = -1
	}
	for i := range g.Nodes {
		for _, v := range g.Nodes[i].Out {
			p[v] = i
		}
	}
	return p
}

// Check returns an error unless each value has one source and each node comes after its inputs.
// What builds a graph from outside calls it once.
func (g *Graph) Check() error {
	known := make([]bool, len(g.Values))
	for v := range g.Values {
		known[v] = g.Values[v].Const != nil
	}
	define := func(v int, who string) error {
		if known[v] {
			return fmt.Errorf("%s: value %q is defined twice", who, g.Values[v].Name)
		}
		known[v] = true
		return nil
	}
	for _, v := range g.Inputs {
		if err := define(v, "inputs"); err != nil {
			return err
		}
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		for _, v := range n.In {
			if v != Absent && !known[v] {
				return fmt.Errorf("%s: input %q is not computed before it", n.Where(), g.Values[v].Name)
			}
		}
		for _, v := range n.Out {
			if err := define(v, n.Where()); err != nil {
				return err
			}
		}
	}
	for _, v := range g.Outputs {
		if !known[v] {
			return fmt.Errorf("output %q is never computed", g.Values[v].Name)
		}
	}
	return nil
}

// ValueInputs reports, for each input of the graph, whether a shape depends on its elements (the
// second input of Reshape, say), so that a plan holds for one value of it only.
func (g *Graph) ValueInputs() []bool {
	need := make([]bool, len(g.Values))
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := &g.Nodes[i]
		if v, ok := n.Op.(ValueReader); ok {
			for _, k := range v.ValueArgs() {
				if k < len(n.In) && n.In[k] != Absent {
					need[n.In[k]] = true
				}
			}
		}
		for _, out := range n.Out {
			if need[out] && !fromTypes(n.Op) {
				for _, v := range n.In {
					if v != Absent {
						need[v] = true
					}
				}
			}
		}
	}
	inputs := make([]bool, len(g.Inputs))
	for i, v := range g.Inputs {
		inputs[i] = need[v]
	}
	return inputs
}
