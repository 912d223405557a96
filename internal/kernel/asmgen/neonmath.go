package main

// A neonFunction is one of tanh, sigmoid, exp and log: the Go functions of that
// name, in float64, on the two halves of a vector at once. Its constants stand
// in registers.
type neonFunction struct {
	name   string
	consts []string
	emit   func(m *neonMath)
}

var (
	neonExpConsts = []string{"Log2e", "Round", "Ln2hi", "Ln2lo", "Bias", "C10", "C9", "C8", "C7", "C6", "C5", "C4", "C3", "C2"}
	neonLogConsts = []string{"L15", "L13", "L11", "L9", "L7", "L5", "L3", "LogShift", "LogInt", "LogBias", "Ln2", "Inf", "NegInf", "NaN"}
)

var neonFunctions = []neonFunction{
	{"Tanh", append([]string{"One", "Two", "TanhMax"}, neonExpConsts...), (*neonMath).tanh},
	{"Sigmoid", append([]string{"One", "SigmoidMax", "SigmoidMin"}, neonExpConsts...), (*neonMath).sigmoid},
	{"Exp", append([]string{"ExpMax", "ExpMin"}, neonExpConsts...), (*neonMath).exp},
	{"Log", append([]string{"One"}, neonLogConsts...), (*neonMath).log},
}

// neonMath emits the steps for both halves.
type neonMath struct {
	*gen
	c map[string]int // registers of constants
}

// Registers of the steps: mask is free between them, input holds float32, sign
// the sign's bit of each.
const (
	neonMask  = 29
	neonInput = 30
	neonSign  = 31
)

// neonHalf names the registers of a half: its argument, its result, and three
// for what comes between.
type neonHalf struct{ x, y, r, s, t int }

var neonHalves = []neonHalf{{0, 1, 2, 3, 4}, {5, 6, 7, 8, 9}}

// neonMath emits a function, over elements of x and dst.
func (g *gen) neonMath(f neonFunction) {
	at := g.neonFields("dst", "x")
	m := &neonMath{g, map[string]int{}}
	g.op("MOVD $·mathConsts(SB), R8")
	for i, n := range f.consts {
		m.c[n] = 10 + i
		g.op("FMOVQ const_math%s*32(R8), F%d", n, m.c[n])
	}
	g.op("MOVD $0x80000000, R8")
	g.op("VDUP R8, V%d.S4", neonSign)
	g.neonLoop(f.name, func() {
		lower, upper := neonHalves[0], neonHalves[1]
		g.op("VLD1.P %d(%s), [V%d.S4]", neonBytes, at["x"], neonInput)
		g.fcvtl(lower.x, neonInput)
		g.fcvtl2(upper.x, neonInput)
		f.emit(m)
		g.fcvtn(lower.y, lower.y)
		g.fcvtn2(lower.y, upper.y)
		if f.name == "Tanh" {
			g.pick(lower.y, neonInput, neonSign)
		}
		g.op("VST1.P [V%d.S4], %d(%s)", lower.y, neonBytes, at["dst"])
	})
}

// each emits a step for both halves.
func (m *neonMath) each(emit func(h neonHalf)) {
	for _, h := range neonHalves {
		emit(h)
	}
}

// atMost bounds x from above; a NaN stays.
func (m *neonMath) atMost(constant string) {
	m.each(func(h neonHalf) {
		m.fcmgt(d2, neonMask, h.x, m.c[constant])
		m.pick(h.x, m.c[constant], neonMask)
	})
}

// atLeast bounds x from below; a NaN stays.
func (m *neonMath) atLeast(constant string) {
	m.each(func(h neonHalf) {
		m.fcmgt(d2, neonMask, m.c[constant], h.x)
		m.pick(h.x, m.c[constant], neonMask)
	})
}

// horner computes y = (...(first·v + coefs[1])·v + ...).
func (m *neonMath) horner(coefs []string, v func(h neonHalf) int) {
	m.each(func(h neonHalf) { m.fmul(d2, h.y, v(h), m.c[coefs[0]]) })
	for i, n := range coefs[1:] {
		if i > 0 {
			m.each(func(h neonHalf) { m.fmul(d2, h.y, h.y, v(h)) })
		}
		m.each(func(h neonHalf) { m.fadd(d2, h.y, h.y, m.c[n]) })
	}
}

