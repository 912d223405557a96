package main

import "fmt"

// Vectors of NEON: 128 bits, 32 registers.
const (
	neonLanes = 4  // float32 in a vector
	neonBytes = 16 // of a vector
)

// word emits an instruction that Go's assembler does not know; the comment is
// its text in the manufacturer's syntax, with the destination first. A test
// decodes each word and compares.
func (g *gen) word(code uint32, format string, args ...any) {
	g.op("WORD $0x%08x // %s", code, fmt.Sprintf(format, args...))
}

// threeSame composes an operation d = n ∘ m on vectors of float32, from its bits U
// and a and its opcode.
func threeSame(u, a, opcode uint32, d, n, m int) uint32 {
	return 1<<30 | u<<29 | 0b01110<<24 | a<<23 | 1<<21 | register(m)<<16 | opcode<<11 | 1<<10 | register(n)<<5 | register(d)
}

// twoMisc composes an operation d = f(n) on vectors of float32 or of integers as
// wide.
func twoMisc(u, a, opcode uint32, d, n int) uint32 {
	return 1<<30 | u<<29 | 0b01110<<24 | a<<23 | 0b10000<<17 | opcode<<12 | 0b10<<10 | register(n)<<5 | register(d)
}

// byElement composes an operation on vectors d and n of float32 and one
// element of m.
func byElement(opcode uint32, d, n, m int, element uint32) uint32 {
	h, l := element>>1, element&1
	return 1<<30 | 0b01111<<24 | 1<<23 | l<<21 | register(m)<<16 | opcode<<12 | h<<11 | register(n)<<5 | register(d)
}

func register(n int) uint32 {
	if n < 0 || n > 31 {
		panic(fmt.Sprintf("NEON has no register %d", n))
	}
	return uint32(n)
}

func (g *gen) three(name string, u, a, opcode uint32, d, n, m int) {
	g.word(threeSame(u, a, opcode, d, n, m), "%s v%d.4s, v%d.4s, v%d.4s", name, d, n, m)
}

func (g *gen) two(name string, u, opcode uint32, d, n int, operand string) {
	g.word(twoMisc(u, 1, opcode, d, n), "%s v%d.4s, v%d.4s%s", name, d, n, operand)
}

// The instructions. Comparisons give all ones where they hold, and do not hold
// for NaN.

func (g *gen) fadd(d, n, m int) { g.three("fadd", 0, 0, 0b11010, d, n, m) }
func (g *gen) fsub(d, n, m int) { g.three("fsub", 0, 1, 0b11010, d, n, m) } // n-m
func (g *gen) fmul(d, n, m int) { g.three("fmul", 1, 0, 0b11011, d, n, m) }
func (g *gen) fdiv(d, n, m int) { g.three("fdiv", 1, 0, 0b11111, d, n, m) } // n/m

// fcmgt compares n > m.
func (g *gen) fcmgt(d, n, m int) { g.three("fcmgt", 1, 1, 0b11100, d, n, m) }

// These compare n with 0.
func (g *gen) fcmgt0(d, n int) { g.two("fcmgt", 0, 0b01100, d, n, ", #0") }
func (g *gen) fcmeq0(d, n int) { g.two("fcmeq", 0, 0b01101, d, n, ", #0") }
func (g *gen) fcmle0(d, n int) { g.two("fcmle", 1, 0b01101, d, n, ", #0") }
func (g *gen) fcmlt0(d, n int) { g.two("fcmlt", 0, 0b01110, d, n, ", #0") }

func (g *gen) fsqrt(d, n int) { g.two("fsqrt", 1, 0b11111, d, n, "") }

// ucvtf converts integers without a sign to float32.
func (g *gen) ucvtf(d, n int) {
	g.word(twoMisc(1, 0, 0b11101, d, n), "ucvtf v%d.4s, v%d.4s", d, n)
}

// fcvtzu is the opposite, towards zero; NaN gives 0, and what does not fit the
// nearest that does.
func (g *gen) fcvtzu(d, n int) {
	g.word(twoMisc(1, 1, 0b11011, d, n), "fcvtzu v%d.4s, v%d.4s", d, n)
}

// fmla adds n·m to d, rounded once; fmls subtracts it.
func (g *gen) fmla(d, n, m int) { g.three("fmla", 0, 0, 0b11001, d, n, m) }
func (g *gen) fmls(d, n, m int) { g.three("fmls", 0, 1, 0b11001, d, n, m) }

// fmlaFirst adds n·m[0] to d, rounded once.
func (g *gen) fmlaFirst(d, n, m int) {
	g.word(byElement(0b0001, d, n, m, 0), "fmla v%d.4s, v%d.4s, v%d.s[0]", d, n, m)
}

// These are known to Go's assembler.

// pick copies n to d where all bits of the mask are set.
func (g *gen) pick(d, n, mask int) { g.op("VBIT V%d.B16, V%d.B16, V%d.B16", mask, n, d) }

// pickNot copies n to d where no bit of the mask is set.
func (g *gen) pickNot(d, n, mask int) { g.op("VBIF V%d.B16, V%d.B16, V%d.B16", mask, n, d) }

// clear makes register d zero.
func (g *gen) clear(d int) { g.op("VEOR V%d.B16, V%d.B16, V%d.B16", d, d, d) }

// loadVectors emits loads, from a base register on, of a number of vectors into
// the registers from first on.
func (g *gen) loadVectors(base string, first, vecs int) {
	c := 0
	for ; c+2 <= vecs; c += 2 {
		g.op("FLDPQ %d(%s), (F%d, F%d)", c*neonBytes, base, first+c, first+c+1)
	}
	if c < vecs {
		g.op("FMOVQ %d(%s), F%d", c*neonBytes, base, first+c)
	}
}

// storeVectors is the opposite of loadVectors.
func (g *gen) storeVectors(base string, first, vecs int) {
	c := 0
	for ; c+2 <= vecs; c += 2 {
		g.op("FSTPQ (F%d, F%d), %d(%s)", first+c, first+c+1, c*neonBytes, base)
	}
	if c < vecs {
		g.op("FMOVQ F%d, %d(%s)", first+c, c*neonBytes, base)
	}
}
