package kernel

// Batch normalisation (Ioffe and Szegedy, 2015) over the m rows of x [m,n].

// columns is the number of columns that a part of a column-wise task takes, so
// that its sums stay in the first cache.
const columns = 64

// rowsJob is a [Task] over blocks of columns of [m,n] matrices.
type rowsJob struct {
	op                     func(j *rowsJob, lo, hi int)
	m, n, shards           int
	dst, dst2, dst3        []float32
	x, g, mean, inv, gamma []float32
}

var rowsJobs freeList[rowsJob]

// Run does the columns part*columns ... (part+1)*columns-1.
func (j *rowsJob) Run(part int) {
	lo := part * columns
	j.op(j, lo, min(lo+columns, j.n))
}

func (j *rowsJob) run(p *Pool) {
	if parts := (j.n + columns - 1) / columns; j.m*j.n < 2*chunk {
		for i := range parts {
			j.Run(i)
		}
	} else {
		p.Do(parts, j)
	}
	*j = rowsJob{}
	rowsJobs.put(j)
}

// BatchNormStats computes the mean [n] and the biased variance [n] of the
// columns of x [m,n], m > 0. Sums and sums of squares are taken in float64, row
// after row in each of the shards equal parts of the rows, the parts in a fixed
// tree.
func BatchNormStats(p *Pool, mean, variance, x []float32, m, n, shards int) {
	need("x", len(x), needShape("x", m, n))
	need("mean", len(mean), n)
	need("variance", len(variance), n)
	needShards(m, shards)
	need("a column", m, 1)
	j := rowsJobs.get()
	j.op, j.m, j.n, j.shards = batchNormStatsOp, m, n, shards
	j.dst, j.dst2, j.x = mean, variance, x
	j.run(p)
}

// pairSums holds two float64 sums for each column of a block.
type pairSums [2][columns]float64

// tree computes the sums over the shards lo ... hi-1: of g and g·h if the job
// has a gradient, else of x and x².
func (s *pairSums) tree(j *rowsJob, c0, c1, lo, hi int) {
	if hi-lo == 1 {
		*s = pairSums{}
		rows := j.m / j.shards
		if j.g != nil {
			s.products(j, c0, c1, lo*rows, hi*rows)
		} else {
			s.squares(j, c0, c1, lo*rows, hi*rows)
		}
		return
	}
	mid := lo + treeSplit(hi-lo)
	s.tree(j, c0, c1, lo, mid)
	var right pairSums
	right.tree(j, c0, c1, mid, hi)
	for c := range c1 - c0 {
		s[0][c] += right[0][c]
		s[1][c] += right[1][c]
	}
}

func batchNormStatsOp(j *rowsJob, c0, c1 int) {
	var s pairSums
	s.tree(j, c0, c1, 0, j.shards)
	for c := range c1 - c0 {
		mean := s[0][c] / float64(j.m)
		v := s[1][c]/float64(j.m) - float64(mean*mean)
		if v < 0 {
			v = 0
		}
		j.dst[c0+c] = float32(mean)
		j.dst2[c0+c] = float32(v)
	}
}

// squares adds x and x² of the rows r0 ... r1-1.
func (s *pairSums) squares(j *rowsJob, c0, c1, r0, r1 int) {
	for r := r0; r < r1; r++ {
		for c, v := range j.x[r*j.n+c0 : r*j.n+c1] {
			x := float64(v)
			s[0][c&(columns-1)] += x
			s[1][c&(columns-1)] += float64(x * x)
		}
	}
}

// BatchNormApply computes dst = (x-mean)·inv·gamma + beta for x [m,n], where
// inv [n] is 1/sqrt(variance+eps). Every operation is rounded to float32. dst
// may be x.
func BatchNormApply(p *Pool, dst, x, mean, inv, gamma, beta []float32, m, n int) {
	size := needShape("x", m, n)
	need("x", len(x), size)
	need("dst", len(dst), size)
	need("mean", len(mean), n)
	need("inv", len(inv), n)
	need("gamma", len(gamma), n)
	need("beta", len(beta), n)
	j := rowsJobs.get()
	j.op, j.m, j.n = batchNormApplyOp, m, n
	j.dst, j.x, j.mean, j.inv, j.gamma, j.g = dst, x, mean, inv, gamma, beta
	j.run(p)
}

