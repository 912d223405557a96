package main

import (
	"fmt"
	"slices"
)

// tile emits the register tile of a matrix product, for every height and width
// that v has: see the stub in gemm_amd64.go. The accumulators of row r are the
// registers r*vecs ...; what remains holds a row of B and broadcasts of A.
func (g *gen) tile(v isa) {
	g.text("tile"+v.name, 8)
	g.op("MOVQ t+0(FP), DI")
	g.op("MOVQ tileArgs_c(DI), DX")
	g.comment("strides in bytes; A's rows are reached by 1, 3, 5 and 7 times R8")
	g.op("MOVQ tileArgs_ars(DI), R8")
	g.op("SHLQ $2, R8")
	g.op("LEAQ (R8)(R8*2), R9")
	g.op("LEAQ (R8)(R8*4), R10")
	g.op("LEAQ (R10)(R8*2), R11")
	g.op("MOVQ tileArgs_acs(DI), R12")
	g.op("SHLQ $2, R12")
	g.op("MOVQ tileArgs_vecs(DI), R15")
	for vecs := v.vecs; vecs > 1; vecs-- {
		g.op("CMPQ R15, $%d", vecs)
		g.op("JEQ width%d", vecs)
	}
	for vecs := 1; vecs <= v.vecs; vecs++ {
		if vecs > 1 {
			g.label("width%d", vecs)
		}
		g.op("MOVQ tileArgs_rows(DI), R15")
		for rows := v.rows[0]; rows > 1; rows-- {
			g.op("CMPQ R15, $%d", rows)
			g.op("JEQ tile%dx%d", rows, vecs)
		}
		g.op("JMP tile1x%d", vecs)
	}
	for vecs := v.vecs; vecs >= 1; vecs-- {
		for rows := v.rows[0]; rows > 0; rows-- {
			g.tileBody(v, rows, vecs)
		}
	}
}

// ldc loads the stride of C in bytes.
func (g *gen) ldc() {
	g.op("MOVQ tileArgs_ldcBytes(DI), SI")
}

// rowAddress returns the address of A's row r.
func rowAddress(r int) string {
	return []string{"(AX)", "(AX)(R8*1)", "(AX)(R8*2)", "(AX)(R9*1)", "(AX)(R8*4)", "(AX)(R10*1)", "(AX)(R9*2)", "(AX)(R11*1)"}[r]
}

const unroll = 4 // steps of k in one round of a loop

// tileMode says how the operands lie: the loops that know their strides need
// no instruction to step forward, and have a register left to ask for the rows
// of C in good time.
type tileMode string

const (
	contiguous tileMode = "contiguous" // A's rows are contiguous, B is packed
	packed     tileMode = "packed"     // A and B are packed
	strided    tileMode = "strided"    // any strides
)

