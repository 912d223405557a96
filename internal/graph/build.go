package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"gantry/internal/kernel"
	"gantry/models"
)

// A Mode says whether a pass trains or samples.
type Mode int

const (
	Training Mode = iota // batch statistics, dropout
	Sampling             // running statistics, no dropout; every operation is a [Lowering]
)

// A Context is what the operations of one graph share.
type Context struct {
	Pool   *kernel.Pool // threads of the kernels; nil is serial
	Seed   uint64       // of the dropout masks
	Shards int          // equal parts of the batch in sums over samples; 0 means 1
}

func (c *Context) shards() int { return max(c.Shards, 1) }

// A Pass is one training pass of a batch through a network: what its operations
// have of their own, beside the weights.
type Pass struct {
	// Number makes the dropout masks, which are a function of (seed, layer,
	// Number·batch + sample). It may be changed between two runs.
	Number uint64

	statistics []statistic
}

// Build adds one pass of x [N ...] through the network to the graph and returns
// the network's output. Parameters become input nodes under their names, one
// for all passes of a graph. A pass belongs to one call; it may be nil in
// [Sampling] mode.
func Build(g *gorgonia.ExprGraph, net *Net, x *gorgonia.Node, mode Mode, ctx *Context, pass *Pass) (*gorgonia.Node, error) {
	if mode == Training && pass == nil {
		return nil, fmt.Errorf("graph: %s: training without a pass", net.Name)
	}
	b := builder{g: g, net: net, mode: mode, c: ctx, pass: pass}
	nodes := make([]*gorgonia.Node, len(net.Nodes))
	for i := range net.Nodes {
		l := &net.Nodes[i]
		in := x
		if a := l.Args[0]; a >= 0 {
			in = nodes[a]
		}
		n, err := b.layer(i, l, in)
		if err != nil {
			return nil, fmt.Errorf("graph: %s %s (%s): %w", net.Name, l.ID, l.Type, err)
		}
		if n != in { // dropout in Sampling mode is nothing
			gorgonia.WithName(l.ID)(n)
		}
		nodes[i] = n
	}
	return nodes[net.Out], nil
}

type builder struct {
	g    *gorgonia.ExprGraph
	net  *Net
	mode Mode
	c    *Context
	pass *Pass
}

func (b *builder) layer(i int, l *models.Node, x *gorgonia.Node) (*gorgonia.Node, error) {
	switch l.Type {
	case models.Linear:
		return b.linear(l, x)
	case models.Maxout:
		return b.maxout(l, x)
	case models.Relu:
		return actOf(b.c, kernel.Relu, 0, x)
	case models.LeakyRelu:
		return actOf(b.c, kernel.LeakyRelu, l.Alpha, x)
	case models.Tanh:
		return actOf(b.c, kernel.Tanh, 0, x)
	case models.Sigmoid:
		return actOf(b.c, kernel.Sigmoid, 0, x)
	case models.Dropout:
		if b.mode == Sampling {
			return x, nil
		}
		return dropoutOf(b.c, x, b.pass, b.stream(i), l.Keep, l.Scale)
	case models.BatchNorm:
		return b.batchNorm(l, x)
	case models.Reshape:
		return reshapeOf(b.c, x, false, l.Out...)
	case models.Flatten:
		return reshapeOf(b.c, x, true, l.Out...)
	}
	return nil, fmt.Errorf("unknown type of layer")
}

// stream numbers the layers of both networks for [rng.Keep]: the generator's
// from 0, the discriminator's from 65536.
func (b *builder) stream(layer int) uint32 {
	if b.net.Prefix == "d" {
		return 1<<16 + uint32(layer)
	}
	return uint32(layer)
}

func (b *builder) param(l *models.Node, role models.Role) *gorgonia.Node {
	for _, p := range l.Params {
		if p.Role == role {
			return b.net.Node(b.g, p)
		}
	}
	panic(fmt.Sprintf("graph: internal error: layer %s has no %v", l.ID, role))
}

func (b *builder) linear(l *models.Node, x *gorgonia.Node) (*gorgonia.Node, error) {
	return linearOf(b.c, x, b.param(l, models.Weight), b.param(l, models.Bias))
}

func (b *builder) maxout(l *models.Node, x *gorgonia.Node) (*gorgonia.Node, error) {
	y, err := b.linear(l, x)
	if err != nil {
		return nil, err
	}
	gorgonia.WithName(l.ID + ".linear")(y)
	if b.mode == Sampling { // ONNX reduces over an axis
		if y, err = reshapeOf(b.c, y, false, l.Units, l.Pieces); err != nil {
			return nil, err
		}
		gorgonia.WithName(l.ID + ".pieces")(y)
	}
	return maxPiecesOf(b.c, y, l.Pieces)
}

func (b *builder) batchNorm(l *models.Node, x *gorgonia.Node) (*gorgonia.Node, error) {
	gamma, beta := b.param(l, models.Gamma), b.param(l, models.Beta)
	mean, variance := b.param(l, models.RunningMean), b.param(l, models.RunningVar)
	if b.mode == Sampling {
		return sampleNormOf(b.c, x, gamma, beta, mean, variance, l.Eps)
	}
	y, o, err := normOf(b.c, x, gamma, beta, l.Eps)
	if err != nil {
		return nil, err
	}
	b.pass.statistics = append(b.pass.statistics, statistic{o, Floats(mean), Floats(variance), l.Momentum})
	return y, nil
}
