package main

// maxPieces emits one of the three kernels of maxout, over a vector of units at
// once: a gather for each piece, in order, and a comparison that keeps the
// first maximum.
func (g *gen) maxPieces(v isa, name string) {
	best, piece, mask, zero, lane, won, number, one, value :=
		v.reg(0), v.reg(1), v.reg(2), v.reg(3), v.reg(4), v.reg(5), v.reg(6), v.reg(7), v.reg(8)
	// gather emits dst = the elements lane + base.
	gather := func(base, index, dst string) {
		g.zero(v, dst)
		if v.wide() {
			g.op("KXNORW K2, K2, K2")
			g.op("VGATHERDPS (%s)(%s*4), K2, %s", base, index, dst)
		} else {
			g.op("VPCMPEQD %s, %s, %s", mask, mask, mask)
			g.op("VGATHERDPS %s, (%s)(%s*4), %s", mask, base, index, dst)
		}
	}
	g.op("MOVQ elemJob_pieces(DI), R10")
	g.op("MOVQ SI, R11")
	g.op("IMULQ R10, R11")
	g.op("MOVQ elemJob_x(DI), BX")
	g.op("LEAQ (BX)(R11*4), BX")
	g.op("MOVQ elemJob_dst(DI), AX")
	g.op("MOVQ elemJob_y(DI), DX")
	switch name {
	case "MaxPiecesGrad":
		g.op("LEAQ (AX)(R11*4), AX")
		g.op("LEAQ (DX)(SI*4), DX")
	case "MaxPiecesGather":
		g.op("LEAQ (AX)(SI*4), AX")
		g.op("LEAQ (DX)(R11*4), DX")
	default:
		g.op("LEAQ (AX)(SI*4), AX")
	}
	g.op("MOVQ R10, R12")
	g.op("IMULQ $%d, R12", v.bytes()) // bytes of a vector of units
	g.zero(v, zero)
	g.op("VPBROADCASTD elemJob_pieces(DI), %s", lane)
	g.op("VPMULLD ·laneNumbers(SB), %s, %s", lane, lane)
	g.op("VPBROADCASTD ·laneNumbers+4(SB), %s", one)

	g.label("%sLoop", name)
	gather("BX", lane, best)
	g.zero(v, won)
	g.op("VMOVUPS %s, %s", one, number)
	g.op("MOVQ BX, R8")
	g.op("MOVQ R10, R9")
	g.op("DECQ R9")
	g.op("JEQ %sFound", name)
	g.label("%sPiece", name)
	g.op("ADDQ $4, R8")
	gather("R8", lane, piece)
	if v.wide() {
		g.op("VCMPPS $%d, %s, %s, K1", greater, best, piece)
		g.op("VMOVAPS %s, K1, %s", piece, best)
		g.op("VMOVAPS %s, K1, %s", number, won)
	} else {
		g.op("VCMPPS $%d, %s, %s, %s", greater, best, piece, mask)
		g.op("VBLENDVPS %s, %s, %s, %s", mask, piece, best, best)
		g.op("VBLENDVPS %s, %s, %s, %s", mask, number, won, won)
	}
	g.op("VPADDD %s, %s, %s", one, number, number)
	g.op("DECQ R9")
	g.op("JNE %sPiece", name)
	g.label("%sFound", name)

	switch name {
	case "MaxPieces":
		g.op("VMOVUPS %s, (AX)", best)
		g.op("ADDQ $%d, AX", v.bytes())
	case "MaxPiecesGather":
		g.op("VPADDD %s, %s, %s", lane, won, won)
		gather("DX", won, value)
		g.op("VMOVUPS %s, (AX)", value)
		g.op("ADDQ $%d, AX", v.bytes())
		g.op("ADDQ R12, DX")
	case "MaxPiecesGrad":
		g.op("VPADDD %s, %s, %s", lane, won, won)
		g.op("MOVQ AX, R8")
		g.op("MOVQ R10, R9")
		g.label("%sClear", name)
		g.op("VMOVUPS %s, (R8)", zero)
		g.op("ADDQ $%d, R8", v.bytes())
		g.op("DECQ R9")
		g.op("JNE %sClear", name)
		for i := range v.lanes {
			if i%4 == 0 {
				g.op("VEXTRACT%s $%d, %s, X1", map[bool]string{true: "I32X4", false: "I128"}[v.wide()], i/4, won)
			}
			g.op("VPEXTRD $%d, X1, R8", i%4)
			g.op("MOVL %d(DX), R9", 4*i)
			g.op("MOVL R9, (AX)(R8*4)")
		}
		g.op("ADDQ $%d, DX", v.bytes())
		g.op("ADDQ R12, AX")
	}
	g.op("ADDQ R12, BX")
	g.op("SUBQ $%d, CX", v.lanes)
	g.op("JGT %sLoop", name)
}
