//go:build !purego

package kernel

//lint:file-ignore U1000 the assembly reads laneNumbers

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

// archVectorTraining is archVector for operations of training.
func archVectorTraining(id tierID, op vectorOp, j *elemJob, lo, n int) bool {
	switch id {
	case tierAVX512:
		vectorTrainingAVX512(op, j, lo, n)
	case tierAVX2:
		vectorTrainingAVX2(op, j, lo, n)
	default:
		return false
	}
	return true
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

// vectorAVX512 does what the Go loop of the function xxxOp does for the op
// vectorXxx, for elements (or units of maxout) lo ... lo+n-1 of j's slices; n is
// a positive multiple of 16.
//
//go:noescape
func vectorAVX512(op vectorOp, j *elemJob, lo, n int)

// vectorAVX2 is the same for multiples of 8.
//
//go:noescape
func vectorAVX2(op vectorOp, j *elemJob, lo, n int)

//go:noescape
func vectorTrainingAVX512(op vectorOp, j *elemJob, lo, n int)

//go:noescape
func vectorTrainingAVX2(op vectorOp, j *elemJob, lo, n int)

// finiteAVX512 reports whether x[i]-x[i] is 0 for n elements, a positive
// multiple of 16.
//
//go:noescape
func finiteAVX512(x *float32, n int) bool

// finiteAVX2 is the same for multiples of 8.
//
//go:noescape
func finiteAVX2(x *float32, n int) bool

// laneNumbers numbers the lanes of a vector.
var laneNumbers = [16]int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
