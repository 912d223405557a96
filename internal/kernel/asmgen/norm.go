package main

import (
	"fmt"
	"strings"
)

// The kernels of batch normalisation: see the stubs in norm_amd64.go. The
// activations are those that cost an instruction or two.
var normActs = []string{"Identity", "Relu", "LeakyRelu"}

// norms emits all of them.
func (g *gen) norms(v isa) {
	g.normSums(v)
	g.normRows(v)
}

// normDispatch begins a function that has the address of its normArgs as its
// only argument, and jumps to one of the operations.
func (g *gen) normDispatch(name string, ops []string) {
	g.text(name, 8)
	g.op("MOVQ a+0(FP), DI")
	g.op("MOVQ normArgs_op(DI), AX")
	for _, op := range ops {
		g.op("CMPQ AX, $const_norm%s", op)
		g.op("JEQ %s", op)
	}
	g.op("INT $3")
}

// normSums emits the sums over rows, of four half vectors of columns or of one.
// The half vectors stand normArgs.step bytes apart: side by side, or in
// different blocks of rows.
func (g *gen) normSums(v isa) {
	ops := []string{"Squares"}
	for _, act := range normActs {
		ops = append(ops, "Products"+act)
	}
	g.normDispatch("normSums"+v.name, ops)
	for _, op := range ops {
		g.label("%s", op)
		g.op("MOVQ normArgs_x(DI), AX")
		g.op("MOVQ normArgs_rows(DI), CX")
		g.op("MOVQ normArgs_stride(DI), DX")
		g.op("MOVQ normArgs_step(DI), SI")
		g.op("LEAQ (SI)(SI*2), R8")
		if op != "Squares" {
			g.op("MOVQ normArgs_g(DI), BX")
			g.op("MOVQ normArgs_constStep(DI), R9")
			g.op("LEAQ (R9)(R9*2), R10")
			for i, c := range []string{"mean", "inv", "gamma", "beta"} {
				g.op("MOVQ normArgs_%s(DI), R%d", c, 11+i)
			}
		}
		if v.wide() {
			g.op("KMOVW normArgs_mask(DI), K1")
		} else {
			g.op("MOVQ normArgs_maskVector(DI), R15")
			g.op("VMOVUPS (R15), X15")
		}
		g.op("VBROADCASTSS normArgs_alpha(DI), %s", v.half(14))
		g.zero(v, v.reg(13))
		g.op("CMPQ normArgs_vecs(DI), $4")
		g.op("JEQ %sFour", op)
		g.normSumsLoop(v, op, "One", 1)
		g.label("%sFour", op)
		g.normSumsLoop(v, op, "FourRows", 4)
	}
}

// normSumsLoop emits the loop over rows of normSums.
func (g *gen) normSumsLoop(v isa, op, label string, vecs int) {
	// at returns the address of element i of a list from base on.
	at := func(base, step, step3 string, i int) string {
		return []string{
			fmt.Sprintf("(%s)", base), fmt.Sprintf("(%s)(%s*1)", base, step),
			fmt.Sprintf("(%s)(%s*2)", base, step), fmt.Sprintf("(%s)(%s*1)", base, step3),
		}[i]
	}
	// sums emits a move between the sums' registers and memory.
	sums := func(move func(memory, register string)) {
		g.op("MOVQ normArgs_sums(DI), R15")
		for k := range 2 {
			for i := range vecs {
				move("(R15)", v.reg(2*i+k))
				if i < vecs-1 {
					g.op("ADDQ normArgs_sumStep(DI), R15")
				}
			}
			g.op("MOVQ normArgs_sums(DI), R15")
			g.op("ADDQ normArgs_second(DI), R15")
		}
	}
	load := func(from, to string) {
		if v.wide() {
			g.op("VMOVUPS.Z %s, K1, %s", from, to)
		} else {
			g.op("VMASKMOVPS %s, X15, %s", from, to)
		}
	}
	sums(func(memory, register string) { g.op("VMOVUPD %s, %s", memory, register) })
	x, gr, z, alpha, zero := 8, 9, 10, v.half(14), v.half(13)
	g.op("MOVQ normArgs_ahead(DI), R15")
	g.op("PCALIGN $32")
	g.label("%s%s", op, label)
	for at := 0; at < vecs*v.bytes()/2; at += 64 {
		g.op("PREFETCHT0 %d(AX)(R15*1)", at)
		if op != "Squares" {
			g.op("PREFETCHT0 %d(BX)(R15*1)", at)
		}
	}
	for i := range vecs {
		s, p := v.reg(2*i), v.reg(2*i+1)
		load(at("AX", "SI", "R8", i), v.half(x))
		if op == "Squares" {
			g.op("VCVTPS2PD %s, %s", v.half(x), v.reg(x))
			g.op("VADDPD %s, %s, %s", v.reg(x), s, s)
			g.op("VFMADD231PD %s, %s, %s", v.reg(x), v.reg(x), p)
			continue
		}
		load(at("BX", "SI", "R8", i), v.half(gr))
		g.op("VSUBPS %s, %s, %s", at("R11", "R9", "R10", i), v.half(x), v.half(x))
		g.op("VMULPS %s, %s, %s", at("R12", "R9", "R10", i), v.half(x), v.half(x))
		if op != "ProductsIdentity" {
			g.op("VMULPS %s, %s, %s", at("R13", "R9", "R10", i), v.half(x), v.half(z))
			g.op("VADDPS %s, %s, %s", at("R14", "R9", "R10", i), v.half(z), v.half(z))
			g.normSlope(v, op[len("Products"):], v.half(z), v.half(gr), zero, alpha, v.half(11), v.half(12))
		}
		g.op("VCVTPS2PD %s, %s", v.half(gr), v.reg(gr))
		g.op("VCVTPS2PD %s, %s", v.half(x), v.reg(x))
		g.op("VADDPD %s, %s, %s", v.reg(gr), s, s)
		g.op("VFMADD231PD %s, %s, %s", v.reg(x), v.reg(gr), p)
	}
	g.op("ADDQ DX, AX")
	if op != "Squares" {
		g.op("ADDQ DX, BX")
	}
	g.op("DECQ CX")
	g.op("JNE %s%s", op, label)
	sums(func(memory, register string) { g.op("VMOVUPD %s, %s", register, memory) })
	g.op("VZEROUPPER")
	g.op("RET")
}

