package kernel

import "math"

// The transcendental functions work in float64, where every product is
// rounded before it is added, and round to float32 once at the end.

const (
	log2e   = 1 / math.Ln2
	ln2hi   = 6.93147180369123816490e-01 // 33 bits of ln 2: n·ln2hi is exact for |n| < 2²⁰
	ln2lo   = 1.90821492927058770002e-10
	roundTo = 0x1.8p52 // adding it rounds to an integer, which the low bits then hold
)

// expm1Coef holds 1/2!, 1/3!, ... 1/10!: with |r| <= ln(2)/2 the series for
// exp(r)-1 ends 2⁻⁴¹ away, relatively.
var expm1Coef = [9]float64{1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320, 1. / 362880, 1. / 3628800}

// Where the functions are constant in float32.
const (
	tanhMax    = 20  // tanh(20) is 1
	sigmoidMax = 120 // 1/(1+exp(120)) is 0
	sigmoidMin = -40 // 1/(1+exp(-40)) is 1
)

// exp2n returns q and s with exp(x) = s·q + s for |x| <= 700: s is a power of
// two, q is exp(r)-1 for the remainder r, with a relative error below 2⁻³⁸.
func exp2n(x float64) (q, s float64) {
	t := float64(x*log2e) + roundTo
	n := t - roundTo
	r := x - float64(n*ln2hi)
	r = r - float64(n*ln2lo)
	q = expm1Coef[8]
	for i := 7; i >= 0; i-- {
		q = float64(q*r) + expm1Coef[i]
	}
	q = r + float64(float64(r*r)*q)
	return q, math.Float64frombits((math.Float64bits(t) + 1023) << 52)
}

// expm1 returns exp(x)-1 for |x| <= 700; it is exact to 2⁻³⁸ near 0 too.
func expm1(x float64) float64 {
	q, s := exp2n(x)
	return float64(s*q) + (s - 1)
}

// exp returns exp(x) for |x| <= 700.
func exp(x float64) float64 {
	q, s := exp2n(x)
	return float64(s*q) + s
}

// tanh returns tanh(x) = e/(e+2) for e = expm1(2|x|), with x's sign.
func tanh(x float32) float32 {
	a := float64(math.Float32frombits(math.Float32bits(x) &^ (1 << 31)))
	if a > tanhMax {
		a = tanhMax
	}
	e := expm1(a + a)
	y := math.Float32bits(float32(e / (e + 2)))
	return math.Float32frombits(y | math.Float32bits(x)&(1<<31))
}

// sigmoid returns 1/(1+exp(-x)).
func sigmoid(x float32) float32 {
	a := -float64(x)
	if a > sigmoidMax {
		a = sigmoidMax
	}
	if a < sigmoidMin {
		a = sigmoidMin
	}
	return float32(1 / (exp(a) + 1))
}
