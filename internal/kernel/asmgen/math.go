package main

// A mathFunction is one of tanh, sigmoid, exp and log: the Go functions of that
// name. A chain is the work for one vector. The steps of several chains
// alternate, because a chain alone waits for its own results most of the time.
type mathFunction struct {
	name string
	emit func(m *mathBody)
}

var mathFunctions = []mathFunction{
	{"Tanh", (*mathBody).tanh},
	{"Sigmoid", (*mathBody).sigmoid},
	{"Exp", (*mathBody).exp},
	{"Log", (*mathBody).log},
}

var (
	expCoefs   = []string{"C4", "C3", "C2", "C1", "C0"}
	tanhCoefs  = []string{"T4", "T3", "T2", "T1", "T0"}
	recipCoefs = []string{"R2", "R1", "R0"}
	nearCoefs  = []string{"N1", "N0"}
	logCoefs   = []string{"L8", "L7", "L6", "L5", "L4", "L3", "L2", "L1", "L0"}
)

// mathAhead is how far ahead, in bytes, a loop asks for its argument: the
// processor looks ahead less than the next round.
const mathAhead = 2048

// mathBody emits the steps of some chains; the constants stand in memory.
type mathBody struct {
	*gen
	v      isa
	chains int
}

// chain names the four registers of a chain, and says where its vector begins.
type chain struct {
	r, q, t, u string
	at         int
}

// Registers that the chains share.
func (m *mathBody) tmp() string  { return m.v.reg(m.v.regs - 4) }
func (m *mathBody) tmp2() string { return m.v.reg(m.v.regs - 3) }
func (m *mathBody) zero() string { return m.v.reg(m.v.regs - 2) }
func (m *mathBody) one() string  { return m.v.reg(m.v.regs - 1) }

// mathLoop emits the loop of a function, over elements of x and dst.
func (g *gen) mathLoop(v isa, f mathFunction) {
	g.fields("dst", "x")
	g.op("LEAQ ·mathConsts(SB), DX")
	m := &mathBody{gen: g, v: v}
	g.zero(v, m.zero())
	g.op("VBROADCASTSS const_mathOne*32(DX), %s", m.one())
	g.loops(v, f.name, min((v.regs-4)/4, 4), func(vectors int) {
		m.chains = vectors
		for at := 0; at < vectors*v.bytes(); at += 64 {
			g.op("PREFETCHT0 %d(BX)(SI*4)", mathAhead+at)
		}
		f.emit(m)
	})
}

// each emits steps for every chain.
func (m *mathBody) each(emit func(c chain)) {
	for h := range m.chains {
		emit(chain{m.v.reg(4 * h), m.v.reg(4*h + 1), m.v.reg(4*h + 2), m.v.reg(4*h + 3), h * m.v.bytes()})
	}
}

// k emits dst = a op constant.
func (m *mathBody) k(op, constant, a, dst string) {
	if m.v.wide() {
		op += ".BCST"
	}
	m.op("%s const_math%s*32(DX), %s, %s", op, constant, a, dst)
}

// argument loads the elements of a chain.
func (m *mathBody) argument(c chain, r string) {
	m.op("VMOVUPS %d(BX)(SI*4), %s", c.at, r)
}

// bound limits every r from above (VMINPS) or below (VMAXPS); a NaN stays.
func (m *mathBody) bound(op, constant string) {
	m.op("VBROADCASTSS const_math%s*32(DX), %s", constant, m.tmp())
	m.each(func(c chain) { m.op("%s %s, %s, %s", op, c.r, m.tmp(), c.r) })
}

// load makes all elements of a register a constant.
func (m *mathBody) load(constant, r string) {
	if m.v.wide() {
		m.op("VBROADCASTSS const_math%s*32(DX), %s", constant, r)
	} else {
		m.op("VMOVUPS const_math%s*32(DX), %s", constant, r)
	}
}

// horner computes y = coefs[0]·xⁿ + coefs[1]·xⁿ⁻¹ + ...
func (m *mathBody) horner(coefs []string, y, x func(c chain) string) {
	m.each(func(c chain) { m.load(coefs[0], y(c)) })
	for _, name := range coefs[1:] {
		m.each(func(c chain) { m.k("VFMADD213PS", name, x(c), y(c)) })
	}
}

func inR(c chain) string { return c.r }
func inQ(c chain) string { return c.q }
func inT(c chain) string { return c.t }
func inU(c chain) string { return c.u }

// exp2n is the Go function exp2n: from x in r to p in q; in t is n + roundTo, in u
// is n as a float32. The constants of double are powers of two times the others:
// they give the bits of exp2n(x+x).
func (m *mathBody) exp2n(double string) {
	m.each(func(c chain) {
		m.load("Round", c.t)
		m.k("VFMADD231PS", double+"Log2e", c.r, c.t)
	})
	m.each(func(c chain) { m.k("VSUBPS", "Round", c.t, c.u) })
	m.each(func(c chain) { m.k("VFMADD231PS", double+"NegLn2hi", c.u, c.r) })
	m.each(func(c chain) { m.k("VFMADD231PS", double+"NegLn2lo", c.u, c.r) })
	coefs := make([]string, len(expCoefs))
	for i, name := range expCoefs {
		coefs[i] = double + name
	}
	m.horner(append(coefs, double+"One"), inQ, inR)
	m.each(func(c chain) { m.op("VFMADD213PS %s, %s, %s", m.one(), c.r, c.q) })
}

