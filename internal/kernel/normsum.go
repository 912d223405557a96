package kernel

// normBlock is the number of rows whose sums are taken one row after the other.
// It is part of what [Numerics] stands for.
const normBlock = 1024

// sum computes, for every column, the sums of x and x², or in a gradient those
// of d and d·h.
func (j *normJob) sum(p *Pool) (first, second []float64) {
	rows := j.m / j.shards
	j.blocks = max(1, (rows+normBlock-1)/normBlock)
	j.width = (j.n + 15) &^ 15
	size := 2 * j.width
	all := j.blocks * j.shards
	if cap(j.sums) < all*size {
		j.sums = make([]float64, all*size)
	}
	j.sums = j.sums[:all*size]

	// A part is some blocks by a strip of columns: the strip is narrower than
	// n only where there are too few blocks for the threads.
	j.step = max(1, 2*chunk/max(1, min(rows, normBlock)*j.n))
	if j.step > 1 {
		j.step = (j.step + 3) &^ 3 // see sumPart
	}
	parts := (all + j.step - 1) / j.step
	j.strip = max(64, j.n)
	for want := 4 * p.Threads(); parts*((j.n+j.strip-1)/j.strip) < want && j.strip > 64 && want > 4; {
		j.strip = (j.strip/2 + 63) &^ 63
	}
	j.strips = (j.n + j.strip - 1) / j.strip
	j.do(p, parts*j.strips, (*normJob).sumPart)

	for s := range j.shards {
		to := j.sums[s*j.blocks*size:][:size]
		for k := 1; k < j.blocks; k++ {
			addTo(to, j.sums[(s*j.blocks+k)*size:][:size])
		}
	}
	j.tree(0, j.shards, size)
	return j.sums[:j.n], j.sums[j.width:][:j.n]
}

func addTo(dst, x []float64) {
	for i, v := range x[:len(dst)] {
		dst[i] += v
	}
}

// tree adds the sums of the shards lo ... hi-1 into the first of them.
func (j *normJob) tree(lo, hi, size int) {
	if hi-lo <= 1 {
		return
	}
	mid := lo + treeSplit(hi-lo)
	j.tree(lo, mid, size)
	j.tree(mid, hi, size)
	addTo(j.sums[lo*j.blocks*size:][:size], j.sums[mid*j.blocks*size:][:size])
}

// block returns the rows of block b.
func (j *normJob) block(b int) (r0, r1 int) {
	rows := j.m / j.shards
	end := (b/j.blocks + 1) * rows
	r0 = end - rows + b%j.blocks*normBlock
	return r0, min(r0+normBlock, end)
}

// sumPart computes the sums of some blocks. Where rows are short, the assembly
// takes four blocks at once, because each sum waits for its own last addition.
func (j *normJob) sumPart(part int) {
	lanes := archNormLanes(tier.id)
	c0 := part % j.strips * j.strip
	c1 := min(c0+j.strip, j.n)
	b0 := part / j.strips * j.step
	b1 := min(b0+j.step, j.blocks*j.shards)
	for b := b0; b < b1; {
		count := 1
		if lanes > 0 && c1-c0 < 4*lanes && b+4 <= b1 && j.alike(b) {
			count = 4
		}
		for i := range count {
			s := j.sums[2*(b+i)*j.width:]
			clear(s[c0:c1])
			clear(s[j.width+c0:][:c1-c0])
		}
		if lanes > 0 {
			j.sumBlocks(lanes, b, count, c0, c1)
		} else {
			j.sumGeneric(b, c0, c1)
		}
		b += count
	}
}

// alike reports whether the blocks b ... b+3 have as many rows and stand at
// equal distances.
func (j *normJob) alike(b int) bool {
	r0, r1 := j.block(b)
	s0, _ := j.block(b + 1)
	for i := 1; i < 4; i++ {
		if t0, t1 := j.block(b + i); t1-t0 != r1-r0 || t0-r0 != i*(s0-r0) {
			return false
		}
	}
	return r1 > r0
}

// sumBlocks computes the sums of the columns c0 ... c1-1 in one block or in
// four, in assembly: some rows that fit the first cache, column after column,
// while the next rows are fetched.
func (j *normJob) sumBlocks(lanes, b, count, c0, c1 int) {
	r0, r1 := j.block(b)
	a := normArgs{stride: 4 * j.n, second: 8 * j.width, alpha: j.alpha}
	a.op = normSquares
	if j.g != nil {
		a.op = normProductsIdentity + int(j.act)
	}
	group := max(8, chunk/8/max(1, count*(c1-c0)))
	a.ahead = 4 * group * j.n
	for r := r0; r < r1; r += group {
		a.rows = min(group, r1-r)
		for c := c0; c < c1; {
			a.vecs = 4
			a.setMask(lanes)
			cols := 4 * lanes
			switch {
			case count == 4:
				next, _ := j.block(b + 1)
				a.step, a.constStep, a.sumStep = 4*j.n*(next-r0), 0, 16*j.width
				cols = min(lanes, c1-c)
				a.setMask(cols)
			case c+cols <= c1:
				a.step, a.constStep, a.sumStep = 4*lanes, 4*lanes, 8*lanes
			default:
				a.vecs = 1
				cols = min(lanes, c1-c)
				a.setMask(cols)
			}
			a.x = j.x[r*j.n+c:]
			a.sums = j.sums[2*b*j.width+c:]
			if j.g != nil {
				a.g = j.g[r*j.n+c:]
				a.mean, a.inv = j.param(normMean)[c:], j.param(normInv)[c:]
				a.gamma, a.beta = j.param(normGamma)[c:], j.param(normBeta)[c:]
			}
			archNormSums(tier.id, &a)
			c += cols
		}
	}
}

// sumGeneric is sumBlocks for one block, in Go.
func (j *normJob) sumGeneric(b, c0, c1 int) {
	r0, r1 := j.block(b)
	s := j.sums[2*b*j.width:]
	first, second := s[c0:c1], s[j.width+c0:][:c1-c0]
	if j.g == nil {
		for r := r0; r < r1; r++ {
			for c, v := range j.x[r*j.n+c0 : r*j.n+c1] {
				x := float64(v)
				first[c] += x
				second[c] += float64(x * x)
			}
		}
		return
	}
	mean, inv := j.param(normMean)[c0:c1], j.param(normInv)[c0:c1]
	gamma, beta := j.param(normGamma)[c0:c1], j.param(normBeta)[c0:c1]
	for r := r0; r < r1; r++ {
		g := j.g[r*j.n+c0 : r*j.n+c1]
		for c, v := range j.x[r*j.n+c0 : r*j.n+c1] {
			h := float32((v - mean[c]) * inv[c])
			d := float64(j.slope(h, gamma[c], beta[c], g[c]))
			first[c] += d
			second[c] += float64(d * float64(h))
		}
	}
}
