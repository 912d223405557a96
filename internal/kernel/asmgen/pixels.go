package main

// fromBytes emits dst = float32(bytes)·a + b.
func (g *gen) fromBytes(v isa) {
	g.op("MOVQ elemJob_bytes(DI), BX")
	g.op("ADDQ SI, BX")
	g.fields("dst")
	g.op("VBROADCASTSS elemJob_a(DI), %s", v.reg(4))
	g.op("VBROADCASTSS elemJob_b(DI), %s", v.reg(5))
	g.loops(v, "FromBytes", 4, func(vectors int) {
		for i := range vectors {
			r := v.reg(i)
			g.op("VPMOVZXBD %d(BX)(SI*1), %s", i*v.lanes, r)
			g.op("VCVTDQ2PS %s, %s", r, r)
			g.op("VMULPS %s, %s, %s", v.reg(4), r, r)
			g.op("VADDPS %s, %s, %s", v.reg(5), r, r)
			g.op("VMOVUPS %s, %d(AX)(SI*4)", r, i*v.bytes())
		}
	})
}

// toBytes emits bytes = floor((x-a)·d/b + e) in 0..d, with 0 for NaN.
func (g *gen) toBytes(v isa) {
	g.op("MOVQ elemJob_bytes(DI), BX")
	g.op("ADDQ SI, BX")
	g.op("MOVQ elemJob_x(DI), AX")
	g.op("LEAQ (AX)(SI*4), AX")
	lo, width, largest, half, zero := v.reg(4), v.reg(5), v.reg(6), v.reg(7), v.reg(8)
	g.op("VBROADCASTSS elemJob_a(DI), %s", lo)
	g.op("VBROADCASTSS elemJob_b(DI), %s", width)
	g.op("VBROADCASTSS elemJob_d(DI), %s", largest)
	g.op("VBROADCASTSS elemJob_e(DI), %s", half)
	g.zero(v, zero)
	g.loops(v, "ToBytes", 4, func(vectors int) {
		for i := range vectors {
			r := v.reg(i)
			g.op("VMOVUPS %d(AX)(SI*4), %s", i*v.bytes(), r)
			g.op("VSUBPS %s, %s, %s", lo, r, r)
			g.op("VMULPS %s, %s, %s", largest, r, r)
			g.op("VDIVPS %s, %s, %s", width, r, r)
			g.op("VADDPS %s, %s, %s", half, r, r)
			g.op("VMAXPS %s, %s, %s", zero, r, r) // zero where r is NaN
			g.op("VMINPS %s, %s, %s", largest, r, r)
			g.op("VCVTTPS2DQ %s, %s", r, r)
			if v.wide() {
				g.op("VPMOVDB %s, %d(BX)(SI*1)", r, i*v.lanes)
				continue
			}
			g.op("VEXTRACTI128 $1, %s, X9", r)
			g.op("VPACKUSDW X9, X%d, X%d", i, i)
			g.op("VPACKUSWB X%d, X%d, X%d", i, i, i)
			g.op("VMOVQ X%d, %d(BX)(SI*1)", i, i*v.lanes)
		}
	})
}