// exp2n is the Go function exp2n: from x to s, and s·q in y.
func (m *neonMath) exp2n() {
	m.each(func(h neonHalf) { m.fmul(d2, h.t, h.x, m.c["Log2e"]) })
	m.each(func(h neonHalf) { m.fadd(d2, h.t, h.t, m.c["Round"]) })
	m.each(func(h neonHalf) { m.fsub(d2, h.s, h.t, m.c["Round"]) })
	m.each(func(h neonHalf) { m.fmul(d2, h.r, h.s, m.c["Ln2hi"]) })
	m.each(func(h neonHalf) { m.fsub(d2, h.r, h.x, h.r) })
	m.each(func(h neonHalf) { m.fmul(d2, h.s, h.s, m.c["Ln2lo"]) })
	m.each(func(h neonHalf) { m.fsub(d2, h.r, h.r, h.s) })
	m.horner([]string{"C10", "C9", "C8", "C7", "C6", "C5", "C4", "C3", "C2"}, func(h neonHalf) int { return h.r })
	m.each(func(h neonHalf) { m.fmul(d2, h.x, h.r, h.r) })
	m.each(func(h neonHalf) { m.fmul(d2, h.y, h.x, h.y) })
	m.each(func(h neonHalf) { m.fadd(d2, h.y, h.r, h.y) })
	m.each(func(h neonHalf) { m.op("VADD V%d.D2, V%d.D2, V%d.D2", m.c["Bias"], h.t, h.s) })
	m.each(func(h neonHalf) { m.op("VSHL $52, V%d.D2, V%d.D2", h.s, h.s) })
	m.each(func(h neonHalf) { m.fmul(d2, h.y, h.s, h.y) })
}

// tanh leaves the sign to be set later.
func (m *neonMath) tanh() {
	m.each(func(h neonHalf) { m.fabs(d2, h.x, h.x) })
	m.atMost("TanhMax")
	m.each(func(h neonHalf) { m.fadd(d2, h.x, h.x, h.x) })
	m.exp2n()
	m.comment("expm1, then e/(e+2)")
	m.each(func(h neonHalf) { m.fsub(d2, h.s, h.s, m.c["One"]) })
	m.each(func(h neonHalf) { m.fadd(d2, h.y, h.y, h.s) })
	m.each(func(h neonHalf) { m.fadd(d2, h.t, h.y, m.c["Two"]) })
	m.each(func(h neonHalf) { m.fdiv(d2, h.y, h.y, h.t) })
}

func (m *neonMath) sigmoid() {
	m.each(func(h neonHalf) { m.fneg(d2, h.x, h.x) })
	m.atMost("SigmoidMax")
	m.atLeast("SigmoidMin")
	m.exp2n()
	m.comment("exp, then 1/(exp+1)")
	m.each(func(h neonHalf) { m.fadd(d2, h.y, h.y, h.s) })
	m.each(func(h neonHalf) { m.fadd(d2, h.y, h.y, m.c["One"]) })
	m.each(func(h neonHalf) { m.fdiv(d2, h.y, m.c["One"], h.y) })
}

func (m *neonMath) exp() {
	m.atMost("ExpMax")
	m.atLeast("ExpMin")
	m.exp2n()
	m.each(func(h neonHalf) { m.fadd(d2, h.y, h.y, h.s) })
}

// log has the exponent in t, s in r and its square in s.
func (m *neonMath) log() {
	m.each(func(h neonHalf) {
		m.op("VADD V%d.D2, V%d.D2, V%d.D2", m.c["LogShift"], h.x, h.t)
		m.op("VUSHR $52, V%d.D2, V%d.D2", h.t, h.t)
		m.op("VSHL $52, V%d.D2, V%d.D2", h.t, h.s)
		m.op("VSUB V%d.D2, V%d.D2, V%d.D2", h.s, h.x, h.r)
		m.op("VADD V%d.D2, V%d.D2, V%d.D2", m.c["One"], h.r, h.r)
	})
	m.each(func(h neonHalf) { m.fadd(d2, h.s, h.r, m.c["One"]) })
	m.each(func(h neonHalf) { m.fsub(d2, h.r, h.r, m.c["One"]) })
	m.each(func(h neonHalf) { m.fdiv(d2, h.r, h.r, h.s) })
	m.each(func(h neonHalf) { m.fmul(d2, h.s, h.r, h.r) })
	m.horner([]string{"L15", "L13", "L11", "L9", "L7", "L5", "L3"}, func(h neonHalf) int { return h.s })
	m.each(func(h neonHalf) { m.fmul(d2, h.y, h.y, h.s) })
	m.each(func(h neonHalf) { m.fmul(d2, h.y, h.r, h.y) })
	m.each(func(h neonHalf) { m.fadd(d2, h.y, h.r, h.y) })
	m.each(func(h neonHalf) { m.fadd(d2, h.y, h.y, h.y) })
	m.comment("the exponent's part, then what is not positive or not finite")
	m.each(func(h neonHalf) { m.op("VORR V%d.B16, V%d.B16, V%d.B16", m.c["LogInt"], h.t, h.t) })
	m.each(func(h neonHalf) { m.fsub(d2, h.t, h.t, m.c["LogBias"]) })
	m.each(func(h neonHalf) { m.fmul(d2, h.t, h.t, m.c["Ln2"]) })
	m.each(func(h neonHalf) { m.fadd(d2, h.y, h.t, h.y) })
	m.each(func(h neonHalf) {
		m.fcmlt0(d2, neonMask, h.x)
		m.pick(h.y, m.c["NaN"], neonMask)
		m.fcmeq0(d2, neonMask, h.x)
		m.pick(h.y, m.c["NegInf"], neonMask)
		m.fcmgt(d2, neonMask, m.c["Inf"], h.x)
		m.pickNot(h.y, h.x, neonMask)
	})
}
