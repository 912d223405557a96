package exec

import (
	"math"

	"gantry/internal/rng"
)

// The functions of Arithmetic that are no single operation, by operation.
var (
	floatFunctions = [...]func(x, z float32) float32{
		Min: func(x, z float32) float32 { return min(x, z) }, Max: func(x, z float32) float32 { return max(x, z) },
		PRelu: func(x, z float32) float32 { return x * choose(x, z, 1) },
		Mod: func(x, z float32) float32 {
			r := fmod(x, z)
			switch {
			case r == 0:
				return float32(math.Copysign(0, float64(z)))
			case r < 0 != (z < 0):
				return r + z
			}
			return r
		},
		Fmod: fmod, power: pow,
	}
	integerFunctions = [...]func(x, z int64) int64{
		Min: func(x, z int64) int64 { return min(x, z) }, Max: func(x, z int64) int64 { return max(x, z) },
		PRelu: func(x, z int64) int64 { return max(x, 0) + z*min(x, 0) },
		Mod: func(x, z int64) int64 {
			r := x % z
			if r != 0 && r < 0 != (z < 0) {
				r += z
			}
			return r
		},
		Fmod: func(x, z int64) int64 { return x % z }, power: powInt,
	}
)

// choose returns below if x has a minus, else above, without a jump: the signs of activations cannot be predicted.
func choose(x, below, above float32) float32 {
	m := uint32(int32(math.Float32bits(x)) >> 31)
	return math.Float32frombits(math.Float32bits(below)&m | math.Float32bits(above)&^m)
}

// fmod is exact: a remainder of two float32 is one.
func fmod(x, z float32) float32 { return float32(math.Mod(float64(x), float64(z))) }

// pow returns x^y, the float32 nearest to it but for some cases in a million, with the special cases of C's pow.
func pow(x, y float32) float32 {
	if y == 2 {
		return x * x
	}
	a, b := math.Abs(float64(x)), float64(y)
	whole := math.Trunc(b) == b
	var p float64
	switch {
	case y == 0 || x == 1:
		return 1
	case x != x || y != y || x < 0 && !whole && a <= math.MaxFloat32:
		return float32(math.NaN())
	case b == 0.5:
		return float32(math.Sqrt(a))
	case whole && math.Abs(b) <= 64:
		p = 1
		for n := int(math.Abs(b)); n > 0; n >>= 1 {
			if n&1 == 1 {
				p *= a
			}
			a *= a
		}
		if b < 0 {
			p = 1 / p
		}
	case a == 1:
		p = 1
	default:
		p = exp64(float64(b * log64(a)))
	}
	if math.Signbit(float64(x)) && math.Abs(math.Mod(b, 2)) == 1 {
		p = -p
	}
	return float32(p)
}

// powInt returns x^y as repeated multiplication gives it, for y below zero the quotient without its fraction.
func powInt(x, y int64) int64 {
	if y < 0 {
		if x != 1 && x != -1 {
			return 0
		}
		y = -y
	}
	p := int64(1)
	for ; y > 0; y >>= 1 {
		if y&1 == 1 {
			p *= x
		}
		x *= x
	}
	return p
}

// log64 returns the logarithm of x, which is no subnormal number.
func log64(x float64) float64 {
	switch {
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case x-x != 0:
		return x
	}
	return rng.Log(x)
}

// inverseFactorials are 1/k!.
var inverseFactorials = [...]float64{1, 1, 1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320, 1. / 362880, 1. / 3628800}

// exp64 returns exp(x) to within 2⁻⁴⁰ of it: Taylor's polynomial for |r| <= ln(2)/2.
func exp64(x float64) float64 {
	switch {
	case x != x || x > 709:
		return x * math.Inf(1)
	case x < -700:
		return 0
	}
	n := math.RoundToEven(float64(x * math.Log2E))
	r := x - float64(n*math.Ln2)
	p := 0.0
	for k := len(inverseFactorials) - 1; k >= 0; k-- {
		p = inverseFactorials[k] + float64(r*p)
	}
	return float64(p * math.Float64frombits(uint64(int64(n)+1023)<<52))
}
