package graph

import (
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
