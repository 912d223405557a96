package imaging

import (
	"math"
	"math/big"
	"slices"
	"testing"
)

func TestPixels(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	const most = math.MaxFloat32
	for _, tt := range []struct {
		lo, hi float32
		x      []float32
		want   []uint8
	}{
		{-1, 1, []float32{-1, 0, 1, -1.5, 1.5, nan, inf, -inf, most, -most}, []uint8{0, 128, 255, 0, 255, 0, 255, 0, 255, 0}},
		{0, 1, []float32{0, 1, 0.5, 1e-9, -1e-9, nan, inf, -inf}, []uint8{0, 255, 128, 0, 0, 0, 255, 0}},
		// Halves go up, in either direction from zero.
		{0, 255, []float32{0.5, 1.5, 2.5, 253.5, 254.5, 0.49999997, 254.49998, -0.5, -0.50001}, []uint8{1, 2, 3, 254, 255, 1, 254, 0, 0}},
	} {
		dst := slices.Repeat([]uint8{99}, len(tt.x)+1)
		Pixels(dst, tt.x, tt.lo, tt.hi)
		if !slices.Equal(dst[:len(tt.x)], tt.want) || dst[len(tt.x)] != 99 {
			t.Errorf("[%v, %v]: %v -> %v, want %v", tt.lo, tt.hi, tt.x, dst[:len(tt.x)], tt.want)
		}
	}
}

// TestPixelsRounding compares with a second, exact computation in which every
// operation is rounded to float32 by package big.
func TestPixelsRounding(t *testing.T) {
	round := func(f *big.Float) *big.Float { return f.SetPrec(24) }
	float := func(x float32) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(float64(x)) }
	exact := func(x, lo, hi float32) uint8 {
		v := round(float(0).Sub(float(x), float(lo)))
		v = round(float(0).Mul(v, float(255)))
		width := round(float(0).Sub(float(hi), float(lo)))
		v = round(float(0).Quo(v, width))
		v = round(float(0).Add(v, float(0.5)))
		f, _ := v.Float64()
		return uint8(min(max(math.Floor(f), 0), 255))
	}
	for _, r := range [][2]float32{{-1, 1}, {0, 1}, {-0.3, 0.7}} {
		var x []float32
		for i := range 256 { // around each boundary between two pixels
			edge := r[0] + (r[1]-r[0])*(float32(i)+0.5)/255
			x = append(x, math.Nextafter32(edge, -9), edge, math.Nextafter32(edge, 9))
		}
		dst := make([]uint8, len(x))
		Pixels(dst, x, r[0], r[1])
		for i, v := range x {
			if want := exact(v, r[0], r[1]); dst[i] != want {
				t.Errorf("%v in %v: %d, want %d", v, r, dst[i], want)
			}
		}
	}
}
