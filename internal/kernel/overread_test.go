//go:build linux

package kernel

import (
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// atEdge returns a copy of x that ends where memory that cannot be read
// begins, or begins where such memory ends.
func atEdge(t *testing.T, x []float32, begins bool) []float32 {
	page := os.Getpagesize()
	size := (4*len(x) + page - 1) / page * page
	all, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(all); err != nil {
			t.Error(err)
		}
	})
	usable, wall := all[:size], all[size:]
	if begins {
		usable, wall = all[page:], all[:page]
	}
	if err := syscall.Mprotect(wall, syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	first := size/4 - len(x)
	if begins {
		first = 0
	}
	edge := unsafe.Slice((*float32)(unsafe.Pointer(&usable[0])), size/4)[first:][:len(x)]
	copy(edge, x)
	return edge
}

// TestReadsInside: no kernel reads or writes beyond its slices, which here lie
// at the edge of what can be read.
func TestReadsInside(t *testing.T) {
	shapes := []gemmShape{{1, 1, 1}, {3, 3, 5}, {8, 12, 9}, {9, 13, 8}, {9, 16, 8}, {17, 20, 3}, {17, 50, 20}, {6, 31, 300}}
	lengths := []int{1, 3, 4, 5, 15, 17, 50}
	eachTier(t, func(t *testing.T) {
		for _, begins := range []bool{false, true} {
			slice := func(n int) []float32 { return atEdge(t, noiseSlice(n, 1), begins) }
			for _, s := range shapes {
				a, b, dst := slice(s.m*s.k), slice(s.k*s.n), slice(s.m*s.n)
				for i, f := range []Form{NN, NT, TN} {
					ep := Epilogue{Bias: slice(s.n), Act: Act(i), Alpha: 0.1}
					Gemm(nil, f, dst, a, b, s.m, s.n, s.k, ep)
					if f != TN {
						GemmPacked(nil, dst, a, s.m, PackB(f, b, s.n, s.k), ep)
					}
				}
			}
			for _, n := range lengths {
				x, y, z, w := slice(n), slice(n), slice(n), slice(n)
				for act := range Sigmoid + 1 {
					Apply(nil, act, 0.1, x, y)
					ApplyGrad(nil, act, 0.1, x, y, z)
				}
				Add(nil, x, y, z)
				Mul(nil, x, y, z)
				Affine(nil, x, y, 2, 3)
				Lerp(nil, x, y, 0.5)
				Momentum(nil, x, y, z, 1, 0.5)
				Adam(nil, x, y, z, w, 1, 0.5, 0.9, 1, 1)
				FirstNonFinite(x)
			}
		}
	})
}
