package main

// peak emits a loop of independent fused multiply-adds and nothing else: see
// the stub in peak_amd64.go.
func (g *gen) peak(v isa) {
	const chains = 12
	g.text("peak"+v.name, 8)
	g.op("MOVQ rounds+0(FP), CX")
	for i := range chains {
		g.zero(v, v.reg(i))
	}
	g.zero(v, v.reg(chains))
	g.op("PCALIGN $32")
	g.label("loop")
	for i := range 2 * chains {
		g.op("VFMADD231PS %s, %s, %s", v.reg(chains), v.reg(chains), v.reg(i%chains))
	}
	g.op("DECQ CX")
	g.op("JNZ loop")
	g.op("VZEROUPPER")
	g.op("RET")
}
