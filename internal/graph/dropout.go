package graph

import (
	"gorgonia.org/gorgonia"

	"gantry/internal/rng"
)

// dropoutOf is y = x·mask in training. The mask is a node of its own, so the
// family is closed: every derivative is a product with the same mask.
func dropoutOf(c *Context, x *gorgonia.Node, pass *Pass, layer uint32, keep, scale float32) (*gorgonia.Node, error) {
	rows := x.Shape()[0]
	m := &mask{pass: pass, layer: layer, keep: keep, scale: scale, rows: rows, n: x.Shape().TotalSize() / rows}
	node, err := elementwise(c, m, x)
	if err != nil {
		return nil, err
	}
	return mulOf(c, x, node)
}

// mask is a dropout mask of x's shape: row i is [rng.Keep] of the seed, the
// layer and pass·rows + i. It reads nothing of x.
type mask struct {
	pass        *Pass
	layer       uint32
	keep, scale float32
	rows, n     int

	seed uint64 // of the run in progress
	dst  []float32
}

func (o *mask) name() string { return "mask" }

func (o *mask) wrt() []bool { return []bool{false} }

func (o *mask) grad(*Context, gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{nil}, nil
}

const maskRows = 8 // rows of one task

func (o *mask) run(c *Context, dst []float32, _ [][]float32) {
	o.seed, o.dst = c.Seed, dst
	c.Pool.Do((o.rows+maskRows-1)/maskRows, o)
}

// Run fills the rows of one part, for [kernel.Pool.Do].
func (o *mask) Run(part int) {
	for i := part * maskRows; i < min((part+1)*maskRows, o.rows); i++ {
		rng.Keep(o.dst[i*o.n:(i+1)*o.n], o.keep, o.scale, o.seed, rng.Dropout, o.layer, o.pass.Number*uint64(o.rows)+uint64(i))
	}
}
