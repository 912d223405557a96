package onnxgo

import (
	"fmt"

	"gantry/infer/internal/plan"
)

// Graph returns what onnx-go has handed over so far: the values and the nodes, without inputs,
// outputs and weights. The values of one name are one. It is there for package infer, which knows
// the rest from its own reading of the file.
func (b *Backend) Graph() *plan.Graph {
	g, _, _ := b.collect()
	return g
}

// Operations returns the number of operations that onnx-go has handed over without an error.
func (b *Backend) Operations() int { return b.applied }

// collect returns the graph, for each value of the backend its number in the graph, and the value of
// the backend that stands for each name.
//
// onnx-go makes two values of one name for an output that is an input as well, and for an output
// that value_info repeats: the one that an operation computes is meant, or that has a tensor.
func (b *Backend) collect() (*plan.Graph, []int, map[string]*value) {
	first := map[string]*value{}
	for _, v := range b.values {
		if u := first[v.name]; u == nil || v.weight() > u.weight() {
			first[v.name] = v
		}
	}
	g := &plan.Graph{Opset: b.opset}
	number := make([]int, len(b.values))
	for i, v := range b.values {
		if first[v.name] == v && v.name != "" {
			number[i] = g.AddValue(plan.Value{Name: v.name})
		}
	}
	for i, v := range b.values {
		switch u := first[v.name]; {
		case v.name == "":
			number[i] = plan.Absent
		case u != v:
			number[i] = number[u.id]
		}
	}
	for _, n := range b.nodes {
		p := plan.Node{Index: n.index, Kind: n.kind, Attrs: n.attrs, Op: n.op}
		for _, v := range n.in {
			if v == nil {
				p.In = append(p.In, plan.Absent)
			} else {
				p.In = append(p.In, number[v.id])
			}
		}
		for _, v := range n.out {
			if v == nil { // a result needs a place, wanted or not
				p.Out = append(p.Out, g.AddValue(plan.Value{}))
			} else {
				p.Out = append(p.Out, number[v.id])
			}
		}
		g.Nodes = append(g.Nodes, p)
	}
	return g, number, first
}

// weight ranks the values of one name.
func (v *value) weight() int {
	switch {
	case v.defined:
		return 3
	case v.fed:
		return 2
	case v.filled > 1:
		return 1
	}
	return 0
}

// full returns the whole graph with weights, inputs and outputs, as far as they can be told from
// what onnx-go calls: it makes the inputs first, then the values of value_info and the outputs, then
// the weights that are not inputs, and fills each with a placeholder if the file states its type.
func (b *Backend) full() (*plan.Graph, []*value, []*value, error) {
	g, number, first := b.collect()
	defined := make([]bool, len(g.Values))
	used := make([]bool, len(g.Values))
	for _, n := range g.Nodes {
		for _, v := range n.Out {
			defined[v] = true
		}
		for _, v := range n.In {
			if v != plan.Absent {
				used[v] = true
			}
		}
	}
	inputs := 0 // how many values were made before the first one that is computed
	for inputs < b.declared && (number[inputs] < 0 || !defined[number[inputs]]) {
		inputs++
	}
	var in, out []*value
	done := make([]bool, len(g.Values))
	for i, v := range b.values {
		k := number[i]
		if k < 0 || done[k] {
			continue
		}
		done[k] = true
		v = first[v.name]
		switch {
		case defined[k]:
			if i < b.declared {
				g.Outputs = append(g.Outputs, k)
				out = append(out, v)
			}
		case v.fed:
			g.Inputs = append(g.Inputs, k)
			in = append(in, v)
		case !used[k]:
			if v.filled < 2 {
				v.data = nil // an output that nobody computes would show its placeholder
			}
		case v.data == nil || i < inputs && v.filled < 2:
			return nil, nil, nil, fmt.Errorf("onnxgo: input %q was never set; if the file lists weights among its inputs, SetInput may have set one of those: see Model.GetNodeByName", v.name)
		default:
			t, err := fromTensor(v.data)
			if err != nil {
				return nil, nil, nil, fmt.Errorf("onnxgo: weight %q: %w", v.name, err)
			}
			g.Values[k].Const = t
		}
	}
	return g, in, out, g.Check()
}
