package main

// A mathFunction is one of tanh, sigmoid, exp and log: the Go functions of that
// name, in float64, on halves of vectors. A chain is the work for one half. The
// steps of several chains alternate, because a chain alone waits for its own
// results most of the time: the processor looks some 100 instructions ahead,
// which is less than one chain has.
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

// mathBody emits the steps of some chains. A chain has three registers; the
// constants stand in memory.
type mathBody struct {
	*gen
	v      isa
	chains int
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
	g.op("VBROADCASTSD const_mathOne*32(DX), %s", m.one())
	vectors := (v.regs - 4) / 3 / 2 // 4 or 2
	g.loops(v, f.name, vectors, func(vectors int) {
		m.chains = 2 * vectors
		f.emit(m)
	})
}

// each emits a step for every chain.
func (m *mathBody) each(emit func(r, q, t string, h int)) {
	for h := range m.chains {
		emit(m.v.reg(3*h), m.v.reg(3*h+1), m.v.reg(3*h+2), h)
	}
}

// k emits dst = a op constant.
func (m *mathBody) k(op, constant, a, dst string) {
	if m.v.wide() {
		op += ".BCST"
	}
	m.op("%s const_math%s*32(DX), %s, %s", op, constant, a, dst)
}

// argument loads the elements of chain h as float64.
func (m *mathBody) argument(h int, r string) {
	m.op("VCVTPS2PD %d(BX)(SI*4), %s", h*m.v.bytes()/2, r)
}

// bound limits every r from above (VMINPD) or below (VMAXPD); a NaN stays.
func (m *mathBody) bound(op, constant string) {
	m.op("VBROADCASTSD const_math%s*32(DX), %s", constant, m.tmp())
	m.each(func(r, q, t string, h int) { m.op("%s %s, %s, %s", op, r, m.tmp(), r) })
}

// horner computes q = (...(first·x + coefs[0])·x + ...) for x = r or x = t.
func (m *mathBody) horner(coefs []string, x func(r, t string) string) {
	m.each(func(r, q, t string, h int) { m.k("VMULPD", coefs[0], x(r, t), q) })
	for i, c := range coefs[1:] {
		m.each(func(r, q, t string, h int) {
			if i > 0 {
				m.op("VMULPD %s, %s, %s", x(r, t), q, q)
			}
			m.k("VADDPD", c, q, q)
		})
	}
}

// exp2n is the Go function exp2n: from x in r to s in t and s·q in q.
func (m *mathBody) exp2n() {
	tmp, tmp2 := m.tmp(), m.tmp2()
	m.each(func(r, q, t string, h int) { m.k("VMULPD", "Log2e", r, t) })
	m.each(func(r, q, t string, h int) { m.k("VADDPD", "Round", t, t) })
	m.each(func(r, q, t string, h int) {
		m.k("VSUBPD", "Round", t, tmp)
		m.k("VMULPD", "Ln2hi", tmp, tmp2)
		m.op("VSUBPD %s, %s, %s", tmp2, r, r)
		m.k("VMULPD", "Ln2lo", tmp, tmp)
		m.op("VSUBPD %s, %s, %s", tmp, r, r)
	})
	m.horner([]string{"C10", "C9", "C8", "C7", "C6", "C5", "C4", "C3", "C2"}, func(r, t string) string { return r })
	m.each(func(r, q, t string, h int) {
		m.op("VMULPD %s, %s, %s", r, r, tmp)
		m.op("VMULPD %s, %s, %s", q, tmp, q)
		m.k("VPADDQ", "Bias", t, t)
		m.op("VPSLLQ $52, %s, %s", t, t)
	})
	m.each(func(r, q, t string, h int) { m.op("VADDPD %s, %s, %s", q, r, q) })
	m.each(func(r, q, t string, h int) { m.op("VMULPD %s, %s, %s", q, t, q) })
}

// store rounds the results in q to float32 and writes them; sign gives them
// the signs of x.
func (m *mathBody) store(sign bool) {
	tmp := m.v.half(m.v.regs - 4)
	m.each(func(r, q, t string, h int) {
		narrow := m.v.half(3*h + 1)
		if m.v.wide() {
			m.op("VCVTPD2PS %s, %s", q, narrow)
		} else {
			m.op("VCVTPD2PSY %s, %s", q, narrow)
		}
		if sign {
			m.op("VBROADCASTSS const_mathSign*32+4(DX), %s", tmp)
			m.op("VANDPS %d(BX)(SI*4), %s, %s", h*m.v.bytes()/2, tmp, tmp)
			m.op("VORPS %s, %s, %s", tmp, narrow, narrow)
		}
	})
	m.each(func(r, q, t string, h int) {
		m.op("VMOVUPS %s, %d(AX)(SI*4)", m.v.half(3*h+1), h*m.v.bytes()/2)
	})
}

