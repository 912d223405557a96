package main

import "slices"

// A neonFunction is one of tanh, sigmoid, exp and log: the Go functions of that
// name. Its constants stand in registers.
type neonFunction struct {
	name   string
	consts []string
	emit   func(m *neonMath)
}

var neonExpConsts = append([]string{"One", "Log2e", "Round", "Ln2hi", "Ln2lo", "Twice"}, expCoefs...)

var neonFunctions = []neonFunction{
	{"Tanh", slices.Concat([]string{"TanhSmall", "TanhMax"}, neonExpConsts, nearCoefs, tanhCoefs), (*neonMath).tanh},
	{"Sigmoid", slices.Concat([]string{"ExpMin"}, neonExpConsts, recipCoefs), (*neonMath).sigmoid},
	{"Exp", slices.Concat([]string{"ExpMax", "ExpMin"}, neonExpConsts), (*neonMath).exp},
	{"Log", slices.Concat([]string{"One", "NegHalf", "Normal", "Lift", "LogBias", "LiftBias", "LogShift", "Ln2hi", "Ln2lo", "Inf", "NegInf", "NaN"}, logCoefs), (*neonMath).log},
}

// neonMath emits the steps for a vector.
type neonMath struct {
	*gen
	c map[string]int // registers of constants
}

// Registers of the steps: x is the argument, sign the bit of a sign, mask is
// free between steps.
const (
	neonX = iota
	neonR
	neonQ
	neonT
	neonU
	neonTmp
	neonSign
	neonMask
	neonFirstConst
)

// neonMath emits a function, over elements of x and dst.
func (g *gen) neonMath(f neonFunction) {
	at := g.neonFields("dst", "x")
	m := &neonMath{g, map[string]int{}}
	g.op("MOVD $·mathConsts(SB), R8")
	for i, n := range f.consts {
		m.c[n] = neonFirstConst + i
		g.op("FMOVQ const_math%s*32(R8), F%d", n, m.c[n])
	}
	g.op("MOVD $0x80000000, R8")
	g.op("VDUP R8, V%d.S4", neonSign)
	g.neonLoop(f.name, func() {
		g.op("VLD1.P %d(%s), [V%d.S4]", neonBytes, at["x"], neonX)
		f.emit(m)
		g.op("VST1.P [V%d.S4], %d(%s)", neonQ, neonBytes, at["dst"])
	})
}

// copyTo copies register n to d.
func (m *neonMath) copyTo(d, n int) { m.op("VORR V%d.B16, V%d.B16, V%d.B16", n, n, d) }

// integer emits d = n ∘ m on integers.
func (m *neonMath) integer(name string, d, n, mm int) {
	m.op("%s V%d.S4, V%d.S4, V%d.S4", name, mm, n, d)
}

// shift emits d = n shifted by some bits.
func (m *neonMath) shift(name string, bits, d, n int) {
	m.op("%s $%d, V%d.S4, V%d.S4", name, bits, n, d)
}

// atMost bounds r from above; a NaN stays.
func (m *neonMath) atMost(constant string) {
	m.fcmgt(neonMask, neonR, m.c[constant])
	m.pick(neonR, m.c[constant], neonMask)
}

// atLeast bounds r from below; a NaN stays.
func (m *neonMath) atLeast(constant string) {
	m.fcmgt(neonMask, m.c[constant], neonR)
	m.pick(neonR, m.c[constant], neonMask)
}

// horner computes y = coefs[0]·xⁿ + coefs[1]·xⁿ⁻¹ + ... An instruction adds to
// its destination, so that y and tmp take turns.
func (m *neonMath) horner(coefs []string, y, x int) {
	at, next := y, neonTmp
	if len(coefs)%2 == 0 {
		at, next = next, at
	}
	m.copyTo(at, m.c[coefs[0]])
	for _, n := range coefs[1:] {
		m.copyTo(next, m.c[n])
		m.fmla(next, at, x)
		at, next = next, at
	}
}

// exp2n is the Go function exp2n: from x in r to p in q; in t is n + roundTo.
func (m *neonMath) exp2n() {
	m.copyTo(neonT, m.c["Round"])
	m.fmla(neonT, neonR, m.c["Log2e"])
	m.fsub(neonTmp, neonT, m.c["Round"])
	m.fmls(neonR, neonTmp, m.c["Ln2hi"])
	m.fmls(neonR, neonTmp, m.c["Ln2lo"])
	m.horner(append(slices.Clone(expCoefs), "One", "One"), neonQ, neonR)
}

// scale is the Go function scale: from p in q and n + roundTo in t to q.
func (m *neonMath) scale() {
	m.integer("VSUB", neonT, neonT, m.c["Twice"])
	m.shift("VUSHR", 1, neonTmp, neonT)
	m.integer("VSUB", neonT, neonT, neonTmp)
	m.shift("VSHL", 23, neonTmp, neonTmp)
	m.shift("VSHL", 23, neonT, neonT)
	m.fmul(neonQ, neonQ, neonTmp)
	m.fmul(neonQ, neonQ, neonT)
}

