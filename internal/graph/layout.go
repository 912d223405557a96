package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/kernel"
)

// layout copies images between NCHW, [N C H W], in which they come and go and
// have their order when they are flattened, and HWNC, [H W N C], in which the
// kernels want them: pixels first, then the batch, then the channels. Either
// direction is the other's derivative.
type layout struct {
	n, c, h, w int
	hwnc       bool // of the result
}

// layoutOf copies x to HWNC, or to NCHW.
func layoutOf(c *Context, x *gorgonia.Node, hwnc bool) (*gorgonia.Node, error) {
	s := x.Shape()
	if s.Dims() != 4 {
		return nil, fmt.Errorf("graph: layout: argument is %v, want images", s)
	}
	if hwnc {
		return apply(c, layout{s[0], s[1], s[2], s[3], true}, tensor.Shape{s[2], s[3], s[0], s[1]}, x)
	}
	return apply(c, layout{s[2], s[3], s[0], s[1], false}, tensor.Shape{s[2], s[3], s[0], s[1]}, x)
}

func (o layout) name() string {
	if o.hwnc {
		return "to_hwnc"
	}
	return "from_hwnc"
}

func (o layout) run(c *Context, dst []float32, in [][]float32) {
	if o.hwnc {
		kernel.ToHWNC(c.Pool, dst, in[0], o.n, o.c, o.h*o.w)
	} else {
		kernel.FromHWNC(c.Pool, dst, in[0], o.n, o.c, o.h*o.w)
	}
}

// view: images of one pixel have one order in both layouts.
func (o layout) view() bool { return o.h*o.w == 1 || o.n*o.c == 1 }

func (o layout) wrt() []bool { return []bool{true} }

func (o layout) grad(c *Context, _ gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(layoutOf(c, g, !o.hwnc))
}

// ONNX returns no node: in a file all images are NCHW.
func (o layout) ONNX() (string, map[string]any, []any) { return "", nil, nil }
