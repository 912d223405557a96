package kernel

// normJob is a [Task]: one pass of a batch normalisation over the rows of
// [m,n] matrices, the sums or what is computed for each element.
type normJob struct {
	op            func(j *normJob, part int)
	m, n, shards  int
	x, g, dst     []float32 // g is nil outside of gradients
	act           Act
	alpha         float32
	width         int       // n, rounded up to whole vectors
	period        int       // rows that share one pass over the parameters, see expand
	params        []float32 // mean, inv, gamma, beta, a, b, f: pitch elements each
	pitch         int
	sums          []float64 // for each block of rows the two sums, width elements each
	blocks        int       // in a shard
	strip, strips int       // columns of a part, and how many such strips there are
	step          int       // blocks, or rows, of a part
}

var normJobs freeList[normJob]

// Run does one part.
func (j *normJob) Run(part int) { j.op(j, part) }

// do runs the parts of a pass.
func (j *normJob) do(p *Pool, parts int, op func(*normJob, int)) {
	j.op = op
	if j.m*j.n < 2*chunk {
		for i := range parts {
			op(j, i)
		}
		return
	}
	p.Do(parts, j)
}

// release gives the job back to the free list, with its memory.
func (j *normJob) release() {
	*j = normJob{params: j.params, sums: j.sums}
	normJobs.put(j)
}

// Indices into params.
const (
	normMean = iota
	normInv
	normGamma
	normBeta
	normA
	normB
	normF
	normParams
)

// param returns one of the parameters.
func (j *normJob) param(i int) []float32 { return j.params[i*j.pitch : (i+1)*j.pitch] }

// expand copies the parameters. Where n is no multiple of a vector and small,
// they stand period times one after the other, so that period rows make one
// that fills whole vectors.
func (j *normJob) expand(params ...[]float32) {
	const widest = 16
	n := j.n
	j.period = 1
	if n > 0 && n < 128 && n%widest != 0 {
		k := widest / (n & -n) // the greatest common divisor of n and a power of two
		if 8*k <= j.m {
			j.period = k
		}
	}
	j.pitch = (n*j.period + widest - 1) / widest * widest
	if cap(j.params) < normParams*j.pitch {
		j.params = make([]float32, normParams*j.pitch)
	}
	j.params = j.params[:normParams*j.pitch]
	for i, s := range params {
		copy(j.param(i), s[:n])
		j.repeat(j.param(i))
	}
}

// expandGrad is expand; it returns the vectors of a gradient, to be filled and
// repeated later.
func (j *normJob) expandGrad(mean, inv, gamma, beta []float32) (a, b, f []float32) {
	j.expand(mean, inv, gamma, beta)
	return j.param(normA), j.param(normB), j.param(normF)
}

// repeat continues the first n elements with the period n.
func (j *normJob) repeat(vectors ...[]float32) {
	for _, v := range vectors {
		for done := j.n; done > 0 && done < len(v); {
			done += copy(v[done:], v[:done])
		}
	}
}

// slope returns g times the slope of the activation at h·gamma + beta.
func (j *normJob) slope(h, gamma, beta, g float32) float32 {
	switch z := float32(h*gamma) + beta; j.act {
	case Relu:
		if z <= 0 {
			return 0
		}
	case LeakyRelu:
		if !(z > 0) {
			return j.alpha * g
		}
	}
	return g
}

// rows computes what there is for each element.
func (j *normJob) rows(p *Pool) {
	if j.n == 0 {
		return
	}
	j.step = (max(1, 2*chunk/j.n) + j.period - 1) / j.period * j.period
	j.do(p, (j.m+j.step-1)/j.step, (*normJob).rowsPart)
}

// rowsPart computes some rows. An activation that has a pass of its own follows
// while they are in the cache.
func (j *normJob) rowsPart(part int) {
	r0 := part * j.step
	r1 := min(r0+j.step, j.m)
	if j.act != Tanh && j.act != Sigmoid {
		j.someRows(r0, r1)
		return
	}
	group := (max(1, chunk/4/j.n) + j.period - 1) / j.period * j.period
	for r := r0; r < r1; r += group {
		end := min(r+group, r1)
		j.someRows(r, end)
		applyAct(j.act, 0, j.dst[r*j.n:end*j.n], j.dst[r*j.n:end*j.n])
	}
}

