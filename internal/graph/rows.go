package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/kernel"
)

// rows are the rows [m,n] of x [N C] or [H W N C]: m is N, or pixels times N.
type rows struct{ m, n, pixels int }

func newRows(s tensor.Shape) rows {
	n := s[s.Dims()-1]
	r := rows{m: s.TotalSize() / n, n: n, pixels: 1}
	if s.Dims() == 4 {
		r.pixels = s[0] * s[1]
	}
	return r
}

// mixed reports whether the rows of a shard of the batch stand apart.
func (r rows) mixed(c *Context) bool { return c.shards() > 1 && r.pixels > 1 }

// inShards returns x with the rows of each shard together, in their order: x
// itself, or a copy in one of the context's pieces of scratch memory.
func (r rows) inShards(c *Context, x []float32, piece int) []float32 {
	if !r.mixed(c) {
		return x
	}
	if len(c.scratch[piece]) < len(x) {
		c.scratch[piece] = make([]float32, len(x))
	}
	s := c.scratch[piece][:len(x)]
	kernel.ToShards(c.Pool, s, x, r.pixels, r.m/r.pixels, r.n, c.shards())
	return s
}

// colSum sums the rows of x [N C] or [H W N C] to [C]; rowBroadcast repeats a row.
// Each is the other's derivative.
type (
	colSum       struct{ rows }
	rowBroadcast struct{ m, n int }
)

func colSumOf(c *Context, x *gorgonia.Node) (*gorgonia.Node, error) {
	r := newRows(x.Shape())
	return apply(c, &colSum{r}, tensor.Shape{r.n}, x)
}

func rowBroadcastOf(c *Context, row *gorgonia.Node, shape tensor.Shape) (*gorgonia.Node, error) {
	n := row.Shape()[0]
	return apply(c, &rowBroadcast{shape.TotalSize() / n, n}, shape.Clone(), row)
}

func (o *colSum) name() string { return "col_sum" }

func (o *colSum) run(c *Context, dst []float32, in [][]float32) {
	kernel.ColSum(c.Pool, dst, o.inShards(c, in[0], 0), o.m, o.n, c.shards())
}

func (o *colSum) wrt() []bool { return []bool{true} }

func (o *colSum) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(rowBroadcastOf(c, g, x[0].Shape()))
}

func (o *rowBroadcast) name() string { return "row_broadcast" }

func (o *rowBroadcast) run(_ *Context, dst []float32, in [][]float32) {
	for i := range o.m {
		copy(dst[i*o.n:(i+1)*o.n], in[0])
	}
}

func (o *rowBroadcast) wrt() []bool { return []bool{true} }

func (o *rowBroadcast) grad(c *Context, _ gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(colSumOf(c, g))
}
