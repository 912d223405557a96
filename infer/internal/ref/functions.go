package ref

import "math"

func init() {
	operators["Sin"] = approximate(1, func(_ node, x float64) (float64, float64) { return math.Sin(x), 1 })
	operators["Cos"] = approximate(1, func(_ node, x float64) (float64, float64) { return math.Cos(x), 1 })
	operators["Erf"] = approximate(2.5, func(_ node, x float64) (float64, float64) { return math.Erf(x), 1.13 })
	operators["Elu"] = scaled(func(n node, x float64) (y, stretch, size float64) { return elu(x, 1, n.float("alpha", 1), 1) })
	operators["Celu"] = scaled(func(n node, x float64) (y, stretch, size float64) {
		return elu(x, 1, n.float("alpha", 1), n.float("alpha", 1))
	})
	operators["Selu"] = scaled(func(n node, x float64) (y, stretch, size float64) {
		gamma := n.float("gamma", 1.05070102214813232421875)
		return elu(x, gamma, gamma*n.float("alpha", 1.67326319217681884765625), 1)
	})
	operators["Softplus"] = approximate(3, func(_ node, x float64) (float64, float64) { return softplus(x), 1 })
	operators["Mish"] = approximate(5, func(_ node, x float64) (float64, float64) { return x * math.Tanh(softplus(x)), 1.1 })
	operators["Swish"] = approximate(4, func(n node, x float64) (float64, float64) {
		alpha := n.float("alpha", 1)
		return x / (1 + math.Exp(-alpha*x)), 1.1
	})
	operators["Softsign"] = approximate(2, func(_ node, x float64) (float64, float64) { return x / (1 + math.Abs(x)), 1 })
	operators["HardSigmoid"] = scaled(func(n node, x float64) (y, stretch, size float64) {
		alpha, beta := n.float("alpha", 0.2), n.float("beta", 0.5)
		return math.Min(math.Max(alpha*x+beta, 0), 1), math.Abs(alpha), math.Min(math.Abs(alpha*x), 1+math.Abs(beta))
	})
	operators["HardSwish"] = scaled(func(_ node, x float64) (y, stretch, size float64) {
		return x * math.Min(math.Max(x/6+0.5, 0), 1), 1.5, 2 * math.Abs(x)
	})
	operators["Gelu"] = scaled(func(n node, x float64) (y, stretch, size float64) {
		if n.text("approximate", "none") == "tanh" {
			return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))), 1.13, 2 * math.Abs(x)
		}
		return x / 2 * math.Erfc(-x/math.Sqrt2), 1.13, 2 * math.Abs(x)
	})
	step := func(f func(x float64) float64) func(node, []*Tensor) (*Tensor, error) {
		return bounded(0, f, func(x, e float64) float64 { return f(x+e) - f(x-e) })
	}
	operators["Round"] = step(math.RoundToEven)
	operators["Sign"] = step(func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	})
	operators["ThresholdedRelu"] = func(n node, in []*Tensor) (*Tensor, error) {
		alpha := n.float("alpha", 1)
		y := newFloats(in[0].Shape)
		for i, x := range in[0].V {
			e := in[0].E[i]
			if x > alpha {
				y.V[i] = x
			}
			if y.E[i] = e; e > 0 && math.Abs(x-alpha) <= e {
				y.E[i] = e + math.Abs(alpha)
			}
		}
		return y, nil
	}
	operators["PRelu"] = binary(func(x, s int64) int64 {
		if x < 0 {
			return x * s
		}
		return x
	}, func(x, s, ex, es float64) (float64, float64) {
		e := ex*math.Max(1, math.Abs(s)+es) + math.Abs(x)*es
		if x < 0 {
			return x * s, e
		}
		return x, e
	})
	operators["Mod"] = func(n node, in []*Tensor) (*Tensor, error) {
		truncated := n.int("fmod", 0) != 0
		return binary(func(x, z int64) int64 {
			if r := x % z; truncated || r == 0 || r < 0 == (z < 0) {
				return r
			}
			return x%z + z
		}, func(x, z, ex, ez float64) (float64, float64) {
			e := 0.0
			if ex+ez > 0 { // a multiple of z more or less
				e = math.Abs(z) + ex + ez*(1+math.Abs(x/z))
			}
			if r := math.Mod(x, z); truncated || r == 0 || r < 0 == (z < 0) {
				return r, e
			}
			return math.Mod(x, z) + z, e
		})(n, in)
	}
	operators["Pow"] = binary(nil, func(x, y, ex, ey float64) (float64, float64) {
		p, e := math.Pow(x, y), 0.0
		for corner := range 4 {
			q := math.Pow(x+ex*float64(corner&1*2-1), y+ey*float64(corner&2-1))
			e = math.Max(e, math.Abs(q-p))
		}
		switch {
		case math.Abs(x) <= ex && y > 0: // between the corners is zero
			e += math.Abs(p)
		case math.Abs(x) <= ex && y < 0, math.IsNaN(e):
			e = math.Inf(1)
		}
		return p, e
	})
	larger := binary(func(a, b int64) int64 { return max(a, b) }, func(a, b, ea, eb float64) (float64, float64) { return math.Max(a, b), math.Max(ea, eb) })
	smaller := binary(func(a, b int64) int64 { return min(a, b) }, func(a, b, ea, eb float64) (float64, float64) { return math.Min(a, b), math.Max(ea, eb) })
	operators["Max"] = variadic(larger)
	operators["Min"] = variadic(smaller)
	operators["Sum"] = variadic(operators["Add"])
	operators["Mean"] = func(n node, in []*Tensor) (*Tensor, error) {
		y, err := operators["Sum"](n, in)
		if err != nil {
			return nil, err
		}
		k := float64(len(in))
		for i, v := range y.V {
			y.set(i, v/k, y.E[i]/k)
		}
		return y, nil
	}
}

// variadic applies f to the first two arguments, then to the result and the next.
func variadic(f func(node, []*Tensor) (*Tensor, error)) func(node, []*Tensor) (*Tensor, error) {
	return func(n node, in []*Tensor) (*Tensor, error) {
		y := &Tensor{DType: in[0].DType, Shape: in[0].Shape, V: append([]float64(nil), in[0].V...), E: append([]float64(nil), in[0].E...), I: in[0].I}
		for _, x := range in[1:] {
			var err error
			if y, err = f(n, []*Tensor{y, x}); err != nil {
				return nil, err
			}
		}
		return y, nil
	}
}

// scaled applies f, which returns a value, by how much it stretches errors, and the size of the numbers that it is computed from.
func scaled(f func(n node, x float64) (y, stretch, size float64)) func(node, []*Tensor) (*Tensor, error) {
	return func(n node, in []*Tensor) (*Tensor, error) {
		y := newFloats(in[0].Shape)
		for i, x := range in[0].V {
			v, s, size := f(n, x)
			y.set(i, v, s*in[0].E[i]+unit*size)
		}
		return y, nil
	}
}

// elu returns what scaled wants of s·x above zero and g·(exp(x/d)-1) below, where a runtime may subtract the 1 from a rounded exp(x/d).
func elu(x, s, g, d float64) (y, stretch, size float64) {
	stretch = math.Max(math.Abs(s), math.Abs(g/d))
	if x > 0 {
		return s * x, stretch, 2 * math.Abs(s*x)
	}
	return g * math.Expm1(x/d), stretch, 2 * math.Abs(g)
}

func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
