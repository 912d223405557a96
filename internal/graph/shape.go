package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// reshape copies x [N ...] into another shape [N ...] of as many elements. It
// copies where a machine does not know about views.
type reshape struct {
	flat bool  // a flatten layer, which is a node of its own in ONNX
	to   []int // the result's shape without the batch
}

func reshapeOf(c *Context, x *gorgonia.Node, flat bool, to ...int) (*gorgonia.Node, error) {
	shape := append(tensor.Shape{x.Shape()[0]}, to...)
	if shape.TotalSize() != x.Shape().TotalSize() {
		return nil, fmt.Errorf("graph: reshape: argument is %v, want as many elements as %v", x.Shape(), shape)
	}
	return apply(c, &reshape{flat, shape[1:]}, shape, x)
}

func (o *reshape) name() string {
	if o.flat {
		return "flatten"
	}
	return "reshape"
}

func (o *reshape) run(_ *Context, dst []float32, in [][]float32) { copy(dst, in[0]) }

func (o *reshape) view() bool { return true }

func (o *reshape) wrt() []bool { return []bool{true} }

func (o *reshape) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(reshapeOf(c, g, false, x[0].Shape()[1:]...))
}

func (o *reshape) ONNX() (string, map[string]any, []any) {
	if o.flat {
		return "Flatten", map[string]any{"axis": int64(1)}, nil
	}
	to := []int64{-1}
	for _, d := range o.to {
		to = append(to, int64(d))
	}
	return "Reshape", nil, []any{to}
}
