package kernel

import (
	"fmt"
	"math"
	"testing"
)

func TestElementwise(t *testing.T) {
	pools := testPools(t)
	for _, n := range []int{0, 1, 7, 8, 15, 16, 17, 33, 100, 40001} {
		a, b := actSample(n), noiseSlice(n, 3)
		ops := []struct {
			name string
			run  func(p *Pool, dst, a []float32)
			want func(i int) float32
		}{
			{"Add", func(p *Pool, dst, a []float32) { Add(p, dst, a, b) }, func(i int) float32 { return a[i] + b[i] }},
			{"Mul", func(p *Pool, dst, a []float32) { Mul(p, dst, a, b) }, func(i int) float32 { return a[i] * b[i] }},
			{"Affine", func(p *Pool, dst, a []float32) { Affine(p, dst, a, 0.3, -7) }, func(i int) float32 { return float32(a[i]*0.3) + -7 }},
		}
		for _, op := range ops {
			want := make([]float32, n)
			for i := range want {
				want[i] = op.want(i)
			}
			for _, ti := range tiers {
				onTier(ti, func() {
					for _, p := range pools {
						what := fmt.Sprintf("%s, %d elements on %s, %d threads", op.name, n, ti.name, p.Threads())
						dst := newGuarded(n, 1)
						op.run(p, dst.x, a)
						sameBits(t, what, dst.x, want)
						dst.check(t, what)
						dst = guard(a, 3)
						op.run(p, dst.x, dst.x)
						sameBits(t, what+", in place", dst.x, want)
						dst.check(t, what)
					}
				})
			}
		}
	}
}

func TestFirstNonFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	eachTier(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 15, 16, 17, 64, 100, 1000} {
			x := noiseSlice(n, 9)
			if n > 0 {
				x[0] = -math.MaxFloat32
			}
			if got := FirstNonFinite(x); got != -1 {
				t.Errorf("%d finite elements: got %d, want -1", n, got)
			}
			for i := range x {
				old := x[i]
				x[i] = []float32{nan, inf, -inf}[i%3]
				if got := FirstNonFinite(x); got != i {
					t.Errorf("%v at %d of %d: got %d", x[i], i, n, got)
				}
				if i+5 < n {
					x[i+5], old = nan, x[i+5]
					if got := FirstNonFinite(x); got != i {
						t.Errorf("the first of two, at %d of %d: got %d", i, n, got)
					}
					x[i+5] = old
					x[i] = 0
					continue
				}
				x[i] = old
			}
		}
	})
}

func TestMaxPieces(t *testing.T) {
	pools := testPools(t)
	for _, s := range [][3]int{{0, 2, 3}, {2, 0, 3}, {1, 1, 1}, {3, 4, 5}, {100, 240, 5}} {
		m, units, pieces := s[0], s[1], s[2]
		x := noiseSlice(m*units*pieces, 4)
		for i := range x { // many equal pieces
			x[i] = float32(math.Round(float64(x[i]) * 3))
		}
		g, big := noiseSlice(m*units, 5), noiseSlice(len(x), 6)
		want, wantGrad, wantGather := make([]float32, m*units), make([]float32, len(x)), make([]float32, m*units)
		for u := range want {
			best := u * pieces
			for i := best; i < (u+1)*pieces; i++ {
				if x[i] > x[best] {
					best = i
				}
			}
			want[u], wantGrad[best], wantGather[u] = x[best], g[u], big[best]
		}
		for _, p := range pools {
			what := fmt.Sprintf("%v, %d threads", s, p.Threads())
			dst, dx := newGuarded(m*units, 1), newGuarded(len(x), 2)
			MaxPieces(p, dst.x, x, m, units, pieces)
			sameBits(t, what, dst.x, want)
			MaxPiecesGrad(p, dx.x, x, g, m, units, pieces)
			sameBits(t, what+", gradient", dx.x, wantGrad)
			MaxPiecesGather(p, dst.x, x, big, m, units, pieces)
			sameBits(t, what+", gather", dst.x, wantGather)
			dst.check(t, what)
			dx.check(t, what)
		}
	}
}
