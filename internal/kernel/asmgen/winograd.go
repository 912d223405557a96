package main

import "fmt"

// A winoOp is a pass of the fast form of convolutions: the Go function of that
// name in winogradpass.go. Values are numbers of registers: the sources are
// loaded into 0, 1, ..., and the body leaves the results in those it returns.
type winoOp struct {
	name string
	srcs int
	body func(add, sub func(d, a, b int)) (results []int)
}

var winoOps = []winoOp{
	{"Difference1", 3, func(add, sub func(d, a, b int)) []int {
		sub(0, 0, 1)
		sub(2, 1, 2)
		return []int{0, 1, 2}
	}},
	{"Difference2", 6, func(add, sub func(d, a, b int)) []int {
		for c := range 3 {
			sub(c, c, 3+c)
		}
		sub(0, 0, 1)
		sub(2, 1, 2)
		return []int{0, 1, 2}
	}},
	{"Sum1", 2, func(add, sub func(d, a, b int)) []int {
		add(2, 0, 1)
		return []int{0, 2, 1}
	}},
	{"Sum2", 4, func(add, sub func(d, a, b int)) []int {
		add(0, 0, 2)
		add(1, 1, 3)
		add(2, 0, 1)
		return []int{0, 2, 1}
	}},
	{"Output", 9, func(add, sub func(d, a, b int)) []int {
		for c := range 3 {
			add(c, c, 3+c)
			sub(3+c, 3+c, 6+c)
		}
		for r := range 2 {
			add(3*r, 3*r, 3*r+1)
			sub(3*r+2, 3*r+1, 3*r+2)
		}
		return []int{0, 2, 3, 5}
	}},
}

// winograd emits all of them: see the stub in winograd_amd64.go.
func (g *gen) winograd(v isa) {
	g.text("wino"+v.name, 24)
	g.op("MOVBLZX op+0(FP), AX")
	g.op("MOVQ a+8(FP), DI")
	g.op("SHLQ $2, n+16(FP)")
	for _, o := range winoOps {
		g.op("CMPL AX, $const_wino%s", o.name)
		g.op("JEQ %s", o.name)
	}
	g.op("INT $3")
	pointers := []string{"AX", "BX", "CX", "DX", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15", "DI"}
	for _, o := range winoOps {
		g.label("%s", o.name)
		results := o.body(func(d, a, b int) {}, func(d, a, b int) {})
		for i := range results {
			g.op("MOVQ winoArgs_dst+%d(DI), %s", 24*i, pointers[i])
		}
		for i := range o.srcs {
			g.op("MOVQ winoArgs_src+%d(DI), %s", 24*i, pointers[len(results)+i])
		}
		g.op("XORQ SI, SI")
		g.op("PCALIGN $32")
		g.label("%sLoop", o.name)
		for i := range o.srcs {
			g.op("VMOVUPS (%s)(SI*1), %s", pointers[len(results)+i], v.reg(i))
		}
		o.body(
			func(d, a, b int) { g.op("VADDPS %s, %s, %s", v.reg(b), v.reg(a), v.reg(d)) },
			func(d, a, b int) { g.op("VSUBPS %s, %s, %s", v.reg(b), v.reg(a), v.reg(d)) },
		)
		for i, r := range results {
			g.op("VMOVUPS %s, (%s)(SI*1)", v.reg(r), pointers[i])
		}
		g.op("ADDQ $%d, SI", v.bytes())
		g.op("CMPQ SI, n+16(FP)")
		g.op("JLT %sLoop", o.name)
		g.op("VZEROUPPER")
		g.op("RET")
	}
}

// neonWinograd is winograd for NEON.
func (g *gen) neonWinograd() {
	g.text("winoNEON", 24)
	g.op("MOVBU op+0(FP), R1")
	g.op("MOVD a+8(FP), R0")
	g.op("MOVD n+16(FP), R16")
	for _, o := range winoOps {
		g.op("CMP $const_wino%s, R1", o.name)
		g.op("BEQ %s", o.name)
	}
	g.op("UNDEF")
	pointer := func(i int) string { return fmt.Sprintf("R%d", 1+i) }
	for _, o := range winoOps {
		g.label("%s", o.name)
		results := o.body(func(d, a, b int) {}, func(d, a, b int) {})
		for i := range results {
			g.op("MOVD winoArgs_dst+%d(R0), %s", 24*i, pointer(i))
		}
		for i := range o.srcs {
			g.op("MOVD winoArgs_src+%d(R0), %s", 24*i, pointer(len(results)+i))
		}
		g.label("%sLoop", o.name)
		for i := range o.srcs {
			g.op("VLD1.P %d(%s), [V%d.S4]", neonBytes, pointer(len(results)+i), i)
		}
		o.body(g.fadd, g.fsub)
		for i, r := range results {
			g.op("VST1.P [V%d.S4], %d(%s)", r, neonBytes, pointer(i))
		}
		g.op("SUBS $%d, R16", neonLanes)
		g.op("BGT %sLoop", o.name)
		g.op("RET")
	}
}
