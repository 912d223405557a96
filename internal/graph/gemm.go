package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/kernel"
)

// gemm is a matrix product in one of three forms:
//
//	NN  a [m k] · b [k n]    NT  a [m k] · b [n k]ᵀ    TN  a [k m]ᵀ · b [k n]
//
// Every derivative of any order of one is again one of the three. In a network
// the sum of TN runs over the samples of a batch (it is the gradient of a
// weight), so it is taken in shards.
type gemm struct {
	form    kernel.Form
	m, n, k int
	scratch []float32
}

func gemmOf(c *Context, form kernel.Form, a, b *gorgonia.Node) (*gorgonia.Node, error) {
	o := &gemm{form: form}
	s, t := a.Shape(), b.Shape()
	var k int
	switch form {
	case kernel.NN:
		o.m, o.k, k, o.n = s[0], s[1], t[0], t[1]
	case kernel.NT:
		o.m, o.k, o.n, k = s[0], s[1], t[0], t[1]
	case kernel.TN:
		o.k, o.m, k, o.n = s[0], s[1], t[0], t[1]
		o.scratch = make([]float32, (c.shards()-1)*o.m*o.n)
	}
	if k != o.k {
		return nil, fmt.Errorf("graph: %s: arguments are %v and %v, want one summed dimension", o.name(), s, t)
	}
	return apply(c, o, tensor.Shape{o.m, o.n}, a, b)
}

func (o *gemm) name() string { return "gemm_" + [...]string{"nn", "nt", "tn"}[o.form] }

func (o *gemm) run(c *Context, dst []float32, in [][]float32) {
	if o.form == kernel.TN {
		kernel.GemmShards(c.Pool, dst, in[0], in[1], o.m, o.n, o.k, c.shards(), o.scratch)
		return
	}
	kernel.Gemm(c.Pool, o.form, dst, in[0], in[1], o.m, o.n, o.k, kernel.Epilogue{})
}

func (o *gemm) wrt() []bool { return []bool{true, true} }

func (o *gemm) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	a, b := x[0], x[1]
	switch o.form {
	case kernel.NN:
		return two(gemmOf(c, kernel.NT, g, b))(gemmOf(c, kernel.TN, a, g))
	case kernel.NT:
		return two(gemmOf(c, kernel.NN, g, b))(gemmOf(c, kernel.TN, g, a))
	default:
		return two(gemmOf(c, kernel.NT, b, g))(gemmOf(c, kernel.NN, a, g))
	}
}

// linear is y = x·wᵀ + b with x [N K], w [M K] and b [M] or none.
type linear struct {
	m, n, k int
	bias    bool
}

// linearOf adds a linear layer; b may be nil.
func linearOf(c *Context, x, w, b *gorgonia.Node) (*gorgonia.Node, error) {
	s, t := x.Shape(), w.Shape()
	if s.Dims() != 2 || t.Dims() != 2 || s[1] != t[1] {
		return nil, fmt.Errorf("graph: linear: arguments are %v and %v, want [N K] and [M K]", s, t)
	}
	args := gorgonia.Nodes{x, w}
	if b != nil {
		if !b.Shape().Eq(tensor.Shape{t[0]}) {
			return nil, fmt.Errorf("graph: linear: the bias is %v, want [%d]", b.Shape(), t[0])
		}
		args = append(args, b)
	}
	return apply(c, &linear{m: s[0], n: t[0], k: s[1], bias: b != nil}, tensor.Shape{s[0], t[0]}, args...)
}

func (o *linear) name() string { return "linear" }

func (o *linear) run(c *Context, dst []float32, in [][]float32) {
	var e kernel.Epilogue
	if o.bias {
		e.Bias = in[2]
	}
	kernel.Gemm(c.Pool, kernel.NT, dst, in[0], in[1], o.m, o.n, o.k, e)
}

func (o *linear) wrt() []bool { return []bool{true, true, true}[:o.arity()] }

func (o *linear) arity() int {
	if o.bias {
		return 3
	}
	return 2
}

func (o *linear) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	gs, err := two(gemmOf(c, kernel.NN, g, x[1]))(gemmOf(c, kernel.TN, g, x[0]))
	if err != nil || !o.bias {
		return gs, err
	}
	gb, err := colSumOf(c, g)
	return append(gs, gb), err
}

func (o *linear) ONNX() (string, map[string]any, []any) {
	return "Gemm", map[string]any{"transB": int64(1)}, nil
}