// normSlope multiplies a gradient by the slope of an activation at z.
func (g *gen) normSlope(v isa, act, z, gr, zero, alpha, tmp, tmp2 string) {
	predicate := map[string]int{"Relu": lessEqual, "LeakyRelu": notGreater}[act]
	if predicate == 0 {
		return
	}
	b := vectorBody{gen: g, v: v, zero: zero, tmp: []string{tmp, tmp2}}
	if act == "Relu" {
		alpha = ""
	}
	b.where(predicate, z, alpha, gr)
}

// normRows emits the result of batch normalisation, and its gradient, over
// rows that stand one after the other.
func (g *gen) normRows(v isa) {
	var ops []string
	for _, act := range normActs {
		ops = append(ops, "Apply"+act, "Grad"+act)
	}
	g.normDispatch("normRows"+v.name, ops)
	for _, op := range ops {
		g.label("%s", op)
		g.op("MOVQ normArgs_x(DI), AX")
		g.op("MOVQ normArgs_g(DI), BX")
		g.op("MOVQ normArgs_dst(DI), DX")
		g.op("MOVQ normArgs_rows(DI), CX")
		for i, c := range []string{"mean", "inv", "gamma", "beta", "a", "b", "f"} {
			g.op("MOVQ normArgs_%s(DI), R%d", c, 8+i)
		}
		if v.wide() {
			g.op("KMOVW normArgs_mask(DI), K1")
		} else {
			g.op("MOVQ normArgs_maskVector(DI), R15")
			g.op("VMOVUPS (R15), Y15")
		}
		g.op("VBROADCASTSS normArgs_alpha(DI), %s", v.reg(14))
		g.zero(v, v.reg(13))
		g.label("%sRow", op)
		g.op("XORQ SI, SI")
		g.op("CMPQ SI, normArgs_whole(DI)")
		g.op("JGE %sPart", op)
		g.op("PCALIGN $32")
		g.label("%sLoop", op)
		g.normRowsVector(v, op, false)
		g.op("ADDQ $%d, SI", v.bytes())
		g.op("CMPQ SI, normArgs_whole(DI)")
		g.op("JLT %sLoop", op)
		g.label("%sPart", op)
		g.op("CMPQ normArgs_part(DI), $0")
		g.op("JEQ %sNext", op)
		g.normRowsVector(v, op, true)
		g.label("%sNext", op)
		g.op("ADDQ normArgs_stride(DI), AX")
		g.op("ADDQ normArgs_stride(DI), BX")
		g.op("ADDQ normArgs_stride(DI), DX")
		g.op("DECQ CX")
		g.op("JNE %sRow", op)
		g.op("VZEROUPPER")
		g.op("RET")
	}
}

// normRowsVector emits one vector of normRows, whole or masked.
func (g *gen) normRowsVector(v isa, op string, part bool) {
	load := func(base, to string) {
		switch {
		case !part:
			g.op("VMOVUPS (%s)(SI*1), %s", base, to)
		case v.wide():
			g.op("VMOVUPS.Z (%s)(SI*1), K1, %s", base, to)
		default:
			g.op("VMASKMOVPS (%s)(SI*1), Y15, %s", base, to)
		}
	}
	store := func(from string) {
		switch {
		case !part:
			g.op("VMOVUPS %s, (DX)(SI*1)", from)
		case v.wide():
			g.op("VMOVUPS %s, K1, (DX)(SI*1)", from)
		default:
			g.op("VMASKMOVPS %s, Y15, (DX)(SI*1)", from)
		}
	}
	x, gr, z, zero, alpha := v.reg(0), v.reg(1), v.reg(2), v.reg(13), v.reg(14)
	load("AX", x)
	g.op("VSUBPS (R8)(SI*1), %s, %s", x, x)
	g.op("VMULPS (R9)(SI*1), %s, %s", x, x)
	if act, ok := strings.CutPrefix(op, "Apply"); ok {
		g.op("VMULPS (R10)(SI*1), %s, %s", x, x)
		g.op("VADDPS (R11)(SI*1), %s, %s", x, x)
		switch act {
		case "Relu":
			g.op("VMAXPS %s, %s, %s", x, zero, x)
		case "LeakyRelu":
			b := vectorBody{gen: g, v: v, zero: zero, tmp: []string{v.reg(3), v.reg(4)}}
			b.where(lessThan, x, alpha, x)
		}
		store(x)
		return
	}
	act := strings.TrimPrefix(op, "Grad")
	load("BX", gr)
	if act != "Identity" {
		g.op("VMULPS (R10)(SI*1), %s, %s", x, z)
		g.op("VADDPS (R11)(SI*1), %s, %s", z, z)
		g.normSlope(v, act, z, gr, zero, alpha, v.reg(3), v.reg(4))
	}
	g.op("VSUBPS (R12)(SI*1), %s, %s", gr, gr)
	g.op("VMULPS (R13)(SI*1), %s, %s", x, x)
	g.op("VSUBPS %s, %s, %s", x, gr, gr)
	g.op("VMULPS (R14)(SI*1), %s, %s", gr, gr)
	store(gr)
}
