package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/kernel"
)

// conv and convWeight are the closed triple of convolutions. One weight w
// [K C R S] relates images x on a fine grid [H W N C] and y on a coarse grid
// [OH OW N K]:
//
//	forward     (x, w) -> y    ONNX Conv
//	transposed  (y, w) -> x    ONNX ConvTranspose
//	weight      (x, y) -> w
//
// Each is linear in either argument, and its derivatives are the two others. The
// first two may add a bias, one element for a channel of the result, and apply
// an activation in the same pass. The sum over images of the third is taken in
// shards.
type (
	conv struct {
		k          *kernel.Conv
		n          int
		transposed bool
		act        act
		bias       bool
	}
	convWeight struct {
		k *kernel.Conv
		n int
	}
)

// convOf adds a convolution of x [H W N C] with w [K C R S], and bias [K] unless
// it is nil, followed by an activation.
func convOf(c *Context, x, w, bias *gorgonia.Node, stride, pad int, a act) (*gorgonia.Node, error) {
	s, t := x.Shape(), w.Shape()
	if s.Dims() != 4 || t.Dims() != 4 || s[3] != t[1] {
		return nil, fmt.Errorf("graph: conv: arguments are %v and %v, want [H W N C] and [K C R S]", s, t)
	}
	size := func(in, taps int) int { return (in+2*pad-taps)/stride + 1 }
	return conv{
		k: kernel.NewFastConv(kernel.ConvShape{H: s[0], W: s[1], C: s[3], OH: size(s[0], t[2]), OW: size(s[1], t[3]), K: t[0], R: t[2], S: t[3],
			StrideH: stride, StrideW: stride, PadH: pad, PadW: pad, DilationH: 1, DilationW: 1, Groups: 1}, 0),
		n: s[2], act: a, bias: bias != nil,
	}.apply(c, x, w, bias)
}

// convTransposeOf adds a transposed convolution of x [H W N K] with w [K C R S],
// and bias [C] unless it is nil, followed by an activation.
func convTransposeOf(c *Context, x, w, bias *gorgonia.Node, stride, pad, outputPad int, a act) (*gorgonia.Node, error) {
	s, t := x.Shape(), w.Shape()
	if s.Dims() != 4 || t.Dims() != 4 || s[3] != t[0] {
		return nil, fmt.Errorf("graph: conv_transpose: arguments are %v and %v, want [H W N K] and [K C R S]", s, t)
	}
	size := func(in, taps int) int { return (in-1)*stride - 2*pad + taps + outputPad }
	return conv{
		k: kernel.NewFastConv(kernel.ConvShape{H: size(s[0], t[2]), W: size(s[1], t[3]), C: t[1], OH: s[0], OW: s[1], K: t[0], R: t[2], S: t[3],
			StrideH: stride, StrideW: stride, PadH: pad, PadW: pad, DilationH: 1, DilationW: 1, Groups: 1}, 0),
		n: s[2], transposed: true, act: a, bias: bias != nil,
	}.apply(c, x, w, bias)
}

func (o conv) apply(c *Context, x, w, bias *gorgonia.Node) (*gorgonia.Node, error) {
	s := o.k.Shape()
	out := tensor.Shape{s.OH, s.OW, o.n, s.K}
	if o.transposed {
		out = tensor.Shape{s.H, s.W, o.n, s.C}
	}
	if !o.bias {
		return apply(c, o, out, x, w)
	}
	if !bias.Shape().Eq(out[3:]) {
		return nil, fmt.Errorf("graph: %s: bias is %v, want [%d]", o.name(), bias.Shape(), out[3])
	}
	return apply(c, o, out, x, w, bias)
}

// linear applies the convolution alone, or the transposed one, to other arguments.
func (o conv) linear(c *Context, transposed bool, x, w *gorgonia.Node) (*gorgonia.Node, error) {
	return conv{k: o.k, n: o.n, transposed: transposed}.apply(c, x, w, nil)
}

func (o conv) name() string {
	if o.transposed {
		return "conv_transpose"
	}
	return "conv"
}

func (o conv) run(c *Context, dst []float32, in [][]float32) {
	ep := kernel.Epilogue{Act: o.act.kind, Alpha: o.act.alpha}
	if o.bias {
		ep.Bias = in[2]
	}
	if o.transposed {
		o.k.Transposed(c.Pool, dst, in[0], in[1], o.n, ep)
	} else {
		o.k.Forward(c.Pool, dst, in[0], in[1], o.n, ep)
	}
}

func (o conv) wrt() []bool { return []bool{true, true, true}[:o.arity()] }

func (o conv) arity() int {
	if o.bias {
		return 3
	}
	return 2
}

// grad makes the nodes of the weights first: machines run nodes in the order in
// which they are made, and memory of the argument is then free for the others.
func (o conv) grad(c *Context, x gorgonia.Nodes, y, g *gorgonia.Node) (gorgonia.Nodes, error) {
	var err error
	if o.act.kind != kernel.Identity {
		if g, err = elementwise(c, actGrad{o.act}, y, g); err != nil {
			return nil, err
		}
	}
	fine, coarse := x[0], g
	if o.transposed {
		fine, coarse = g, x[0]
	}
	gs := make(gorgonia.Nodes, o.arity())
	if gs[1], err = (convWeight{o.k, o.n}).apply(c, fine, coarse); err != nil {
		return nil, err
	}
	if o.bias {
		if gs[2], err = colSumOf(c, g); err != nil {
			return nil, err
		}
	}
	gs[0], err = o.linear(c, !o.transposed, g, x[1])
	return gs, err
}

func (o conv) ONNX() (string, map[string]any, []any) {
	s := o.k.Shape()
	h, w := int64(s.PadH), int64(s.PadW)
	attrs := map[string]any{
		"kernel_shape": []int64{int64(s.R), int64(s.S)},
		"strides":      []int64{int64(s.StrideH), int64(s.StrideW)},
		"pads":         []int64{h, w, h, w},
	}
	if !o.transposed {
		return "Conv", attrs, nil
	}
	rows := s.H - ((s.OH-1)*s.StrideH - 2*s.PadH + s.R)
	cols := s.W - ((s.OW-1)*s.StrideW - 2*s.PadW + s.S)
	if rows > 0 || cols > 0 {
		attrs["output_padding"] = []int64{int64(rows), int64(cols)}
	}
	return "ConvTranspose", attrs, nil
}

func (o convWeight) apply(c *Context, fine, coarse *gorgonia.Node) (*gorgonia.Node, error) {
	s := o.k.Shape()
	return apply(c, o, tensor.Shape{s.K, s.C, s.R, s.S}, fine, coarse)
}

func (convWeight) name() string { return "conv_weight" }

func (o convWeight) run(c *Context, dst []float32, in [][]float32) {
	o.k.WeightGrad(c.Pool, dst, in[0], in[1], o.n, c.shards())
}

func (convWeight) wrt() []bool { return []bool{true, true} }

func (o convWeight) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	l := conv{k: o.k, n: o.n}
	return two(l.linear(c, true, x[1], g))(l.linear(c, false, x[0], g))
}
