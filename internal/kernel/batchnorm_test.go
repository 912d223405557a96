package kernel

import (
	"fmt"
	"math"
	"testing"
)

var batchNormShapes = [][3]int{{1, 1, 1}, {4, 3, 1}, {4, 3, 2}, {12, 65, 3}, {128, 1024, 1}, {128, 300, 4}, {6, 130, 6}}

func TestBatchNorm(t *testing.T) {
	pools := testPools(t)
	for _, s := range batchNormShapes {
		m, n, shards := s[0], s[1], s[2]
		x, g := noiseSlice(m*n, 1), noiseSlice(m*n, 2)
		gamma, beta := noiseSlice(n, 3), noiseSlice(n, 4)
		for i := range x { // columns of different means and scales
			x[i] = x[i]*float32(1+i%n%5) + float32(i%n%7)
		}
		var firstStats, firstOut, firstGrad []float32
		for _, p := range pools {
			what := fmt.Sprintf("%v, %d threads", s, p.Threads())
			mean, variance, inv := newGuarded(n, 0), newGuarded(n, 1), make([]float32, n)
			BatchNormStats(p, mean.x, variance.x, x, m, n, shards)
			for j := range n {
				mu, v := 0., 0.
				for r := range m {
					mu += float64(x[r*n+j]) / float64(m)
				}
				for r := range m {
					v += (float64(x[r*n+j]) - mu) * (float64(x[r*n+j]) - mu) / float64(m)
				}
				if math.Abs(float64(mean.x[j])-mu) > ulp(mu) || math.Abs(float64(variance.x[j])-v) > ulp(v)+1e-14 {
					t.Fatalf("%s: column %d has mean %v and variance %v, want %v and %v", what, j, mean.x[j], variance.x[j], mu, v)
				}
				inv[j] = float32(1 / math.Sqrt(float64(variance.x[j])+1e-5))
			}
			dst := newGuarded(m*n, 1)
			BatchNormApply(p, dst.x, x, mean.x, inv, gamma, beta, m, n, Identity, 0)
			for i, v := range x {
				j := i % n
				want := (float64(v)-float64(mean.x[j]))*float64(inv[j])*float64(gamma[j]) + float64(beta[j])
				size := math.Abs(want-float64(beta[j])) + math.Abs(float64(beta[j]))
				if e := math.Abs(float64(dst.x[i]) - want); e > 4*0x1p-24*size {
					t.Fatalf("%s: element %d is %v, want %v", what, i, dst.x[i], want)
				}
			}
			dx, dgamma, dbeta := newGuarded(m*n, 1), newGuarded(n, 2), newGuarded(n, 3)
			BatchNormGrad(p, dx.x, dgamma.x, dbeta.x, x, nil, g, mean.x, inv, gamma, beta, m, n, shards, Identity, 0)
			checkBatchNormGrad(t, what, dx.x, dgamma.x, dbeta.x, x, g, mean.x, inv, gamma, m, n)
			for _, b := range []guarded{mean, variance, dst, dx, dgamma, dbeta} {
				b.check(t, what)
			}
			stats := append(mean.x, variance.x...)
			grad := append(append(append([]float32{}, dx.x...), dgamma.x...), dbeta.x...)
			if firstStats == nil {
				firstStats, firstOut, firstGrad = stats, dst.x, grad
			}
			sameBits(t, what+", statistics", stats, firstStats)
			sameBits(t, what+", result", dst.x, firstOut)
			sameBits(t, what+", gradient", grad, firstGrad)
			inPlace := append([]float32{}, g...)
			BatchNormGrad(p, inPlace, dgamma.x, dbeta.x, x, nil, inPlace, mean.x, inv, gamma, beta, m, n, shards, Identity, 0)
			sameBits(t, what+", gradient in place", inPlace, dx.x)
		}
	}
}

func checkBatchNormGrad(t *testing.T, what string, dx, dgamma, dbeta, x, g, mean, inv, gamma []float32, m, n int) {
	t.Helper()
	for j := range n {
		var sg, sgh, size float64
		h := func(r int) float64 { return (float64(x[r*n+j]) - float64(mean[j])) * float64(inv[j]) }
		for r := range m {
			sg += float64(g[r*n+j])
			sgh += float64(g[r*n+j]) * h(r)
			size += math.Abs(float64(g[r*n+j])) * (1 + math.Abs(h(r)))
		}
		if math.Abs(float64(dbeta[j])-sg) > 0x1p-22*size || math.Abs(float64(dgamma[j])-sgh) > 0x1p-22*size {
			t.Fatalf("%s: column %d has dbeta %v and dgamma %v, want %v and %v", what, j, dbeta[j], dgamma[j], sg, sgh)
		}
		for r := range m {
			want := float64(gamma[j]) * float64(inv[j]) * (float64(g[r*n+j]) - sg/float64(m) - h(r)*sgh/float64(m))
			bound := 0x1p-20 * math.Abs(float64(gamma[j])*float64(inv[j])) * (math.Abs(float64(g[r*n+j])) + size/float64(m)*(1+math.Abs(h(r))))
			if e := math.Abs(float64(dx[r*n+j]) - want); e > bound {
				t.Fatalf("%s: dx[%d,%d] is %v, want %v: off by %v, bound %v", what, r, j, dx[r*n+j], want, e, bound)
			}
		}
	}
}

// TestBatchNormShards: sums are taken in the documented tree. One row is one
// shard; 2⁶⁰ swallows 1 in float64, and 2⁶⁰ - 2⁶⁰ does not.
func TestBatchNormShards(t *testing.T) {
	const big = 1 << 60
	for _, x := range [][]float32{{big, -big, 1}, {1, big, -big}, {big, -big, 0, 0, 1}, {big, 0, -big, 1, 0}, {1, 0, big, -big, 1}} {
		m := len(x)
		var parts []float64
		for _, v := range x {
			parts = append(parts, float64(v))
		}
		want := treeOf(parts)
		var mean, variance, dgamma, dbeta [1]float32
		dx := make([]float32, m)
		BatchNormStats(nil, mean[:], variance[:], x, m, 1, m)
		if w := float32(want / float64(m)); mean[0] != w {
			t.Errorf("%v: mean is %v, want %v", x, mean[0], w)
		}
		// With h = 1 both sums of the gradient are those of g.
		ones := []float32{1, 1, 1, 1, 1}[:m]
		BatchNormGrad(nil, dx, dgamma[:], dbeta[:], ones, nil, x, []float32{0}, []float32{1}, []float32{1}, []float32{0}, m, 1, m, Identity, 0)
		if w := float32(want); dgamma[0] != w || dbeta[0] != w {
			t.Errorf("%v: dgamma and dbeta are %v and %v, want %v", x, dgamma[0], dbeta[0], w)
		}
	}
}
