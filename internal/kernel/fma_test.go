package kernel

import (
	"math"
	"math/big"
	"testing"
)

// bigFMA is x*y+z, computed exactly and rounded once; x, y and z are finite.
func bigFMA(x, y, z float32) float32 {
	p := new(big.Float).SetPrec(1000).Mul(big.NewFloat(float64(x)), big.NewFloat(float64(y)))
	p.SetPrec(1000).Add(p, big.NewFloat(float64(z)))
	if p.Sign() == 0 { // big.Float knows no sign of an exact zero sum
		return float32(float64(x)*float64(y) + float64(z))
	}
	f, _ := p.Float32()
	return f
}

func TestFMA(t *testing.T) {
	check := func(x, y, z float32) {
		t.Helper()
		if got, want := fma(x, y, z), bigFMA(x, y, z); math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("fma(%x, %x, %x) = %x, want %x", x, y, z, got, want)
		}
	}
	var s noise
	finite := func() float32 {
		for {
			if x := s.bits(); x-x == 0 {
				return x
			}
		}
	}
	for range 20000 {
		check(finite(), finite(), finite())
		// Terms of like size: the sum cancels, or is inexact.
		x, y := s.float(), s.float()
		check(x, y, s.float())
		check(x, y, -x*y)
		// Halfway cases: a product that adds a little to the middle between two float32.
		z := float32(1 + float64(s.below(1<<23))*0x1p-23)
		half := float32(math.Ldexp(1, -24))
		tiny := float32(math.Ldexp(float64(1+s.below(100)), -60-s.below(80)))
		check(half, 1, z)
		check(half+half*float32(s.below(2))*0x1p-23, 1-float32(s.below(2))*0x1p-24, z)
		check(half, 1+float32(s.below(4))*0x1p-23, -z)
		check(tiny, 1, z)
		// Near and below the end of the normal range.
		x = float32(math.Ldexp(float64(s.float()), -60-s.below(16)))
		y = float32(math.Ldexp(float64(s.float()), -60-s.below(16)))
		check(x, y, float32(math.Ldexp(float64(s.float()), -120-s.below(32))))
		check(x, y, 0)
		// Near overflow.
		check(float32(math.Ldexp(float64(s.float()), 64)), float32(math.Ldexp(float64(s.float()), 64)),
			float32(math.Ldexp(float64(s.float()), 127)))
	}
	for _, x := range []float32{0, float32(math.Copysign(0, -1)), 1, -1, math.MaxFloat32, math.SmallestNonzeroFloat32, 0x1p-126, -0x1p-126, 0x1p-75, -0x1p-75} {
		for _, y := range []float32{0, 1, -1, math.MaxFloat32, math.SmallestNonzeroFloat32, 0x1p-126, 0x1p-75, 0x1p-74} {
			for _, z := range []float32{0, float32(math.Copysign(0, -1)), 1, -math.MaxFloat32, math.SmallestNonzeroFloat32, 0x1p-126, 0x1.fffffep-127} {
				check(x, y, z)
			}
		}
	}
	inf := float32(math.Inf(1))
	for _, c := range []struct{ x, y, z, want float32 }{{inf, 1, 1, inf}, {1, 1, -inf, -inf}, {math.MaxFloat32, 2, -inf, -inf}, {math.MaxFloat32, 2, 0, inf}} {
		if got := fma(c.x, c.y, c.z); got != c.want {
			t.Errorf("fma(%v, %v, %v) = %v, want %v", c.x, c.y, c.z, got, c.want)
		}
	}
	for _, c := range [][3]float32{{inf, 0, 1}, {inf, 1, -inf}, {float32(math.NaN()), 1, 1}} {
		if got := fma(c[0], c[1], c[2]); got == got {
			t.Errorf("fma(%v) = %v, want NaN", c, got)
		}
	}
}

// TestFMATierBits compares the reference with the processor's own fused
// multiply-add, on operands of every kind.
func TestFMATierBits(t *testing.T) {
	var s noise
	const n = 4800
	for round := range 20 {
		a, b := make([]float32, 2), make([]float32, 2*n)
		for i := range b {
			b[i] = s.bits()
		}
		for i := range a {
			a[i] = float32(math.Ldexp(float64(s.float()), s.below(200)-100))
		}
		if round%2 == 0 {
			for i := range b {
				b[i] = float32(math.Ldexp(float64(s.float()), s.below(20)-10))
			}
			a[0], a[1] = s.float(), s.float()
		}
		got, want := make([]float32, n), make([]float32, n)
		onTier(&goTier, func() { Gemm(nil, NN, want, a, b, 1, n, 2, Epilogue{}) })
		for _, ti := range tiers {
			onTier(ti, func() { Gemm(nil, NN, got, a, b, 1, n, 2, Epilogue{}) })
			sameBits(t, "1x4800x2 on "+ti.name, got, want)
		}
	}
}
