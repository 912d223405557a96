// Package fold puts a batch normalisation into the linear layer before it. The
// exporter, its verification and the passes of infer all use this one, so they
// agree to the bit.
package fold

import "math"

// BatchNorm folds y = (x·Wᵀ + bias - mean)/√(variance+eps)·gamma + beta, a linear
// layer and the batch normalisation of its output with fixed statistics
// (Ioffe and Szegedy 2015, section 3.1), into the linear layer y = x·wᵀ + b:
//
//	w[i][k] = W[i][k]·s    b[i] = (bias[i] - mean[i])·s + beta[i]    s = gamma[i]/√(variance[i]+eps)
//
// The arithmetic is float64, rounded to float32 once for each result. gamma,
// beta, mean and variance are [units], bias is [units] or nil for zeros, weight
// is [units, inputs], or [inputs, units] if transposed. The results are new
// slices in the same layout. BatchNorm panics if the lengths do not fit; the
// arguments are only read, so it is safe for concurrent use.
func BatchNorm(weight, bias, gamma, beta, mean, variance []float32, eps float32, transposed bool) (w, b []float32) {
	units := len(gamma)
	if units == 0 || len(weight)%units != 0 || len(beta) != units || len(mean) != units || len(variance) != units || bias != nil && len(bias) != units {
		panic("fold: internal error: lengths of a batch norm's parameters differ")
	}
	w, b = make([]float32, len(weight)), make([]float32, units)
	inputs := len(weight) / units
	start, step := inputs, 1 // of unit i's weights: i·start, then every step-th
	if transposed {
		start, step = 1, units
	}
	for i := range units {
		s := float64(gamma[i]) / math.Sqrt(float64(variance[i])+float64(eps))
		for k := range inputs {
			at := i*start + k*step
			w[at] = float32(float64(weight[at]) * s)
		}
		shift := -float64(mean[i])
		if bias != nil {
			shift += float64(bias[i])
		}
		b[i] = float32(float64(shift*s) + float64(beta[i]))
	}
	return w, b
}
