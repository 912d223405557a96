package plan

import (
	"fmt"
	"strings"
)

// String writes the graph for people: a line for each node, results on the left.
func (g *Graph) String() string {
	var b strings.Builder
	name := func(v int) string {
		if v == Absent {
			return "_"
		}
		if n := g.Values[v].Name; n != "" {
			return n
		}
		return fmt.Sprintf("%%%d", v)
	}
	list := func(vs []int) string {
		s := make([]string, len(vs))
		for i, v := range vs {
			s[i] = name(v)
		}
		return strings.Join(s, ", ")
	}
	fmt.Fprintf(&b, "inputs %s\n", list(g.Inputs))
	uses := g.Uses()
	for v := range g.Values {
		if t := g.Values[v].Const; t != nil && uses[v] > 0 {
			fmt.Fprintf(&b, "const %s %v\n", name(v), t.Type)
		}
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		fmt.Fprintf(&b, "%s = %s(%s)\n", list(n.Out), describe(n), list(n.In))
	}
	fmt.Fprintf(&b, "outputs %s\n", list(g.Outputs))
	return b.String()
}

// String writes the plan for people: a line for each step, and the memory.
func (p *Plan) String() string {
	var b strings.Builder
	for i := range p.Steps {
		s := &p.Steps[i]
		var in, out []string
		for _, r := range s.In {
			if r.Source == FromArena || r.Source == FromInput {
				in = append(in, ShapeString(r.Type.Shape))
			}
		}
		for _, r := range s.Out {
			out = append(out, ShapeString(r.Type.Shape))
		}
		place := ""
		if len(s.Out) > 0 {
			place = fmt.Sprintf("@%d", s.Out[0].Index)
			for _, r := range s.In {
				if r.Source == FromArena && r.Index == s.Out[0].Index {
					place += " in place"
					break
				}
			}
		}
		fmt.Fprintf(&b, "%3d  %s  %s -> %s  %s\n", i, describe(s.Node), strings.Join(in, " "), strings.Join(out, " "), place)
	}
	fmt.Fprintf(&b, "arena %d KiB\n", (p.Floats*4+1023)/1024)
	return b.String()
}

func describe(n *Node) string {
	if d, ok := n.Op.(Describer); ok {
		return d.Describe()
	}
	return n.Kind
}
