package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// Grad adds the gradient of y with respect to each of wrt to y's graph and
// returns its nodes. gy is the gradient with respect to y: ones of y's shape if
// y is a loss of shape [1], or any node of y's shape, for a vector-Jacobian
// product. The nodes of wrt may be inputs or in the middle of the graph.
//
// Unlike gorgonia.Grad it leaves no marks in the graph, so it can be called
// again: for another loss that shares nodes, or for a gradient of a gradient.
// Nodes that it adds but that no result needs cost nothing, because machines
// run only what their outputs depend on.
func Grad(y, gy *gorgonia.Node, wrt ...*gorgonia.Node) (gorgonia.Nodes, error) {
	if !gy.Shape().Eq(y.Shape()) {
		return nil, fmt.Errorf("graph: grad: the gradient of the result is %v, want %v", gy.Shape(), y.Shape())
	}
	order, need := ancestors(y, wrt)
	sum := map[*gorgonia.Node]*gorgonia.Node{y: gy} // gradients, added in the order they arrive
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		g := sum[n]
		if g == nil || n.Op() == nil {
			continue
		}
		args := Children(n)
		if !anyOf(args, need) {
			continue
		}
		o := opOf(n)
		if o == nil {
			return nil, fmt.Errorf("graph: grad: operation %v is not one of this package", n.Op())
		}
		gs, err := o.SymDiff(args, n, g)
		if err != nil {
			return nil, err
		}
		for j, a := range args {
			switch {
			case !need[a] || gs[j] == nil:
			case sum[a] == nil:
				sum[a] = gs[j]
			default:
				if sum[a], err = Add(o.c, sum[a], gs[j]); err != nil {
					return nil, err
				}
			}
		}
	}
	gs := make(gorgonia.Nodes, len(wrt))
	for i, w := range wrt {
		if gs[i] = sum[w]; gs[i] == nil {
			return nil, fmt.Errorf("graph: grad: %s does not depend on %s", y.Name(), w.Name())
		}
	}
	return gs, nil
}

// ancestors returns what y is computed from, arguments before results, and
// which of it leads to a node of wrt along differentiable arguments.
func ancestors(y *gorgonia.Node, wrt []*gorgonia.Node) (order []*gorgonia.Node, need map[*gorgonia.Node]bool) {
	seen := map[*gorgonia.Node]bool{}
	need = map[*gorgonia.Node]bool{}
	for _, w := range wrt {
		need[w] = true
	}
	var visit func(n *gorgonia.Node)
	visit = func(n *gorgonia.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		args := Children(n)
		var diff []bool
		if o, ok := n.Op().(gorgonia.SDOp); ok {
			diff = o.DiffWRT(len(args))
		}
		for i, a := range args {
			visit(a)
			if i < len(diff) && diff[i] && need[a] {
				need[n] = true
			}
		}
		order = append(order, n)
	}
	visit(y)
	return order, need
}

func anyOf(ns []*gorgonia.Node, in map[*gorgonia.Node]bool) bool {
	for _, n := range ns {
		if in[n] {
			return true
		}
	}
	return false
}
