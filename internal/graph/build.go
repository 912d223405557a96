package graph

import (
	"fmt"
	"slices"

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

// A Context is what the operations of one graph share, or of several that one
// goroutine runs.
type Context struct {
	Pool   *kernel.Pool // threads of the kernels; nil is serial
	Seed   uint64       // of the dropout masks
	Shards int          // equal parts of the batch in sums over samples; 0 means 1

	scratch [2][]float32 // of the operation that runs
}

func (c *Context) shards() int { return max(c.Shards, 1) }

// A Pass is one training pass of a batch through a network: what its operations
// have of their own, beside the weights.
type Pass struct {
	// Number makes the dropout masks, which are a function of (seed, layer,
	// Number·batch + sample). It may be changed between two runs.
	Number uint64

	// HWNC says that images go in and come out as [H W N C], as layers of images
	// want them: graphs that hand images to each other need not copy them.
	HWNC bool

	statistics []statistic
}

// Build adds one pass of x [N ...] through the network to the graph and returns
// the network's output. Parameters become input nodes under their names, one
// for all passes of a graph. A pass belongs to one call; it may be nil in
// [Sampling] mode.
//
// Images come and go as [N C H W], unless [Pass.HWNC] is set; between layers of
// images they are HWNC. A training pass applies an activation together with the
// convolution or batch norm before it, see [Fuses].
func Build(g *gorgonia.ExprGraph, net *Net, x *gorgonia.Node, mode Mode, ctx *Context, pass *Pass) (*gorgonia.Node, error) {
	if mode == Training && pass == nil {
		return nil, fmt.Errorf("graph: %s: training without a pass", net.Name)
	}
	b := builder{g: g, net: net, mode: mode, c: ctx, pass: pass, input: value{nchw: x}, values: make([]value, len(net.Nodes))}
	hwnc := func(shape []int) bool { return pass != nil && pass.HWNC && len(shape) == 3 }
	if hwnc(net.Input) {
		b.input = value{hwnc: x}
	}
	for i := range net.Nodes {
		l := &net.Nodes[i]
		if b.values[i] != (value{}) { // fused with the layer before
			continue
		}
		at, a := i, act{}
		if mode == Training && i+1 < len(net.Nodes) && Fuses(l, &net.Nodes[i+1]) {
			at = i + 1
			a, _ = activation(&net.Nodes[at])
		}
		v, err := b.layer(i, l, a)
		if err != nil {
			return nil, fmt.Errorf("graph: %s %s (%s): %w", net.Name, l.ID, l.Type, err)
		}
		b.values[at] = v
		if v != *b.value(l.Args[0]) { // dropout in Sampling mode is nothing
			gorgonia.WithName(net.Nodes[at].ID)(v.node())
		}
	}
	if hwnc(net.Output) {
		return b.hwnc(net.Out)
	}
	return b.nchw(net.Out)
}

// ofPixels reports whether the layer takes images as HWNC.
func ofPixels(l *models.Node) bool {
	switch l.Type {
	case models.Conv, models.ConvTranspose, models.Upsample, models.GlobalAvgPool:
		return true
	case models.BatchNorm:
		return len(l.In) == 3
	}
	return false
}

// OfPixels reports whether a layer that takes the network's input takes images
// as HWNC.
func (n *Net) OfPixels() bool {
	return slices.ContainsFunc(n.Nodes, func(l models.Node) bool { return slices.Contains(l.Args, -1) && ofPixels(&l) })
}

type builder struct {
	g      *gorgonia.ExprGraph
	net    *Net
	mode   Mode
	c      *Context
	pass   *Pass
	input  value
	values []value // of each layer
}

// A value is the result of a layer: images in one layout or in both, made when
// they are asked for; anything else is in nchw.
type value struct{ nchw, hwnc *gorgonia.Node }

// node returns the layout that there is.
func (v *value) node() *gorgonia.Node {
	if v.hwnc != nil {
		return v.hwnc
	}
	return v.nchw
}

// value returns the result of layer i; -1 is the network's input.
func (b *builder) value(i int) *value {
	if i < 0 {
		return &b.input
	}
	return &b.values[i]
}

func (b *builder) nchw(i int) (n *gorgonia.Node, err error) {
	v := b.value(i)
	if v.nchw == nil {
		v.nchw, err = layoutOf(b.c, v.hwnc, false)
	}
	return v.nchw, err
}

func (b *builder) hwnc(i int) (n *gorgonia.Node, err error) {
	v := b.value(i)
	if v.hwnc == nil {
		v.hwnc, err = layoutOf(b.c, v.nchw, true)
	}
	return v.hwnc, err
}

// layer adds layer i, and the activation a after it if the layer fuses one.
func (b *builder) layer(i int, l *models.Node, a act) (v value, err error) {
	from := l.Args[0]
	if alone, ok := activation(l); ok {
		v = *b.value(from)
		if v.hwnc != nil {
			v.hwnc, err = elementwise(b.c, alone, v.hwnc)
			v.nchw = nil
		} else {
			v.nchw, err = elementwise(b.c, alone, v.nchw)
		}
		return v, err
	}
	if l.Type == models.Dropout && b.mode == Sampling {
		return *b.value(from), nil
	}
	if ofPixels(l) {
		x, err := b.hwnc(from)
		if err == nil {
			v.hwnc, err = b.pixels(l, x, a)
		}
		return v, err
	}
	x, err := b.nchw(from)
	if err != nil {
		return value{}, err
	}
	switch l.Type {
	case models.Linear:
		v.nchw, err = b.linear(l, x)
	case models.Maxout:
		v.nchw, err = b.maxout(l, x)
	case models.Dropout:
		v.nchw, err = dropoutOf(b.c, x, b.pass, b.stream(i), l.Keep, l.Scale)
	case models.BatchNorm:
		v.nchw, err = b.batchNorm(l, x, a)
	case models.Reshape:
		v.nchw, err = reshapeOf(b.c, x, false, l.Out...)
	case models.Flatten:
		v.nchw, err = reshapeOf(b.c, x, true, l.Out...)
	default:
		err = fmt.Errorf("unknown type of layer")
	}
	return v, err
}

// pixels adds a layer of images x [H W N C].
func (b *builder) pixels(l *models.Node, x *gorgonia.Node, a act) (*gorgonia.Node, error) {
	switch l.Type {
	case models.Conv, models.ConvTranspose:
		var bias *gorgonia.Node
		if *l.Bias {
			bias = b.param(l, models.Bias)
		}
		w := b.param(l, models.Weight)
		if l.Type == models.Conv {
			return convOf(b.c, x, w, bias, l.Stride, l.Pad, a)
		}
		return convTransposeOf(b.c, x, w, bias, l.Stride, l.Pad, l.OutputPad, a)
	case models.BatchNorm:
		return b.batchNorm(l, x, a)
	case models.Upsample:
		return upsampleOf(b.c, x, l.Factor)
	default:
		return meanPixelsOf(b.c, x)
	}
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
	var bias *gorgonia.Node
	if l.Bias == nil || *l.Bias {
		bias = b.param(l, models.Bias)
	}
	return linearOf(b.c, x, b.param(l, models.Weight), bias)
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

func (b *builder) batchNorm(l *models.Node, x *gorgonia.Node, a act) (*gorgonia.Node, error) {
	gamma, beta := b.param(l, models.Gamma), b.param(l, models.Beta)
	mean, variance := b.param(l, models.RunningMean), b.param(l, models.RunningVar)
	if b.mode == Sampling {
		return sampleNormOf(b.c, x, gamma, beta, mean, variance, l.Eps)
	}
	y, o, err := normOf(b.c, x, gamma, beta, l.Eps, a)
	if err != nil {
		return nil, err
	}
	b.pass.statistics = append(b.pass.statistics, statistic{o, Floats(mean), Floats(variance), l.Momentum})
	return y, nil
}
