//go:build !purego

package kernel

// archNormLanes returns the columns of which the tier's assembly sums one half
// vector, or 0 where there is no assembly.
func archNormLanes(id tierID) int {
	switch id {
	case tierAVX512:
		return 8
	case tierAVX2:
		return 4
	}
	return 0
}

// archNormSums adds the rows that a describes to sums.
func archNormSums(id tierID, a *normArgs) {
	if id == tierAVX512 {
		normSumsAVX512(a)
	} else {
		normSumsAVX2(a)
	}
}

// archNormRows computes the rows that a describes.
func archNormRows(id tierID, a *normArgs) {
	if id == tierAVX512 {
		normRowsAVX512(a)
	} else {
		normRowsAVX2(a)
	}
}

// normSumsAVX512 adds rows > 0 rows of a.vecs half vectors of up to 8 columns:
// for each of them, what sumGeneric computes. The half vectors' first elements
// are a.step bytes apart, their sums a.sumStep, their parameters a.constStep.
// The parameters and sums of columns that are masked out exist.
//
//go:noescape
func normSumsAVX512(a *normArgs)

// normSumsAVX2 is the same for half vectors of 4.
//
//go:noescape
func normSumsAVX2(a *normArgs)

// normRowsAVX512 computes what rowsGeneric does for rows > 0 rows that stand
// one after the other, a.whole bytes in vectors of 16 and a.part elements more.
//
//go:noescape
func normRowsAVX512(a *normArgs)

// normRowsAVX2 is the same for vectors of 8.
//
//go:noescape
func normRowsAVX2(a *normArgs)
