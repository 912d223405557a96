package kernel

import (
	"fmt"
	"math"
	"sync"
	"testing"
)

// naiveGemm is the definition of Gemm's order of summation, element by element,
// and the float64 sums Σ|a·b| that bound its error.
func naiveGemm(f Form, a, b []float32, m, n, k int, ep Epilogue) (want []float32, exact, size []float64) {
	want, exact, size = make([]float32, m*n), make([]float64, m*n), make([]float64, m*n)
	kc := blockLen(k)
	for i := range m {
		for j := range n {
			var c, acc float32
			for q := range k {
				x, y := at(a, f == TN, i, q, m, k), at(b, f == NT, q, j, k, n)
				if q > 0 && q%kc == 0 {
					c, acc = acc, 0
					if q > kc {
						c = want[i*n+j] + c
					}
					want[i*n+j] = c
				}
				acc = fma(x, y, acc)
				exact[i*n+j] += float64(x) * float64(y)
				size[i*n+j] += math.Abs(float64(x) * float64(y))
			}
			if k > kc {
				acc = want[i*n+j] + acc
			}
			if ep.Bias != nil {
				acc += ep.Bias[j]
				exact[i*n+j] += float64(ep.Bias[j])
				size[i*n+j] += math.Abs(float64(ep.Bias[j]))
			}
			want[i*n+j] = acc
		}
	}
	applyGeneric(ep.Act, ep.Alpha, want, want)
	return want, exact, size
}

// at returns element (i,j) of a matrix [rows,cols], stored transposed or not.
func at(x []float32, trans bool, i, j, rows, cols int) float32 {
	if trans {
		return x[j*rows+i]
	}
	return x[i*cols+j]
}

type gemmShape struct{ m, n, k int }

// gemmShapes holds 0, 1 and the neighbours of the sizes of tiles, blocks and
// parts.
func gemmShapes() []gemmShape {
	var list []gemmShape
	for _, m := range []int{0, 1, 3, 5, 7, 8, 9, 17} {
		for _, n := range []int{0, 1, 7, 8, 9, 16, 17, 33, 48, 49, 97} {
			for _, k := range []int{0, 1, 3, 4, 5, 17} {
				list = append(list, gemmShape{m, n, k})
			}
		}
	}
	for _, k := range []int{255, 256, 257, 264, 511, 512, 513, 784} {
		list = append(list, gemmShape{3, 50, k}, gemmShape{14, 17, k})
	}
	return append(list, gemmShape{1, 784, 100}, gemmShape{600, 20, 9}, gemmShape{1030, 3, 5}, gemmShape{20, 256, 784}, gemmShape{12, 600, 40})
}

var epilogues = []Epilogue{
	{},
	{Bias: []float32{}},
	{Act: Relu},
	{Bias: []float32{}, Act: LeakyRelu, Alpha: 0.2},
	{Bias: []float32{}, Act: LeakyRelu, Alpha: -3},
	{Bias: []float32{}, Act: Tanh},
	{Act: Sigmoid},
}

func TestGemm(t *testing.T) {
	var s noise
	pools := testPools(t)
	for si, sh := range gemmShapes() {
		a, b, bias := guard(s.slice(sh.m*sh.k), si%4), guard(s.slice(sh.k*sh.n), si/4%4), guard(s.slice(sh.n), 1)
		ep := epilogues[si%len(epilogues)]
		if ep.Bias != nil {
			ep.Bias = bias.x
		}
		for f := range TN + 1 {
			want, exact, size := naiveGemm(f, a.x, b.x, sh.m, sh.n, sh.k, ep)
			if ep.Act == Identity {
				// k roundings of the products' sum, one for each block, one for the bias.
				gamma := float64(sh.k+sh.k/8+2) * 0x1p-24 * 1.01
				for i := range want {
					if d := math.Abs(float64(want[i]) - exact[i]); d > gamma*size[i] {
						t.Fatalf("%v form %d: element %d is %v, want %v: off by %v, bound %v", sh, f, i, want[i], exact[i], d, gamma*size[i])
					}
				}
			}
			for _, ti := range tiers {
				onTier(ti, func() {
					for _, p := range pools {
						what := fmt.Sprintf("%s form %d on %s, %d threads", shapeName(sh.m, sh.n, sh.k), f, ti.name, p.Threads())
						dst := newGuarded(sh.m*sh.n, si%3)
						Gemm(p, f, dst.x, a.x, b.x, sh.m, sh.n, sh.k, ep)
						sameBits(t, what, dst.x, want)
						dst.check(t, what)
						if f == TN {
							continue
						}
						dst = newGuarded(sh.m*sh.n, si%3)
						GemmPacked(p, dst.x, a.x, sh.m, PackB(f, b.x, sh.n, sh.k), ep)
						sameBits(t, what+", packed", dst.x, want)
						dst.check(t, what+", packed")
					}
				})
			}
		}
		a.check(t, "a")
		b.check(t, "b")
	}
}

