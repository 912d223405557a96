//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// neonTier: the tile and its registers are in asmgen/neontile.go.
var neonTier = tierInfo{name: "neon", lanes: 4, nr: 12, rows: []int{8, 4, 2, 1}, id: tierNEON}

// archTiers returns the tiers of this processor, best first.
func archTiers() []*tierInfo {
	if !cpu.ARM64.HasASIMD {
		return nil
	}
	return []*tierInfo{&neonTier}
}

// archTile computes a tile in assembly, or reports false.
func archTile(id tierID, t *tileArgs) bool {
	if id != tierNEON {
		return false
	}
	if t.flags&tilePartial != 0 {
		tilePartialNEON(t)
	} else {
		tileNEON(t)
	}
	return true
}

// tileNEON is tileGeneric for 8, 4, 2 or 1 rows and 1 to 3 whole vectors of 4.
//
//go:noescape
func tileNEON(t *tileArgs)

// tilePartialNEON computes a tile whose last vector is partial as a whole one,
// beside C: there are no masks.
func tilePartialNEON(t *tileArgs) {
	const width = 12
	var c [8 * width]float32
	var bias [width]float32
	cols := t.vecs*neonTier.lanes - neonTier.lanes + t.lastLanes
	if t.flags&tileAdd != 0 {
		for i := range t.rows {
			copy(c[i*width:], t.c[i*t.ldc:i*t.ldc+cols])
		}
	}
	if t.flags&tileBias != 0 {
		copy(bias[:], t.bias[:cols])
	}
	whole := *t
	whole.c, whole.ldc, whole.bias = c[:], width, bias[:]
	tileNEON(&whole)
	for i := range t.rows {
		copy(t.c[i*t.ldc:i*t.ldc+cols], c[i*width:])
	}
}

// archPackRows copies k rows of whole vectors in assembly, or reports false.
func archPackRows(t *tierInfo, dst, src []float32, stride, k, width int) bool {
	if t.id != tierNEON {
		return false
	}
	packRowsNEON(&dst[0], &src[0], stride, k, width/t.lanes)
	return true
}

// packRowsNEON copies k > 0 rows of vecs (1 to 3) vectors:
//
//	for q := range k {
//		copy(dst[q*vecs*4:(q+1)*vecs*4], src[q*stride:])
//	}
//
//go:noescape
func packRowsNEON(dst, src *float32, stride, k, vecs int)

// archTranspose transposes 8 rows of blocks*8 columns in assembly, or reports
// false.
func archTranspose(t *tierInfo, dst, src []float32, ldsrc, lddst, blocks int) bool {
	if t.id != tierNEON {
		return false
	}
	packTransposeNEON(&dst[0], &src[0], ldsrc, lddst, blocks)
	return true
}

// packTransposeNEON transposes 8 rows, blocks > 0 times 8 columns:
//
//	for q := range 8 * blocks {
//		for r := range 8 {
//			dst[q*lddst+r] = src[r*ldsrc+q]
//		}
//	}
//
//go:noescape
func packTransposeNEON(dst, src *float32, ldsrc, lddst, blocks int)
