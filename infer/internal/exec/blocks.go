package exec

import (
	"math"

	"gantry/internal/kernel"
	"gantry/internal/rng"
)

// block is a piece of a Unary's work that stays in the first cache: functions that package kernel has for vectors are
// applied to one of its buffers, and plain arithmetic makes the result of what they give. Errors are those of the kernel's function
// and of a few float32 operations, relative to the result, but that of erf and gelu far below zero, which is relative to 1 and to x.
type block struct {
	y, x []float32 // may be the same
	p    [2]float32
	t, u [512]float32
}

// elu computes s·x above 0, and g·(exp(x/d)-1) below. exp(z)-1 = 2t/(1-t) for t = tanh(z/2), in which nothing cancels.
func (b *block) elu(s, g, d float32) {
	t := b.t[:len(b.x)]
	for i, x := range b.x {
		t[i] = x / (2 * d)
	}
	kernel.Apply(nil, kernel.Tanh, 0, t, t)
	for i, x := range b.x {
		b.y[i] = choose(x, g*((t[i]+t[i])/(1-t[i])), s*x)
	}
}

// softplus computes log(1+exp(x)) = max(x, 0) + log(1+e) for e = exp(-|x|), where the logarithm of the rounded sum is corrected
// by what the sum lost.
func (b *block) softplus() {
	e, l := b.t[:len(b.x)], b.u[:len(b.x)]
	for i, x := range b.x {
		e[i] = -abs32(x)
	}
	kernel.Exp(nil, e, e)
	for i, v := range e {
		l[i] = 1 + v
		e[i] = (v - (l[i] - 1)) / l[i]
	}
	kernel.Log(nil, l, l)
	for i, x := range b.x {
		b.y[i] = max(x, 0) + (l[i] + e[i])
	}
}

// mish computes x·tanh(log(1+e)) = x·n/(n+2) for n = e·(e+2) and e = exp(x).
func (b *block) mish() {
	t := b.t[:len(b.x)]
	for i, x := range b.x {
		t[i] = min(x, 20) // from there on the quotient is 1
	}
	kernel.Exp(nil, t, t)
	for i, x := range b.x {
		n := float32(t[i] * (t[i] + 2))
		b.y[i] = x * (n / (n + 2))
	}
}

// swish computes x·sigmoid(alpha·x).
func (b *block) swish() {
	t := b.t[:len(b.x)]
	for i, x := range b.x {
		t[i] = b.p[0] * x
	}
	kernel.Apply(nil, kernel.Sigmoid, 0, t, t)
	for i, x := range b.x {
		b.y[i] = x * t[i]
	}
}

// geluTanh computes x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
func (b *block) geluTanh() {
	t := b.t[:len(b.x)]
	for i, x := range b.x {
		t[i] = 0.7978845608028654 * (x + float32(float32(0.044715*x)*float32(x*x)))
	}
	kernel.Apply(nil, kernel.Tanh, 0, t, t)
	for i, x := range b.x {
		b.y[i] = 0.5 * x * (1 + t[i])
	}
}

// gelu computes x/2·(1 + erf(x/√2)).
func (b *block) gelu() {
	t := b.t[:len(b.x)]
	for i, x := range b.x {
		t[i] = x * (1 / math.Sqrt2)
	}
	b.erf(t)
	for i, x := range b.x {
		b.y[i] = 0.5 * x * (1 + t[i])
	}
}

// erf replaces x, at most as long as a block, by its error function: x + x·P(x²) below erfSmall, else 1 - exp(-Q(|x|)). The
// polynomials have the least largest error relative to erf(x), by Remez's exchange: 2⁻²⁶ and 2⁻²⁹ before their coefficients are rounded.
func (b *block) erf(x []float32) {
	u := b.u[:len(x)]
	for i, v := range x {
		u[i] = -erfLarge(min(abs32(v), erfMax))
	}
	kernel.Exp(nil, u, u)
	for i, v := range x {
		far := math.Float32frombits(math.Float32bits(1-u[i]) | math.Float32bits(v)&(1<<31))
		x[i] = choose(abs32(v)-erfSmall, v+float32(v*erfNear(float32(v*v))), far)
	}
}

const (
	erfSmall = 0.9
	erfMax   = 4 // erf(4) is 1
)

func erfNear(z float32) float32 {
	return 0.128379153797 + float32(z*(-0.376125232768+float32(z*(0.112821408179+float32(z*(-0.0267789091405+float32(z*(0.00501196315286+float32(z*-0.000609036168239)))))))))
}

func erfLarge(a float32) float32 {
	return 0.000166453069946 + float32(a*(1.12779721894+float32(a*(0.636976124895+float32(a*(0.104113640592+float32(a*(-0.0223151939324+
		float32(a*(0.00306548531593+float32(a*-0.000198219128188)))))))))))
}

// turns are the binary places of 1/2π, behind 64 zeros.
var turns = [...]uint64{0, 0x28be60db9391054a, 0x7f09d5f47d4d3770, 0x36d8a5664f10e410, 0x7f9458eaf7aef158}

// cosSin returns the cosine and the sine of x, the float32 nearest to them but for some cases in a million. What x has in whole turns is
// taken off exactly: x is an integer times 2^e, and the binary places of 2^e/2π that matter are at hand.
func cosSin(x float32) (cos, sin float32) {
	bits := math.Float32bits(x) &^ (1 << 31)
	var c, s float64
	switch a := float64(abs32(x)); {
	case a <= math.Pi/4:
		c, s = rng.CosSin(a)
	case x-x != 0:
		return x - x, x - x
	default:
		e := int(bits>>23) - 150
		at, shift := uint(e+64)/64, uint(e+64)%64
		hi := turns[at]<<shift | turns[at+1]>>(64-shift)
		lo := turns[at+1]<<shift | turns[min(at+2, 4)]>>(64-shift)
		m := uint64(bits&(1<<23-1) | 1<<23)
		c, s = rng.CosSinTurn(m*hi + m*(lo>>32)>>32)
	}
	return float32(c), float32(s * math.Copysign(1, float64(x)))
}
