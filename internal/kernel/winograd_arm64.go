//go:build !purego

package kernel

// archWino does n > 0 elements of each row, a multiple of the tier's lanes, in
// assembly, or reports false.
func archWino(id tierID, op winoOp, a *winoArgs, n int) bool {
	if id != tierNEON {
		return false
	}
	winoNEON(op, a, n)
	return true
}

// archWinoGrad is archWino for the operations of weight gradients.
func archWinoGrad(id tierID, op winoOp, a *winoArgs, n int) bool {
	if id != tierNEON {
		return false
	}
	winoGradNEON(op, a, n)
	return true
}

// winoNEON does what winoArgs.element does, for n elements of each row, a positive multiple
// of 4.
//
//go:noescape
func winoNEON(op winoOp, a *winoArgs, n int)

//go:noescape
func winoGradNEON(op winoOp, a *winoArgs, n int)