// someRows computes rows without an activation that has a pass of its own.
func (j *normJob) someRows(r0, r1 int) {
	if archNormLanes(tier.id) == 0 {
		j.rowsGeneric(r0, r1)
		return
	}
	act := j.act
	if act == Tanh || act == Sigmoid {
		act = Identity
	}
	a := normArgs{op: normApplyIdentity + int(act), alpha: j.alpha}
	if j.g != nil {
		a.op = normGradIdentity + int(act)
	}
	a.mean, a.inv, a.gamma, a.beta = j.param(normMean), j.param(normInv), j.param(normGamma), j.param(normBeta)
	a.a, a.b, a.f = j.param(normA), j.param(normB), j.param(normF)
	// Whole periods, then the rows that are left as one short row.
	joined := (r1 - r0) / j.period
	rest := (r1 - r0) % j.period
	j.joined(&a, r0*j.n, joined, j.period*j.n)
	j.joined(&a, (r1-rest)*j.n, min(rest, 1), rest*j.n)
}

// joined computes rows of cols elements each that begin at element lo.
func (j *normJob) joined(a *normArgs, lo, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	a.rows, a.stride = rows, 4*cols
	a.whole = 4 * (cols &^ (tier.lanes - 1))
	a.part = cols & (tier.lanes - 1)
	a.setMask(a.part)
	a.x, a.dst = j.x[lo:], j.dst[lo:]
	a.g = a.x
	if j.g != nil {
		a.g = j.g[lo:]
	}
	archNormRows(tier.id, a)
}

func (j *normJob) rowsGeneric(r0, r1 int) {
	n := j.n
	mean, inv := j.param(normMean)[:n], j.param(normInv)[:n]
	gamma, beta := j.param(normGamma)[:n], j.param(normBeta)[:n]
	a, b, f := j.param(normA)[:n], j.param(normB)[:n], j.param(normF)[:n]
	for r := r0; r < r1; r++ {
		x, dst := j.x[r*n:(r+1)*n], j.dst[r*n:(r+1)*n]
		if j.g != nil {
			g := j.g[r*n : (r+1)*n]
			for c, v := range x {
				h := float32((v - mean[c]) * inv[c])
				d := j.slope(h, gamma[c], beta[c], g[c])
				dst[c] = f[c] * float32(float32(d-a[c])-float32(h*b[c]))
			}
			continue
		}
		for c, v := range x {
			dst[c] = float32(float32((v-mean[c])*inv[c])*gamma[c]) + beta[c]
		}
		if j.act == Relu || j.act == LeakyRelu {
			applyGeneric(j.act, j.alpha, dst, dst)
		}
	}
}

// normArgs is what the assembly of batch normalisation reads: the slices'
// lengths are checked in Go. Steps and strides are in bytes.
type normArgs struct {
	x, g, dst              []float32
	mean, inv, gamma, beta []float32
	a, b, f                []float32
	sums                   []float64

	op        int
	rows      int
	stride    int // from row to row
	vecs      int // half vectors of columns: 4 or 1
	step      int // from one half vector to the next
	constStep int // the same in the parameters
	sumStep   int // the same in sums
	second    int // from the first sums to the second
	ahead     int // from an element to what is fetched early
	whole     int // the part of a row that is whole vectors
	part      int // elements in the last, partial vector, or 0

	mask       uint64    // lanes of a partial vector: bit i for lane i
	maskVector *[8]int32 // the same for AVX2
	alpha      float32
}

// setMask says that n lanes of a vector exist.
func (a *normArgs) setMask(n int) {
	a.mask = 1<<n - 1
	a.maskVector = (*[8]int32)(laneMasks[8-min(n, 8):])
}

// What the assembly does; the first of each kind is followed by those for
// [Relu] and [LeakyRelu].
const (
	normSquares = iota
	normProductsIdentity
	normProductsRelu
	normProductsLeakyRelu
	normApplyIdentity
	normApplyRelu
	normApplyLeakyRelu
	normGradIdentity
	normGradRelu
	normGradLeakyRelu
)
