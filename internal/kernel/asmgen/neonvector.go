package main

import (
	"fmt"
	"maps"
	"slices"
)

// A neonOp is an elementwise kernel: the loop of a vectorXxx in the package,
// over whole vectors. Its fields are those of vectorOp.
type neonOp struct {
	name            string
	in, out, consts []string
	body            func(b *neonBody)
}

// neonBody is what a body sees: numbers of registers.
type neonBody struct {
	*gen
	in, c []int
	tmp   [2]int // free registers
	zero  int    // a register of zeros
}

var neonOps = []neonOp{
	{"Add", []string{"x", "y"}, []string{"dst"}, nil, func(b *neonBody) {
		b.fadd(b.in[0], b.in[0], b.in[1])
	}},
	{"Mul", []string{"x", "y"}, []string{"dst"}, nil, func(b *neonBody) {
		b.fmul(b.in[0], b.in[0], b.in[1])
	}},
	{"Affine", []string{"x"}, []string{"dst"}, []string{"a", "b"}, func(b *neonBody) {
		b.fmul(b.in[0], b.in[0], b.c[0])
		b.fadd(b.in[0], b.in[0], b.c[1])
	}},
	{"Relu", []string{"x"}, []string{"dst"}, nil, func(b *neonBody) {
		b.fcmlt0(b.tmp[0], b.in[0])
		b.pick(b.in[0], b.zero, b.tmp[0])
	}},
	{"LeakyRelu", []string{"x"}, []string{"dst"}, []string{"a"}, func(b *neonBody) {
		b.fcmlt0(b.tmp[0], b.in[0])
		b.fmul(b.tmp[1], b.in[0], b.c[0])
		b.pick(b.in[0], b.tmp[1], b.tmp[0])
	}},
	{"ReluGrad", []string{"y", "x"}, []string{"dst"}, nil, func(b *neonBody) {
		b.fcmle0(b.tmp[0], b.in[1])
		b.pick(b.in[0], b.zero, b.tmp[0])
	}},
	{"LeakyReluGrad", []string{"y", "x"}, []string{"dst"}, []string{"a"}, func(b *neonBody) {
		b.fcmgt0(b.tmp[0], b.in[1])
		b.fmul(b.tmp[1], b.in[0], b.c[0])
		b.pickNot(b.in[0], b.tmp[1], b.tmp[0])
	}},
	{"TanhGrad", []string{"x", "y"}, []string{"dst"}, []string{"one"}, func(b *neonBody) {
		b.fmul(b.in[0], b.in[0], b.in[0])
		b.fsub(b.in[0], b.c[0], b.in[0])
		b.fmul(b.in[0], b.in[0], b.in[1])
	}},
	{"SigmoidGrad", []string{"x", "y"}, []string{"dst"}, []string{"one"}, func(b *neonBody) {
		b.fsub(b.tmp[0], b.c[0], b.in[0])
		b.fmul(b.tmp[0], b.in[1], b.tmp[0])
		b.fmul(b.in[0], b.tmp[0], b.in[0])
	}},
	{"Lerp", []string{"dst", "x"}, []string{"dst"}, []string{"a"}, func(b *neonBody) {
		b.fsub(b.in[1], b.in[1], b.in[0])
		b.fmul(b.in[1], b.c[0], b.in[1])
		b.fadd(b.in[0], b.in[0], b.in[1])
	}},
	{"Momentum", []string{"dst", "y", "x"}, []string{"dst", "y"}, []string{"a", "b"}, func(b *neonBody) {
		w, v, g := b.in[0], b.in[1], b.in[2]
		b.fmul(v, b.c[1], v)
		b.fmul(g, b.c[0], g)
		b.fsub(v, v, g)
		b.fadd(w, w, v)
	}},
	{"Adam", []string{"dst", "y", "z", "x"}, []string{"dst", "y", "z"}, []string{"a", "b", "c", "d", "e", "f", "g"}, func(b *neonBody) {
		w, m, v, g := b.in[0], b.in[1], b.in[2], b.in[3]
		t := b.tmp[0]
		b.fmul(m, b.c[0], m)
		b.fmul(t, b.c[1], g)
		b.fadd(m, m, t)
		b.fmul(v, b.c[2], v)
		b.fmul(t, b.c[3], g)
		b.fmul(t, t, g)
		b.fadd(v, v, t)
		b.fsqrt(t, v)
		b.fdiv(t, t, b.c[5])
		b.fadd(t, t, b.c[6])
		b.fmul(g, b.c[4], m)
		b.fdiv(g, g, t)
		b.fsub(w, w, g)
	}},
}

// neonVectors emits the function of all elementwise kernels, which returns
// false for those that it lacks, and the search for what is not finite: see the
// stubs in vector_arm64.go.
//
//	R0 the job, R1-R5 its slices from element lo on, R6 elements left, R7 lo
func (g *gen) neonVectors() {
	kernels := map[string]func(){"FromBytes": g.neonFromBytes, "ToBytes": g.neonToBytes}
	for _, f := range neonFunctions {
		kernels[f.name] = func() { g.neonMath(f) }
	}
	for _, o := range neonOps {
		kernels[o.name] = func() { g.neonVector(o) }
	}
	g.text("vectorNEON", 33)
	g.op("MOVBU op+0(FP), R8")
	g.op("MOVD j+8(FP), R0")
	g.op("MOVD lo+16(FP), R7")
	g.op("MOVD n+24(FP), R6")
	names := slices.Sorted(maps.Keys(kernels))
	for _, name := range names {
		g.op("CMP $const_vector%s, R8", name)
		g.op("BEQ %s", name)
	}
	g.op("MOVB ZR, ret+32(FP)")
	g.op("RET")
	for _, name := range names {
		g.label("%s", name)
		kernels[name]()
		g.op("MOVD $1, R8")
		g.op("MOVB R8, ret+32(FP)")
		g.op("RET")
	}
	g.neonFinite()
}

