package main

import "fmt"

// The widest tile: 8 rows of 3 vectors, 24 accumulators. With multiply-adds of
// 4 cycles on 4 units, 16 sums would do; a step of k loads 3 vectors and 8
// numbers for 24 multiply-adds.
const neonVecs = 3

var neonRows = []int{8, 4, 2, 1}

// neonTile emits the register tile of a matrix product, for every height and
// width: see the stub in gemm_arm64.go. The accumulators of row r are the
// registers r*vecs ...; what remains holds a row of B and numbers of A, which
// the multiply-add takes by element: they need no broadcast.
//
//	R0 tile, R1-R8 rows of A, R9 offset in them, R10 B, R11 steps left
//	R12 stride of a step in A, R13 in B, R14 segment, R15 segments left
//	R16 C, R17 stride of C, R19 b, R20 bias or flags
func (g *gen) neonTile() {
	g.text("tileNEON", 8)
	g.op("MOVD t+0(FP), R0")
	g.op("MOVD tileArgs_a(R0), R1")
	g.op("MOVD tileArgs_ars(R0), R9")
	for r := 1; r < neonRows[0]; r++ {
		g.op("ADD R9<<2, R%d, R%d", r, r+1)
	}
	g.op("MOVD tileArgs_b(R0), R19")
	g.op("MOVD tileArgs_acs(R0), R12")
	g.op("LSL $2, R12")
	g.op("MOVD tileArgs_brs(R0), R13")
	g.op("LSL $2, R13")
	g.op("MOVD tileArgs_segs(R0), R14")
	g.op("MOVD tileArgs_segs+8(R0), R15")
	g.op("MOVD tileArgs_ldc(R0), R17")
	g.op("LSL $2, R17")
	g.op("MOVD tileArgs_vecs(R0), R9")
	g.op("MOVD tileArgs_rows(R0), R10")
	for vecs := neonVecs; vecs > 1; vecs-- {
		g.op("CMP $%d, R9", vecs)
		g.op("BEQ width%d", vecs)
	}
	for vecs := 1; vecs <= neonVecs; vecs++ {
		if vecs > 1 {
			g.label("width%d", vecs)
		}
		for _, rows := range neonRows[:len(neonRows)-1] {
			g.op("CMP $%d, R10", rows)
			g.op("BEQ tile%dx%d", rows, vecs)
		}
		g.op("B tile1x%d", vecs)
	}
	for vecs := neonVecs; vecs >= 1; vecs-- {
		for _, rows := range neonRows {
			g.neonTileBody(rows, vecs)
		}
	}
}

func (g *gen) neonTileBody(rows, vecs int) {
	name := fmt.Sprintf("tile%dx%d", rows, vecs)
	firstB := rows * vecs
	firstA := firstB + vecs
	step := func() {
		g.loadVectors("R10", firstB, vecs)
		g.op("ADD R13, R10")
		for r := range rows {
			a := firstA + r%(32-firstA)
			g.op("FMOVS (R%d)(R9), F%d", 1+r, a)
			for c := range vecs {
				g.fmlaFirst(r*vecs+c, firstB+c, a)
			}
		}
		g.op("ADD R12, R9")
	}

	fmt.Fprintf(&g.buf, "\n")
	g.label("%s", name)
	g.comment("%d rows, %d columns", rows, vecs*neonLanes)
	for i := range rows * vecs {
		g.clear(i)
	}
	g.op("CBZ R15, %send", name)
	g.label("%ssegment", name)
	g.op("LDP tileSeg_a(R14), (R9, R10)") // a and b
	g.op("ADD $tileSeg__size, R14")
	g.op("LSL $2, R9")
	g.op("ADD R10<<2, R19, R10")
	g.op("MOVD tileArgs_k(R0), R11")
	const unroll = 4
	g.op("SUBS $%d, R11", unroll)
	g.op("BLT %stail", name)
	g.op("PCALIGN $32")
	g.label("%sloop", name)
	for range unroll {
		step()
	}
	g.op("SUBS $%d, R11", unroll)
	g.op("BGE %sloop", name)
	g.label("%stail", name)
	g.op("ADDS $%d, R11", unroll)
	g.op("BEQ %snext", name)
	g.label("%sone", name)
	step()
	g.op("SUBS $1, R11")
	g.op("BNE %sone", name)
	g.label("%snext", name)
	g.op("SUBS $1, R15")
	g.op("BNE %ssegment", name)
	g.label("%send", name)
	g.neonTileEnd(name, rows, vecs)
}

// neonTileEnd emits what follows the sum: C, bias, activation and the store.
// The eight highest registers are free.
func (g *gen) neonTileEnd(name string, rows, vecs int) {
	const free = 24
	g.op("MOVD tileArgs_flags(R0), R11")
	flag := func(flag, label string) {
		g.op("TST $const_%s, R11", flag)
		g.op("BEQ %s%s", name, label)
	}

	flag("tileAdd", "bias")
	g.op("MOVD tileArgs_c(R0), R16")
	for r := range rows {
		g.loadVectors("R16", free, vecs)
		for c := range vecs {
			g.fadd(r*vecs+c, free+c, r*vecs+c)
		}
		if r < rows-1 {
			g.op("ADD R17, R16")
		}
	}

	g.label("%sbias", name)
	flag("tileBias", "act")
	g.op("MOVD tileArgs_bias(R0), R20")
	g.loadVectors("R20", free, vecs)
	for i := range rows * vecs {
		g.fadd(i, i, free+i%vecs)
	}

	g.label("%sact", name)
	flag("tileRelu", "leaky")
	g.clear(free)
	for i := range rows * vecs {
		mask := free + 1 + i%4
		g.fcmlt0(mask, i)
		g.pick(i, free, mask)
	}

	g.label("%sleaky", name)
	flag("tileLeaky", "store")
	g.op("ADD $tileArgs_alpha, R0, R20")
	g.op("VLD1R (R20), [V%d.S4]", free)
	for i := range rows * vecs {
		mask, scaled := free+1+i%3*2, free+2+i%3*2
		g.fcmlt0(mask, i)
		g.fmul(scaled, i, free)
		g.pick(i, scaled, mask)
	}

	g.label("%sstore", name)
	g.op("MOVD tileArgs_c(R0), R16")
	for r := range rows {
		g.storeVectors("R16", r*vecs, vecs)
		if r < rows-1 {
			g.op("ADD R17, R16")
		}
	}
	g.op("RET")
}

// neonPeak emits a loop of independent fused multiply-adds and nothing else:
// see the stub in peak_arm64.go.
func (g *gen) neonPeak() {
	const chains = 24
	g.text("peakNEON", 8)
	g.op("MOVD rounds+0(FP), R0")
	for i := range chains + 1 {
		g.clear(i)
	}
	g.op("PCALIGN $32")
	g.label("loop")
	for i := range chains {
		g.fmlaFirst(i, chains, chains)
	}
	g.op("SUBS $1, R0")
	g.op("BNE loop")
	g.op("RET")
}