func (m *mathBody) tanh() {
	m.each(func(r, q, t string, h int) { m.argument(h, r) })
	m.each(func(r, q, t string, h int) { m.k("VANDPD", "Abs", r, r) })
	m.bound("VMINPD", "TanhMax")
	m.each(func(r, q, t string, h int) { m.op("VADDPD %s, %s, %s", r, r, r) })
	m.exp2n()
	m.comment("expm1, then e/(e+2) and the sign")
	m.each(func(r, q, t string, h int) { m.op("VSUBPD %s, %s, %s", m.one(), t, t) })
	m.each(func(r, q, t string, h int) { m.op("VADDPD %s, %s, %s", t, q, q) })
	m.each(func(r, q, t string, h int) { m.k("VADDPD", "Two", q, t) })
	m.each(func(r, q, t string, h int) { m.op("VDIVPD %s, %s, %s", t, q, q) })
	m.store(true)
}

func (m *mathBody) sigmoid() {
	m.each(func(r, q, t string, h int) { m.argument(h, r) })
	m.each(func(r, q, t string, h int) { m.k("VXORPD", "Sign", r, r) })
	m.bound("VMINPD", "SigmoidMax")
	m.bound("VMAXPD", "SigmoidMin")
	m.exp2n()
	m.comment("exp, then 1/(exp+1)")
	m.each(func(r, q, t string, h int) { m.op("VADDPD %s, %s, %s", t, q, q) })
	m.each(func(r, q, t string, h int) { m.op("VADDPD %s, %s, %s", m.one(), q, q) })
	m.each(func(r, q, t string, h int) { m.op("VDIVPD %s, %s, %s", q, m.one(), q) })
	m.store(false)
}

func (m *mathBody) exp() {
	m.each(func(r, q, t string, h int) { m.argument(h, r) })
	m.bound("VMINPD", "ExpMax")
	m.bound("VMAXPD", "ExpMin")
	m.exp2n()
	m.each(func(r, q, t string, h int) { m.op("VADDPD %s, %s, %s", t, q, q) })
	m.store(false)
}

// log computes s in r, its square in t and the series in q. The exponent is
// taken once more from x at the end: there is no register to keep it.
func (m *mathBody) log() {
	tmp, tmp2 := m.tmp(), m.tmp2()
	m.each(func(r, q, t string, h int) {
		m.argument(h, r)
		m.k("VPADDQ", "LogShift", r, t)
		m.op("VPSRLQ $52, %s, %s", t, t)
		m.op("VPSLLQ $52, %s, %s", t, t)
		m.op("VPSUBQ %s, %s, %s", t, r, r)
		m.op("VPADDQ %s, %s, %s", m.one(), r, r)
	})
	m.each(func(r, q, t string, h int) {
		m.op("VADDPD %s, %s, %s", m.one(), r, t)
		m.op("VSUBPD %s, %s, %s", m.one(), r, r)
	})
	m.each(func(r, q, t string, h int) { m.op("VDIVPD %s, %s, %s", t, r, r) })
	m.each(func(r, q, t string, h int) { m.op("VMULPD %s, %s, %s", r, r, t) })
	m.horner([]string{"L15", "L13", "L11", "L9", "L7", "L5", "L3"}, func(r, t string) string { return t })
	m.each(func(r, q, t string, h int) { m.op("VMULPD %s, %s, %s", t, q, q) })
	m.each(func(r, q, t string, h int) { m.op("VMULPD %s, %s, %s", r, q, q) })
	m.each(func(r, q, t string, h int) { m.op("VADDPD %s, %s, %s", r, q, q) })
	m.each(func(r, q, t string, h int) { m.op("VADDPD %s, %s, %s", q, q, q) })
	m.comment("the exponent's part, then what is not positive or not finite")
	m.each(func(r, q, t string, h int) {
		m.argument(h, r)
		m.k("VPADDQ", "LogShift", r, t)
		m.op("VPSRLQ $52, %s, %s", t, t)
		m.k("VORPD", "LogInt", t, t)
	})
	m.each(func(r, q, t string, h int) { m.k("VSUBPD", "LogBias", t, t) })
	m.each(func(r, q, t string, h int) { m.k("VMULPD", "Ln2", t, t) })
	m.each(func(r, q, t string, h int) { m.op("VADDPD %s, %s, %s", q, t, q) })
	m.each(func(r, q, t string, h int) {
		if m.v.wide() {
			m.op("VCMPPD $%d, %s, %s, K1", lessEqual, m.zero(), r)
			m.op("VCMPPD $%d, %s, %s, K2", equal, m.zero(), r)
			m.op("VCMPPD.BCST $%d, const_mathInf*32(DX), %s, K3", notLess, r)
			m.op("VBROADCASTSD const_mathNaN*32(DX), K1, %s", q)
			m.op("VBROADCASTSD const_mathNegInf*32(DX), K2, %s", q)
			m.op("VMOVAPD %s, K3, %s", r, q)
			return
		}
		m.op("VCMPPD $%d, %s, %s, %s", lessEqual, m.zero(), r, tmp)
		m.op("VBLENDVPD %s, const_mathNaN*32(DX), %s, %s", tmp, q, q)
		m.op("VCMPPD $%d, %s, %s, %s", equal, m.zero(), r, tmp)
		m.op("VBLENDVPD %s, const_mathNegInf*32(DX), %s, %s", tmp, q, q)
		m.op("VBROADCASTSD const_mathInf*32(DX), %s", tmp2)
		m.op("VCMPPD $%d, %s, %s, %s", notLess, tmp2, r, tmp)
		m.op("VBLENDVPD %s, %s, %s, %s", tmp, r, q, q)
	})
	m.store(false)
}
