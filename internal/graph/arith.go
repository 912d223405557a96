package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"gantry/internal/kernel"
)

// Elementwise arithmetic on tensors of one shape. add sums gradients; mul and
// affine are what the gradients of gradients are made of.
type (
	add    struct{}
	mul    struct{}
	affine struct{ scale, shift float32 } // scale·x + shift
)

// Add adds the sum of two nodes of one shape to their graph.
func Add(c *Context, a, b *gorgonia.Node) (*gorgonia.Node, error) {
	return elementwise(c, add{}, a, b)
}

func mulOf(c *Context, a, b *gorgonia.Node) (*gorgonia.Node, error) {
	return elementwise(c, mul{}, a, b)
}

func affineOf(c *Context, x *gorgonia.Node, scale, shift float32) (*gorgonia.Node, error) {
	return elementwise(c, affine{scale, shift}, x)
}

// elementwise applies b to arguments of one shape, which is the result's too.
func elementwise(c *Context, b body, args ...*gorgonia.Node) (*gorgonia.Node, error) {
	s := args[0].Shape()
	for _, a := range args[1:] {
		if !a.Shape().Eq(s) {
			return nil, fmt.Errorf("graph: %s: arguments are %v and %v, want one shape", b.name(), s, a.Shape())
		}
	}
	return apply(c, b, s.Clone(), args...)
}

func (add) name() string { return "add" }

func (add) run(c *Context, dst []float32, in [][]float32) { kernel.Add(c.Pool, dst, in[0], in[1]) }

func (add) wrt() []bool { return []bool{true, true} }

func (add) grad(_ *Context, _ gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{g, g}, nil
}

func (mul) name() string { return "mul" }

func (mul) run(c *Context, dst []float32, in [][]float32) { kernel.Mul(c.Pool, dst, in[0], in[1]) }

func (mul) wrt() []bool { return []bool{true, true} }

func (mul) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return two(mulOf(c, g, x[1]))(mulOf(c, g, x[0]))
}

func (affine) name() string { return "affine" }

func (o affine) run(c *Context, dst []float32, in [][]float32) {
	kernel.Affine(c.Pool, dst, in[0], o.scale, o.shift)
}

func (affine) wrt() []bool { return []bool{true} }

func (o affine) grad(c *Context, _ gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(affineOf(c, g, o.scale, 0))
}
