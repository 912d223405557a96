package main

import (
	"fmt"
	"math"
)

// A winoLine is a transformation of the fast form of convolutions along one
// dimension: the Go function of that name in winogradpass.go.
type winoLine struct {
	name    string
	in, out int
	body    func(k winoKit, x []int) (y []int)
}

// A winoKit emits the arithmetic of a line. Values are numbers of registers; what
// a function names d it also overwrites.
type winoKit struct {
	add, sub func(d, a, b int)
	mul      func(d int, c float32)
	mla, mls func(d int, c float32, a int) // d ± c·a, rounded once
	copy     func(d, a int)
	regs     *registers
}

// registers hands out registers.
type registers struct{ free []int }

func (r *registers) take() int {
	n := r.free[len(r.free)-1]
	r.free = r.free[:len(r.free)-1]
	return n
}

func (r *registers) give(rs ...int) { r.free = append(r.free, rs...) }

const sixth = float32(1. / 6)

var winoLines = []winoLine{
	{"Input", 5, 5, func(k winoKit, x []int) []int {
		t, u := k.regs.take(), k.regs.take()
		k.sub(t, x[1], x[3])
		k.sub(x[0], x[0], x[2])
		k.mls(x[0], 0.5, t)
		k.sub(x[4], x[2], x[4])
		k.mls(x[4], 2, t)
		k.sub(x[3], x[2], x[3])
		k.add(u, x[1], x[2])
		k.sub(x[1], x[1], x[2])
		k.mls(x[3], 2, x[1])
		k.add(u, u, t)
		k.regs.give(x[1], x[2])
		return []int{x[0], u, x[3], t, x[4]}
	}},
	{"Taps", 2, 5, func(k winoKit, x []int) []int {
		t, u, w := k.regs.take(), k.regs.take(), k.regs.take()
		k.add(t, x[0], x[1])
		k.mul(t, 0.5)
		k.sub(u, x[0], x[1])
		k.mul(u, sixth)
		k.copy(w, x[0])
		k.mla(w, 2, x[1])
		k.mul(w, sixth)
		return []int{x[0], t, u, w, x[1]}
	}},
	{"Output", 5, 4, func(k winoKit, x []int) []int {
		t := k.regs.take()
		k.add(t, x[1], x[2])
		k.sub(x[2], x[1], x[2])
		k.add(x[0], x[0], t)
		k.sub(x[0], x[0], x[3])
		k.mls(t, 4, x[3])
		k.sub(x[4], x[2], x[4])
		k.mls(x[4], 8, x[3])
		k.mls(x[2], 2, x[3])
		k.regs.give(x[1], x[3])
		return []int{x[0], x[2], t, x[4]}
	}},
	{"SmallInput", 3, 3, func(k winoKit, x []int) []int {
		k.sub(x[0], x[0], x[1])
		k.sub(x[2], x[1], x[2])
		return x
	}},
	{"SmallTaps", 2, 3, func(k winoKit, x []int) []int {
		t := k.regs.take()
		k.add(t, x[0], x[1])
		return []int{x[0], t, x[1]}
	}},
	{"SmallOutput", 3, 2, func(k winoKit, x []int) []int {
		k.add(x[0], x[0], x[1])
		k.sub(x[1], x[1], x[2])
		k.regs.give(x[2])
		return []int{x[0], x[1]}
	}},
}

// winoGradLines are those of weight gradients, in functions that only training links.
var winoGradLines = []winoLine{
	{"Grad", 4, 5, func(k winoKit, x []int) []int {
		t, u, w := k.regs.take(), k.regs.take(), k.regs.take()
		k.add(t, x[0], x[2])
		k.add(u, x[1], x[3])
		k.mla(x[2], 2, x[3])
		k.mla(x[1], 2, x[2])
		k.copy(w, x[0])
		k.mla(w, 2, x[1])
		k.add(x[1], t, u)
		k.sub(u, t, u)
		k.regs.give(x[2], t)
		return []int{x[0], x[1], u, w, x[3]}
	}},
	{"GradTaps", 5, 2, func(k winoKit, x []int) []int {
		t := k.regs.take()
		k.sub(t, x[2], x[3])
		k.mla(x[2], 2, x[3])
		k.mla(x[0], 0.5, x[1])
		k.mla(x[0], sixth, t)
		k.mul(x[1], 0.5)
		k.sub(x[1], x[1], x[4])
		k.mls(x[1], sixth, x[2])
		k.regs.give(x[2], x[3], x[4], t)
		return []int{x[0], x[1]}
	}},
}

