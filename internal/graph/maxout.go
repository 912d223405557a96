package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/kernel"
)

// maxPieces is the second half of a maxout layer (Goodfellow et al. 2013): the
// largest of each unit's pieces. Its argument is [N units·pieces] or, in a
// sampling graph, [N units pieces]; its result [N units]. The first maximum
// wins ties.
//
// maxScatter sends g [N units] back to where x has its maxima, and maxGather
// picks g, of x's shape, there. Each is the other's derivative.
type (
	maxPieces  struct{ m, units, pieces int }
	maxScatter struct{ maxPieces }
	maxGather  struct{ maxPieces }
)

func maxPiecesOf(c *Context, x *gorgonia.Node, pieces int) (*gorgonia.Node, error) {
	m := x.Shape()[0]
	units := x.Shape().TotalSize() / (m * pieces)
	return apply(c, maxPieces{m, units, pieces}, tensor.Shape{m, units}, x)
}

func (maxPieces) name() string { return "max" }

func (o maxPieces) run(c *Context, dst []float32, in [][]float32) {
	kernel.MaxPieces(c.Pool, dst, in[0], o.m, o.units, o.pieces)
}

func (maxPieces) wrt() []bool { return []bool{true} }

func (o maxPieces) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(apply(c, maxScatter{o}, x[0].Shape().Clone(), x[0], g))
}

func (maxPieces) ONNX() (string, map[string]any, []any) {
	return "ReduceMax", map[string]any{"axes": []int64{-1}, "keepdims": int64(0)}, nil
}

func (maxScatter) name() string { return "max_scatter" }

func (o maxScatter) run(c *Context, dst []float32, in [][]float32) {
	kernel.MaxPiecesGrad(c.Pool, dst, in[0], in[1], o.m, o.units, o.pieces)
}

func (maxScatter) wrt() []bool { return []bool{false, true} }

func (o maxScatter) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	n, err := apply(c, maxGather(o), tensor.Shape{o.m, o.units}, x[0], g)
	return gorgonia.Nodes{nil, n}, err
}

func (maxGather) name() string { return "max_gather" }

func (o maxGather) run(c *Context, dst []float32, in [][]float32) {
	kernel.MaxPiecesGather(c.Pool, dst, in[0], in[1], o.m, o.units, o.pieces)
}

func (maxGather) wrt() []bool { return []bool{false, true} }

func (o maxGather) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	n, err := apply(c, maxScatter(o), x[0].Shape().Clone(), x[0], g)
	return gorgonia.Nodes{nil, n}, err
}
