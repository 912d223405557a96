package kernel

// packPanels packs rows k0 ... k0+k-1 and columns j0 ... j1-1 of B into panels
// of t.nr columns, the last one rounded up to whole vectors and filled with
// zeros. A panel holds its rows one after the other. B is [rows,n], or
// [n,rows] if trans.
func packPanels(t *tierInfo, dst, b []float32, trans bool, n, rows, k0, k, j0, j1 int) {
	for j := j0; j < j1; j += t.nr {
		cols := min(t.nr, j1-j)
		width := t.width(cols)
		if trans {
			packTransposed(t, dst[:k*width], b[j*rows+k0:], rows, k, cols, width)
		} else {
			packRows(t, dst[:k*width], b[k0*n+j:], n, k, cols, width)
		}
		dst = dst[k*width:]
	}
}

// packRows packs one panel of k rows that stand stride elements apart.
func packRows(t *tierInfo, dst, src []float32, stride, k, cols, width int) {
	_ = src[(k-1)*stride+cols-1]
	if cols == width && archPackRows(t, dst, src, stride, k, width) {
		return
	}
	for q := range k {
		row := dst[q*width : (q+1)*width]
		clear(row[copy(row, src[q*stride:q*stride+cols]):])
	}
}

// packTransposed packs one panel whose columns are rows of src, stride elements
// apart.
func packTransposed(t *tierInfo, dst, src []float32, stride, k, cols, width int) {
	_ = src[(cols-1)*stride+k-1]
	if cols < width {
		clear(dst)
	}
	for c := 0; c < cols; c += 8 {
		done := 0
		if c+8 <= cols && k >= 8 && archTranspose(t, dst[c:], src[c*stride:], stride, width, k/8) {
			done = k &^ 7
		}
		for r := c; r < min(c+8, cols); r++ {
			column := src[r*stride : r*stride+k]
			for q := done; q < k; q++ {
				dst[q*width+r] = column[q]
			}
		}
	}
}

// Packed is a matrix B [k,n] laid out for the tiles of this process's tier, to
// be used by [GemmPacked] as often as wanted. It is immutable.
type Packed struct {
	tier *tierInfo
	b    []float32
	n, k int
}

// PackB packs B, stored [k,n] (form NN) or [n,k] (form NT). b is copied.
func PackB(f Form, b []float32, n, k int) *Packed {
	need("b", len(b), needShape("b", k, n))
	if f == TN {
		panic("kernel: internal error: PackB takes the forms NN and NT")
	}
	pb := &Packed{tier: tier, n: n, k: k}
	pb.b = make([]float32, k*tier.width(n))
	kc := blockLen(k)
	for k0 := 0; k0 < k; k0 += kc {
		packPanels(tier, pb.panels(k0, min(kc, k-k0), 0), b, f == NT, n, k, k0, min(kc, k-k0), 0, n)
	}
	return pb
}

// panels returns the panels of rows k0 ... k0+k-1 from column j on, which is a
// multiple of the panels' width.
func (b *Packed) panels(k0, k, j int) []float32 {
	return b.b[k0*b.tier.width(b.n)+k*j:]
}

// GemmPacked computes dst [m,n] = act(A·B + bias) for A [m,k] and a packed B
// [k,n]: the bits that [Gemm] gives.
func GemmPacked(p *Pool, dst, a []float32, m int, b *Packed, ep Epilogue) {
	need("a", len(a), needShape("a", m, b.k))
	j := gemmJobs.get()
	j.dst, j.a, j.packed, j.tier = dst, a, b, b.tier
	j.m, j.n, j.k, j.ep = m, b.n, b.k, ep
	j.ars, j.acs = b.k, 1
	j.run(p)
}
