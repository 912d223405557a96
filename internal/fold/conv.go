package fold

// Conv is [BatchNorm] for a convolution: weight is [K, C/groups, R, S], with or
// without some of the taps' dimensions, and K the number of units.
func Conv(dst, weight, bias, gamma, beta, mean, variance []float32, eps float32) (w, b []float32) {
	return BatchNorm(dst, weight, bias, gamma, beta, mean, variance, eps, false)
}

// ConvTranspose is [BatchNorm] for a transposed convolution that makes K
// channels, the units, of C: weight is [C, K/groups, R, S], with or without some
// of the taps' dimensions. It panics if C or K do not divide into groups.
func ConvTranspose(dst, weight, bias, gamma, beta, mean, variance []float32, eps float32, inputs, groups int) (w, b []float32) {
	units := len(gamma)
	if groups < 1 || inputs < 1 || inputs%groups != 0 || units%groups != 0 || len(weight)%(inputs*max(units/groups, 1)) != 0 {
		panic("fold: internal error: the weights of a transposed convolution do not divide into groups")
	}
	scale, b := affine(bias, gamma, beta, mean, variance, eps)
	w = target(dst, weight)
	width, depth := units/groups, inputs/groups
	size := depth * len(weight) / inputs // the weights of a group
	for g := range groups {
		scaleUnits(w[g*size:(g+1)*size], weight[g*size:], scale[g*width:(g+1)*width], depth)
	}
	return w, b
}
