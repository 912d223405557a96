//go:build linux && !purego

package kernel

import (
	"fmt"
	"testing"
)

// TestTileNEON computes tiles of every height, width and ending, with odd
// strides, and compares them with sums written out here. Behind A and B lies
// memory that cannot be read.
func TestTileNEON(t *testing.T) {
	if tier.id != tierNEON {
		t.Skip("NEON is switched off")
	}
	const alpha = -0.3
	var s noise
	old, bias := actSample(8*16), actSample(12)
	a, b := atEdge(t, noiseSlice(1000, 1), false), atEdge(t, noiseSlice(1000, 2), false)
	for _, rows := range neonTier.rows {
		for cols := 1; cols <= 12; cols++ {
			for _, k := range []int{0, 1, 3, 4, 5, 9} {
				for flags := range 16 {
					args := tileArgs{
						ars: 1 + s.below(20), acs: 1 + s.below(20), brs: neonTier.width(cols) + s.below(3), ldc: cols + s.below(4),
						k: k, rows: rows, vecs: neonTier.width(cols) / 4, flags: flags, alpha: alpha,
					}
					sizeA, sizeB := 0, 0
					for range s.below(4) {
						seg := tileSeg{s.below(50), s.below(50)}
						args.segs = append(args.segs, seg)
						if k > 0 {
							sizeA = max(sizeA, seg.a+(rows-1)*args.ars+(k-1)*args.acs+1)
							sizeB = max(sizeB, seg.b+(k-1)*args.brs+neonTier.width(cols))
						}
					}
					args.a, args.b = a[len(a)-sizeA:], b[len(b)-sizeB:]
					args.bias = guard(bias[:cols], flags%4).x
					args.setMask(cols-4*(args.vecs-1), 4)
					c := newGuarded((rows-1)*args.ldc+cols, flags%4)
					want := newGuarded(len(c.x), 0).x // what lies between the rows stays
					for i := range rows {
						copy(c.x[i*args.ldc:][:cols], old[i*16:])
						for j := range cols {
							v := float32(0)
							for _, seg := range args.segs {
								for q := range k {
									v = fma(args.a[seg.a+i*args.ars+q*args.acs], args.b[seg.b+q*args.brs+j], v)
								}
							}
							if flags&tileAdd != 0 {
								v = old[i*16+j] + v
							}
							if flags&tileBias != 0 {
								v += bias[j]
							}
							if v < 0 && flags&tileRelu != 0 {
								v = 0
							}
							if v < 0 && flags&tileLeaky != 0 {
								v *= alpha
							}
							want[i*args.ldc+j] = v
						}
					}
					args.c = c.x
					what := fmt.Sprintf("%d rows, %d columns, %d steps in %d segments, flags %b", rows, cols, k, len(args.segs), flags)
					neonTier.tile(&args)
					sameBits(t, what, c.x, want)
					c.check(t, what)
				}
			}
		}
	}
}
