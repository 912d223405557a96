package ref

import (
	"fmt"
	"math"
)

// SigmoidError is allowed in each result of Sigmoid beside its rounding: 0, but for a
// comparison with a runtime that computes 1/2 + f(x), whose small results lose their digits.
var SigmoidError float64

func init() {
	operators["Add"] = binary(func(a, b int64) int64 { return a + b }, func(a, b, ea, eb float64) (float64, float64) { return a + b, ea + eb })
	operators["Sub"] = binary(func(a, b int64) int64 { return a - b }, func(a, b, ea, eb float64) (float64, float64) { return a - b, ea + eb })
	operators["Mul"] = binary(func(a, b int64) int64 { return a * b }, func(a, b, ea, eb float64) (float64, float64) {
		return a * b, math.Abs(a)*eb + math.Abs(b)*ea + ea*eb
	})
	operators["Div"] = binary(func(a, b int64) int64 { return a / b }, func(a, b, ea, eb float64) (float64, float64) {
		least := math.Abs(b) - eb
		if least <= 0 {
			return a / b, math.Inf(1)
		}
		return a / b, (ea + math.Abs(a/b)*eb) / least
	})
	operators["Relu"] = unary(func(_ node, x float64) (float64, float64) { return math.Max(x, 0), 1 })
	operators["LeakyRelu"] = unary(func(n node, x float64) (float64, float64) {
		alpha := n.float("alpha", 0.01)
		if x < 0 {
			return alpha * x, math.Max(1, math.Abs(alpha))
		}
		return x, math.Max(1, math.Abs(alpha))
	})
	operators["Tanh"] = approximate(1.4, func(_ node, x float64) (float64, float64) { return math.Tanh(x), 1 })
	sigmoid := approximate(1.5, func(_ node, x float64) (float64, float64) { return 1 / (1 + math.Exp(-x)), 0.25 })
	operators["Sigmoid"] = func(n node, in []*Tensor) (*Tensor, error) {
		y, err := sigmoid(n, in)
		for i := range y.E {
			y.E[i] += SigmoidError
		}
		return y, err
	}
	operators["Abs"] = unary(func(_ node, x float64) (float64, float64) { return math.Abs(x), 1 })
	operators["Neg"] = unary(func(_ node, x float64) (float64, float64) { return -x, 1 })
	operators["Exp"] = bounded(1, math.Exp, func(x, e float64) float64 { return math.Exp(x) * math.Expm1(e) })
	operators["Log"] = bounded(0.9, math.Log, func(x, e float64) float64 { return e / (x - e) })
	operators["Sqrt"] = bounded(0, math.Sqrt, func(x, e float64) float64 { return math.Sqrt(x) - math.Sqrt(x-e) })
	operators["Reciprocal"] = bounded(0, func(x float64) float64 { return 1 / x }, func(x, e float64) float64 { return e / (math.Abs(x) * (math.Abs(x) - e)) })
	operators["Floor"] = bounded(0, math.Floor, func(x, e float64) float64 { return math.Floor(x+e) - math.Floor(x-e) })
	operators["Ceil"] = bounded(0, math.Ceil, func(x, e float64) float64 { return math.Ceil(x+e) - math.Ceil(x-e) })
	operators["Clip"] = clip
	operators["Identity"] = func(_ node, in []*Tensor) (*Tensor, error) { return in[0], nil }
}

// unary applies f, which returns a value and by how much it stretches errors.
func unary(f func(n node, x float64) (y, stretch float64)) func(node, []*Tensor) (*Tensor, error) {
	return approximate(0, f)
}

// approximate is unary for a function that is off by some units in the last
// place, each at most two units of rounding, before it is rounded.
func approximate(ulps float64, f func(n node, x float64) (y, stretch float64)) func(node, []*Tensor) (*Tensor, error) {
	return func(n node, in []*Tensor) (*Tensor, error) {
		y := newFloats(in[0].Shape)
		for i, x := range in[0].V {
			v, s := f(n, x)
			y.set(i, v, s*in[0].E[i]+2*ulps*unit*math.Abs(v))
		}
		return y, nil
	}
}

// bounded applies f; e returns how far f(x) may be off for an argument that is off by e, negative or NaN for any far.
// ulps is as in approximate.
func bounded(ulps float64, f func(x float64) float64, e func(x, e float64) float64) func(node, []*Tensor) (*Tensor, error) {
	return func(_ node, in []*Tensor) (*Tensor, error) {
		y := newFloats(in[0].Shape)
		for i, x := range in[0].V {
			off := 0.0
			if in[0].E[i] != 0 { // or NaN
				if off = e(x, in[0].E[i]); !(off >= 0) {
					off = math.Inf(1)
				}
			}
			y.set(i, f(x), off+2*ulps*unit*math.Abs(f(x)))
		}
		return y, nil
	}
}

func clip(n node, in []*Tensor) (*Tensor, error) {
	least, most := n.float("min", -math.MaxFloat32), n.float("max", math.MaxFloat32)
	y := newFloats(in[0].Shape)
	e := 0.0
	if n.opset >= 11 {
		least, most = math.Inf(-1), math.Inf(1)
		if len(in) > 1 && in[1] != nil {
			least, e = in[1].V[0], in[1].E[0]
		}
		if len(in) > 2 && in[2] != nil {
			most, e = in[2].V[0], max(e, in[2].E[0])
		}
	}
	for i, x := range in[0].V {
		y.V[i], y.E[i] = math.Min(math.Max(x, least), most), max(e, in[0].E[i])
	}
	return y, nil
}

// binary applies fi or ff after numpy's broadcasting.
func binary(fi func(a, b int64) int64, ff func(a, b, ea, eb float64) (y, e float64)) func(node, []*Tensor) (*Tensor, error) {
	return func(_ node, in []*Tensor) (*Tensor, error) {
		a, b := in[0], in[1]
		shape, err := broadcast(a.Shape, b.Shape)
		if err != nil {
			return nil, err
		}
		y := newLike(a, shape)
		each(shape, func(i int, c []int) {
			p, q := index(c, a.Shape), index(c, b.Shape)
			if y.V == nil {
				y.I[i] = y.DType.Wrap(fi(a.I[p], b.I[q]))
				return
			}
			v, e := ff(a.V[p], b.V[q], a.E[p], b.E[q])
			y.set(i, v, e)
		})
		return y, nil
	}
}

func broadcast(a, b []int) ([]int, error) {
	shape := make([]int, max(len(a), len(b)))
	for k := range shape {
		shape[k] = 1
		for _, s := range [][]int{a, b} {
			j := k - len(shape) + len(s)
			if j < 0 || s[j] == 1 {
				continue
			}
			if shape[k] != 1 && shape[k] != s[j] {
				return nil, fmt.Errorf("%v and %v do not broadcast", a, b)
			}
			shape[k] = s[j]
		}
	}
	return shape, nil
}