// scale is the Go function scale, of what exp2n leaves, to q. AVX-512 has an
// instruction that does it. AVX2 adds the bias of an exponent to both halves of
// n at once.
func (m *mathBody) scale() {
	if m.v.wide() {
		m.each(func(c chain) { m.op("VSCALEFPS %s, %s, %s", c.u, c.q, c.q) })
		return
	}
	tmp := m.tmp()
	m.each(func(c chain) {
		m.k("VPSUBD", "Twice", c.t, c.t)
		m.op("VPSRLD $1, %s, %s", c.t, tmp)
		m.op("VPSUBD %s, %s, %s", tmp, c.t, c.t)
		m.op("VPSLLD $23, %s, %s", tmp, tmp)
		m.op("VMULPS %s, %s, %s", tmp, c.q, c.q)
	})
	m.each(func(c chain) { m.op("VPSLLD $23, %s, %s", c.t, c.t) })
	m.each(func(c chain) { m.op("VMULPS %s, %s, %s", c.t, c.q, c.q) })
}

// reciprocal is the Go function reciprocal: from d in t to u.
func (m *mathBody) reciprocal(coefs []string) {
	m.horner(coefs, inU, inT)
	for range 2 {
		m.each(func(c chain) {
			m.op("VMOVAPS %s, %s", m.one(), c.r)
			m.op("VFNMADD231PS %s, %s, %s", c.u, c.t, c.r)
		})
		m.each(func(c chain) { m.op("VFMADD213PS %s, %s, %s", c.u, c.r, c.u) })
	}
}

// store writes the results.
func (m *mathBody) store(y func(c chain) string) {
	m.each(func(c chain) { m.op("VMOVUPS %s, %d(AX)(SI*4)", y(c), c.at) })
}

// choose copies y to dst where the comparison of x with a constant holds.
func (m *mathBody) choose(predicate int, constant, x, y, dst string) {
	if m.v.wide() {
		m.op("VCMPPS.BCST $%d, const_math%s*32(DX), %s, K1", predicate, constant, x)
		m.op("VMOVAPS %s, K1, %s", y, dst)
		return
	}
	m.op("VCMPPS $%d, const_math%s*32(DX), %s, %s", predicate, constant, x, m.tmp())
	m.op("VBLENDVPS %s, %s, %s, %s", m.tmp(), y, dst, dst)
}

func (m *mathBody) tanh() {
	m.each(func(c chain) { m.argument(c, c.r) })
	m.each(func(c chain) { m.k("VORPS", "Sign", c.r, c.r) })
	m.bound("VMAXPS", "TanhMax")
	m.exp2n("Double")
	m.scale()
	m.comment("1 - 2t/(1+t) in q")
	m.each(func(c chain) { m.op("VADDPS %s, %s, %s", c.q, m.one(), c.t) })
	m.reciprocal(nearCoefs)
	m.each(func(c chain) { m.op("VADDPS %s, %s, %s", c.q, c.q, c.q) })
	m.each(func(c chain) { m.op("VFNMADD213PS %s, %s, %s", m.one(), c.u, c.q) })
	m.comment("the polynomial for small arguments in u")
	m.each(func(c chain) { m.argument(c, c.r) })
	m.each(func(c chain) { m.op("VMULPS %s, %s, %s", c.r, c.r, c.t) })
	m.horner(tanhCoefs, inU, inT)
	m.each(func(c chain) {
		m.op("VMULPS %s, %s, %s", c.r, c.t, m.tmp2())
		m.op("VFMADD213PS %s, %s, %s", c.r, m.tmp2(), c.u)
	})
	m.each(func(c chain) { m.choose(lessThan, "TanhSquare", c.t, c.u, c.q) })
	m.comment("the sign")
	m.each(func(c chain) {
		if m.v.wide() {
			m.op("VPTERNLOGD.BCST $0xf8, const_mathSign*32(DX), %s, %s // q | r & sign", c.r, c.q)
			return
		}
		m.k("VANDPS", "Sign", c.r, m.tmp())
		m.op("VORPS %s, %s, %s", m.tmp(), c.q, c.q)
	})
	m.store(inQ)
}

