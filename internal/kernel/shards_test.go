package kernel

import (
	"fmt"
	"math"
	"testing"
)

// naiveTree adds rows of parts in the documented tree.
func naiveTree(parts [][]float32) []float32 {
	if len(parts) == 1 {
		return parts[0]
	}
	left := 1
	for left*2 < len(parts) {
		left *= 2
	}
	a, b := naiveTree(parts[:left]), naiveTree(parts[left:])
	sum := make([]float32, len(a))
	for i := range sum {
		sum[i] = a[i] + b[i]
	}
	return sum
}

func TestGemmShards(t *testing.T) {
	pools := testPools(t)
	for _, s := range [][4]int{{3, 5, 0, 1}, {3, 5, 0, 4}, {9, 17, 12, 1}, {9, 17, 12, 2}, {9, 17, 12, 3}, {5, 33, 1200, 4}, {20, 50, 35, 5}, {3, 4, 14, 7}, {1, 1, 6, 6}} {
		m, n, k, shards := s[0], s[1], s[2], s[3]
		a, b := noiseSlice(k*m, 1), noiseSlice(k*n, 2)
		var parts [][]float32
		for i := range shards {
			rows := k / shards
			part, _, _ := naiveGemm(TN, a[i*rows*m:(i+1)*rows*m], b[i*rows*n:(i+1)*rows*n], m, n, rows, Epilogue{})
			parts = append(parts, part)
		}
		want := naiveTree(parts)
		for _, ti := range tiers {
			onTier(ti, func() {
				for _, p := range pools {
					what := fmt.Sprintf("%v on %s, %d threads", s, ti.name, p.Threads())
					dst, scratch := newGuarded(m*n, 1), newGuarded((shards-1)*m*n, 2)
					GemmShards(p, dst.x, a, b, m, n, k, shards, scratch.x)
					sameBits(t, what, dst.x, want)
					dst.check(t, what)
					scratch.check(t, what)
				}
			})
		}
	}
}

func TestColSum(t *testing.T) {
	pools := testPools(t)
	for _, s := range [][3]int{{0, 3, 1}, {4, 0, 2}, {1, 1, 1}, {12, 17, 3}, {128, 1024, 1}, {128, 100, 4}, {1300, 33, 2}} {
		m, n, shards := s[0], s[1], s[2]
		x := noiseSlice(m*n, 1)
		var parts [][]float32
		for i := range shards {
			rows := m / shards
			part := make([]float32, n)
			kc := blockLen(rows)
			for j := range n {
				for r0 := 0; r0 < rows; r0 += kc {
					sum := float32(0)
					for r := r0; r < min(rows, r0+kc); r++ {
						sum += x[(i*rows+r)*n+j]
					}
					if r0 > 0 {
						sum = part[j] + sum
					}
					part[j] = sum
				}
			}
			parts = append(parts, part)
		}
		want := naiveTree(parts)
		for j := range want {
			exact, size := 0., 0.
			for r := range m {
				exact += float64(x[r*n+j])
				size += math.Abs(float64(x[r*n+j]))
			}
			if d := math.Abs(exact - float64(want[j])); d > float64(m)*0x1p-24*size {
				t.Fatalf("%v: column %d sums to %v, want %v", s, j, want[j], exact)
			}
		}
		for _, ti := range tiers {
			onTier(ti, func() {
				for _, p := range pools {
					what := fmt.Sprintf("%v on %s, %d threads", s, ti.name, p.Threads())
					dst := newGuarded(n, 1)
					ColSum(p, dst.x, x, m, n, shards)
					sameBits(t, what, dst.x, want)
					dst.check(t, what)
				}
			})
		}
	}
}
