package main

// packRows emits the copy of rows of a panel: see the stub in gemm_amd64.go.
func (g *gen) packRows(v isa) {
	g.text("packRows"+v.name, 40)
	g.op("MOVQ dst+0(FP), DI")
	g.op("MOVQ src+8(FP), SI")
	g.op("MOVQ stride+16(FP), R8")
	g.op("SHLQ $2, R8")
	g.op("MOVQ k+24(FP), CX")
	g.op("MOVQ vecs+32(FP), DX")
	for vecs := v.vecs; vecs > 1; vecs-- {
		g.op("CMPQ DX, $%d", vecs)
		g.op("JEQ width%d", vecs)
	}
	for vecs := 1; vecs <= v.vecs; vecs++ {
		g.label("width%d", vecs)
		for c := range vecs {
			g.op("VMOVUPS %d(SI), %s", c*v.bytes(), v.reg(c))
		}
		for c := range vecs {
			g.op("VMOVUPS %s, %d(DI)", v.reg(c), c*v.bytes())
		}
		g.op("ADDQ R8, SI")
		g.op("ADDQ $%d, DI", vecs*v.bytes())
		g.op("DECQ CX")
		g.op("JNZ width%d", vecs)
		g.op("VZEROUPPER")
		g.op("RET")
	}
}

// packTranspose emits the transposition of 8 rows in blocks of 8 columns: see
// the stub in gemm_amd64.go. Half rows r and r+4 share a register, so that the
// lanes of 128 bits never have to cross.
func (g *gen) packTranspose() {
	g.text("packTransposeAVX2", 40)
	g.op("MOVQ dst+0(FP), DI")
	g.op("MOVQ src+8(FP), AX")
	g.op("MOVQ ldsrc+16(FP), R8")
	g.op("SHLQ $2, R8")
	g.op("LEAQ (R8)(R8*2), R9")
	g.op("LEAQ (R8)(R8*4), R10")
	g.op("LEAQ (R10)(R8*2), R11")
	g.op("MOVQ lddst+24(FP), R12")
	g.op("SHLQ $2, R12")
	g.op("MOVQ blocks+32(FP), CX")
	g.op("PCALIGN $32")
	g.label("block")
	for half := range 2 {
		for r := range 4 {
			y := half*4 + r
			g.op("VMOVUPS %d%s, X%d", 16*half, rowAddress(r), y)
			g.op("VINSERTF128 $1, %d%s, Y%d, Y%d", 16*half, rowAddress(r+4), y, y)
		}
	}
	for half := range 2 {
		y := half * 4
		g.op("VUNPCKLPS Y%d, Y%d, Y8", y+1, y)
		g.op("VUNPCKHPS Y%d, Y%d, Y9", y+1, y)
		g.op("VUNPCKLPS Y%d, Y%d, Y10", y+3, y+2)
		g.op("VUNPCKHPS Y%d, Y%d, Y11", y+3, y+2)
		for i, s := range []struct{ lo, hi, imm int }{{8, 10, 0x44}, {8, 10, 0xee}, {9, 11, 0x44}, {9, 11, 0xee}} {
			g.op("VSHUFPS $%d, Y%d, Y%d, Y%d", s.imm, s.hi, s.lo, 12+i)
		}
		for i := range 4 {
			g.op("VMOVUPS Y%d, (DI)", 12+i)
			g.op("ADDQ R12, DI")
		}
	}
	g.op("ADDQ $32, AX")
	g.op("DECQ CX")
	g.op("JNZ block")
	g.op("VZEROUPPER")
	g.op("RET")
}
