package graph

import (
	"errors"
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/kernel"
)

// norm is batch normalisation (Ioffe and Szegedy 2015) of x [N C] or [H W N C] in
// training, and an activation in the same pass: y = act((x-mean)·inv·gamma + beta),
// where mean and the biased variance are over the rows, pixels and batch, and
// inv = 1/√(variance+eps). The statistics of the last run stay in the op, for the
// backward pass and for [Pass.Commit].
type norm struct {
	rows
	eps                 float32
	act                 act
	mean, variance, inv []float32
}

func normOf(c *Context, x, gamma, beta *gorgonia.Node, eps float32, a act) (*gorgonia.Node, *norm, error) {
	s := x.Shape()
	if err := checkNorm(s, gamma, beta); err != nil {
		return nil, nil, err
	}
	r := newRows(s)
	o := &norm{rows: r, eps: eps, act: a, mean: make([]float32, r.n), variance: make([]float32, r.n), inv: make([]float32, r.n)}
	node, err := apply(c, o, s.Clone(), x, gamma, beta)
	return node, o, err
}

func checkNorm(x tensor.Shape, vectors ...*gorgonia.Node) error {
	if x.Dims() != 2 && x.Dims() != 4 {
		return fmt.Errorf("graph: batch_norm: argument is %v, want [N C] or [H W N C]", x)
	}
	channels := x[x.Dims()-1:]
	for _, v := range vectors {
		if !v.Shape().Eq(channels) {
			return fmt.Errorf("graph: batch_norm: parameter %s is %v, want %v", v.Name(), v.Shape(), channels)
		}
	}
	return nil
}

func (o *norm) name() string { return "batch_norm" }

func (o *norm) run(c *Context, dst []float32, in [][]float32) {
	kernel.BatchNormStats(c.Pool, o.mean, o.variance, o.inShards(c, in[0], 0), o.m, o.n, c.shards())
	invert(o.inv, o.variance, o.eps)
	kernel.BatchNormApply(c.Pool, dst, in[0], o.mean, o.inv, in[1], in[2], o.m, o.n, o.act.kind, o.act.alpha)
}

// invert computes inv = 1/√(variance+eps) in float64, rounded once.
func invert(inv, variance []float32, eps float32) {
	for i, v := range variance {
		inv[i] = float32(1 / math.Sqrt(float64(v)+float64(eps)))
	}
}

func (o *norm) wrt() []bool { return []bool{true, true, true} }

// grad is one fused pass that writes dx and keeps dgamma and dbeta, and two
// taps that show those as nodes. y is among its arguments even where its values
// are not needed, so that the forward pass, whose statistics it reads, runs before it.
func (o *norm) grad(c *Context, x gorgonia.Nodes, y, g *gorgonia.Node) (gorgonia.Nodes, error) {
	b := &normGrad{norm: o, dgamma: make([]float32, o.n), dbeta: make([]float32, o.n)}
	dx, err := apply(c, b, x[0].Shape().Clone(), x[0], x[1], x[2], y, g)
	if err != nil {
		return nil, err
	}
	gs, err := two(apply(c, tap{b.dgamma}, tensor.Shape{o.n}, dx))(apply(c, tap{b.dbeta}, tensor.Shape{o.n}, dx))
	return append(gorgonia.Nodes{dx}, gs...), err
}

type normGrad struct {
	*norm
	dgamma, dbeta []float32
}

func (o *normGrad) name() string { return "batch_norm_grad" }

func (o *normGrad) run(c *Context, dst []float32, in [][]float32) {
	x, g, dx := o.inShards(c, in[0], 0), o.inShards(c, in[4], 1), dst
	if o.mixed(c) {
		dx = g
	}
	kernel.BatchNormGrad(c.Pool, dx, o.dgamma, o.dbeta, x, nil, g, o.mean, o.inv, in[1], in[2], o.m, o.n, c.shards(), o.act.kind, o.act.alpha)
	if o.mixed(c) {
		kernel.FromShards(c.Pool, dst, dx, o.pixels, o.m/o.pixels, o.n, c.shards())
	}
}

func (o *normGrad) wrt() []bool { return []bool{true, true, true, true, true} }

func (o *normGrad) grad(*Context, gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, errors.New("graph: batch_norm: has no second derivative")
}

// tap is a further result of the operation that is its argument.
type tap struct{ from []float32 }

func (tap) name() string { return "tap" }

func (o tap) run(_ *Context, dst []float32, _ [][]float32) { copy(dst, o.from) }

func (tap) wrt() []bool { return []bool{true} }

func (tap) grad(*Context, gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, errors.New("graph: batch_norm: has no second derivative")
}

// sampleNorm is batch normalisation with given statistics: its arguments are x
// [N C] or [H W N C], gamma, beta, mean and variance [C].
type sampleNorm struct {
	m, n int
	eps  float32
	inv  []float32
}

func sampleNormOf(c *Context, x, gamma, beta, mean, variance *gorgonia.Node, eps float32) (*gorgonia.Node, error) {
	s := x.Shape()
	if err := checkNorm(s, gamma, beta, mean, variance); err != nil {
		return nil, err
	}
	n := s[s.Dims()-1]
	o := &sampleNorm{m: s.TotalSize() / n, n: n, eps: eps, inv: make([]float32, n)}
	return apply(c, o, s.Clone(), x, gamma, beta, mean, variance)
}

func (o *sampleNorm) name() string { return "batch_norm" }

func (o *sampleNorm) run(c *Context, dst []float32, in [][]float32) {
	invert(o.inv, in[4], o.eps)
	kernel.BatchNormApply(c.Pool, dst, in[0], in[3], o.inv, in[1], in[2], o.m, o.n, kernel.Identity, 0)
}

func (o *sampleNorm) ONNX() (string, map[string]any, []any) {
	return "BatchNormalization", map[string]any{"epsilon": o.eps}, nil
}

// A statistic is a batch norm of a pass and the running statistics it feeds.
type statistic struct {
	op             *norm
	mean, variance []float32
	momentum       float32
}

// Commit adds the batch statistics of the pass's last run to the network's
// running statistics, as PyTorch does after each training forward pass:
//
//	running = (1-momentum)·running + momentum·batch
//
// with the unbiased variance. Operations do not do it themselves, because a
// machine may run a pass more than once.
func (p *Pass) Commit() {
	for _, s := range p.statistics {
		unbias := float64(s.op.m) / float64(max(s.op.m-1, 1))
		for i := range s.mean {
			s.mean[i] = blend(s.mean[i], float64(s.op.mean[i]), s.momentum)
			s.variance[i] = blend(s.variance[i], float64(s.op.variance[i])*unbias, s.momentum)
		}
	}
}

func blend(running float32, batch float64, momentum float32) float32 {
	m := float64(momentum)
	return float32(float64((1-m)*float64(running)) + float64(m*batch))
}