// TestGemmConcurrent: callers that share a pool and a packed matrix do not
// disturb each other.
func TestGemmConcurrent(t *testing.T) {
	const m, n, k = 40, 300, 520
	a, b := noiseSlice(m*k, 1), noiseSlice(k*n, 2)
	want := make([]float32, m*n)
	Gemm(nil, NT, want, a, b, m, n, k, Epilogue{Act: Tanh})
	packed := PackB(NT, b, n, k)
	p := NewPool(3)
	defer p.Close()
	var callers sync.WaitGroup
	results := make([][]float32, 4)
	for c := range results {
		callers.Go(func() {
			dst := make([]float32, m*n)
			for i := range 10 {
				clear(dst)
				if i%2 == 0 {
					Gemm(p, NT, dst, a, b, m, n, k, Epilogue{Act: Tanh})
				} else {
					GemmPacked(p, dst, a, m, packed, Epilogue{Act: Tanh})
				}
				results[c] = append(results[c], dst...)
			}
		})
	}
	callers.Wait()
	for c, r := range results {
		for i := range 10 {
			sameBits(t, fmt.Sprintf("caller %d, call %d", c, i), r[i*m*n:(i+1)*m*n], want)
		}
	}
}

// TestGemmRowsIndependent: a row's bits do not depend on the other rows, so
// that an image does not depend on its batch.
func TestGemmRowsIndependent(t *testing.T) {
	const m, n, k = 19, 100, 300
	a, b := noiseSlice(m*k, 1), noiseSlice(k*n, 2)
	all, row := make([]float32, m*n), make([]float32, n)
	eachTier(t, func(t *testing.T) {
		Gemm(nil, NT, all, a, b, m, n, k, Epilogue{})
		for i := range m {
			Gemm(nil, NT, row, a[i*k:], b, 1, n, k, Epilogue{})
			sameBits(t, fmt.Sprintf("row %d", i), row, all[i*n:(i+1)*n])
		}
	})
}

func TestBlockLen(t *testing.T) {
	for k := range 3000 {
		kc := blockLen(k)
		if kc < 1 || kc > maxBlock || (k > maxBlock && kc%8 != 0) {
			t.Fatalf("blockLen(%d) = %d", k, kc)
		}
		if got, want := (k+kc-1)/kc, (k+maxBlock-1)/maxBlock; got != want {
			t.Fatalf("blockLen(%d) = %d makes %d blocks, want %d", k, kc, got, want)
		}
	}
}

// TestGemmSpecialValues sends NaN, infinities and signed zeros through the sum,
// the bias and every activation.
func TestGemmSpecialValues(t *testing.T) {
	const n = 203
	x := actSample(n)
	tiny := []float32{1e-30}
	for _, act := range acts {
		for _, bias := range [][]float32{nil, x} {
			ep := Epilogue{Bias: bias, Act: act.act, Alpha: act.alpha}
			for _, a := range [][]float32{{1}, tiny, {-1}} {
				want, _, _ := naiveGemm(NN, a, x, 1, n, 1, ep)
				for _, ti := range tiers {
					onTier(ti, func() {
						got := make([]float32, n)
						Gemm(nil, NN, got, a, x, 1, n, 1, ep)
						sameBits(t, fmt.Sprintf("%v·x, act %d, on %s", a[0], act.act, ti.name), got, want)
					})
				}
			}
		}
	}
}
