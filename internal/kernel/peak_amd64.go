//go:build !purego

package kernel

// peakRound is the number of fused multiply-adds of vectors in a round.
const peakRound = 24

// archPeak runs rounds of fused multiply-adds of the tier's vectors as fast as
// the processor can: what benchmarks are measured against. It reports false for
// the reference.
func archPeak(id tierID, rounds int) bool {
	switch id {
	case tierAVX512:
		peakAVX512(rounds)
	case tierAVX2:
		peakAVX2(rounds)
	default:
		return false
	}
	return true
}

// peakAVX512 does rounds > 0 times 24 fused multiply-adds of 16 elements.
//
//go:noescape
func peakAVX512(rounds int)

// peakAVX2 does rounds > 0 times 24 fused multiply-adds of 8 elements.
//
//go:noescape
func peakAVX2(rounds int)
