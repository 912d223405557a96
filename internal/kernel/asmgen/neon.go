package main

import "fmt"

// Vectors of NEON: 128 bits, 32 registers.
const (
	neonLanes = 4  // float32 in a vector
	neonBytes = 16 // of a vector
)

// An arrangement says what a register holds.
type arrangement struct {
	name string // in the manufacturer's syntax
	sz   uint32 // its bit in an instruction
}

var (
	s4 = arrangement{"4s", 0} // float32
	d2 = arrangement{"2d", 1} // float64
)

// word emits an instruction that Go's assembler does not know; the comment is
// its text in the manufacturer's syntax, with the destination first. A test
// decodes each word and compares.
func (g *gen) word(code uint32, format string, args ...any) {
	g.op("WORD $0x%08x // %s", code, fmt.Sprintf(format, args...))
}

// threeSame composes an operation d = n ∘ m on vectors of one arrangement,
// from its bits U and a and its opcode.
func threeSame(u, a, sz, opcode uint32, d, n, m int) uint32 {
	return 1<<30 | u<<29 | 0b01110<<24 | a<<23 | sz<<22 | 1<<21 | register(m)<<16 | opcode<<11 | 1<<10 | register(n)<<5 | register(d)
}

// twoMisc composes an operation d = f(n). Where q is 0, one of the two is the
// lower half of a register.
func twoMisc(q, u, a, sz, opcode uint32, d, n int) uint32 {
	return q<<30 | u<<29 | 0b01110<<24 | a<<23 | sz<<22 | 0b10000<<17 | opcode<<12 | 0b10<<10 | register(n)<<5 | register(d)
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

func (g *gen) three(name string, u, a, opcode uint32, as arrangement, d, n, m int) {
	g.word(threeSame(u, a, as.sz, opcode, d, n, m), "%s v%d.%s, v%d.%s, v%d.%s", name, d, as.name, n, as.name, m, as.name)
}

func (g *gen) two(name string, u, opcode uint32, as arrangement, d, n int, operand string) {
	g.word(twoMisc(1, u, 1, as.sz, opcode, d, n), "%s v%d.%s, v%d.%s%s", name, d, as.name, n, as.name, operand)
}

// The instructions. Comparisons give all ones where they hold, and do not hold
// for NaN.

func (g *gen) fadd(as arrangement, d, n, m int) { g.three("fadd", 0, 0, 0b11010, as, d, n, m) }
func (g *gen) fsub(as arrangement, d, n, m int) { g.three("fsub", 0, 1, 0b11010, as, d, n, m) } // n-m
func (g *gen) fmul(as arrangement, d, n, m int) { g.three("fmul", 1, 0, 0b11011, as, d, n, m) }
func (g *gen) fdiv(as arrangement, d, n, m int) { g.three("fdiv", 1, 0, 0b11111, as, d, n, m) } // n/m

// fcmgt compares n > m.
func (g *gen) fcmgt(as arrangement, d, n, m int) { g.three("fcmgt", 1, 1, 0b11100, as, d, n, m) }

// These compare n with 0.
func (g *gen) fcmgt0(as arrangement, d, n int) { g.two("fcmgt", 0, 0b01100, as, d, n, ", #0") }
func (g *gen) fcmeq0(as arrangement, d, n int) { g.two("fcmeq", 0, 0b01101, as, d, n, ", #0") }
func (g *gen) fcmle0(as arrangement, d, n int) { g.two("fcmle", 1, 0b01101, as, d, n, ", #0") }
func (g *gen) fcmlt0(as arrangement, d, n int) { g.two("fcmlt", 0, 0b01110, as, d, n, ", #0") }

func (g *gen) fabs(as arrangement, d, n int)  { g.two("fabs", 0, 0b01111, as, d, n, "") }
func (g *gen) fneg(as arrangement, d, n int)  { g.two("fneg", 1, 0b01111, as, d, n, "") }
func (g *gen) fsqrt(as arrangement, d, n int) { g.two("fsqrt", 1, 0b11111, as, d, n, "") }

// ucvtf converts integers without a sign to float32.
func (g *gen) ucvtf(d, n int) {
	g.word(twoMisc(1, 1, 0, 0, 0b11101, d, n), "ucvtf v%d.4s, v%d.4s", d, n)
}

// fcvtzu is the opposite, towards zero; NaN gives 0, and what does not fit the
// nearest that does.
func (g *gen) fcvtzu(d, n int) {
	g.word(twoMisc(1, 1, 1, 0, 0b11011, d, n), "fcvtzu v%d.4s, v%d.4s", d, n)
}

// fcvtl widens the lower, fcvtl2 the upper two float32 of n.
func (g *gen) fcvtl(d, n int) {
	g.word(twoMisc(0, 0, 0, 1, 0b10111, d, n), "fcvtl v%d.2d, v%d.2s", d, n)
}

func (g *gen) fcvtl2(d, n int) {
	g.word(twoMisc(1, 0, 0, 1, 0b10111, d, n), "fcvtl2 v%d.2d, v%d.4s", d, n)
}

// fcvtn rounds n to the lower half of d and clears the upper; fcvtn2 rounds to
// the upper half and leaves the lower.
func (g *gen) fcvtn(d, n int) {
	g.word(twoMisc(0, 0, 0, 1, 0b10110, d, n), "fcvtn v%d.2s, v%d.2d", d, n)
}

func (g *gen) fcvtn2(d, n int) {
	g.word(twoMisc(1, 0, 0, 1, 0b10110, d, n), "fcvtn2 v%d.4s, v%d.2d", d, n)
}

// fmla adds n·m[0] to d, rounded once.
func (g *gen) fmla(d, n, m int) {
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
