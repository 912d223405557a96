package kernel

import "gantry/internal/memory"

// Form says which operand of a product is stored transposed.
type Form uint8

// The forms of a product of A [m,k] and B [k,n].
const (
	NN Form = iota // A is stored [m,k], B [k,n]
	NT             // A is stored [m,k], B [n,k]: the weights of a linear layer
	TN             // A is stored [k,m], B [k,n]: a weight gradient
)

// Epilogue is what follows the sum: act(sum + bias).
type Epilogue struct {
	Bias  []float32 // one element for a column, or nil
	Act   Act
	Alpha float32 // slope of LeakyRelu
}

// maxBlock is the most products in one block of a sum: 256 rows of a panel 48
// wide fill the first cache.
const maxBlock = 256

// blockLen returns the length of the blocks into which a sum of k products is
// cut: as few as possible, of equal length up to rounding to 8. It is part of
// what [Numerics] stands for.
func blockLen(k int) int { return evenBlock(k, maxBlock) }

// evenBlock returns the length of the blocks of up to most into which a sum over k
// is cut.
func evenBlock(k, most int) int {
	if k <= most {
		return max(k, 1)
	}
	blocks := (k + most - 1) / most
	return ((k+blocks-1)/blocks + 7) &^ 7
}

// Gemm computes the matrix product
//
//	dst [m,n] = act(A·B + bias)
//
// for A [m,k] and B [k,n], stored as f says. Each element is summed in blocks
// of blockLen(k) products: within a block by fused multiply-adds in order, from
// zero; then the blocks' sums are added in order, then the bias. The result
// does not depend on m, n, the pool or the tier. For k = 0 the sum is 0.
//
// dst must not overlap a, b or the bias.
func Gemm(p *Pool, f Form, dst, a, b []float32, m, n, k int, ep Epilogue) {
	need("a", len(a), needShape("a", m, k))
	need("b", len(b), needShape("b", k, n))
	j := gemmJobs.get()
	j.dst, j.a, j.b = dst, a, b
	j.m, j.n, j.k, j.ep = m, n, k, ep
	j.transB = f == NT
	j.ars, j.acs = k, 1
	if f == TN {
		j.ars, j.acs = 1, m
	}
	j.run(p)
}

// gemmJob is a [Task]: one product. It goes over its parts up to three times:
// to pack A, to pack B, and to multiply.
type gemmJob struct {
	dst, a, b []float32
	m, n, k   int
	ars, acs  int // A's strides: element (i,q) is a[i*ars+q*acs]
	transB    bool
	packed    *Packed // B, if it is packed already
	ep        Epilogue

	tier   *tierInfo
	kc     int // products in a block
	s      *scratch
	packA  bool // A is packed
	shareA bool // for all parts, because several need the same rows
	shareB bool // B is packed, for all parts
	phase  gemmPhase
	mc, nc int // rows and columns of a part
}

type gemmPhase uint8

const (
	phaseMultiply gemmPhase = iota // a part is mc rows by nc columns
	phasePackA                     // a part is packedTiles rows, over all of k
	phasePackB                     // a part is what reads memory in order: see packB
)

// scratch is memory of a job or of a part.
type scratch struct {
	a, b []float32 // packed operands
	at   []int     // where the taps of a pixel stand
}

var (
	gemmJobs  freeList[gemmJob]
	scratches freeList[scratch]
)

// grown returns s with n elements of any value, allocating only if it must.
func grown(s []float32, n int) []float32 {
	if cap(s) < n {
		return memory.Make[float32](n)
	}
	return s[:n]
}

// run computes the product and gives the job back to the free list.
func (j *gemmJob) run(p *Pool) {
	need("dst", len(j.dst), needShape("dst", j.m, j.n))
	if j.ep.Bias != nil {
		need("bias", len(j.ep.Bias), j.n)
	}
	if j.tier == nil {
		j.tier = tier.forWidth(j.n)
	}
	if j.m > 0 && j.n > 0 {
		j.kc = blockLen(j.k)
		if float64(j.m)*float64(j.n)*float64(j.k) < 1<<16 { // a few microseconds
			p = nil
		}
		j.divide(p.Threads())
		j.s = scratches.get()
		if j.shareA {
			j.s.a = grown(j.s.a, j.m*j.k)
			j.do(p, phasePackA, (j.m+j.packedTiles()-1)/j.packedTiles())
		}
		if j.shareB {
			j.s.b = grown(j.s.b, j.k*j.tier.width(j.n))
			if j.transB {
				j.do(p, phasePackB, (j.n+j.tier.nr-1)/j.tier.nr)
			} else {
				j.do(p, phasePackB, (j.k+packedRows-1)/packedRows)
			}
		}
		j.do(p, phaseMultiply, j.rowParts()*j.colParts())
		scratches.put(j.s)
	}
	*j = gemmJob{}
	gemmJobs.put(j)
}

func (j *gemmJob) do(p *Pool, phase gemmPhase, parts int) {
	j.phase = phase
	p.Do(parts, j)
}

// packedTiles is the number of rows of A that are packed at once.
func (j *gemmJob) packedTiles() int { return 4 * j.tier.rows[0] }

func (j *gemmJob) rowParts() int { return (j.m + j.mc - 1) / j.mc }

func (j *gemmJob) colParts() int { return (j.n + j.nc - 1) / j.nc }