// neonFields makes registers point to element lo of fields of the job.
func (g *gen) neonFields(names ...string) map[string]string {
	at := map[string]string{}
	for _, f := range names {
		if at[f] == "" {
			at[f] = fmt.Sprintf("R%d", len(at)+1)
			g.op("MOVD elemJob_%s(R0), %s", f, at[f])
			if f == "bytes" {
				g.op("ADD R7, %s, %s", at[f], at[f])
			} else {
				g.op("ADD R7<<2, %s, %s", at[f], at[f])
			}
		}
	}
	return at
}

// neonConst fills register r with a field of the job.
func (g *gen) neonConst(field string, r int) {
	g.op("ADD $elemJob_%s, R0, R8", field)
	g.op("VLD1R (R8), [V%d.S4]", r)
}

// neonLoop emits a loop over R6 elements, a positive multiple of 4.
func (g *gen) neonLoop(name string, body func()) {
	g.label("%sLoop", name)
	body()
	g.op("SUBS $%d, R6", neonLanes)
	g.op("BGT %sLoop", name)
}

// neonVector emits one neonOp.
func (g *gen) neonVector(o neonOp) {
	at := g.neonFields(append(slices.Clone(o.in), o.out...)...)
	b := &neonBody{gen: g}
	next := 0
	take := func() int { next++; return next - 1 }
	for range o.in {
		b.in = append(b.in, take())
	}
	for _, c := range o.consts {
		b.c = append(b.c, take())
		g.neonConst(c, b.c[len(b.c)-1])
	}
	b.zero, b.tmp = take(), [2]int{take(), take()}
	g.clear(b.zero)
	g.neonLoop(o.name, func() {
		for i, f := range o.in {
			if slices.Contains(o.out, f) { // the store will step on
				g.op("VLD1 (%s), [V%d.S4]", at[f], b.in[i])
			} else {
				g.op("VLD1.P %d(%s), [V%d.S4]", neonBytes, at[f], b.in[i])
			}
		}
		o.body(b)
		for i, f := range o.out {
			g.op("VST1.P [V%d.S4], %d(%s)", b.in[i], neonBytes, at[f])
		}
	})
}

// neonFromBytes emits FromBytes: four bytes are widened twice.
func (g *gen) neonFromBytes() {
	at := g.neonFields("dst", "bytes")
	g.neonConst("a", 1)
	g.neonConst("b", 2)
	g.neonLoop("FromBytes", func() {
		g.op("FMOVS.P 4(%s), F0", at["bytes"])
		g.op("VUXTL V0.B8, V0.H8")
		g.op("VUXTL V0.H4, V0.S4")
		g.ucvtf(0, 0)
		g.fmul(0, 0, 1)
		g.fadd(0, 0, 2)
		g.op("VST1.P [V0.S4], %d(%s)", neonBytes, at["dst"])
	})
}

// neonToBytes emits ToBytes: the conversion gives 0 for NaN and for what is
// negative, and the largest integer for what is too large.
func (g *gen) neonToBytes() {
	at := g.neonFields("x", "bytes")
	for i, c := range []string{"a", "b", "d", "e"} {
		g.neonConst(c, 1+i)
	}
	g.op("MOVD $255, R8")
	g.op("VDUP R8, V5.S4")
	g.neonLoop("ToBytes", func() {
		g.op("VLD1.P %d(%s), [V0.S4]", neonBytes, at["x"])
		g.fsub(0, 0, 1)
		g.fmul(0, 0, 3)
		g.fdiv(0, 0, 2)
		g.fadd(0, 0, 4)
		g.fcvtzu(0, 0)
		g.op("VUMIN V5.S4, V0.S4, V0.S4")
		g.op("VUZP1 V0.H8, V0.H8, V0.H8")
		g.op("VUZP1 V0.B16, V0.B16, V0.B16")
		g.op("FMOVS.P F0, 4(%s)", at["bytes"])
	})
}

// neonFinite emits the search for anything that is not finite: x-x is 0 for
// finite x only.
func (g *gen) neonFinite() {
	g.text("finiteNEON", 17)
	g.op("MOVD x+0(FP), R0")
	g.op("MOVD n+8(FP), R6")
	g.clear(0)
	g.neonLoop("finite", func() {
		g.op("VLD1.P %d(R0), [V1.S4]", neonBytes)
		g.fsub(1, 1, 1)
		g.op("VORR V1.B16, V0.B16, V0.B16")
	})
	g.op("VMOV V0.D[0], R2")
	g.op("VMOV V0.D[1], R3")
	g.op("ORR R3, R2")
	g.op("CMP $0, R2")
	g.op("CSET EQ, R2")
	g.op("MOVB R2, ret+16(FP)")
	g.op("RET")
}
