package main

import (
	"fmt"
	"maps"
	"slices"
)

// A vectorOp is an elementwise kernel: the loop of the xxxOp in the package,
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
	if b.v.wide() {
		b.op("VCMPPS $%d, %s, %s, K2", predicate, b.zero, x)
		if f == "" {
			b.op("VMOVAPS %s, K2, %s", b.zero, y)
		} else {
			b.op("VMULPS %s, %s, K2, %s", f, y, y)
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

// Predicates of VCMPPS and VCMPPD.
const (
	equal      = 0  // false for NaN
	lessThan   = 17 // false for NaN
	lessEqual  = 18 // false for NaN
	notLess    = 21 // true for NaN
	notGreater = 26 // true for NaN
	greater    = 30 // false for NaN
)

// wide reports whether v is AVX-512, with its mask registers.
func (v isa) wide() bool { return v.prefix == "Z" }

// half returns the name of the register half as wide as vector register n.
func (v isa) half(n int) string {
	v.reg(n) // checks n
	return fmt.Sprintf("%s%d", map[bool]string{true: "Y", false: "X"}[v.wide()], n)
}

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
	{"Lerp", []string{"dst", "x"}, []string{"dst"}, []string{"a"}, func(b *vectorBody) {
		b.op("VSUBPS %s, %s, %s", b.in[0], b.in[1], b.in[1])
		b.op("VMULPS %s, %s, %s", b.c[0], b.in[1], b.in[1])
		b.op("VADDPS %s, %s, %s", b.in[1], b.in[0], b.in[0])
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

// vectors emits the function of all elementwise kernels and what else works on
// vectors: see the stubs in vector_amd64.go and norm_amd64.go.
func (g *gen) vectors(v isa) {
	kernels := map[string]func(){}
	for _, o := range vectorOps {
		kernels[o.name] = func() { g.vectorLoop(v, o) }
	}
	for _, f := range mathFunctions {
		kernels[f.name] = func() { g.mathLoop(v, f) }
	}
	kernels["MaxPieces"] = func() { g.maxPieces(v, "MaxPieces") }
	kernels["MaxPiecesGrad"] = func() { g.maxPieces(v, "MaxPiecesGrad") }
	kernels["MaxPiecesGather"] = func() { g.maxPieces(v, "MaxPiecesGather") }
	kernels["FromBytes"] = func() { g.fromBytes(v) }
	kernels["ToBytes"] = func() { g.toBytes(v) }

	var names []string
	for _, name := range slices.Sorted(maps.Keys(kernels)) {
		if !slices.Contains(trainingOps, name) {
			names = append(names, name)
		}
	}
	g.vectorFunction("vector"+v.name, names, kernels)
	g.vectorFunction("vectorTraining"+v.name, trainingOps, kernels)
	g.finite(v)
	g.norms(v)
}

// trainingOps stand in functions of their own, which infer does not link.
var trainingOps = []string{"Adam", "FromBytes", "LeakyReluGrad", "Lerp", "MaxPieces", "MaxPiecesGather", "MaxPiecesGrad", "Momentum", "ReluGrad", "SigmoidGrad", "TanhGrad"}

// vectorFunction emits a function of some of the kernels.
func (g *gen) vectorFunction(function string, names []string, kernels map[string]func()) {
	g.text(function, 32)
	g.op("MOVBLZX op+0(FP), AX")
	g.op("MOVQ j+8(FP), DI")
	g.op("MOVQ lo+16(FP), SI")
	g.op("MOVQ n+24(FP), CX")
	for _, name := range names {
		g.op("CMPL AX, $const_vector%s", name)
		g.op("JEQ %s", name)
	}
	g.op("INT $3")
	for _, name := range names {
		g.label("%s", name)
		kernels[name]()
		g.op("VZEROUPPER")
		g.op("RET")
	}
}

// fields loads the addresses of the elements lo (SI) of fields of elemJob.
func (g *gen) fields(names ...string) map[string]string {
	pointers := []string{"AX", "BX", "DX", "R8", "R9"}
	at := map[string]string{}
	for _, f := range names {
		if at[f] == "" {
			at[f] = pointers[len(at)]
			g.op("MOVQ elemJob_%s(DI), %s", f, at[f])
			g.op("LEAQ (%s)(SI*4), %s", at[f], at[f])
		}
	}
	return at
}

// loops emits two loops over CX elements, a positive multiple of the lanes:
// over as many vectors at once as it pays to unroll, then over single ones. SI
// counts the elements.
func (g *gen) loops(v isa, name string, unroll int, body func(vectors int)) {
	g.op("XORQ SI, SI")
	g.op("SUBQ $%d, CX", unroll*v.lanes)
	g.op("JLT %sRest", name)
	g.op("PCALIGN $32")
	g.label("%sLoop", name)
	body(unroll)
	g.op("ADDQ $%d, SI", unroll*v.lanes)
	g.op("SUBQ $%d, CX", unroll*v.lanes)
	g.op("JGE %sLoop", name)
	g.label("%sRest", name)
	g.op("ADDQ $%d, CX", unroll*v.lanes)
	g.op("JEQ %sEnd", name)
	g.label("%sOne", name)
	body(1)
	g.op("ADDQ $%d, SI", v.lanes)
	g.op("SUBQ $%d, CX", v.lanes)
	g.op("JGT %sOne", name)
	g.label("%sEnd", name)
}

// vectorLoop emits one vectorOp.
func (g *gen) vectorLoop(v isa, o vectorOp) {
	at := g.fields(append(slices.Clone(o.in), o.out...)...)
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
	g.loops(v, o.name, 4, func(vectors int) {
		for i := range vectors {
			for r, f := range o.in {
				g.op("VMOVUPS %d(%s)(SI*4), %s", i*v.bytes(), at[f], b.in[r])
			}
			o.body(b)
			for r, f := range o.out {
				g.op("VMOVUPS %s, %d(%s)(SI*4)", b.in[r], i*v.bytes(), at[f])
			}
		}
	})
}

// finite emits the search for anything that is not finite: x-x is 0 for finite
// x only.
func (g *gen) finite(v isa) {
	g.text("finite"+v.name, 17)
	g.op("MOVQ x+0(FP), AX")
	g.op("MOVQ n+8(FP), CX")
	g.zero(v, v.reg(0))
	g.loops(v, "finite", 4, func(vectors int) {
		for i := range vectors {
			g.op("VMOVUPS %d(AX)(SI*4), %s", i*v.bytes(), v.reg(1+i))
			g.op("VSUBPS %s, %s, %s", v.reg(1+i), v.reg(1+i), v.reg(1+i))
		}
		for i := range vectors {
			g.op("VORPS %s, %s, %s", v.reg(1+i), v.reg(0), v.reg(0))
		}
	})
	if v.wide() {
		g.op("VPTESTMD Z0, Z0, K1")
		g.op("KORTESTW K1, K1")
	} else {
		g.op("VPTEST Y0, Y0")
	}
	g.op("SETEQ ret+16(FP)")
	g.op("VZEROUPPER")
	g.op("RET")
}
