package main

import "fmt"

// A vectorOp is an elementwise kernel: the loop of a vectorXxx in the package,
// over whole vectors.
type vectorOp struct {
	name   string
	in     []string // fields of elemJob that are read, into registers 0, 1, ...
	out    []string // fields that are written, from registers 0, 1, ...
	consts []string // fields that are broadcast, into the registers after in
	body   func(b *vectorBody)
}

// vectorBody is what a body sees: names of registers.
type vectorBody struct {
	*gen
	v    isa
	in   []string
	c    []string
	tmp  []string // free registers
	zero string   // a register of zeros
}

// where multiplies in place, or clears, where the comparison of x with zero
// holds: f is a factor's register, or empty to clear.
func (b *vectorBody) where(predicate int, x, f, y string) {
	if b.v.prefix == "Z" {
		b.op("VCMPPS $%d, %s, %s, K1", predicate, b.zero, x)
		if f == "" {
			b.op("VMOVAPS %s, K1, %s", b.zero, y)
		} else {
			b.op("VMULPS %s, %s, K1, %s", f, y, y)
		}
		return
	}
	b.op("VCMPPS $%d, %s, %s, %s", predicate, b.zero, x, b.tmp[0])
	if f == "" {
		b.op("VANDNPS %s, %s, %s", y, b.tmp[0], y)
	} else {
		b.op("VMULPS %s, %s, %s", f, y, b.tmp[1])
		b.op("VBLENDVPS %s, %s, %s, %s", b.tmp[0], b.tmp[1], y, y)
	}
}

// Predicates of VCMPPS.
const (
	lessThan   = 17 // false for NaN
	lessEqual  = 18 // false for NaN
	notGreater = 26 // true for NaN
)

var vectorOps = []vectorOp{
	{"Add", []string{"x", "y"}, []string{"dst"}, nil, func(b *vectorBody) {
		b.op("VADDPS %s, %s, %s", b.in[1], b.in[0], b.in[0])
	}},
	{"Mul", []string{"x", "y"}, []string{"dst"}, nil, func(b *vectorBody) {
		b.op("VMULPS %s, %s, %s", b.in[1], b.in[0], b.in[0])
	}},
	{"Affine", []string{"x"}, []string{"dst"}, []string{"a", "b"}, func(b *vectorBody) {
		b.op("VMULPS %s, %s, %s", b.c[0], b.in[0], b.in[0])
		b.op("VADDPS %s, %s, %s", b.c[1], b.in[0], b.in[0])
	}},
	{"Relu", []string{"x"}, []string{"dst"}, nil, func(b *vectorBody) {
		b.op("VMAXPS %s, %s, %s", b.in[0], b.zero, b.in[0])
	}},
	{"LeakyRelu", []string{"x"}, []string{"dst"}, []string{"a"}, func(b *vectorBody) {
		b.where(lessThan, b.in[0], b.c[0], b.in[0])
	}},
	{"ReluGrad", []string{"y", "x"}, []string{"dst"}, nil, func(b *vectorBody) {
		b.where(lessEqual, b.in[1], "", b.in[0])
	}},
	{"LeakyReluGrad", []string{"y", "x"}, []string{"dst"}, []string{"a"}, func(b *vectorBody) {
		b.where(notGreater, b.in[1], b.c[0], b.in[0])
	}},
	{"TanhGrad", []string{"x", "y"}, []string{"dst"}, []string{"one"}, func(b *vectorBody) {
		b.op("VMULPS %s, %s, %s", b.in[0], b.in[0], b.in[0])
		b.op("VSUBPS %s, %s, %s", b.in[0], b.c[0], b.in[0])
		b.op("VMULPS %s, %s, %s", b.in[1], b.in[0], b.in[0])
	}},
	{"SigmoidGrad", []string{"x", "y"}, []string{"dst"}, []string{"one"}, func(b *vectorBody) {
		b.op("VSUBPS %s, %s, %s", b.in[0], b.c[0], b.tmp[0])
		b.op("VMULPS %s, %s, %s", b.tmp[0], b.in[1], b.in[1])
		b.op("VMULPS %s, %s, %s", b.in[0], b.in[1], b.in[0])
	}},
	{"Momentum", []string{"dst", "y", "x"}, []string{"dst", "y"}, []string{"a", "b"}, func(b *vectorBody) {
		w, v, g := b.in[0], b.in[1], b.in[2]
		b.op("VMULPS %s, %s, %s", b.c[1], v, v)
		b.op("VMULPS %s, %s, %s", b.c[0], g, g)
		b.op("VSUBPS %s, %s, %s", g, v, v)
		b.op("VADDPS %s, %s, %s", v, w, w)
	}},
	{"Adam", []string{"dst", "y", "z", "x"}, []string{"dst", "y", "z"}, []string{"a", "b", "c", "d", "e", "f", "g"}, func(b *vectorBody) {
		w, m, v, g := b.in[0], b.in[1], b.in[2], b.in[3]
		t := b.tmp[0]
		b.op("VMULPS %s, %s, %s", b.c[0], m, m)
		b.op("VMULPS %s, %s, %s", b.c[1], g, t)
		b.op("VADDPS %s, %s, %s", t, m, m)
		b.op("VMULPS %s, %s, %s", b.c[2], v, v)
		b.op("VMULPS %s, %s, %s", b.c[3], g, t)
		b.op("VMULPS %s, %s, %s", g, t, t)
		b.op("VADDPS %s, %s, %s", t, v, v)
		b.op("VSQRTPS %s, %s", v, t)
		b.op("VDIVPS %s, %s, %s", b.c[5], t, t)
		b.op("VADDPS %s, %s, %s", b.c[6], t, t)
		b.op("VMULPS %s, %s, %s", b.c[4], m, g)
		b.op("VDIVPS %s, %s, %s", t, g, g)
		b.op("VSUBPS %s, %s, %s", g, w, w)
	}},
}

