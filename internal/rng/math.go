package rng

import "math"

// The approximations below are those of FreeBSD's msun (e_log.c, k_sin.c,
// k_cos.c; Sun Microsystems 1993, freely granted), with errors below one
// float64 ulp. Each product that is added to something, in the same expression or
// a later one, stands in float64(...), which forbids the compiler to fuse the two
// into one rounding. A test looks at what the arm64 compiler makes of it.

// Log returns the natural logarithm of a positive, finite, normal x: the same bits
// on every machine, within one ulp.
func Log(x float64) float64 {
	const (
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
		l1    = 6.666666666666735130e-01
		l2    = 3.999999999940941908e-01
		l3    = 2.857142874366239149e-01
		l4    = 2.222219843214978396e-01
		l5    = 1.818357216161805012e-01
		l6    = 1.531383769920937332e-01
		l7    = 1.479819860511658591e-01
	)
	// x = 2^e·m with m in [√½, √2).
	b := math.Float64bits(x)
	e := int(b>>52) - 1023
	m := math.Float64frombits(b&(1<<52-1) | 1023<<52)
	if m >= math.Sqrt2 {
		m *= 0.5
		e++
	}
	f, k := m-1, float64(e)
	s := f / (2 + f)
	s2 := float64(s * s)
	s4 := float64(s2 * s2)
	t1 := float64(s2 * (l1 + float64(s4*(l3+float64(s4*(l5+float64(s4*l7)))))))
	t2 := float64(s4 * (l2 + float64(s4*(l4+float64(s4*l6)))))
	r := t1 + t2
	h := float64(0.5 * f * f)
	return float64(k*ln2Hi) - ((h - (float64(s*(h+r)) + float64(k*ln2Lo))) - f)
}

// cosSinTurn returns the cosine and the sine of 2π·x/2³².
func cosSinTurn(x uint32) (cos, sin float64) { return CosSinTurn(uint64(x) << 32) }

// CosSinTurn returns the cosine and the sine of 2π·x/2⁶⁴. The angle is reduced
// to ±π/4 in integers, so results near zero are as accurate as others.
func CosSinTurn(x uint64) (cos, sin float64) {
	quarter := (x + 1<<61) >> 62 // nearest quarter turn, 0..3: the sum wraps
	cos, sin = CosSin(float64(float64(int64(x-quarter<<62)) * (math.Pi / (1 << 63))))
	switch quarter {
	case 1:
		return -sin, cos
	case 2:
		return -cos, -sin
	case 3:
		return sin, -cos
	}
	return cos, sin
}

// CosSin returns the cosine and the sine of an angle t of at most π/4 in size.
func CosSin(t float64) (cos, sin float64) {
	const (
		s1 = -1.66666666666666324348e-01
		s2 = 8.33333333332248946124e-03
		s3 = -1.98412698298579493134e-04
		s4 = 2.75573137070700676789e-06
		s5 = -2.50507602534068634195e-08
		s6 = 1.58969099521155010221e-10
		c1 = 4.16666666666666019037e-02
		c2 = -1.38888888888741095749e-03
		c3 = 2.48015872894767294178e-05
		c4 = -2.75573143513906633035e-07
		c5 = 2.08757232129817482790e-09
		c6 = -1.13596475577881948265e-11
	)
	z := float64(t * t)

	p := s2 + float64(z*(s3+float64(z*(s4+float64(z*(s5+float64(z*s6)))))))
	sin = t + float64(float64(z*t)*(s1+float64(z*p)))

	q := float64(z * (c1 + float64(z*(c2+float64(z*(c3+float64(z*(c4+float64(z*(c5+float64(z*c6)))))))))))
	h := float64(0.5 * z)
	w := 1 - h
	cos = w + ((1 - w - h) + float64(z*q))
	return cos, sin
}
