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
	tanhMax    = 20   // tanh(20) is 1
	sigmoidMax = 120  // 1/(1+exp(120)) is 0
	sigmoidMin = -40  // 1/(1+exp(-40)) is 1
	expMax     = 89   // exp(89) is above the largest number
	expMin     = -104 // exp(-104) is below half the smallest
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

// exp32 returns exp(x).
func exp32(x float32) float32 {
	a := float64(x)
	if a > expMax {
		a = expMax
	}
	if a < expMin {
		a = expMin
	}
	return float32(exp(a))
}

// logCoef holds 1/3, 1/5, ... 1/15: for a factor f in [√½, √2) the
// series of artanh((f-1)/(f+1)) ends 2⁻⁴⁴ away, relatively.
var logCoef = [7]float64{1. / 3, 1. / 5, 1. / 7, 1. / 9, 1. / 11, 1. / 13, 1. / 15}

// logShift is the distance of the bits of 1 and of √½.
const logShift = 0x3ff0000000000000 - 0x3fe6a09e667f3bcd

// log32 returns log(x): x = 2^e·f with f in [√½, √2) has the
// logarithm e·log(2) + 2·artanh((f-1)/(f+1)).
func log32(x float32) float32 {
	switch {
	case x == 0:
		return float32(math.Inf(-1))
	case x < 0:
		return float32(math.NaN())
	case x-x != 0: // Inf and NaN
		return x
	}
	b := math.Float64bits(float64(x))
	e := (b + logShift) >> 52
	f := math.Float64frombits(b - e<<52 + 1023<<52)
	s := (f - 1) / (f + 1)
	z := float64(s * s)
	q := logCoef[6]
	for i := 5; i >= 0; i-- {
		q = float64(q*z) + logCoef[i]
	}
	q = s + float64(s*float64(q*z))
	return float32(float64((float64(e)-1023)*math.Ln2) + (q + q))
}
