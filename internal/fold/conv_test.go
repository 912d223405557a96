package fold

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestConv: a channel's weights are its taps of all inputs, one after the other.
func TestConv(t *testing.T) {
	weight := []float32{1, 2, 3, 4, 5, 6, 7, 8} // 2 channels of 2 inputs and 2 taps
	w, b := Conv(nil, weight, nil, []float32{2, 3}, []float32{1, -1}, []float32{5, 6}, []float32{3.75, 0}, 0.25)
	wantW, wantB := []float32{1, 2, 3, 4, 30, 36, 42, 48}, []float32{-4, -37} // scaled by 2/2 and 3/½
	if !slices.Equal(w, wantW) || !slices.Equal(b, wantB) {
		t.Errorf("got %v and %v, want %v and %v", w, b, wantW, wantB)
	}
}

// TestConvTranspose compares with BatchNorm, unit by unit: the weights that lead to
// one output channel, gathered.
func TestConvTranspose(t *testing.T) {
	const eps = 1e-3
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int, least float32) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = r.Float32() + least
		}
		return x
	}
	for _, c := range []struct{ inputs, units, groups, taps int }{{3, 4, 1, 6}, {4, 6, 2, 4}, {3, 3, 3, 1}, {1, 1, 1, 16}} {
		width, depth := c.units/c.groups, c.inputs/c.groups
		weight, bias := random(c.inputs*width*c.taps, -0.5), random(c.units, -0.5)
		gamma, beta, mean, variance := random(c.units, -0.5), random(c.units, -0.5), random(c.units, -0.5), random(c.units, 0.1)
		w, b := ConvTranspose(nil, weight, bias, gamma, beta, mean, variance, eps, c.inputs, c.groups)
		for k := range c.units {
			var old, got []float32 // [depth, taps]
			for q := range depth {
				at := ((k/width*depth+q)*width + k%width) * c.taps
				old = append(old, weight[at:at+c.taps]...)
				got = append(got, w[at:at+c.taps]...)
			}
			one := func(x []float32) []float32 { return x[k : k+1] }
			want, wantBias := Conv(nil, old, one(bias), one(gamma), one(beta), one(mean), one(variance), eps)
			if !slices.Equal(got, want) || b[k] != wantBias[0] {
				t.Errorf("%+v, unit %d: got %v and %v, want %v and %v", c, k, got, b[k], want, wantBias[0])
			}
		}
	}
}
