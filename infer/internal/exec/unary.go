package exec

import (
	"math"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func init() {
	for _, u := range []struct {
		name  string
		since int64
		attr  [2]string  // attributes
		def   [2]float32 // and what they are if they are left out
		Unary
	}{
		{name: "Exp", Unary: Unary{block: func(b *block) { kernel.Exp(nil, b.y, b.x) }}},
		{name: "Log", Unary: Unary{block: func(b *block) { kernel.Log(nil, b.y, b.x) }}},
		{name: "Abs", Unary: Unary{one: func(x, _, _ float32) float32 { return abs32(x) }, integer: func(x int64) int64 { return max(x, -x) }}},
		{name: "Ceil", Unary: Unary{one: func(x, _, _ float32) float32 { return float32(math.Ceil(float64(x))) }}},
		{name: "Cos", Unary: Unary{one: func(x, _, _ float32) float32 { c, _ := cosSin(x); return c }}},
		{name: "Elu", attr: [2]string{"alpha"}, def: [2]float32{1}, Unary: Unary{block: func(b *block) { b.elu(1, b.p[0], 1) }}},
		{name: "Celu", since: 12, attr: [2]string{"alpha"}, def: [2]float32{1}, Unary: Unary{block: func(b *block) { b.elu(1, b.p[0], b.p[0]) }}},
		{name: "Selu", attr: [2]string{"alpha", "gamma"}, def: [2]float32{1.67326319217681884765625, 1.05070102214813232421875},
			Unary: Unary{block: func(b *block) { b.elu(b.p[1], b.p[0]*b.p[1], 1) }}},
		{name: "Erf", since: 9, Unary: Unary{block: func(b *block) { copy(b.y, b.x); b.erf(b.y) }}},
		{name: "Floor", Unary: Unary{one: func(x, _, _ float32) float32 { return float32(math.Floor(float64(x))) }}},
		{name: "HardSigmoid", attr: [2]string{"alpha", "beta"}, def: [2]float32{0.2, 0.5}, Unary: Unary{one: hardSigmoid}},
		{name: "HardSwish", since: 14, Unary: Unary{one: func(x, _, _ float32) float32 { return x * hardSigmoid(x, 1./6, 0.5) }}},
		{name: "Mish", since: 18, Unary: Unary{block: (*block).mish}},
		{name: "Neg", Unary: Unary{one: func(x, _, _ float32) float32 { return -x }, integer: func(x int64) int64 { return -x }}},
		{name: "Reciprocal", Unary: Unary{one: func(x, _, _ float32) float32 { return 1 / x }}},
		{name: "Round", since: 11, Unary: Unary{one: func(x, _, _ float32) float32 { return float32(math.RoundToEven(float64(x))) }}},
		{name: "Sign", since: 9, Unary: Unary{one: func(x, _, _ float32) float32 { return sign(x) }, integer: sign[int64]}},
		{name: "Sin", Unary: Unary{one: func(x, _, _ float32) float32 { _, s := cosSin(x); return s }}},
		{name: "Softplus", Unary: Unary{block: (*block).softplus}},
		{name: "Softsign", Unary: Unary{one: func(x, _, _ float32) float32 { return x / (1 + abs32(x)) }}},
		{name: "Sqrt", Unary: Unary{one: func(x, _, _ float32) float32 { return float32(math.Sqrt(float64(x))) }}},
		{name: "Swish", since: 24, attr: [2]string{"alpha"}, def: [2]float32{1}, Unary: Unary{block: (*block).swish}},
		{name: "ThresholdedRelu", since: 10, attr: [2]string{"alpha"}, def: [2]float32{1}, Unary: Unary{one: func(x, alpha, _ float32) float32 {
			if x <= alpha {
				return 0
			}
			return x
		}}},
	} {
		plan.Register(plan.Operator{Name: u.name, MinIn: 1, MaxIn: 1, MaxOut: 1, Since: u.since, New: func(d *plan.Decl) (plan.Op, error) {
			op := u.Unary
			for i, name := range u.attr {
				if name != "" {
					op.p[i] = d.Float(name, u.def[i])
				}
			}
			if u.name == "Celu" && !(op.p[0] > 0) {
				return nil, errorf("attribute alpha is %v, want above 0", op.p[0])
			}
			return &op, nil
		}})
	}
	plan.Register(plan.Operator{Name: "Gelu", MinIn: 1, MaxIn: 1, MaxOut: 1, Since: 20, New: func(d *plan.Decl) (plan.Op, error) {
		if d.Choice("approximate", "none", "tanh") == "tanh" {
			return &Unary{block: (*block).geluTanh}, nil
		}
		return &Unary{block: (*block).gelu}, nil
	}})
}

// Unary is a function of each element. Where it is one operation, results are the float32 nearest to the exact value;
// blocks.go says how exact the others are.
type Unary struct {
	one     func(x, p0, p1 float32) float32 // or
	block   func(b *block)
	integer func(x int64) int64 // where the operator takes integers, too
	p       [2]float32          // attributes
}

// HWNC returns the operator on HWNC images.
func (u *Unary) HWNC() plan.Op { return u }

// Infer returns the argument's type.
func (u *Unary) Infer(in []*plan.Arg) (plan.Result, error) {
	if u.integer != nil && in[0].DType != plan.Bool {
		return result(in[0].DType, in[0].Shape), nil
	}
	return result(plan.Float32, in[0].Shape), plan.WantFloats(in)
}

// InPlace allows the result to overwrite the argument.
func (u *Unary) InPlace() []int { return []int{0} }

// Run applies the function.
func (u *Unary) Run(c *plan.Context, in, out []*plan.Tensor) error {
	for i, v := range in[0].I {
		out[0].I[i] = in[0].DType.Wrap(u.integer(v))
	}
	x, y := in[0].F, out[0].F
	each(c, len(y), 1, func(lo, hi int) {
		if u.one != nil {
			for i := lo; i < hi; i++ {
				y[i] = u.one(x[i], u.p[0], u.p[1])
			}
			return
		}
		b := block{p: u.p}
		for ; lo < hi; lo += len(b.t) {
			end := min(lo+len(b.t), hi)
			b.x, b.y = x[lo:end], y[lo:end]
			u.block(&b)
		}
	})
	return nil
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// sign returns -1, 0 or 1, and NaN for NaN.
func sign[T int64 | float32](x T) T {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func hardSigmoid(x, alpha, beta float32) float32 {
	y := float32(alpha*x) + beta
	switch {
	case y < 0:
		return 0
	case y > 1:
		return 1
	}
	return y
}
