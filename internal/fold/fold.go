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
// is [units, inputs], or [inputs, units] if transposed. w, in the same layout, is
// dst, which may be weight itself, or a new slice if dst is nil; b is always new.
// BatchNorm panics if the lengths do not fit; the other arguments are only read,
// so it is safe for concurrent use with distinct dst.
func BatchNorm(dst, weight, bias, gamma, beta, mean, variance []float32, eps float32, transposed bool) (w, b []float32) {
	if len(gamma) == 0 || len(weight)%len(gamma) != 0 {
		panic("fold: internal error: the weights of a linear layer do not divide into units")
	}
	scale, b := affine(bias, gamma, beta, mean, variance, eps)
	w = target(dst, weight)
	if transposed {
		scaleUnits(w, weight, scale, len(weight)/len(gamma))
	} else {
		scaleUnits(w, weight, scale, 1)
	}
	return w, b
}

// target returns dst, or what stands for nil.
func target(dst, weight []float32) []float32 {
	if dst == nil {
		dst = make([]float32, len(weight))
	}
	return dst[:len(weight)]
}

// affine returns what the weights of each unit are multiplied by, and the folded
// bias.
func affine(bias, gamma, beta, mean, variance []float32, eps float32) (scale []float64, b []float32) {
	units := len(gamma)
	if len(beta) != units || len(mean) != units || len(variance) != units || bias != nil && len(bias) != units {
		panic("fold: internal error: lengths of a batch norm's parameters differ")
	}
	scale, b = make([]float64, units), make([]float32, units)
	for i := range units {
		s := float64(gamma[i]) / math.Sqrt(float64(variance[i])+float64(eps))
		shift := -float64(mean[i])
		if bias != nil {
			shift += float64(bias[i])
		}
		scale[i] = s
		b[i] = float32(float64(shift*s) + float64(beta[i]))
	}
	return scale, b
}

// scaleUnits computes dst = weight·scale for weight [outer, units, inner].
func scaleUnits(dst, weight []float32, scale []float64, outer int) {
	inner := len(dst) / (outer * len(scale))
	for i := range outer * len(scale) {
		s := scale[i%len(scale)]
		row := weight[i*inner : (i+1)*inner]
		for k, v := range row {
			dst[i*inner+k] = float32(float64(v) * s)
		}
	}
}