func (g *gen) tileBody(v isa, rows, vecs int) {
	name := fmt.Sprintf("tile%dx%d", rows, vecs)
	acc := func(r, c int) string { return v.reg(r*vecs + c) }
	bReg := func(c int) string { return v.reg(rows*vecs + c) }
	spare := v.regs - (rows+1)*vecs // for broadcasts
	fmt.Fprintf(&g.buf, "\n")
	g.label("%s", name)
	g.comment("%d rows, %d columns", rows, vecs*v.lanes)
	for r := range rows {
		for c := range vecs {
			g.zero(v, acc(r, c))
		}
	}
	// step emits the products of one k, u steps on from AX and BX as far as the
	// strides are known.
	step := func(m tileMode, u int) {
		for c := range vecs {
			at := c * v.bytes()
			if m != strided {
				at += u * vecs * v.bytes()
			}
			g.op("VMOVUPS %d(BX), %s", at, bReg(c))
		}
		for r := range rows {
			a := v.reg((rows+1)*vecs + r%spare)
			switch m {
			case contiguous:
				g.op("VBROADCASTSS %d%s, %s", 4*u, rowAddress(r), a)
			case packed:
				g.op("VBROADCASTSS %d(AX), %s", 4*(u*rows+r), a)
			default:
				g.op("VBROADCASTSS %s, %s", rowAddress(r), a)
			}
			for c := range vecs {
				g.op("VFMADD231PS %s, %s, %s", bReg(c), a, acc(r, c))
			}
		}
		if m == strided {
			g.op("ADDQ R12, AX")
			g.op("ADDQ R13, BX")
		}
	}
	advance := func(m tileMode, steps int) {
		switch m {
		case contiguous:
			g.op("ADDQ $%d, AX", 4*steps)
			g.op("ADDQ $%d, BX", steps*vecs*v.bytes())
		case packed:
			g.op("ADDQ $%d, AX", 4*steps*rows)
			g.op("ADDQ $%d, BX", steps*vecs*v.bytes())
		}
	}
	g.op("MOVQ tileArgs_ahead(DI), SI")
	g.op("MOVQ tileArgs_segs(DI), R15")
	g.op("MOVQ tileArgs_segs+8(DI), R14")
	g.op("TESTQ R14, R14")
	g.op("JZ %send", name)
	g.label("%ssegment", name)
	g.op("MOVQ (R15), AX")
	g.op("MOVQ 8(R15), BX")
	g.op("SHLQ $2, AX")
	g.op("SHLQ $2, BX")
	g.op("ADDQ tileArgs_a(DI), AX")
	g.op("ADDQ tileArgs_b(DI), BX")
	g.op("MOVQ tileArgs_k(DI), CX")
	g.op("MOVQ tileArgs_brs(DI), R13")
	g.op("SHLQ $2, R13")
	loop := func(m tileMode) {
		g.label("%s%s", name, m)
		g.op("SUBQ $%d, CX", unroll)
		g.op("JLT %s%sTail", name, m)
		g.op("PCALIGN $32")
		g.label("%s%sLoop", name, m)
		g.op("PREFETCHT1 (SI)")
		g.op("ADDQ tileArgs_pitch(DI), SI")
		if m != strided {
			for c := range vecs {
				if c*v.bytes()%64 == 0 {
					g.op("PREFETCHT0 %d(R13)", c*v.bytes())
				}
			}
			g.op("ADDQ tileArgs_ldcBytes(DI), R13")
		}
		for u := range unroll {
			step(m, u)
		}
		advance(m, unroll)
		g.op("SUBQ $%d, CX", unroll)
		g.op("JGE %s%sLoop", name, m)
		g.label("%s%sTail", name, m)
		g.op("ADDQ $%d, CX", unroll)
		g.op("JZ %snext", name)
		g.label("%s%sOne", name, m)
		step(m, 0)
		advance(m, 1)
		g.op("DECQ CX")
		g.op("JNZ %s%sOne", name, m)
	}
	if !slices.Contains(v.rows, rows) { // as tierInfo.every says
		g.op("MOVQ DX, R13")
		loop(contiguous)
		g.label("%snext", name)
		g.op("ADDQ $16, R15")
		g.op("DECQ R14")
		g.op("JNZ %ssegment", name)
		g.label("%send", name)
		g.tileEnd(v, name, rows, vecs)
		return
	}
	g.op("CMPQ R13, $%d", vecs*v.bytes())
	g.op("JNE %sstrided", name)
	g.op("CMPQ R12, $4")
	g.op("JEQ %scontiguousStart", name)
	g.op("CMPQ R12, $%d", 4*rows)
	g.op("JNE %sstrided", name)
	g.op("CMPQ R8, $4")
	g.op("JNE %sstrided", name)
	g.op("MOVQ DX, R13")
	loop(packed)
	g.op("JMP %snext", name)
	g.label("%scontiguousStart", name)
	g.op("MOVQ DX, R13")
	loop(contiguous)
	g.op("JMP %snext", name)
	loop(strided)
	g.label("%snext", name)
	g.op("ADDQ $16, R15")
	g.op("DECQ R14")
	g.op("JNZ %ssegment", name)
	g.label("%send", name)
	g.tileEnd(v, name, rows, vecs)
}

