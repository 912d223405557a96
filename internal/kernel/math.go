package kernel

import "math"

// The transcendental functions of float32, in float32 and with fused
// multiply-adds. The assembly of each tier does the same operations in the same
// order. The coefficients are those of the polynomials with the least largest
// error, found by Remez's exchange and rounded to float32; the errors of the
// results, over all arguments, are at most
//
//	tanh 1.4 ulp, sigmoid 1.5, exp 1, log 0.9
//
// as TestAllInputs measures them.

const (
	log2e   float32 = 1 / math.Ln2
	ln2hi   float32 = 0x1.62e4p-1 // 15 bits of ln 2: n·ln2hi is exact for |n| < 512
	ln2lo   float32 = math.Ln2 - 0x1.62e4p-1
	roundTo float32 = 0x1.8p23 // adding it rounds to an integer, which the low bits then hold
)

// expCoef is the polynomial (exp(r)-1-r)/r² for |r| <= ln(2)/2, from r⁰ on. With
// exact arithmetic exp would be off by 2⁻²⁸.
var expCoef = [5]float32{0.5, 0x1.55548ep-3, 0x1.55545ep-5, 0x1.123b54p-7, 0x1.6db42p-10}

// tanhCoef is the polynomial (tanh(x)/x-1)/x² in x², for |x| <= tanhSmall.
var tanhCoef = [5]float32{-0x1.555534p-2, 0x1.110768p-3, -0x1.b8442ap-5, 0x1.5255fep-6, -0x1.76a81ep-8}

// logCoef is the polynomial (log(1+m)-m+m²/2)/m³ for 1+m in [3/4, 3/2).
var logCoef = [9]float32{0x1.555558p-2, -0x1.00007p-2, 0x1.9998c8p-3, -0x1.551b2p-3, 0x1.2442aap-3, -0x1.04661ep-3, 0x1.e0b3d2p-4, -0x1.7afc7ep-4, 0x1.3de812p-5}

const (
	tanhSmall float32 = 0.625 // below, tanh is a polynomial
	tanhMax   float32 = 9.1   // tanh(9.1) is 1
	expMax    float32 = 89    // exp(89) is above the largest number
	expMin    float32 = -104  // exp(-104) is below half the smallest
)

// exp2n returns p in [0.7, 1.5] and an integer n with exp(x) = 2ⁿ·p, for
// |x| < 200.
func exp2n(x float32) (p float32, n int32) {
	t := fma(x, log2e, roundTo)
	f := t - roundTo
	r := fma(f, -ln2lo, fma(f, -ln2hi, x))
	q := fma(horner(expCoef[:], r), r, 1)
	return fma(q, r, 1), int32(math.Float32bits(t) - math.Float32bits(roundTo))
}

// horner returns c[0] + c[1]·x + c[2]·x² + ...
func horner(c []float32, x float32) float32 {
	q := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		q = fma(q, x, c[i])
	}
	return q
}

// reciprocal returns 1/d, within 1 ulp: a polynomial that is off by at most 1 %, and
// two of Newton's steps, which square that. A division takes longer.
func reciprocal(d float32, coef []float32) float32 {
	y := horner(coef, d)
	y = fma(y, fma(-d, y, 1), y)
	return fma(y, fma(-d, y, 1), y)
}

var (
	recipCoef = [3]float32{210. / 99, -144. / 99, 32. / 99} // for d in [1,2]: (1 + T₃(2d-3)/99)/d with Chebyshev's T₃
	nearCoef  = [2]float32{0x1.c35f38p+0, -0x1.8acc28p-1}   // for d in [1, 1+exp(-2·tanhSmall)]: the same with T₂
)

// pow2 returns 2ⁿ for a normal result.
func pow2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

// exp32 returns exp(x).
func exp32(x float32) float32 {
	if x > expMax {
		x = expMax
	}
	if x < expMin {
		x = expMin
	}
	return scale(exp2n(x))
}

// scale returns 2ⁿ·p. Only the second factor can leave the normal range, so that
// the result is rounded once.
func scale(p float32, n int32) float32 {
	half := n >> 1
	return float32(float32(p*pow2(half)) * pow2(n-half))
}

// negative sets the sign.
func negative(x float32) float32 { return math.Float32frombits(math.Float32bits(x) | 1<<31) }

// tanh returns tanh(x): a polynomial for small x, else 1 - 2t/(1+t) with x's sign,
// for t = exp(-2|x|).
func tanh(x float32) float32 {
	a, y := negative(x), float32(0)
	if a > -tanhSmall {
		z := float32(x * x)
		y = fma(float32(x*z), horner(tanhCoef[:], z), x)
	} else {
		if a < -tanhMax {
			a = -tanhMax
		}
		p, n := exp2n(a + a)
		t := float32(p * pow2(n))
		y = fma(-(t + t), reciprocal(1+t, nearCoef[:]), 1)
	}
	return math.Float32frombits(math.Float32bits(y) | math.Float32bits(x)&(1<<31))
}

// sigmoid returns 1/(1+exp(-x)) as 1/(1+t) or t/(1+t) for t = exp(-|x|), which
// cannot overflow, corrected by what the quotient and 1+t lost when they were
// rounded.
func sigmoid(x float32) float32 {
	a := negative(x)
	if a < expMin {
		a = expMin
	}
	t := scale(exp2n(a))
	d := 1 + t
	num := float32(1)
	if x < 0 {
		num = t
	}
	r := reciprocal(d, recipCoef[:])
	y := float32(num * r)
	e := fma(-d, y, num)
	e = fma(-(t - (d - 1)), y, e)
	return fma(e, r, y)
}

// Parts of a float32.
const (
	oneBits  = 0x3f800000
	logShift = oneBits - 0x3f400000 // the distance of the bits of 1 and of 3/4
)

// log32 returns log(x): x = 2^e·(1+m) with 1+m in [3/4, 3/2) has the logarithm
// e·log(2) + log(1+m).
func log32(x float32) float32 {
	switch {
	case x == 0:
		return float32(math.Inf(-1))
	case x < 0:
		return float32(math.NaN())
	case x-x != 0: // Inf and NaN
		return x
	}
	bias := float32(127)
	if x < 0x1p-126 {
		x, bias = x*0x1p25, 127+25
	}
	b := math.Float32bits(x)
	k := (b + logShift) >> 23
	m := math.Float32frombits(b-k<<23+oneBits) - 1
	e := float32(int32(k)) - bias
	z := float32(m * m)
	y := float32(horner(logCoef[:], m) * float32(m*z))
	y = fma(e, ln2lo, y)
	y = fma(-0.5, z, y)
	return fma(e, ln2hi, m+y)
}
