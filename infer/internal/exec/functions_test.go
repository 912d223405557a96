package exec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestPow compares pow with math.Pow on numbers of all sizes.
func TestPow(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300_000 {
		x, y := math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32())
		switch r.IntN(4) {
		case 0:
			x, y = float32(r.ExpFloat64()), float32(10*r.NormFloat64())
		case 1:
			y = float32(r.IntN(200) - 100)
		case 2:
			x, y = 1+float32(r.NormFloat64())*1e-3, float32(1e4*r.NormFloat64())
		}
		got, want := pow(x, y), float32(math.Pow(float64(x), float64(y)))
		near := math.Abs(float64(got)-float64(want)) <= math.Abs(float64(math.Nextafter32(want, 0))-float64(want)) // an unlucky rounding of the two results
		if got != want && !near && !(got != got && want != want) {
			t.Fatalf("pow(%v, %v) = %v, want %v", x, y, got, want)
		}
	}
}
