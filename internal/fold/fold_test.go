package fold

import (
	"math"
	"math/big"
	"slices"
	"testing"
)

// TestBatchNorm compares with the definition in 200-bit arithmetic, rounded once.
func TestBatchNorm(t *testing.T) {
	const units, inputs, eps = 3, 2, 1e-5
	weight := []float32{0.5, -1.25, 3, 0.1, -0.7, 1e-3}
	bias := []float32{0.25, -3, 0}
	gamma := []float32{1, -0.3, 1.7}
	beta := []float32{0, 0.5, -0.25}
	mean := []float32{0.1, 2, -0.9}
	variance := []float32{1, 0.04, 7.5}
	num := func(x float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(x) }
	w, b := BatchNorm(nil, weight, bias, gamma, beta, mean, variance, eps, false)
	for i := range units {
		root := num(0).Sqrt(num(0).Add(num(float64(variance[i])), num(float64(float32(eps)))))
		s := num(0).Quo(num(float64(gamma[i])), root)
		for k := range inputs {
			near(t, "weight", w[i*inputs+k], num(0).Mul(num(float64(weight[i*inputs+k])), s))
		}
		shift := num(0).Sub(num(float64(bias[i])), num(float64(mean[i])))
		near(t, "bias", b[i], num(0).Add(num(0).Mul(shift, s), num(float64(beta[i]))))
	}
	wt, bt := BatchNorm(nil, transpose(weight, units, inputs), bias, gamma, beta, mean, variance, eps, true)
	if !slices.Equal(transpose(wt, inputs, units), w) || !slices.Equal(bt, b) {
		t.Errorf("transposed: got %v and %v, want %v and %v", wt, bt, w, b)
	}
	_, none := BatchNorm(nil, weight, nil, gamma, beta, mean, variance, eps, false)
	_, zero := BatchNorm(nil, weight, make([]float32, units), gamma, beta, mean, variance, eps, false)
	if !slices.Equal(none, zero) {
		t.Errorf("without bias: got %v, want %v", none, zero)
	}
}

// near wants the float32 nearest to want, or its neighbour: float64 in between
// rounds twice in rare cases.
func near(t *testing.T, what string, got float32, want *big.Float) {
	t.Helper()
	w, _ := want.Float32()
	if got != w && got != math.Nextafter32(w, got) {
		t.Errorf("%s: got %g, want %g", what, got, w)
	}
}

func transpose(x []float32, rows, cols int) []float32 {
	y := make([]float32, len(x))
	for i := range rows {
		for j := range cols {
			y[j*rows+i] = x[i*cols+j]
		}
	}
	return y
}