// vectors emits every vectorOp: see the stubs in vector_amd64.go.
func (g *gen) vectors(v isa) {
	pointers := []string{"AX", "BX", "DX", "R8", "R9"}
	for _, o := range vectorOps {
		g.vectorStart("vector" + o.name + v.name)
		at := map[string]string{}
		for _, f := range append(append([]string{}, o.in...), o.out...) {
			if at[f] == "" {
				at[f] = pointers[len(at)]
				g.op("MOVQ elemJob_%s(DI), %s", f, at[f])
				g.op("LEAQ (%s)(SI*4), %s", at[f], at[f])
			}
		}
		b := &vectorBody{gen: g, v: v}
		next := 0
		take := func() string { next++; return v.reg(next - 1) }
		for range o.in {
			b.in = append(b.in, take())
		}
		for _, c := range o.consts {
			r := take()
			g.op("VBROADCASTSS elemJob_%s(DI), %s", c, r)
			b.c = append(b.c, r)
		}
		b.zero, b.tmp = take(), []string{take(), take()}
		g.zero(v, b.zero)
		g.op("XORQ SI, SI")
		g.label("loop")
		for i, f := range o.in {
			g.op("VMOVUPS (%s)(SI*4), %s", at[f], b.in[i])
		}
		o.body(b)
		for i, f := range o.out {
			g.op("VMOVUPS %s, (%s)(SI*4)", b.in[i], at[f])
		}
		g.op("ADDQ $%d, SI", v.lanes)
		g.op("CMPQ SI, CX")
		g.op("JLT loop")
		g.op("VZEROUPPER")
		g.op("RET")
	}
	g.vectorMath(v, "Tanh")
	g.vectorMath(v, "Sigmoid")
	g.finite(v)
}

// vectorStart begins a kernel with the arguments j, lo and n.
func (g *gen) vectorStart(name string) {
	g.text(name, 24)
	g.op("MOVQ j+0(FP), DI")
	g.op("MOVQ lo+8(FP), SI")
	g.op("MOVQ n+16(FP), CX")
}

