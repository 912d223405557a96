package kernel

import (
	"fmt"
	"math"
	"testing"
)

func TestMaxPieces(t *testing.T) {
	pools := testPools(t)
	shapes := [][3]int{{0, 2, 3}, {2, 0, 3}, {1, 1, 1}, {3, 4, 5}, {5, 7, 2}, {100, 240, 5}}
	for pieces := 1; pieces <= 9; pieces++ {
		shapes = append(shapes, [3]int{3, 33, pieces})
	}
	for _, s := range shapes {
		m, units, pieces := s[0], s[1], s[2]
		x := noiseSlice(m*units*pieces, 4)
		special := []float32{float32(math.NaN()), 0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1))}
		for i := range x { // many equal pieces, zeros of both signs, and what is not finite
			x[i] = float32(math.Round(float64(x[i]) * 3))
			if i%7 == 3 {
				x[i] = special[i/7%5]
			}
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
		for _, ti := range tiers {
			onTier(ti, func() {
				for _, p := range pools {
					what := fmt.Sprintf("%v on %s, %d threads", s, ti.name, p.Threads())
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
			})
		}
	}
}
