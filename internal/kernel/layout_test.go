package kernel

import (
	"fmt"
	"testing"
)

func TestLayout(t *testing.T) {
	pools := testPools(t)
	for _, s := range [][3]int{{0, 3, 4}, {1, 1, 9}, {1, 3, 64}, {2, 3, 1}, {8, 1, 8}, {5, 3, 49}, {16, 16, 16}, {9, 7, 100}, {3, 64, 65}, {128, 3, 70}, {2, 500, 33}, {1, 17, 2048}} {
		n, c, pixels := s[0], s[1], s[2]
		x := noiseSlice(n*c*pixels, 1)
		want := make([]float32, len(x))
		for i := range n * c {
			for q := range pixels {
				want[q*n*c+i] = x[i*pixels+q]
			}
		}
		for _, ti := range tiers {
			onTier(ti, func() {
				for _, p := range pools {
					what := fmt.Sprintf("%v on %s, %d threads", s, ti.name, p.Threads())
					dst := newGuarded(len(x), 1)
					ToHWNC(p, dst.x, x, n, c, pixels)
					sameBits(t, what, dst.x, want)
					dst.check(t, what)
					back := newGuarded(len(x), 2)
					FromHWNC(p, back.x, want, n, c, pixels)
					sameBits(t, what+", back", back.x, x)
					back.check(t, what)
				}
			})
		}
	}
}
