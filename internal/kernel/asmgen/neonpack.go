package main

// neonPackRows emits the copy of rows of a panel: see the stub in
// gemm_arm64.go.
func (g *gen) neonPackRows() {
	g.text("packRowsNEON", 40)
	g.op("MOVD dst+0(FP), R0")
	g.op("MOVD src+8(FP), R1")
	g.op("MOVD stride+16(FP), R2")
	g.op("LSL $2, R2")
	g.op("MOVD k+24(FP), R3")
	g.op("MOVD vecs+32(FP), R4")
	for vecs := neonVecs; vecs > 1; vecs-- {
		g.op("CMP $%d, R4", vecs)
		g.op("BEQ width%d", vecs)
	}
	for vecs := 1; vecs <= neonVecs; vecs++ {
		g.label("width%d", vecs)
		g.loadVectors("R1", 0, vecs)
		g.storeVectors("R0", 0, vecs)
		g.op("ADD R2, R1")
		g.op("ADD $%d, R0", vecs*neonBytes)
		g.op("SUBS $1, R3")
		g.op("BNE width%d", vecs)
		g.op("RET")
	}
}

// neonTranspose emits the transposition of 8 rows in blocks of 8 columns: see
// the stub in gemm_arm64.go. Row r of a block is in the registers 2r and 2r+1;
// four blocks of 4x4 change places.
func (g *gen) neonTranspose() {
	g.text("packTransposeNEON", 40)
	g.op("MOVD dst+0(FP), R0")
	g.op("MOVD src+8(FP), R1")
	g.op("MOVD ldsrc+16(FP), R2")
	g.op("LSL $2, R2")
	g.op("MOVD lddst+24(FP), R3")
	g.op("LSL $2, R3")
	g.op("MOVD blocks+32(FP), R4")
	g.label("block")
	g.op("MOVD R1, R5")
	for r := range 8 {
		g.loadVectors("R5", 2*r, 2)
		if r < 7 {
			g.op("ADD R2, R5")
		}
	}
	for half := range 2 { // columns 4*half ...
		for upper := range 2 { // rows 4*upper ..., to the registers 24+upper, 26+upper ...
			row := func(r int) int { return 2*(4*upper+r) + half }
			for pair := range 2 {
				g.op("VTRN1 V%d.S4, V%d.S4, V%d.S4", row(2*pair+1), row(2*pair), 16+2*pair)
				g.op("VTRN2 V%d.S4, V%d.S4, V%d.S4", row(2*pair+1), row(2*pair), 17+2*pair)
			}
			for q := range 4 {
				g.op("VTRN%d V%d.D2, V%d.D2, V%d.D2", 1+q/2, 18+q%2, 16+q%2, 24+2*q+upper)
			}
		}
		for q := range 4 {
			g.storeVectors("R0", 24+2*q, 2)
			g.op("ADD R3, R0")
		}
	}
	g.op("ADD $32, R1")
	g.op("SUBS $1, R4")
	g.op("BNE block")
	g.op("RET")
}