// constants returns what a line multiplies by.
func (l winoLine) constants() (cs []float32) {
	see := func(c float32) {
		for _, d := range cs {
			if c == d {
				return
			}
		}
		cs = append(cs, c)
	}
	none := func(d, a, b int) {}
	k := winoKit{add: none, sub: none, mul: func(_ int, c float32) { see(c) }, copy: func(d, a int) {}, regs: &registers{make([]int, 9)}}
	k.mla = func(_ int, c float32, _ int) { see(c) }
	k.mls = k.mla
	l.body(k, make([]int, l.in))
	return cs
}

// square emits the line along the columns of in x in sources and then along the
// rows, into out x out results. With few registers the first pass goes through a
// frame, but for the last value that the first row needs: 24 vectors are the most
// that a function without a check of its stack may have.
func (l winoLine) square(k winoKit, load, store func(reg, i int), spill, fill func(reg, i int)) {
	columns := make([][]int, l.in)
	for c := range l.in {
		x := make([]int, l.in)
		for r := range x {
			x[r] = k.regs.take()
			load(x[r], r*l.in+c)
		}
		columns[c] = l.body(k, x)
		for r, reg := range columns[c] {
			if spill != nil && (r > 0 || c < l.in-1) {
				spill(reg, max(r*l.in+c-1, c))
				k.regs.give(reg)
			}
		}
	}
	for r := range l.out {
		x := make([]int, l.in)
		for c := range x {
			x[c] = columns[c][r]
			if spill != nil && (r > 0 || c < l.in-1) {
				x[c] = k.regs.take()
				fill(x[c], max(r*l.in+c-1, c))
			}
		}
		y := l.body(k, x)
		for c, reg := range y {
			store(reg, r*l.out+c)
		}
		k.regs.give(y...)
	}
}

// winograd and winogradGrad emit all of them: see the stubs in winograd_amd64.go.
func (g *gen) winograd(v isa)     { g.winoFunction("wino"+v.name, v, winoLines) }
func (g *gen) winogradGrad(v isa) { g.winoFunction("winoGrad"+v.name, v, winoGradLines) }

func (g *gen) winoFunction(name string, v isa, lines []winoLine) {
	frame := 0
	if v.regs < 32 {
		frame = 24 * v.bytes()
	}
	g.frame(name, frame, 24)
	g.op("MOVBLZX op+0(FP), AX")
	g.op("MOVQ a+8(FP), DI")
	g.op("SHLQ $2, n+16(FP)")
	g.op("XORQ SI, SI")   // where the sources stand, in bytes
	g.op("XORQ R14, R14") // and the results
	for _, l := range lines {
		g.op("CMPL AX, $const_wino%s", l.name)
		g.op("JEQ %s", l.name)
	}
	g.op("INT $3")
	pointers := []string{"AX", "BX", "CX", "DX", "R8", "R9", "R10", "R11", "R12", "R13"}
	next := 0
	pointer := func(field string, i int) string {
		p := pointers[next%len(pointers)]
		next++
		g.op("MOVQ winoArgs_%s+%d(DI), %s", field, 24*i, p)
		return p
	}
	for _, l := range lines {
		g.label("%s", l.name)
		constant := map[float32]string{}
		regs := &registers{}
		last := v.regs
		for _, c := range l.constants() {
			last--
			constant[c] = v.reg(last)
			g.op("MOVL $0x%08x, AX", math.Float32bits(c))
			if v.wide() {
				g.op("VPBROADCASTD AX, %s", v.reg(last))
			} else {
				g.op("VMOVD AX, X%d", last)
				g.op("VPBROADCASTD X%d, %s", last, v.reg(last))
			}
		}
		for i := last - 1; i >= 0; i-- {
			regs.give(i)
		}
		k := winoKit{
			add:  func(d, a, b int) { g.op("VADDPS %s, %s, %s", v.reg(b), v.reg(a), v.reg(d)) },
			sub:  func(d, a, b int) { g.op("VSUBPS %s, %s, %s", v.reg(b), v.reg(a), v.reg(d)) },
			mul:  func(d int, c float32) { g.op("VMULPS %s, %s, %s", constant[c], v.reg(d), v.reg(d)) },
			mla:  func(d int, c float32, a int) { g.op("VFMADD231PS %s, %s, %s", constant[c], v.reg(a), v.reg(d)) },
			mls:  func(d int, c float32, a int) { g.op("VFNMADD231PS %s, %s, %s", constant[c], v.reg(a), v.reg(d)) },
			copy: func(d, a int) { g.op("VMOVAPS %s, %s", v.reg(a), v.reg(d)) },
			regs: regs,
		}
		load := func(reg, i int) { g.op("VMOVUPS (%s)(SI*1), %s", pointer("src", i), v.reg(reg)) }
		store := func(reg, i int) { g.op("VMOVUPS %s, (%s)(R14*1)", v.reg(reg), pointer("dst", i)) }
		var spill, fill func(reg, i int)
		if frame > 0 {
			spill = func(reg, i int) { g.op("VMOVUPS %s, %d(SP)", v.reg(reg), i*v.bytes()) }
			fill = func(reg, i int) { g.op("VMOVUPS %d(SP), %s", i*v.bytes(), v.reg(reg)) }
		}
		g.label("%sRow", l.name)
		g.op("MOVQ n+16(FP), R15")
		g.op("PCALIGN $32")
		g.label("%sLoop", l.name)
		l.square(k, load, store, spill, fill)
		g.op("ADDQ $%d, SI", v.bytes())
		g.op("ADDQ $%d, R14", v.bytes())
		g.op("SUBQ $%d, R15", v.bytes())
		g.op("JGT %sLoop", l.name)
		g.op("ADDQ winoArgs_srcSkip(DI), SI")
		g.op("ADDQ winoArgs_dstSkip(DI), R14")
		g.op("DECQ winoArgs_rows(DI)")
		g.op("JNE %sRow", l.name)
		g.op("VZEROUPPER")
		g.op("RET")
	}
}

