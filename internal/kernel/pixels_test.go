package kernel

import (
	"bytes"
	"fmt"
	"math"
	"testing"
)

func TestFromBytes(t *testing.T) {
	pools := testPools(t)
	for _, n := range []int{0, 1, 15, 16, 17, 63, 64, 100, 256, 40001} {
		x, want := make([]uint8, n), make([]float32, n)
		scale, shift := float32(2)/255, float32(-1)
		for i := range x {
			x[i] = uint8(i)
			want[i] = float32(float32(x[i])*scale) + shift
		}
		for _, ti := range tiers {
			onTier(ti, func() {
				for _, p := range pools {
					what := fmt.Sprintf("%d bytes on %s, %d threads", n, ti.name, p.Threads())
					dst := newGuarded(n, 1)
					FromBytes(p, dst.x, x, scale, shift)
					sameBits(t, what, dst.x, want)
					dst.check(t, what)
				}
			})
		}
	}
}

func TestToBytes(t *testing.T) {
	pools := testPools(t)
	for _, r := range [][2]float32{{-1, 1}, {0, 1}, {-0.3, 7}} {
		lo, hi := r[0], r[1]
		for _, n := range []int{0, 1, 7, 15, 16, 17, 64, 100, 40001} {
			x, want := actSample(n), make([]uint8, n)
			for i := 50; i < n; i++ { // values beside every step
				v := lo + (hi-lo)*(float32(i%256)+0.5)/255
				x[i] = math.Float32frombits(math.Float32bits(v) + uint32(i/256%3) - 1)
			}
			for i, v := range x {
				width := hi - lo
				q := math.Floor(float64(float32(float32(float32(float32(v-lo)*255)/width) + 0.5)))
				if q == q {
					want[i] = uint8(max(0, min(255, q)))
				}
			}
			for _, ti := range tiers {
				onTier(ti, func() {
					for _, p := range pools {
						what := fmt.Sprintf("%d floats in %v on %s, %d threads", n, r, ti.name, p.Threads())
						all := bytes.Repeat([]byte{77}, n+64)
						ToBytes(p, all[32:32+n], x, lo, hi)
						if got := all[32 : 32+n]; !bytes.Equal(got, want) {
							for i := range got {
								if got[i] != want[i] {
									t.Fatalf("%s: %v becomes %d, want %d", what, x[i], got[i], want[i])
								}
							}
						}
						if pad := bytes.Repeat([]byte{77}, 32); !bytes.Equal(all[:32], pad) || !bytes.Equal(all[32+n:], pad) {
							t.Fatalf("%s: wrote outside the slice", what)
						}
					}
				})
			}
		}
	}
}
