package kernel

// Batch normalisation (Ioffe and Szegedy, 2015) over the m rows of x [m,n]: for
// images in HWNC, m is pixels times images and n the number of channels.

// BatchNormStats computes the mean [n] and the biased variance [n] of the
// columns of x [m,n], m > 0. Sums and sums of squares are taken in float64: row
// after row in blocks of normBlock rows, the blocks of each of the shards equal
// parts of the rows in order, the parts in a fixed tree.
func BatchNormStats(p *Pool, mean, variance, x []float32, m, n, shards int) {
	need("x", len(x), needShape("x", m, n))
	need("mean", len(mean), n)
	need("variance", len(variance), n)
	needShards(m, shards)
	need("a column", m, 1)
	j := normJobs.get()
	j.m, j.n, j.shards, j.x = m, n, shards, x
	sum, squares := j.sum(p)
	for c := range n {
		mu := sum[c] / float64(m)
		v := squares[c]/float64(m) - float64(mu*mu)
		if v < 0 {
			v = 0
		}
		mean[c] = float32(mu)
		variance[c] = float32(v)
	}
	j.release()
}

// BatchNormApply computes dst = act((x-mean)·inv·gamma + beta) for x [m,n],
// where inv [n] is 1/sqrt(variance+eps), in one pass over memory. Every
// operation is rounded to float32; the activation is that of [Apply]. dst may
// be x.
func BatchNormApply(p *Pool, dst, x, mean, inv, gamma, beta []float32, m, n int, act Act, alpha float32) {
	size := needShape("x", m, n)
	need("x", len(x), size)
	need("dst", len(dst), size)
	needVectors(n, mean, inv, gamma, beta)
	j := normJobs.get()
	j.m, j.n, j.x, j.dst, j.act, j.alpha = m, n, x, dst, act, alpha
	j.expand(mean, inv, gamma, beta)
	j.rows(p)
	j.release()
}

// BatchNormGrad computes the gradients of training-mode batch normalisation,
// where mean [n] and inv [n] come from x [m,n] itself, followed by an
// activation: g [m,n] is the gradient of the activation's result. With
// h = (x-mean)·inv and d = g·act'(h·gamma + beta) as [ApplyGrad] computes it:
//
//	dbeta  = Σ d          dgamma = Σ d·h
//	dx     = gamma·inv·(d - dbeta/m - h·dgamma/m)
//
// The sums are taken like those of [BatchNormStats]. y [m,n], the activation's
// result, is read for Tanh and Sigmoid only and may else be nil: the others
// compute the sign that they need from x again, which costs less than reading
// it. It takes two passes over x and g, three for Tanh and Sigmoid. dx may be
// g.
func BatchNormGrad(p *Pool, dx, dgamma, dbeta, x, y, g, mean, inv, gamma, beta []float32, m, n, shards int, act Act, alpha float32) {
	size := needShape("x", m, n)
	need("x", len(x), size)
	need("g", len(g), size)
	need("dx", len(dx), size)
	need("dgamma", len(dgamma), n)
	need("dbeta", len(dbeta), n)
	needVectors(n, mean, inv, gamma, beta)
	needShards(m, shards)
	if act == Tanh || act == Sigmoid {
		need("y", len(y), size)
		ApplyGrad(p, act, alpha, dx[:size], y[:size], g[:size])
		g, act = dx, Identity
	}
	j := normJobs.get()
	j.m, j.n, j.shards, j.x, j.g, j.dst, j.act, j.alpha = m, n, shards, x, g, dx, act, alpha
	a, b, f := j.expandGrad(mean, inv, gamma, beta)
	sum, products := j.sum(p)
	for c := range n {
		dbeta[c] = float32(sum[c])
		dgamma[c] = float32(products[c])
		a[c] = float32(sum[c] / float64(m))
		b[c] = float32(products[c] / float64(m))
		f[c] = gamma[c] * inv[c]
	}
	j.repeat(a, b, f)
	j.rows(p)
	j.release()
}

// needVectors panics unless the parameters of n channels are there.
func needVectors(n int, mean, inv, gamma, beta []float32) {
	need("mean", len(mean), n)
	need("inv", len(inv), n)
	need("gamma", len(gamma), n)
	need("beta", len(beta), n)
}
