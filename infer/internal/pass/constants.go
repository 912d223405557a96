package pass

import (
	"fmt"

	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
)

// What foldConstants may make: as much as a node reads, or a little, and not too much in all.
const (
	foldSmall = 1 << 16 // elements
	foldTotal = 1 << 24
)

// foldConstants computes the nodes whose arguments are all constants. Matrix products and convolutions are left to
// run time, where a context can stop them.
func foldConstants(g *plan.Graph, b *Budget) error {
	total := 0
	for i := range g.Nodes {
		n := &g.Nodes[i]
		switch n.Op.(type) {
		case *exec.Gemm, *exec.MatMul, *exec.Conv:
			continue
		}
		args, tensors, size, ok := constants(g, n)
		if !ok {
			continue
		}
		res, err := n.Op.Infer(args)
		if err != nil {
			return fmt.Errorf("%s: %w", n.Where(), err)
		}
		made := 0
		for _, t := range res.Out {
			if err := b.Check(t); err != nil {
				return fmt.Errorf("%s: %w", n.Where(), err)
			}
			made += t.Count()
		}
		if res.Late || len(res.Out) < len(n.Out) {
			continue
		}
		if res.View {
			g.Values[n.Out[0]].Const = tensors[0].View(res.Out[0].Shape)
			n.Op = nil
			continue
		}
		if size > b.reads || made > max(size, foldSmall) || total+made > foldTotal || max(res.Scratch, res.Extra) > foldTotal {
			continue
		}
		b.reads -= size
		total += made
		outs := make([]*plan.Tensor, len(n.Out))
		for k := range outs {
			outs[k] = plan.NewTensor(res.Out[k])
		}
		if err := plan.Bound(n.Op, args).Run(&plan.Context{Scratch: make([]float32, res.Scratch)}, tensors, outs); err != nil {
			return fmt.Errorf("%s: %w", n.Where(), err)
		}
		for k, v := range n.Out {
			g.Values[v].Const = outs[k]
		}
		n.Op = nil
	}
	compact(g)
	return nil
}

// constants returns n's arguments and their elements in all, if every one is a constant.
func constants(g *plan.Graph, n *plan.Node) (args []*plan.Arg, tensors []*plan.Tensor, size int, ok bool) {
	args, tensors = make([]*plan.Arg, len(n.In)), make([]*plan.Tensor, len(n.In))
	for k, v := range n.In {
		if v == plan.Absent {
			continue
		}
		t := g.Values[v].Const
		if t == nil {
			return nil, nil, 0, false
		}
		args[k], tensors[k] = &plan.Arg{Type: t.Type, Known: t}, t
		size += t.Count()
	}
	return args, tensors, size, true
}
