package kernel

import (
	"fmt"
	"math"
	"testing"
)

// naiveColumn returns the sum of term(r) over m rows in the documented order.
func naiveColumn(m, shards int, term func(r int) float64) float64 {
	var parts []float64
	rows := m / shards
	for s := range shards {
		part := 0.
		for r0 := 0; r0 < rows; r0 += normBlock {
			sum := 0.
			for r := r0; r < min(rows, r0+normBlock); r++ {
				sum += term(s*rows + r)
			}
			if r0 == 0 {
				part = sum
			} else {
				part += sum
			}
		}
		parts = append(parts, part)
	}
	return treeOf(parts)
}

var normShapes = []struct{ m, n, shards int }{
	{1, 1, 1}, {4, 3, 2}, {12, 65, 3}, {128, 300, 4}, {40, 1024, 1}, {17, 1000, 1},
	{normBlock, 2, 1}, {normBlock + 1, 5, 1}, {4*normBlock + 40, 3, 1}, {8 * normBlock, 1, 2}, {9*normBlock + 9, 7, 3},
	{5*normBlock + 100, 12, 1}, {4*normBlock + 1, 20, 1}, {2*normBlock + 7, 32, 1}, {2 * normBlock, 100, 4}, {6 * 200, 33, 6},
}

// TestNormBits compares every function of batch normalisation with the
// documented arithmetic, one element at a time, on all tiers and threads.
func TestNormBits(t *testing.T) {
	pools := testPools(t)
	for _, s := range normShapes {
		m, n, shards := s.m, s.n, s.shards
		x, g := noiseSlice(m*n, 1), noiseSlice(m*n, 2)
		gamma, beta, mean, inv := noiseSlice(n, 3), noiseSlice(n, 4), make([]float32, n), make([]float32, n)
		for i := range x {
			x[i] = x[i]*float32(1+i%n%5) + float32(i%n%7)
		}
		variance := make([]float32, n)
		for c := range n {
			mu := naiveColumn(m, shards, func(r int) float64 { return float64(x[r*n+c]) }) / float64(m)
			v := naiveColumn(m, shards, func(r int) float64 { return float64(x[r*n+c]) * float64(x[r*n+c]) })
			mean[c], variance[c] = float32(mu), float32(max(0, v/float64(m)-float64(mu*mu)))
			inv[c] = float32(1 / math.Sqrt(float64(variance[c])+1e-5))
		}
		x[0] = -x[0] // the mean need not be that of x
		for _, act := range acts {
			h, z := make([]float32, m*n), make([]float32, m*n)
			y, d := make([]float32, m*n), make([]float32, m*n)
			for i, v := range x {
				c := i % n
				h[i] = float32((v - mean[c]) * inv[c])
				z[i] = float32(h[i]*gamma[c]) + beta[c]
			}
			applyGeneric(act.act, act.alpha, y, z)
			applyGradGeneric(act.act, act.alpha, d, y, g)
			dx, dgamma, dbeta := make([]float32, m*n), make([]float32, n), make([]float32, n)
			for c := range n {
				sg := naiveColumn(m, shards, func(r int) float64 { return float64(d[r*n+c]) })
				sh := naiveColumn(m, shards, func(r int) float64 { return float64(d[r*n+c]) * float64(h[r*n+c]) })
				dbeta[c], dgamma[c] = float32(sg), float32(sh)
				a, b := float32(sg/float64(m)), float32(sh/float64(m))
				for i := c; i < m*n; i += n {
					dx[i] = float32(gamma[c]*inv[c]) * float32(float32(d[i]-a)-float32(h[i]*b))
				}
			}
			for _, ti := range tiers {
				onTier(ti, func() {
					for _, p := range pools {
						what := fmt.Sprintf("%v, act %d on %s, %d threads", s, act.act, ti.name, p.Threads())
						gotMean, gotVariance := newGuarded(n, 1), newGuarded(n, 2)
						x[0] = -x[0]
						BatchNormStats(p, gotMean.x, gotVariance.x, x, m, n, shards)
						x[0] = -x[0]
						sameBits(t, what+": mean", gotMean.x, mean)
						sameBits(t, what+": variance", gotVariance.x, variance)
						out := newGuarded(m*n, 1)
						BatchNormApply(p, out.x, x, mean, inv, gamma, beta, m, n, act.act, act.alpha)
						sameBits(t, what+": result", out.x, y)
						inPlace := guard(x, 3)
						BatchNormApply(p, inPlace.x, inPlace.x, mean, inv, gamma, beta, m, n, act.act, act.alpha)
						sameBits(t, what+": result in place", inPlace.x, y)
						gotX, gotGamma, gotBeta := newGuarded(m*n, 1), newGuarded(n, 2), newGuarded(n, 3)
						BatchNormGrad(p, gotX.x, gotGamma.x, gotBeta.x, x, y, g, mean, inv, gamma, beta, m, n, shards, act.act, act.alpha)
						sameBits(t, what+": dbeta", gotBeta.x, dbeta)
						sameBits(t, what+": dgamma", gotGamma.x, dgamma)
						sameBits(t, what+": dx", gotX.x, dx)
						gIn := guard(g, 2)
						BatchNormGrad(p, gIn.x, gotGamma.x, gotBeta.x, x, y, gIn.x, mean, inv, gamma, beta, m, n, shards, act.act, act.alpha)
						sameBits(t, what+": dx in place", gIn.x, dx)
						for _, b := range []guarded{gotMean, gotVariance, out, inPlace, gotX, gotGamma, gotBeta, gIn} {
							b.check(t, what)
						}
					}
				})
			}
		}
	}
}

// TestNormSpecial: what is not finite, and zeros of both signs, pass through all
// tiers alike.
func TestNormSpecial(t *testing.T) {
	const m, n = 200, 23
	x, g := actSample(m*n), noiseSlice(m*n, 2)
	copy(g[300:], actSample(40))
	mean, inv, gamma, beta := noiseSlice(n, 3), noiseSlice(n, 4), noiseSlice(n, 5), make([]float32, n)
	mean[0], gamma[1] = 0, 0
	for _, act := range acts {
		var first [][]float32
		for _, ti := range tiers {
			onTier(ti, func() {
				y, dx, dgamma, dbeta := make([]float32, m*n), make([]float32, m*n), make([]float32, n), make([]float32, n)
				BatchNormApply(nil, y, x, mean, inv, gamma, beta, m, n, act.act, act.alpha)
				BatchNormGrad(nil, dx, dgamma, dbeta, x, y, g, mean, inv, gamma, beta, m, n, 1, act.act, act.alpha)
				got := [][]float32{y, dx, dgamma, dbeta}
				if first == nil {
					first = got
				}
				for i := range got {
					sameBits(t, fmt.Sprintf("act %d on %s: result %d", act.act, ti.name, i), got[i], first[i])
				}
			})
		}
	}
}
