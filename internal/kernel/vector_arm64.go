//go:build !purego

package kernel

// archVector does n > 0 elements from lo on, a multiple of the tier's lanes, in
// assembly, or reports false.
func archVector(id tierID, op vectorOp, j *elemJob, lo, n int) bool {
	return id == tierNEON && vectorNEON(op, j, lo, n)
}

// archVectorTraining is archVector for operations of training.
func archVectorTraining(id tierID, op vectorOp, j *elemJob, lo, n int) bool {
	return archVector(id, op, j, lo, n)
}

// vectorNEON does what the Go loop of the function xxxOp does, for elements lo
// ... lo+n-1 of j's slices, or reports that it lacks the operation; n is a
// positive multiple of 4.
//
//go:noescape
func vectorNEON(op vectorOp, j *elemJob, lo, n int) bool

// archFinite reports whether all elements of x, a multiple of the tier's lanes,
// are known to be finite.
func archFinite(id tierID, x []float32) bool {
	return id == tierNEON && finiteNEON(&x[0], len(x))
}

// finiteNEON reports whether x[i]-x[i] is 0 for n elements, a positive multiple
// of 4.
//
//go:noescape
func finiteNEON(x *float32, n int) bool
