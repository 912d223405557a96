package kernel

import "math"

// Losses are computed in float64, where every product is rounded before it is
// added, and rounded to float32 once at the end.

// expCoef64 holds 1/2!, 1/3!, ... 1/10!: with |r| <= ln(2)/2 the series for
// exp(r)-1 ends 2⁻⁴¹ away, relatively.
var expCoef64 = [9]float64{1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320, 1. / 362880, 1. / 3628800}

// exp64 returns exp(x) for |x| <= 700, with a relative error below 2⁻³⁸: a power
// of two s times exp(r) = 1 + q for the remainder r.
func exp64(x float64) float64 {
	const (
		ln2hi   = 6.93147180369123816490e-01 // 33 bits of ln 2: n·ln2hi is exact for |n| < 2²⁰
		ln2lo   = 1.90821492927058770002e-10
		roundTo = 0x1.8p52
	)
	t := float64(x*(1/math.Ln2)) + roundTo
	n := t - roundTo
	r := x - float64(n*ln2hi)
	r = r - float64(n*ln2lo)
	q := expCoef64[8]
	for i := 7; i >= 0; i-- {
		q = float64(q*r) + expCoef64[i]
	}
	q = r + float64(float64(r*r)*q)
	s := math.Float64frombits((math.Float64bits(t) + 1023) << 52)
	return float64(s*q) + s
}

// probability returns 1/(1+exp(-x)), rounded once.
func probability(x float32) float32 {
	a := -float64(x)
	if a > 120 {
		a = 120 // 1/(1+exp(120)) is 0 in float32
	}
	if a < -40 {
		a = -40 // and 1/(1+exp(-40)) is 1
	}
	return float32(1 / (exp64(a) + 1))
}

// softplus returns log(1+exp(x)) as max(x,0) + log1p(exp(-|x|)). Its relative
// error is below 2⁻³⁵ where the result is a normal float32.
func softplus(x float64) float64 {
	a := x
	if a > 0 {
		a = -a
	}
	if a < -700 {
		a = -700 // exp(-700) is nothing beside x, and 0 in float32
	}
	y := log1p(exp64(a))
	if x > 0 {
		return x + y
	}
	if x != x {
		return x
	}
	return y
}

// log1p returns log(1+u) for u in [0,1] as 2·artanh(u/(2+u)): the argument is
// at most 1/3, and the series ends after 16 terms.
func log1p(u float64) float64 {
	s := u / (2 + u)
	z := float64(s * s)
	q := 1. / 31
	for d := 29.; d >= 1; d -= 2 {
		q = float64(q*z) + 1/d
	}
	return 2 * float64(s*q)
}

// SoftplusMean returns scale·(1/n)·Σ softplus(sign·x[i]), the loss of n logits:
// softplus(-x) = -log D and softplus(x) = -log(1-D) for D = sigmoid(x). It sums
// in float64: each of the shards equal parts of x in order, the parts in a
// fixed tree. For n = 0 it returns 0.
func SoftplusMean(x []float32, sign, scale float32, shards int) float32 {
	needShards(len(x), shards)
	if len(x) == 0 {
		return 0
	}
	part := len(x) / shards
	sum := treeSum(0, shards, func(s int) float64 {
		t := 0.
		for _, v := range x[s*part : (s+1)*part] {
			t += softplus(float64(sign) * float64(v))
		}
		return t
	})
	return float32(float64(float64(scale)*sum) / float64(len(x)))
}

// treeSum adds leaf(lo) ... leaf(hi-1) in the tree of [addShards].
func treeSum(lo, hi int, leaf func(int) float64) float64 {
	if hi-lo == 1 {
		return leaf(lo)
	}
	mid := lo + treeSplit(hi-lo)
	return treeSum(lo, mid, leaf) + treeSum(mid, hi, leaf)
}

// treeSplit returns the size of the left part of n > 1 shards: the largest
// power of two below n.
func treeSplit(n int) int {
	s := 1
	for 2*s < n {
		s *= 2
	}
	return s
}

// SoftplusMeanGrad computes the derivative of [SoftplusMean] with respect to
// x: dst[i] = scale·sign/n·sigmoid(sign·x[i]). dst may be x.
func SoftplusMeanGrad(dst, x []float32, sign, scale float32) {
	need("x", len(x), len(dst))
	if len(dst) == 0 {
		return
	}
	c := float32(float64(sign) * float64(scale) / float64(len(dst)))
	for i := range dst {
		dst[i] = c * probability(sign*x[i])
	}
}

// SigmoidMean returns the mean of sigmoid(x[i]), summed in float64 in order:
// the discriminator's mean opinion. For an empty x it returns 0.
func SigmoidMean(x []float32) float32 {
	if len(x) == 0 {
		return 0
	}
	sum := 0.
	for _, v := range x {
		sum += float64(probability(v))
	}
	return float32(sum / float64(len(x)))
}
