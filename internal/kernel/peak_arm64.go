//go:build !purego

package kernel

// peakRound is the number of fused multiply-adds of vectors in a round.
const peakRound = 24

// archPeak runs rounds of fused multiply-adds of the tier's vectors as fast as
// the processor can: what benchmarks are measured against. It reports false for
// the reference.
func archPeak(id tierID, rounds int) bool {
	if id != tierNEON {
		return false
	}
	peakNEON(rounds)
	return true
}

// peakNEON does rounds > 0 times 24 fused multiply-adds of 4 elements.
//
//go:noescape
func peakNEON(rounds int)
