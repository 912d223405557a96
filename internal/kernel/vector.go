package kernel

// vectorOp names an elementwise kernel that tiers have in assembly.
type vectorOp uint8

const (
	vectorAdd vectorOp = iota
	vectorMul
	vectorAffine
	vectorRelu
	vectorLeakyRelu
	vectorTanh
	vectorSigmoid
	vectorReluGrad
	vectorLeakyReluGrad
	vectorTanhGrad
	vectorSigmoidGrad
	vectorMomentum
	vectorAdam
	vectorExp
	vectorLog
	vectorMaxPieces
	vectorMaxPiecesGrad
	vectorMaxPiecesGather
	vectorFromBytes
	vectorToBytes
	vectorLerp
)

// vector does elements lo ... hi-1 of a job in assembly, as far as they fill
// whole vectors, and returns the first that is left. All slices of the job that
// the operation uses must reach to hi.
func (j *elemJob) vector(op vectorOp, lo, hi int) int {
	n := (hi - lo) &^ (tier.lanes - 1)
	if n <= 0 || !archVector(tier.id, op, j, lo, n) {
		return lo
	}
	return lo + n
}

// training is vector for operations that infer does not link.
func (j *elemJob) training(op vectorOp, lo, hi int) int {
	n := (hi - lo) &^ (tier.lanes - 1)
	if n <= 0 || !archVectorTraining(tier.id, op, j, lo, n) {
		return lo
	}
	return lo + n
}

// maxLanes is the most that a tier has.
const maxLanes = 16

// vectorTail is vector for a function of x alone that takes long: what is left goes
// through a vector of its own.
func (j *elemJob) vectorTail(op vectorOp, lo, hi int) int {
	lo = j.vector(op, lo, hi)
	if lo == hi {
		return lo
	}
	var x, y [maxLanes]float32
	copy(x[:], j.x[lo:hi])
	k := elemJob{dst: y[:], x: x[:], one: j.one}
	if k.vector(op, 0, tier.lanes) == 0 {
		return lo
	}
	return lo + copy(j.dst[lo:hi], y[:])
}
