package ref

import (
	"math"
	"slices"
)

func init() {
	operators["Gemm"] = gemm
	operators["MatMul"] = matmul
	operators["BatchNormalization"] = batchNorm
}

// dot sets element i of y to scale · Σ a[p(j)]·b[q(j)] + c for j in 0..k-1, in any order.
func dot(y *Tensor, i int, a, b *Tensor, k int, p, q func(j int) int, scale, c, ec float64) {
	var s sum
	for j := range k {
		s.add(a, p(j), b, q(j))
	}
	s.times(scale)
	s.bias, s.biasErr = c, ec
	s.store(y, i)
}

func gemm(n node, in []*Tensor) (*Tensor, error) {
	a, b := in[0], in[1]
	strides := func(x *Tensor, trans bool) (rows, cols, rowStep, colStep int) {
		if trans {
			return x.Shape[1], x.Shape[0], 1, x.Shape[1]
		}
		return x.Shape[0], x.Shape[1], x.Shape[1], 1
	}
	m, k, aRow, aCol := strides(a, n.int("transA", 0) != 0)
	_, cols, bRow, bCol := strides(b, n.int("transB", 0) != 0)
	alpha, beta := n.float("alpha", 1), n.float("beta", 1)
	y := newFloats([]int{m, cols})
	each(y.Shape, func(i int, c []int) {
		var v, e float64
		if len(in) > 2 && in[2] != nil {
			at := index(c, in[2].Shape)
			v, e = beta*in[2].V[at], math.Abs(beta)*in[2].E[at]
		}
		dot(y, i, a, b, k, func(j int) int { return c[0]*aRow + j*aCol }, func(j int) int { return j*bRow + c[1]*bCol }, alpha, v, e)
	})
	return y, nil
}

func matmul(_ node, in []*Tensor) (*Tensor, error) {
	a, b := *in[0], *in[1]
	vecA, vecB := len(a.Shape) == 1, len(b.Shape) == 1
	if vecA {
		a.Shape = []int{1, a.Shape[0]}
	}
	if vecB {
		b.Shape = []int{b.Shape[0], 1}
	}
	ra, rb := len(a.Shape)-2, len(b.Shape)-2
	m, k, cols := a.Shape[ra], a.Shape[ra+1], b.Shape[rb+1]
	shape, err := broadcast(a.Shape[:ra], b.Shape[:rb])
	if err != nil {
		return nil, err
	}
	batch := len(shape)
	y := newFloats(append(shape, m, cols))
	each(y.Shape, func(i int, c []int) {
		p, q := index(c[:batch], a.Shape[:ra])*m*k+c[batch]*k, index(c[:batch], b.Shape[:rb])*k*cols+c[batch+1]
		dot(y, i, &a, &b, k, func(j int) int { return p + j }, func(j int) int { return q + j*cols }, 1, 0, 0)
	})
	if vecB {
		y.Shape = y.Shape[:batch+1]
	}
	if vecA {
		y.Shape = slices.Delete(slices.Clone(y.Shape), batch, batch+1)
	}
	return y, nil
}

func batchNorm(n node, in []*Tensor) (*Tensor, error) {
	x, y := in[0], newFloats(in[0].Shape)
	eps := n.float("epsilon", 1e-5)
	each(x.Shape, func(i int, c []int) {
		k := 0 // the channel
		if len(c) > 1 {
			k = c[1]
		}
		g, b, mean, variance := in[1].V[k], in[2].V[k], in[3].V[k], in[4].V[k]
		s := g / math.Sqrt(variance+eps)
		// Folded into weights, x·s and mean·s are rounded apart: their sizes count, not that of x-mean.
		y.set(i, (x.V[i]-mean)*s+b, math.Abs(s)*x.E[i]+4*unit*(math.Abs(s)*(math.Abs(x.V[i])+math.Abs(mean))+math.Abs(b)))
	})
	return y, nil
}
