package graph

import (
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/kernel"
)

// Softplus adds scale·mean(softplus(sign·x)), a tensor of shape [1], to the
// graph of the logits x [N 1]; sign is 1 or -1. Binary cross entropy on logits
// is made of it:
//
//	BCE(x, 1) = mean(softplus(-x))    BCE(x, 0) = mean(softplus(x))
func Softplus(c *Context, x *gorgonia.Node, sign, scale float32) (*gorgonia.Node, error) {
	return apply(c, softplus{sign, scale}, tensor.Shape{1}, x)
}

type (
	softplus     struct{ sign, scale float32 }
	softplusGrad struct{ softplus }
)

func (softplus) name() string { return "softplus_mean" }

func (o softplus) run(c *Context, dst []float32, in [][]float32) {
	dst[0] = kernel.SoftplusMean(in[0], o.sign, o.scale, c.shards())
}

func (softplus) wrt() []bool { return []bool{true} }

func (o softplus) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(apply(c, softplusGrad{o}, x[0].Shape().Clone(), x[0], g))
}

func (softplusGrad) name() string { return "softplus_mean_grad" }

func (o softplusGrad) run(_ *Context, dst []float32, in [][]float32) {
	kernel.SoftplusMeanGrad(dst, in[0], o.sign, o.scale*in[1][0])
}

func (softplusGrad) wrt() []bool { return []bool{true, true} }

func (softplusGrad) grad(*Context, gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, errors.New("graph: softplus_mean: has no second derivative")
}

// CrossEntropy adds the mean over the batch of -Σ y·log softmax(x), a tensor of
// shape [1], to the graph of the logits x [N K]: the loss of a classifier. Each row
// of y [N K] holds the probabilities of the classes; no gradient goes through it.
func CrossEntropy(c *Context, x, y *gorgonia.Node) (*gorgonia.Node, error) {
	s := x.Shape()
	if s.Dims() != 2 || !y.Shape().Eq(s) {
		return nil, fmt.Errorf("graph: cross_entropy: arguments are %v and %v, want [N K] twice", s, y.Shape())
	}
	return apply(c, crossEntropy{s[0], s[1]}, tensor.Shape{1}, x, y)
}

type (
	crossEntropy     struct{ m, classes int }
	crossEntropyGrad struct{ crossEntropy }
)

func (crossEntropy) name() string { return "cross_entropy" }

func (o crossEntropy) run(c *Context, dst []float32, in [][]float32) {
	dst[0] = kernel.CrossEntropyMean(in[0], in[1], o.m, o.classes, c.shards())
}

func (crossEntropy) wrt() []bool { return []bool{true, false} }

func (o crossEntropy) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	gx, err := apply(c, crossEntropyGrad{o}, x[0].Shape().Clone(), x[0], x[1], g)
	return gorgonia.Nodes{gx, nil}, err
}

func (crossEntropyGrad) name() string { return "cross_entropy_grad" }

func (o crossEntropyGrad) run(_ *Context, dst []float32, in [][]float32) {
	kernel.CrossEntropyMeanGrad(dst, in[0], in[1], o.m, o.classes, in[2][0])
}

func (crossEntropyGrad) wrt() []bool { return []bool{true, false, true} }

func (crossEntropyGrad) grad(*Context, gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, errors.New("graph: cross_entropy: has no second derivative")
}