func batchNormApplyOp(j *rowsJob, c0, c1 int) {
	mean, inv, gamma, beta := j.mean[c0:c1], j.inv[c0:c1], j.gamma[c0:c1], j.g[c0:c1]
	for r := range j.m {
		x, dst := j.x[r*j.n+c0:r*j.n+c1], j.dst[r*j.n+c0:r*j.n+c1]
		for c, v := range x {
			dst[c] = float32(float32((v-mean[c])*inv[c])*gamma[c]) + beta[c]
		}
	}
}

// BatchNormGrad computes the gradients of training-mode batch normalisation,
// where mean [n] and inv [n] come from x [m,n] itself, for the gradient g [m,n]
// of its result. With h = (x-mean)·inv:
//
//	dbeta  = Σ g          dgamma = Σ g·h
//	dx     = gamma·inv·(g - dbeta/m - h·dgamma/m)
//
// The sums are taken like those of [BatchNormStats]. dx may be g.
func BatchNormGrad(p *Pool, dx, dgamma, dbeta, x, g, mean, inv, gamma []float32, m, n, shards int) {
	size := needShape("x", m, n)
	need("x", len(x), size)
	need("g", len(g), size)
	need("dx", len(dx), size)
	need("dgamma", len(dgamma), n)
	need("dbeta", len(dbeta), n)
	need("mean", len(mean), n)
	need("inv", len(inv), n)
	need("gamma", len(gamma), n)
	needShards(m, shards)
	j := rowsJobs.get()
	j.op, j.m, j.n, j.shards = batchNormGradOp, m, n, shards
	j.dst, j.dst2, j.dst3 = dx, dgamma, dbeta
	j.x, j.g, j.mean, j.inv, j.gamma = x, g, mean, inv, gamma
	j.run(p)
}

func batchNormGradOp(j *rowsJob, c0, c1 int) {
	var s pairSums
	s.tree(j, c0, c1, 0, j.shards)
	var a, b, f [columns]float32
	for c := range c1 - c0 {
		j.dst3[c0+c] = float32(s[0][c])
		j.dst2[c0+c] = float32(s[1][c])
		a[c] = float32(s[0][c] / float64(j.m))
		b[c] = float32(s[1][c] / float64(j.m))
		f[c] = j.gamma[c0+c] * j.inv[c0+c]
	}
	mean, inv := j.mean[c0:c1], j.inv[c0:c1]
	for r := range j.m {
		x, g, dx := j.x[r*j.n+c0:r*j.n+c1], j.g[r*j.n+c0:r*j.n+c1], j.dst[r*j.n+c0:r*j.n+c1]
		for c, v := range x {
			h := float32((v - mean[c]) * inv[c])
			dx[c] = f[c&(columns-1)] * float32(float32(g[c]-a[c&(columns-1)])-float32(h*b[c&(columns-1)]))
		}
	}
}

// products adds g and g·h of the rows r0 ... r1-1, with h as in BatchNormGrad.
func (s *pairSums) products(j *rowsJob, c0, c1, r0, r1 int) {
	mean, inv := j.mean[c0:c1], j.inv[c0:c1]
	for r := r0; r < r1; r++ {
		x := j.x[r*j.n+c0 : r*j.n+c1]
		for c, v := range j.g[r*j.n+c0 : r*j.n+c1] {
			h := float32((x[c] - mean[c]) * inv[c])
			s[0][c&(columns-1)] += float64(v)
			s[1][c&(columns-1)] += float64(float64(v) * float64(h))
		}
	}
}
