package metric

import (
	"math"
	"slices"
	"testing"

	"gantry/internal/rng"
)

// ring returns n centers on the unit circle.
func ring(n int) [][2]float64 {
	c := make([][2]float64, n)
	for i := range c {
		c[i][1], c[i][0] = math.Sincos(2 * math.Pi * float64(i) / float64(n))
	}
	return c
}

// around returns samples of Gaussians around centers: sample i of center which[i].
func around(centers [][2]float64, std float64, which []int) []float32 {
	x := make([]float32, 2*len(which))
	for i, w := range which {
		rng.Normal(x[2*i:2*i+2], 1, rng.SampleLatent, 0, uint64(i))
		for j := range 2 {
			x[2*i+j] = float32(centers[w][j] + std*float64(x[2*i+j]))
		}
	}
	return x
}

func TestModes(t *testing.T) {
	centers := ring(8)
	var which []int
	for i := range 8 {
		which = append(which, slices.Repeat([]int{i}, 1000)...)
	}
	s := Modes(around(centers, 0.01, which), centers, 0.01)
	// Within three standard deviations in the plane lie 1-exp(-9/2) = 98.9 %.
	if s.Samples != 8000 || s.Hit != 8 || math.Abs(s.Share()-0.98889) > 0.004 || s.ReverseKL > 1e-3 || s.ReverseKL < 0 {
		t.Errorf("the mixture itself: %+v", s)
	}

	s = Modes(around(centers, 0.001, []int{3, 3, 3, 5}), centers, 0.01)
	kl := 0.75*math.Log(0.75*8) + 0.25*math.Log(0.25*8)
	if s.Hit != 2 || !slices.Equal(s.Counts, []int{0, 0, 0, 3, 0, 1, 0, 0}) || math.Abs(s.ReverseKL-kl) > 1e-12 {
		t.Errorf("two modes: got %+v, want a divergence of %v", s, kl)
	}

	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	s = Modes([]float32{0, 0, nan, 0, 1, nan, inf, 0, 1.03001, 0}, centers, 0.01)
	if s.Hit != 0 || s.HighQuality != 0 || s.Samples != 5 || !math.IsNaN(s.ReverseKL) {
		t.Errorf("samples far from all modes: %+v", s)
	}
	if s = Modes([]float32{1.0299, 0}, centers, 0.01); s.Hit != 1 {
		t.Errorf("a sample just within three standard deviations: %+v", s)
	}
	if s = Modes(nil, centers, 0.01); s.Samples != 0 || !math.IsNaN(s.Share()) {
		t.Errorf("no samples: %+v", s)
	}
}
