//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

//go:generate go run ./asmgen

var (
	avx512Tier   = tierInfo{name: "avx512", lanes: 16, nr: 48, rows: []int{8, 4, 2, 1}, every: true, id: tierAVX512, narrow: &avx512Narrow}
	avx512Narrow = tierInfo{name: "avx512", lanes: 16, nr: 32, rows: []int{8, 4, 2, 1}, every: true, id: tierAVX512}
	avx2Tier     = tierInfo{name: "avx2", lanes: 8, nr: 16, rows: []int{6, 4, 2, 1}, every: true, id: tierAVX2}
)

// archTiers returns the tiers of this processor, best first.
func archTiers() []*tierInfo {
	var list []*tierInfo
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return nil // the AVX-512 tier packs with AVX2
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		list = append(list, &avx512Tier)
	}
	return append(list, &avx2Tier)
}

// archTile computes a tile in assembly, or reports false.
func archTile(id tierID, t *tileArgs) bool {
	switch id {
	case tierAVX512:
		tileAVX512(t)
	case tierAVX2:
		tileAVX2(t)
	default:
		return false
	}
	return true
}

// tileAVX512 is tileGeneric for 8, 4, 2 or 1 rows and 1 to 3 vectors of 16.
//
//go:noescape
func tileAVX512(t *tileArgs)

// tileAVX2 is tileGeneric for 6, 4, 2 or 1 rows and 1 or 2 vectors of 8.
//
//go:noescape
func tileAVX2(t *tileArgs)

// archPackRows copies k rows of width floats in assembly, or reports false.
func archPackRows(t *tierInfo, dst, src []float32, stride, k, width int) bool {
	switch {
	case t.id == tierAVX512 && width%16 == 0:
		packRowsAVX512(&dst[0], &src[0], stride, k, width/16)
	case t.id != tierGo && width%8 == 0:
		packRowsAVX2(&dst[0], &src[0], stride, k, width/8)
	default:
		return false
	}
	return true
}

// packRowsAVX512 copies k > 0 rows of vecs (1 to 3) vectors:
//
//	for q := range k {
//		copy(dst[q*vecs*16:(q+1)*vecs*16], src[q*stride:])
//	}
//
//go:noescape
func packRowsAVX512(dst, src *float32, stride, k, vecs int)

// packRowsAVX2 copies k > 0 rows of vecs (1 or 2) vectors of 8.
//
//go:noescape
func packRowsAVX2(dst, src *float32, stride, k, vecs int)

// archTranspose transposes 8 rows of blocks*8 columns in assembly, or reports
// false.
func archTranspose(t *tierInfo, dst, src []float32, ldsrc, lddst, blocks int) bool {
	if t.id == tierGo {
		return false
	}
	packTransposeAVX2(&dst[0], &src[0], ldsrc, lddst, blocks)
	return true
}

// packTransposeAVX2 transposes 8 rows, blocks > 0 times 8 columns:
//
//	for q := range 8 * blocks {
//		for r := range 8 {
//			dst[q*lddst+r] = src[r*ldsrc+q]
//		}
//	}
//
//go:noescape
func packTransposeAVX2(dst, src *float32, ldsrc, lddst, blocks int)