// divide chooses the size of a part and what is packed. It may look at
// anything: the bits do not depend on it.
func (j *gemmJob) divide(threads int) {
	t, parts := j.tier, 4*threads
	if threads == 1 {
		parts = 1
	}
	tall := t.rows[0]
	j.mc, j.nc = min(j.m, 256/tall*tall), min(j.n, 1056)
	for j.mc > 64 && j.mc*j.k > 1<<18 { // half of the second cache
		j.mc = (j.mc/2 + tall - 1) / tall * tall
	}
	few := func() bool { return j.rowParts()*j.colParts() < parts }
	for few() && j.mc > 128 {
		j.mc = (j.mc/2 + tall - 1) / tall * tall
	}
	for few() && j.nc > t.nr {
		j.nc = (j.nc/2 + t.nr - 1) / t.nr * t.nr
	}
	for few() && j.mc > 64 {
		j.mc = (j.mc/2 + tall - 1) / tall * tall
	}
	j.packA = j.m >= tall && j.n > 2*t.nr && j.k > 16 && (j.ars == 1 || tall == 8)
	j.shareA = j.packA && j.colParts() > 1
	j.shareB = j.packed == nil && j.k > 0 && j.rowParts() > 1
}

// Run does one part of the present phase.
func (j *gemmJob) Run(part int) {
	switch j.phase {
	case phasePackA:
		i0, i1 := part*j.packedTiles(), min((part+1)*j.packedTiles(), j.m)
		for k0 := 0; k0 < j.k; k0 += j.kc {
			k := min(j.kc, j.k-k0)
			j.packRowsOfA(j.s.a[k0*j.m+i0*k:], i0, i1, k0, k)
		}
	case phasePackB:
		j.packB(part)
	default:
		i0, j0 := part%j.rowParts()*j.mc, part/j.rowParts()*j.nc
		j.multiply(i0, min(i0+j.mc, j.m), j0, min(j0+j.nc, j.n))
	}
}

// multiply computes rows i0 ... i1-1 and columns j0 ... j1-1: for each panel of B,
// each of its blocks of k meets each tile of rows. A panel of C stays in the first
// caches meanwhile, the rows of A in the second.
func (j *gemmJob) multiply(i0, i1, j0, j1 int) {
	t := j.tier
	own := scratches.get()
	var a []float32 // the packed rows
	switch {
	case j.shareA:
		a = j.s.a
	case j.packA:
		own.a = grown(own.a, (i1-i0)*j.k)
		for k0 := 0; k0 < j.k; k0 += j.kc {
			j.packRowsOfA(own.a[k0*(i1-i0):], i0, i1, k0, min(j.kc, j.k-k0))
		}
		a = own.a
	}
	args := tileArgs{segs: oneSeg, ldc: j.n, alpha: j.ep.Alpha}
	for c := j0; c < j1; c += t.nr {
		cols := min(t.nr, j1-c)
		width := t.width(cols)
		args.vecs = width / t.lanes
		if j.ep.Bias != nil {
			args.bias = j.ep.Bias[c:]
		}
		for k0 := 0; k0 == 0 || k0 < j.k; k0 += j.kc {
			args.k, args.flags = min(j.kc, j.k-k0), 0
			if k0 > 0 {
				args.flags |= tileAdd
			}
			if k0+j.kc >= j.k {
				args.flags |= j.ep.flags()
			}
			args.setMask(cols-width+t.lanes, t.lanes)
			ahead := j.panel(own, &args, k0, c, cols, i1-i0)
			for i := i0; i < i1; i += args.rows {
				args.rows = t.height(i1 - i)
				switch {
				case j.shareA:
					args.a, args.ars, args.acs = a[k0*j.m+i*args.k:], 1, args.rows
				case j.packA:
					args.a, args.ars, args.acs = a[k0*(i1-i0)+(i-i0)*args.k:], 1, args.rows
				default:
					args.a, args.ars, args.acs = j.a[min(i*j.ars+k0*j.acs, len(j.a)):], j.ars, j.acs
				}
				args.c = j.dst[i*j.n+c:]
				ahead = args.ask(ahead)
				t.tile(&args)
			}
		}
	}
	if j.ep.Act == Tanh || j.ep.Act == Sigmoid {
		for i := i0; i < i1; i++ {
			row := j.dst[i*j.n+j0 : i*j.n+j1]
			applyAct(j.ep.Act, 0, row, row)
		}
	}
	scratches.put(own)
}

// flags returns what a tile does after the last block.
func (ep *Epilogue) flags() int {
	flags := 0
	if ep.Bias != nil {
		flags |= tileBias
	}
	switch ep.Act {
	case Relu:
		flags |= tileRelu
	case LeakyRelu:
		flags |= tileLeaky
	}
	return flags
}

// panel finds or packs the panel of B with rows k0 ... k0+args.k-1 and the columns
// from c on, for use by the given number of rows of A. It returns what the next
// call will find, if that is packed.
func (j *gemmJob) panel(own *scratch, args *tileArgs, k0, c, cols, rows int) (ahead []float32) {
	t := j.tier
	args.brs = t.width(cols)
	shared := j.s.b
	if j.packed != nil {
		shared = j.packed.b
	}
	switch {
	case j.k == 0:
		args.b = nil
	case j.packed != nil || j.shareB:
		args.b = shared[panelAt(t, j.n, k0, args.k, c):]
		if k0 += j.kc; k0 >= j.k {
			k0, c = 0, c+t.nr
		}
		if c < j.n {
			ahead = shared[panelAt(t, j.n, k0, min(j.kc, j.k-k0), c):]
		}
	case !j.transB && cols == args.brs && rows <= t.rows[0]: // read where it stands
		args.b, args.brs = j.b[k0*j.n+c:], j.n
	default:
		own.b = grown(own.b, args.brs*args.k)
		packPanels(t, own.b, j.b, j.transB, j.n, j.k, k0, args.k, c, c+cols)
		args.b = own.b
	}
	return ahead
}