// tileEnd emits what follows the sum: C, bias, activation and the store.
func (g *gen) tileEnd(v isa, name string, rows, vecs int) {
	last := vecs - 1
	acc := func(r, c int) string { return v.reg(r*vecs + c) }
	tmp := func(i int) string { return v.reg(v.regs - 4 + i) } // B and the broadcasts are done
	mask := tmp(3)
	wide := v.prefix == "Z"

	g.ldc()
	g.op("MOVQ tileArgs_flags(DI), CX")
	if wide {
		g.op("MOVQ tileArgs_mask(DI), AX")
		g.op("KMOVW AX, K1")
	} else {
		g.op("MOVQ tileArgs_maskVector(DI), AX")
		g.op("VMOVUPS (AX), %s", mask)
	}
	// add adds memory to a register, the last vector of a row under the mask.
	add := func(base string, c int, r string) {
		switch {
		case c < last:
			g.op("VADDPS %d(%s), %s, %s", c*v.bytes(), base, r, r)
		case wide:
			g.op("VADDPS %d(%s), %s, K1, %s", c*v.bytes(), base, r, r)
		default:
			g.op("VMASKMOVPS %d(%s), %s, %s", c*v.bytes(), base, mask, tmp(0))
			g.op("VADDPS %s, %s, %s", tmp(0), r, r)
		}
	}
	each := func(emit func(r, c int), nextRow bool) {
		for r := range rows {
			for c := range vecs {
				emit(r, c)
			}
			if nextRow && r < rows-1 {
				g.op("ADDQ SI, R15")
			}
		}
	}

	g.op("TESTQ $const_tileAdd, CX")
	g.op("JZ %sbias", name)
	g.op("MOVQ DX, R15")
	each(func(r, c int) {
		// The sum of the earlier blocks is the first operand.
		add("R15", c, acc(r, c))
	}, true)

	g.label("%sbias", name)
	g.op("TESTQ $const_tileBias, CX")
	g.op("JZ %sact", name)
	g.op("MOVQ tileArgs_bias(DI), R15")
	each(func(r, c int) { add("R15", c, acc(r, c)) }, false)

	g.label("%sact", name)
	g.op("TESTQ $const_tileRelu, CX")
	g.op("JZ %sleaky", name)
	g.zero(v, tmp(0))
	each(func(r, c int) {
		g.op("VMAXPS %s, %s, %s", acc(r, c), tmp(0), acc(r, c))
	}, false)

	g.label("%sleaky", name)
	g.op("TESTQ $const_tileLeaky, CX")
	g.op("JZ %sstore", name)
	g.op("VBROADCASTSS tileArgs_alpha(DI), %s", tmp(1))
	if wide {
		g.zero(v, tmp(0))
	}
	each(func(r, c int) {
		if wide {
			g.op("VCMPPS $17, %s, %s, K2", tmp(0), acc(r, c)) // acc < 0
			g.op("VMULPS %s, %s, K2, %s", tmp(1), acc(r, c), acc(r, c))
			return
		}
		g.zero(v, tmp(0))
		g.op("VCMPPS $17, %s, %s, %s", tmp(0), acc(r, c), tmp(0))
		g.op("VMULPS %s, %s, %s", tmp(1), acc(r, c), tmp(2))
		g.op("VBLENDVPS %s, %s, %s, %s", tmp(0), tmp(2), acc(r, c), acc(r, c))
	}, false)

	g.label("%sstore", name)
	if wide {
		each(func(r, c int) {
			if c < last {
				g.op("VMOVUPS %s, %d(DX)", acc(r, c), c*v.bytes())
				return
			}
			g.op("VMOVUPS %s, K1, %d(DX)", acc(r, c), c*v.bytes())
			if r < rows-1 {
				g.op("ADDQ SI, DX")
			}
		}, false)
		g.op("VZEROUPPER")
		g.op("RET")
		return
	}
	// Masked stores are slow on some processors: whole tiles avoid them.
	store := func(masked bool) {
		for r := range rows {
			for c := range vecs {
				if c == last && masked {
					g.op("VMASKMOVPS %s, %s, %d(DX)", acc(r, c), mask, c*v.bytes())
				} else {
					g.op("VMOVUPS %s, %d(DX)", acc(r, c), c*v.bytes())
				}
			}
			if r < rows-1 {
				g.op("ADDQ SI, DX")
			}
		}
		g.op("VZEROUPPER")
		g.op("RET")
	}
	g.op("TESTQ $const_tilePartial, CX")
	g.op("JNZ %smasked", name)
	store(false)
	g.label("%smasked", name)
	store(true)
}
