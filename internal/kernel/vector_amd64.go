//go:build !purego

package kernel

// archVector does n > 0 elements from lo on, a multiple of the tier's lanes, in
// assembly, or reports false.
func archVector(id tierID, op vectorOp, j *elemJob, lo, n int) bool {
	switch id {
	case tierAVX512:
		vectorAVX512(op, j, lo, n)
	case tierAVX2:
		vectorAVX2(op, j, lo, n)
	default:
		return false
	}
	return true
}

func vectorAVX512(op vectorOp, j *elemJob, lo, n int) {
	switch op {
	case vectorAdd:
		vectorAddAVX512(j, lo, n)
	case vectorMul:
		vectorMulAVX512(j, lo, n)
	case vectorAffine:
		vectorAffineAVX512(j, lo, n)
	case vectorRelu:
		vectorReluAVX512(j, lo, n)
	case vectorLeakyRelu:
		vectorLeakyReluAVX512(j, lo, n)
	case vectorTanh:
		vectorTanhAVX512(j, lo, n)
	case vectorSigmoid:
		vectorSigmoidAVX512(j, lo, n)
	case vectorReluGrad:
		vectorReluGradAVX512(j, lo, n)
	case vectorLeakyReluGrad:
		vectorLeakyReluGradAVX512(j, lo, n)
	case vectorTanhGrad:
		vectorTanhGradAVX512(j, lo, n)
	case vectorSigmoidGrad:
		vectorSigmoidGradAVX512(j, lo, n)
	case vectorMomentum:
		vectorMomentumAVX512(j, lo, n)
	case vectorAdam:
		vectorAdamAVX512(j, lo, n)
	}
}

func vectorAVX2(op vectorOp, j *elemJob, lo, n int) {
	switch op {
	case vectorAdd:
		vectorAddAVX2(j, lo, n)
	case vectorMul:
		vectorMulAVX2(j, lo, n)
	case vectorAffine:
		vectorAffineAVX2(j, lo, n)
	case vectorRelu:
		vectorReluAVX2(j, lo, n)
	case vectorLeakyRelu:
		vectorLeakyReluAVX2(j, lo, n)
	case vectorTanh:
		vectorTanhAVX2(j, lo, n)
	case vectorSigmoid:
		vectorSigmoidAVX2(j, lo, n)
	case vectorReluGrad:
		vectorReluGradAVX2(j, lo, n)
	case vectorLeakyReluGrad:
		vectorLeakyReluGradAVX2(j, lo, n)
	case vectorTanhGrad:
		vectorTanhGradAVX2(j, lo, n)
	case vectorSigmoidGrad:
		vectorSigmoidGradAVX2(j, lo, n)
	case vectorMomentum:
		vectorMomentumAVX2(j, lo, n)
	case vectorAdam:
		vectorAdamAVX2(j, lo, n)
	}
}

// archFinite reports whether all elements of x, a multiple of the tier's lanes,
// are known to be finite.
func archFinite(id tierID, x []float32) bool {
	switch id {
	case tierAVX512:
		return finiteAVX512(&x[0], len(x))
	case tierAVX2:
		return finiteAVX2(&x[0], len(x))
	}
	return false
}

// The assembly does what the Go loops of the functions xxxOp do, for elements
// lo ... lo+n-1 of j's slices; n is a positive multiple of 16 or 8.

//go:noescape
func vectorAddAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorMulAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorAffineAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorReluAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorLeakyReluAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorTanhAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorSigmoidAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorReluGradAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorLeakyReluGradAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorTanhGradAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorSigmoidGradAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorMomentumAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorAdamAVX512(j *elemJob, lo, n int)

//go:noescape
func vectorAddAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorMulAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorAffineAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorReluAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorLeakyReluAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorTanhAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorSigmoidAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorReluGradAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorLeakyReluGradAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorTanhGradAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorSigmoidGradAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorMomentumAVX2(j *elemJob, lo, n int)

//go:noescape
func vectorAdamAVX2(j *elemJob, lo, n int)

// finiteAVX512 reports whether x[i]-x[i] is 0 for n elements, a positive
// multiple of 16.
//
//go:noescape
func finiteAVX512(x *float32, n int) bool

// finiteAVX2 is the same for multiples of 8.
//
//go:noescape
func finiteAVX2(x *float32, n int) bool