// neonWinograd is winoFunction for NEON.
func (g *gen) neonWinograd(name string, lines []winoLine) {
	g.text(name, 24)
	g.op("MOVBU op+0(FP), R1")
	g.op("MOVD a+8(FP), R0")
	g.op("MOVD winoArgs_rows(R0), R17")
	g.op("MOVD winoArgs_srcSkip(R0), R19")
	g.op("MOVD winoArgs_dstSkip(R0), R20")
	g.op("MOVD $0, R2")  // where the sources stand, in bytes
	g.op("MOVD $0, R11") // and the results
	for _, l := range lines {
		g.op("CMP $const_wino%s, R1", l.name)
		g.op("BEQ %s", l.name)
	}
	g.op("UNDEF")
	pointer := func(field string, i, at int) string {
		g.op("MOVD winoArgs_%s+%d(R0), R%d", field, 24*i, 3+i%8)
		g.op("ADD R%d, R%d", at, 3+i%8)
		return fmt.Sprintf("R%d", 3+i%8)
	}
	for _, l := range lines {
		g.label("%s", l.name)
		constant := map[float32]int{}
		regs := &registers{}
		last := 32
		for _, c := range l.constants() {
			last--
			constant[c] = last
			g.op("MOVD $0x%08x, R1", math.Float32bits(c))
			g.op("VDUP R1, V%d.S4", last)
		}
		for i := last - 1; i >= 0; i-- {
			regs.give(i)
		}
		k := winoKit{
			add:  g.fadd,
			sub:  g.fsub,
			mul:  func(d int, c float32) { g.fmul(d, d, constant[c]) },
			mla:  func(d int, c float32, a int) { g.fmla(d, a, constant[c]) },
			mls:  func(d int, c float32, a int) { g.fmls(d, a, constant[c]) },
			copy: func(d, a int) { g.op("VMOV V%d.B16, V%d.B16", a, d) },
			regs: regs,
		}
		g.label("%sRow", l.name)
		g.op("MOVD n+16(FP), R16")
		g.label("%sLoop", l.name)
		l.square(k,
			func(reg, i int) { g.op("FMOVQ (%s), F%d", pointer("src", i, 2), reg) },
			func(reg, i int) { g.op("FMOVQ F%d, (%s)", reg, pointer("dst", i, 11)) }, nil, nil)
		g.op("ADD $%d, R2", neonBytes)
		g.op("ADD $%d, R11", neonBytes)
		g.op("SUBS $%d, R16", neonLanes)
		g.op("BGT %sLoop", l.name)
		g.op("ADD R19, R2")
		g.op("ADD R20, R11")
		g.op("SUBS $1, R17")
		g.op("BGT %sRow", l.name)
		g.op("RET")
	}
}
