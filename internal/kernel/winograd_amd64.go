//go:build !purego

package kernel

// archWino does n > 0 elements of each row, a multiple of the tier's lanes, in
// assembly, or reports false.
func archWino(id tierID, op winoOp, a *winoArgs, n int) bool {
	switch id {
	case tierAVX512:
		winoAVX512(op, a, n)
	case tierAVX2:
		winoAVX2(op, a, n)
	default:
		return false
	}
	return true
}

// archWinoGrad is archWino for the operations of weight gradients.
func archWinoGrad(id tierID, op winoOp, a *winoArgs, n int) bool {
	switch id {
	case tierAVX512:
		winoGradAVX512(op, a, n)
	case tierAVX2:
		winoGradAVX2(op, a, n)
	default:
		return false
	}
	return true
}

// winoAVX512 does what winoArgs.element does, for n elements of each row, a positive
// multiple of 16.
//
//go:noescape
func winoAVX512(op winoOp, a *winoArgs, n int)

// winoAVX2 is the same for multiples of 8.
//
//go:noescape
func winoAVX2(op winoOp, a *winoArgs, n int)

//go:noescape
func winoGradAVX512(op winoOp, a *winoArgs, n int)

//go:noescape
func winoGradAVX2(op winoOp, a *winoArgs, n int)
