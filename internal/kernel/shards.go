package kernel

// GemmShards computes dst [m,n] = Aᵀ·B for A stored [k,m] and B [k,n] (form
// TN), where the k rows are cut into shards equal parts: each part is a product
// of its own, as [Gemm] computes it, and their sums are added in a fixed tree:
// the left part of s > 1 shards is the largest power of two below s. Machines
// that compute one part each and add along that tree get the same bits.
//
// scratch needs (shards-1)*m*n elements. dst must not overlap the others.
func GemmShards(p *Pool, dst, a, b []float32, m, n, k, shards int, scratch []float32) {
	needShards(k, shards)
	size := needShape("dst", m, n)
	need("scratch", len(scratch), needShape("scratch", shards-1, size))
	part := k / shards
	for s := range shards {
		to := dst
		if s > 0 {
			to = scratch[(s-1)*size : s*size]
		}
		Gemm(p, TN, to, a[s*part*m:], b[s*part*n:], m, n, part, Epilogue{})
	}
	addShards(p, dst[:size], scratch, 0, shards)
}

// addShards adds the shards lo ... hi-1 into the first of them. Shard 0 is dst
// and shard s > 0 the s-1st piece of scratch.
func addShards(p *Pool, dst, scratch []float32, lo, hi int) {
	if hi-lo <= 1 {
		return
	}
	mid := lo + treeSplit(hi-lo)
	addShards(p, dst, scratch, lo, mid)
	addShards(p, dst, scratch, mid, hi)
	size := len(dst)
	to := dst
	if lo > 0 {
		to = scratch[(lo-1)*size : lo*size]
	}
	Add(p, to, to, scratch[(mid-1)*size:mid*size])
}

// one is a matrix A of ones: its strides are 0.
var one = []float32{1}

// sums holds the shards of a ColSum.
type sums struct {
	s []float32
}

var sumsList freeList[sums]

// ColSum computes dst [n], the sums over the rows of x [m,n]. It is
// [GemmShards] with a column of ones: the rows are cut into shards equal parts,
// each summed in blocks, the parts added in the same tree.
func ColSum(p *Pool, dst, x []float32, m, n, shards int) {
	needShards(m, shards)
	need("x", len(x), needShape("x", m, n))
	need("dst", len(dst), n)
	s := sumsList.get()
	if cap(s.s) < (shards-1)*n {
		s.s = make([]float32, (shards-1)*n)
	}
	s.s = s.s[:(shards-1)*n]
	part := m / shards
	for i := range shards {
		j := gemmJobs.get()
		j.dst, j.a, j.b = dst, one, x[i*part*n:]
		if i > 0 {
			j.dst = s.s[(i-1)*n:]
		}
		j.m, j.n, j.k = 1, n, part
		j.run(p)
	}
	addShards(p, dst[:n], s.s, 0, shards)
	sumsList.put(s)
}
