package graph

import (
	"gorgonia.org/tensor"

	"gantry/internal/kernel"
)

// rows are the rows [m,n] of x [N C] or [H W N C]: m is N, or pixels times N.
type rows struct {
	m, n    int
	pixels  int
	scratch []float32
}

func newRows(c *Context, s tensor.Shape) *rows {
	n := s[s.Dims()-1]
	r := &rows{m: s.TotalSize() / n, n: n, pixels: 1}
	if s.Dims() == 4 {
		r.pixels = s[0] * s[1]
	}
	if r.mixed(c) {
		r.scratch = make([]float32, r.m*n)
	}
	return r
}

// mixed reports whether the rows of a shard of the batch stand apart.
func (r *rows) mixed(c *Context) bool { return c.shards() > 1 && r.pixels > 1 }

// inShards returns x with the rows of each shard together, in their order: x
// itself, or a copy that lasts until the next call.
func (r *rows) inShards(c *Context, x []float32) []float32 {
	if !r.mixed(c) {
		return x
	}
	kernel.ToShards(c.Pool, r.scratch, x, r.pixels, r.m/r.pixels, r.n, c.shards())
	return r.scratch
}