// reciprocal is the Go function reciprocal: from d in t to u.
func (m *neonMath) reciprocal(coefs []string) {
	m.horner(coefs, neonU, neonT)
	for range 2 {
		m.copyTo(neonR, m.c["One"])
		m.fmls(neonR, neonT, neonU)
		m.copyTo(neonTmp, neonU)
		m.fmla(neonTmp, neonU, neonR)
		m.copyTo(neonU, neonTmp)
	}
}

// negative sets the sign of x, in r.
func (m *neonMath) negative() {
	m.op("VORR V%d.B16, V%d.B16, V%d.B16", neonX, neonSign, neonR)
}

func (m *neonMath) tanh() {
	m.negative()
	m.atLeast("TanhMax")
	m.fadd(neonR, neonR, neonR)
	m.exp2n()
	m.scale()
	m.comment("1 - 2t/(1+t) in q")
	m.fadd(neonT, m.c["One"], neonQ)
	m.reciprocal(nearCoefs)
	m.fadd(neonTmp, neonQ, neonQ)
	m.copyTo(neonQ, m.c["One"])
	m.fmls(neonQ, neonTmp, neonU)
	m.comment("the polynomial for small arguments in r")
	m.fmul(neonT, neonX, neonX)
	m.horner(tanhCoefs, neonU, neonT)
	m.fmul(neonT, neonX, neonT)
	m.negative()
	m.fcmgt(neonMask, neonR, m.c["TanhSmall"])
	m.copyTo(neonR, neonX)
	m.fmla(neonR, neonT, neonU)
	m.pick(neonQ, neonR, neonMask)
	m.pick(neonQ, neonX, neonSign)
}

func (m *neonMath) sigmoid() {
	one := m.c["One"]
	m.negative()
	m.atLeast("ExpMin")
	m.exp2n()
	m.scale()
	m.fadd(neonT, one, neonQ)
	m.reciprocal(recipCoefs)
	m.comment("the quotient, and its corrections in r")
	m.copyTo(neonR, one)
	m.fcmlt0(neonMask, neonX)
	m.pick(neonR, neonQ, neonMask)
	m.fmul(neonTmp, neonR, neonU)
	m.fmls(neonR, neonT, neonTmp)
	m.fsub(neonT, neonT, one)
	m.fsub(neonT, neonQ, neonT)
	m.fmls(neonR, neonT, neonTmp)
	m.copyTo(neonQ, neonTmp)
	m.fmla(neonQ, neonR, neonU)
}

func (m *neonMath) exp() {
	m.copyTo(neonR, neonX)
	m.atMost("ExpMax")
	m.atLeast("ExpMin")
	m.exp2n()
	m.scale()
}

// log computes m in r and the exponent in t.
func (m *neonMath) log() {
	one := m.c["One"]
	m.comment("subnormal numbers become normal")
	m.copyTo(neonR, neonX)
	m.copyTo(neonU, m.c["LogBias"])
	m.fcmgt(neonMask, m.c["Normal"], neonX)
	m.fmul(neonTmp, neonX, m.c["Lift"])
	m.pick(neonR, neonTmp, neonMask)
	m.pick(neonU, m.c["LiftBias"], neonMask)
	m.integer("VADD", neonT, neonR, m.c["LogShift"])
	m.shift("VUSHR", 23, neonT, neonT)
	m.shift("VSHL", 23, neonTmp, neonT)
	m.integer("VSUB", neonR, neonR, neonTmp)
	m.integer("VADD", neonR, neonR, one)
	m.fsub(neonR, neonR, one)
	m.ucvtf(neonT, neonT)
	m.fsub(neonT, neonT, neonU)
	m.fmul(neonU, neonR, neonR)
	m.horner(logCoefs, neonQ, neonR)
	m.fmul(neonTmp, neonR, neonU)
	m.fmul(neonQ, neonQ, neonTmp)
	m.fmla(neonQ, neonT, m.c["Ln2lo"])
	m.fmla(neonQ, neonU, m.c["NegHalf"])
	m.fadd(neonQ, neonR, neonQ)
	m.fmla(neonQ, neonT, m.c["Ln2hi"])
	m.comment("what is not positive or not finite")
	m.fcmlt0(neonMask, neonX)
	m.pick(neonQ, m.c["NaN"], neonMask)
	m.fcmeq0(neonMask, neonX)
	m.pick(neonQ, m.c["NegInf"], neonMask)
	m.fcmgt(neonMask, m.c["Inf"], neonX)
	m.pickNot(neonQ, neonX, neonMask)
}
