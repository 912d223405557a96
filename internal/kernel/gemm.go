package kernel

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
func blockLen(k int) int {
	if k <= maxBlock {
		return max(k, 1)
	}
	blocks := (k + maxBlock - 1) / maxBlock
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

// gemmJob is a [Task]: one product. A part is a block of rows and columns.
type gemmJob struct {
	dst, a, b []float32
	m, n, k   int
	ars, acs  int // A's strides: element (i,q) is a[i*ars+q*acs]
	transB    bool
	packed    *Packed // B, if it is packed already
	ep        Epilogue

	tier     *tierInfo
	mc, nc   int // rows and columns of a part
	rowParts int
}

var gemmJobs freeList[gemmJob]

// run computes the product and gives the job back to the free list.
func (j *gemmJob) run(p *Pool) {
	need("dst", len(j.dst), needShape("dst", j.m, j.n))
	if j.ep.Bias != nil {
		need("bias", len(j.ep.Bias), j.n)
	}
	if j.tier == nil {
		j.tier = tier
	}
	if j.m > 0 && j.n > 0 {
		j.divide(p.Threads())
		if j.parts() > 1 {
			p.Do(j.parts(), j)
		} else {
			j.Run(0)
		}
	}
	*j = gemmJob{}
	gemmJobs.put(j)
}

// divide chooses the size of a part: large enough that a packed block of B
// serves many rows and a tile of A many panels, small enough that every thread
// gets some. It may look at anything: the bits do not depend on it.
func (j *gemmJob) divide(threads int) {
	nr, parts := j.tier.nr, 4*threads
	if threads == 1 || float64(j.m)*float64(j.n)*float64(j.k) < 1<<16 { // a few microseconds
		parts = 1
	}
	j.mc, j.nc = min(j.m, 512), min(j.n, 192)
	for j.parts() < parts && j.nc > nr {
		j.nc = (j.nc/2 + nr - 1) / nr * nr
	}
	for j.parts() < parts && j.mc > 64 {
		j.mc = (j.mc/2 + 7) &^ 7
	}
	j.rowParts = (j.m + j.mc - 1) / j.mc
}

// parts returns the number of parts of mc x nc elements.
func (j *gemmJob) parts() int {
	return ((j.m + j.mc - 1) / j.mc) * ((j.n + j.nc - 1) / j.nc)
}

// scratch holds the packed panels of one part.
type scratch struct {
	b []float32
}

var scratches freeList[scratch]

// Run computes one part: for each block of k its panels of B are packed, and
// each tile of rows meets each panel.
func (j *gemmJob) Run(part int) {
	i0 := part % j.rowParts * j.mc
	i1 := min(i0+j.mc, j.m)
	j0 := part / j.rowParts * j.nc
	j1 := min(j0+j.nc, j.n)
	t := j.tier
	s := scratches.get()
	kc := blockLen(j.k)

	args := tileArgs{ars: j.ars, acs: j.acs, ldc: j.n, alpha: j.ep.Alpha}
	for k0 := 0; k0 == 0 || k0 < j.k; k0 += kc {
		args.k = min(kc, j.k-k0)
		panels := j.panels(s, k0, args.k, j0, j1, i1-i0)
		flags := 0
		if k0 > 0 {
			flags |= tileAdd
		}
		if k0+kc >= j.k {
			flags |= j.endFlags()
		}
		for i := i0; i < i1; i += args.rows {
			args.rows = t.height(i1 - i)
			args.a = j.a[min(i*j.ars+k0*j.acs, len(j.a)):]
			for c, at := j0, 0; c < j1; c += t.nr {
				cols := min(t.nr, j1-c)
				width := t.width(cols)
				args.vecs = width / t.lanes
				args.flags = flags
				args.setMask(cols-width+t.lanes, t.lanes)
				if panels.direct {
					args.b, args.brs = j.b[k0*j.n+c:], j.n
				} else {
					args.b, args.brs = panels.b[at:], width
					at += width * args.k
				}
				args.c = j.dst[i*j.n+c:]
				if j.ep.Bias != nil {
					args.bias = j.ep.Bias[c:]
				}
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
	scratches.put(s)
}

// endFlags returns the flags of the last block.
func (j *gemmJob) endFlags() int {
	flags := 0
	if j.ep.Bias != nil {
		flags |= tileBias
	}
	switch j.ep.Act {
	case Relu:
		flags |= tileRelu
	case LeakyRelu:
		flags |= tileLeaky
	}
	return flags
}

// panelSet is the block of B that a part works on.
type panelSet struct {
	b      []float32 // packed panels, one after the other
	direct bool      // rows are read where they stand
}

// panels finds or packs rows k0 ... k0+k-1, columns j0 ... j1-1 of B, for use
// by the given number of rows of A.
func (j *gemmJob) panels(s *scratch, k0, k, j0, j1, rows int) panelSet {
	t := j.tier
	if j.packed != nil {
		return panelSet{b: j.packed.panels(k0, k, j0)}
	}
	if k == 0 {
		return panelSet{}
	}
	if !j.transB && (j1-j0)%t.lanes == 0 && rows <= t.rows[0] {
		return panelSet{direct: true}
	}
	size := t.width(j1-j0) * k
	if cap(s.b) < size {
		s.b = make([]float32, size)
	}
	s.b = s.b[:size]
	packPanels(t, s.b, j.b, j.transB, j.n, j.k, k0, k, j0, j1)
	return panelSet{b: s.b}
}
