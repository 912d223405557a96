package kernel

// Maxout (Goodfellow et al., 2013): a unit is the largest of its pieces. x is
// [m, units*pieces], the pieces of a unit side by side.

// MaxPieces computes dst [m,units], the maximum over the pieces of each unit.
// The first of equal pieces wins; a NaN wins only as the first piece.
func MaxPieces(p *Pool, dst, x []float32, m, units, pieces int) {
	piecesJob(p, maxPiecesOp, dst, x, nil, len(dst), m, units, pieces)
}

// MaxPiecesGrad computes dx [m,units*pieces]: the gradient g [m,units] at the
// piece of x that won, 0 elsewhere.
func MaxPiecesGrad(p *Pool, dx, x, g []float32, m, units, pieces int) {
	piecesJob(p, maxPiecesGradOp, dx, x, g, len(g), m, units, pieces)
}

// MaxPiecesGather computes dst [m,units]: the element of g [m,units*pieces]
// that stands where x has its maximum, the derivative of [MaxPiecesGrad].
func MaxPiecesGather(p *Pool, dst, x, g []float32, m, units, pieces int) {
	piecesJob(p, maxPiecesGatherOp, dst, x, g, len(dst), m, units, pieces)
}

// piecesJob runs op over the m*units units; small is the length of the operand
// that has one element for a unit.
func piecesJob(p *Pool, op func(*elemJob, int, int), dst, x, g []float32, small, m, units, pieces int) {
	n := needShape("the units", m, units)
	size := needShape("the pieces", m, units, pieces)
	need("the smaller operand", small, n)
	need("x", len(x), size)
	need("a unit", pieces, 1)
	j := elemJobs.get()
	j.op, j.dst, j.x, j.y, j.pieces = op, dst, x, g, pieces
	j.run(p, n, max(64, chunk/pieces&^63)) // whole vectors
}

// argmax returns the index of the first maximum of x.
func argmax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

func maxPiecesOp(j *elemJob, lo, hi int) {
	lo = j.training(vectorMaxPieces, lo, hi)
	k := j.pieces
	for u := lo; u < hi; u++ {
		x := j.x[u*k : (u+1)*k]
		j.dst[u] = x[argmax(x)]
	}
}

func maxPiecesGradOp(j *elemJob, lo, hi int) {
	lo = j.training(vectorMaxPiecesGrad, lo, hi)
	k := j.pieces
	for u := lo; u < hi; u++ {
		d := j.dst[u*k : (u+1)*k]
		best := argmax(j.x[u*k : (u+1)*k])
		clear(d)
		d[best] = j.y[u]
	}
}

func maxPiecesGatherOp(j *elemJob, lo, hi int) {
	lo = j.training(vectorMaxPiecesGather, lo, hi)
	k := j.pieces
	for u := lo; u < hi; u++ {
		j.dst[u] = j.y[u*k+argmax(j.x[u*k:(u+1)*k])]
	}
}