func (m *mathBody) sigmoid() {
	e, lost := m.tmp(), m.tmp2()
	m.each(func(c chain) { m.argument(c, c.r) })
	m.each(func(c chain) { m.k("VORPS", "Sign", c.r, c.r) })
	m.bound("VMAXPS", "ExpMin")
	m.exp2n("")
	m.scale()
	m.each(func(c chain) { m.op("VADDPS %s, %s, %s", c.q, m.one(), c.t) })
	m.reciprocal(recipCoefs)
	m.comment("the quotient in r, and its corrections")
	m.each(func(c chain) { m.argument(c, c.r) })
	m.each(func(c chain) {
		if m.v.wide() {
			m.op("VCMPPS $%d, %s, %s, K1", lessThan, m.zero(), c.r)
			m.op("VMOVAPS %s, %s", m.one(), e)
			m.op("VMOVAPS %s, K1, %s", c.q, e)
		} else {
			m.op("VCMPPS $%d, %s, %s, %s", lessThan, m.zero(), c.r, e)
			m.op("VBLENDVPS %s, %s, %s, %s", e, c.q, m.one(), e)
		}
		m.op("VMULPS %s, %s, %s", c.u, e, c.r)
		m.op("VFNMADD231PS %s, %s, %s", c.r, c.t, e)
		m.op("VSUBPS %s, %s, %s", m.one(), c.t, lost)
		m.op("VSUBPS %s, %s, %s", lost, c.q, lost)
		m.op("VFNMADD231PS %s, %s, %s", c.r, lost, e)
		m.op("VFMADD231PS %s, %s, %s", c.u, e, c.r)
	})
	m.store(inR)
}

func (m *mathBody) exp() {
	m.each(func(c chain) { m.argument(c, c.r) })
	m.bound("VMINPS", "ExpMax")
	m.bound("VMAXPS", "ExpMin")
	m.exp2n("")
	m.scale()
	m.store(inQ)
}

// log computes m in r and the exponent in t.
func (m *mathBody) log() {
	tmp := m.tmp()
	m.each(func(c chain) { m.argument(c, c.r) })
	if m.v.wide() {
		m.each(func(c chain) {
			m.op("VGETEXPPS %s, %s", c.r, c.t)
			m.op("VGETMANTPS $3, %s, %s // in [3/4, 3/2)", c.r, c.r)
			m.op("VGETEXPPS %s, %s // -1 below 1", c.r, tmp)
			m.op("VSUBPS %s, %s, %s", tmp, c.t, c.t)
		})
	} else {
		m.logParts()
	}
	m.each(func(c chain) { m.op("VSUBPS %s, %s, %s", m.one(), c.r, c.r) })
	m.each(func(c chain) { m.op("VMULPS %s, %s, %s", c.r, c.r, c.u) })
	m.horner(logCoefs, inQ, inR)
	m.each(func(c chain) {
		m.op("VMULPS %s, %s, %s", c.u, c.r, tmp)
		m.op("VMULPS %s, %s, %s", tmp, c.q, c.q)
	})
	m.each(func(c chain) { m.k("VFMADD231PS", "Ln2lo", c.t, c.q) })
	m.each(func(c chain) { m.k("VFMADD231PS", "NegHalf", c.u, c.q) })
	m.each(func(c chain) { m.op("VADDPS %s, %s, %s", c.q, c.r, c.q) })
	m.each(func(c chain) { m.k("VFMADD231PS", "Ln2hi", c.t, c.q) })
	m.comment("what is not positive or not finite")
	m.each(func(c chain) { m.argument(c, c.r) })
	m.each(func(c chain) {
		if m.v.wide() {
			m.op("VFIXUPIMMPS.BCST $0, const_mathLogFix*32(DX), %s, %s", c.r, c.q)
			return
		}
		m.op("VCMPPS $%d, %s, %s, %s", lessEqual, m.zero(), c.r, tmp)
		m.op("VBLENDVPS %s, const_mathNaN*32(DX), %s, %s", tmp, c.q, c.q)
		m.op("VCMPPS $%d, %s, %s, %s", equal, m.zero(), c.r, tmp)
		m.op("VBLENDVPS %s, const_mathNegInf*32(DX), %s, %s", tmp, c.q, c.q)
		m.choose(notLess, "Inf", c.r, c.r, c.q)
	})
	m.store(inQ)
}

// logParts takes x in r apart: its exponent as a float32 in t, and 1+m in r.
func (m *mathBody) logParts() {
	tmp, tmp2 := m.tmp(), m.tmp2()
	m.comment("subnormal numbers become normal")
	m.each(func(c chain) {
		m.load("LogBias", c.u)
		m.op("VCMPPS $%d, const_mathNormal*32(DX), %s, %s", lessThan, c.r, tmp)
		m.op("VMULPS const_mathLift*32(DX), %s, %s", c.r, tmp2)
		m.op("VBLENDVPS %s, %s, %s, %s", tmp, tmp2, c.r, c.r)
		m.op("VBLENDVPS %s, const_mathLiftBias*32(DX), %s, %s", tmp, c.u, c.u)
	})
	m.each(func(c chain) {
		m.k("VPADDD", "LogShift", c.r, c.t)
		m.op("VPSRLD $23, %s, %s", c.t, c.t)
		m.op("VPSLLD $23, %s, %s", c.t, tmp)
		m.op("VPSUBD %s, %s, %s", tmp, c.r, c.r)
		m.op("VPADDD %s, %s, %s", m.one(), c.r, c.r)
	})
	m.each(func(c chain) { m.op("VCVTDQ2PS %s, %s", c.t, c.t) })
	m.each(func(c chain) { m.op("VSUBPS %s, %s, %s", c.u, c.t, c.t) })
}