// vectorMath emits tanh or sigmoid: the Go functions of that name in float64,
// on two halves of a vector at once. AVX-512 keeps the constants in registers;
// AVX2 has too few and broadcasts them where they are needed.
func (g *gen) vectorMath(v isa, name string) {
	wide := v.prefix == "Z"
	half := v.bytes() / 2 // bytes of the float32 in half a vector
	small := map[bool]string{true: "Y", false: "X"}[wide]
	g.vectorStart("vector" + name + v.name)
	g.op("MOVQ elemJob_dst(DI), AX")
	g.op("LEAQ (AX)(SI*4), AX")
	g.op("MOVQ elemJob_x(DI), BX")
	g.op("LEAQ (BX)(SI*4), BX")
	g.op("LEAQ ·mathConsts(SB), DX")

	loaded := map[string]string{}
	c := func(name string) string { // a register that holds a constant
		if r := loaded[name]; r != "" {
			return r
		}
		r := v.reg(15)
		if wide {
			r = v.reg(12 + len(loaded))
			loaded[name] = r
		}
		g.op("VBROADCASTSD const_math%s*8(DX), %s", name, r)
		return r
	}
	coefs := []string{"C10", "C9", "C8", "C7", "C6", "C5", "C4", "C3", "C2"}
	if wide {
		for _, n := range append([]string{"Log2e", "Round", "Ln2hi", "Ln2lo", "Bias", "One"}, coefs...) {
			c(n)
		}
		for _, n := range map[string][]string{"Tanh": {"Abs", "TanhMax", "Two"}, "Sigmoid": {"Sign", "SigmoidMax", "SigmoidMin"}}[name] {
			c(n)
		}
	}
	g.op("XORQ SI, SI")
	g.label("loop")
	// each emits the same for both halves, whose registers are 5h ... 5h+4.
	each := func(emit func(x, t, r, q, s string, h int)) {
		for h := range 2 {
			emit(v.reg(5*h), v.reg(5*h+1), v.reg(5*h+2), v.reg(5*h+3), v.reg(5*h+4), h)
		}
	}
	// with emits an operation of both halves with one constant.
	with := func(constant string, emit func(k, x, t, r, q, s string)) {
		k := c(constant)
		each(func(x, t, r, q, s string, h int) { emit(k, x, t, r, q, s) })
	}
	each(func(x, t, r, q, s string, h int) { g.op("VCVTPS2PD %d(BX)(SI*4), %s", h*half, x) })
	if name == "Tanh" {
		with("Abs", func(k, x, t, r, q, s string) { g.op("VANDPD %s, %s, %s", k, x, x) })
		with("TanhMax", func(k, x, t, r, q, s string) { g.op("VMINPD %s, %s, %s", x, k, x) })
		each(func(x, t, r, q, s string, h int) { g.op("VADDPD %s, %s, %s", x, x, x) })
	} else {
		with("Sign", func(k, x, t, r, q, s string) { g.op("VXORPD %s, %s, %s", k, x, x) })
		with("SigmoidMax", func(k, x, t, r, q, s string) { g.op("VMINPD %s, %s, %s", x, k, x) })
		with("SigmoidMin", func(k, x, t, r, q, s string) { g.op("VMAXPD %s, %s, %s", x, k, x) })
	}
	g.comment("exp2n")
	with("Log2e", func(k, x, t, r, q, s string) { g.op("VMULPD %s, %s, %s", k, x, t) })
	with("Round", func(k, x, t, r, q, s string) {
		g.op("VADDPD %s, %s, %s", k, t, t)
		g.op("VSUBPD %s, %s, %s", k, t, s)
	})
	with("Ln2hi", func(k, x, t, r, q, s string) {
		g.op("VMULPD %s, %s, %s", k, s, r)
		g.op("VSUBPD %s, %s, %s", r, x, r)
	})
	with("Ln2lo", func(k, x, t, r, q, s string) {
		g.op("VMULPD %s, %s, %s", k, s, s)
		g.op("VSUBPD %s, %s, %s", s, r, r)
	})
	with(coefs[0], func(k, x, t, r, q, s string) { g.op("VMOVAPD %s, %s", k, q) })
	for _, name := range coefs[1:] {
		with(name, func(k, x, t, r, q, s string) {
			g.op("VMULPD %s, %s, %s", r, q, q)
			g.op("VADDPD %s, %s, %s", k, q, q)
		})
	}
	each(func(x, t, r, q, s string, h int) {
		g.op("VMULPD %s, %s, %s", r, r, x)
		g.op("VMULPD %s, %s, %s", q, x, q)
		g.op("VADDPD %s, %s, %s", q, r, q)
	})
	with("Bias", func(k, x, t, r, q, s string) {
		g.op("VPADDQ %s, %s, %s", k, t, s)
		g.op("VPSLLQ $52, %s, %s", s, s)
		g.op("VMULPD %s, %s, %s", q, s, q)
	})
	if name == "Tanh" {
		g.comment("expm1, then e/(e+2) and the sign")
		with("One", func(k, x, t, r, q, s string) {
			g.op("VSUBPD %s, %s, %s", k, s, s)
			g.op("VADDPD %s, %s, %s", s, q, q)
		})
		with("Two", func(k, x, t, r, q, s string) {
			g.op("VADDPD %s, %s, %s", k, q, t)
			g.op("VDIVPD %s, %s, %s", t, q, q)
		})
	} else {
		g.comment("exp, then 1/(exp+1)")
		each(func(x, t, r, q, s string, h int) { g.op("VADDPD %s, %s, %s", s, q, q) })
		with("One", func(k, x, t, r, q, s string) {
			g.op("VADDPD %s, %s, %s", k, q, q)
			g.op("VDIVPD %s, %s, %s", q, k, q)
		})
	}
	each(func(x, t, r, q, s string, h int) {
		narrow := fmt.Sprintf("%s%d", small, 5*h+3)
		if wide {
			g.op("VCVTPD2PS %s, %s", q, narrow)
		} else {
			g.op("VCVTPD2PSY %s, %s", q, narrow)
		}
		if name == "Tanh" {
			sign := fmt.Sprintf("%s%d", small, 5*h+4)
			g.op("VBROADCASTSS const_mathSign*8+4(DX), %s", sign)
			g.op("VANDPS %d(BX)(SI*4), %s, %s", h*half, sign, sign)
			g.op("VORPS %s, %s, %s", sign, narrow, narrow)
		}
	})
	each(func(x, t, r, q, s string, h int) {
		g.op("VMOVUPS %s%d, %d(AX)(SI*4)", small, 5*h+3, h*half)
	})
	g.op("ADDQ $%d, SI", v.lanes)
	g.op("CMPQ SI, CX")
	g.op("JLT loop")
	g.op("VZEROUPPER")
	g.op("RET")
}

// finite emits the search for anything that is not finite: x-x is 0 for finite
// x only.
func (g *gen) finite(v isa) {
	g.text("finite"+v.name, 17)
	g.op("MOVQ x+0(FP), AX")
	g.op("MOVQ n+8(FP), CX")
	g.zero(v, v.reg(0))
	g.label("loop")
	g.op("VMOVUPS (AX), %s", v.reg(1))
	g.op("VSUBPS %s, %s, %s", v.reg(1), v.reg(1), v.reg(1))
	g.op("VORPS %s, %s, %s", v.reg(1), v.reg(0), v.reg(0))
	g.op("ADDQ $%d, AX", v.bytes())
	g.op("SUBQ $%d, CX", v.lanes)
	g.op("JGT loop")
	if v.prefix == "Z" {
		g.op("VPTESTMD Z0, Z0, K1")
		g.op("KORTESTW K1, K1")
	} else {
		g.op("VPTEST Y0, Y0")
	}
	g.op("SETEQ ret+16(FP)")
	g.op("VZEROUPPER")
	g.op("RET")
}
