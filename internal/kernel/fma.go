package kernel

import "math"

// fma returns x*y+z rounded once to float32, the bits of a hardware fused
// multiply-add.
//
// The product of two float32 is exact in float64. The sum s = p+z rounds to
// 53 bits and the conversion rounds again, to 24; the second rounding can only
// go wrong where s, already inexact, fell on the middle between two float32.
// Those cases, and results below the normal range, where the middle lies
// elsewhere, are left to fmaOdd.
//
// A compiler that fuses p+z, or s-p below, changes nothing: p is exact.
func fma(x, y, z float32) float32 {
	p := float64(x) * float64(y)
	s := p + float64(z)
	b := math.Float64bits(s)
	// The exponent test is true for 2⁻¹²⁶ <= |s| and for Inf and NaN.
	if b&0x1fffffff != 0x10000000 && b<<1 >= 0x3810000000000000<<1 {
		return float32(s)
	}
	return fmaOdd(p, float64(z), s)
}

// fmaOdd returns p+z rounded once to float32, where s is p+z rounded to
// float64. It finds the error of s (Knuth's TwoSum, exact) and, where there is
// one, replaces s by the neighbour with an odd last bit: rounding to odd keeps
// what the second rounding needs to know (Boldo and Melquiond, 2008).
func fmaOdd(p, z, s float64) float32 {
	t := s - p
	e := (p - (s - t)) + (z - t)
	if e != 0 { // so s is finite and not zero
		b := math.Float64bits(s)
		if b&1 == 0 {
			if (e > 0) == (s > 0) {
				b++
			} else {
				b--
			}
		}
		s = math.Float64frombits(b)
	}
	return float32(s)
}
