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
	pb := new(Packed)
	pb.pack(f, b, n, k)
	return pb
}

// pack is PackB, reusing memory.
func (pb *Packed) pack(f Form, b []float32, n, k int) {
	need("b", len(b), needShape("b", k, n))
	if f == TN {
		panic("kernel: internal error: PackB takes the forms NN and NT")
	}
	t := tier.forWidth(n)
	pb.tier, pb.n, pb.k = t, n, k
	pb.b = grown(pb.b, k*t.width(n))
	kc := blockLen(k)
	for k0 := 0; k0 < k; k0 += kc {
		packPanels(t, pb.b[panelAt(t, n, k0, min(kc, k-k0), 0):], b, f == NT, n, k, k0, min(kc, k-k0), 0, n)
	}
}

// panelAt returns where, in a packed matrix of n columns, the panels begin
// that hold the k rows from k0 on and columns from j on; j is a multiple of the
// panels' width.
func panelAt(t *tierInfo, n, k0, k, j int) int {
	return k0*t.width(n) + k*j
}

// packRowsOfA packs rows i0 ... i1-1 and columns k0 ... k0+k-1 of A into tiles:
// a tile holds its columns one after the other. The tile that begins with row i
// stands at (i-i0)*k.
func (j *gemmJob) packRowsOfA(dst []float32, i0, i1, k0, k int) {
	i := i0
	if tall := j.tier.rows[0]; tall == 6 && j.ars == 1 { // by columns of A: a page is visited once for all tiles
		i += (i1 - i0) / tall * tall
		for q := range k {
			column := j.a[i0+(k0+q)*j.acs:][:i-i0]
			for at := q * tall; len(column) > 0; at += tall * k {
				*(*[6]float32)(dst[at:]) = *(*[6]float32)(column)
				column = column[tall:]
			}
		}
	}
	for i < i1 {
		rows := j.tier.height(i1 - i)
		packTile(j.tier, dst[(i-i0)*k:][:rows*k], j.a[i*j.ars+k0*j.acs:], rows, k, j.ars, j.acs)
		i += rows
	}
}

// packedRows is the number of rows of B that packB takes at once, so that a page
// is visited once for all panels.
const packedRows = 32

// packB packs one part of B: a panel if B is stored transposed, else some rows.
func (j *gemmJob) packB(part int) {
	t := j.tier
	if j.transB {
		j0 := part * t.nr
		for k0 := 0; k0 < j.k; k0 += j.kc {
			k := min(j.kc, j.k-k0)
			packPanels(t, j.s.b[panelAt(t, j.n, k0, k, j0):], j.b, true, j.n, j.k, k0, k, j0, min(j0+t.nr, j.n))
		}
		return
	}
	for q, last := part*packedRows, min((part+1)*packedRows, j.k); q < last; {
		k0 := q / j.kc * j.kc
		k := min(j.kc, j.k-k0)
		rows := min(last, k0+k) - q
		for c := 0; c < j.n; c += t.nr {
			cols := min(t.nr, j.n-c)
			width := t.width(cols)
			to := j.s.b[panelAt(t, j.n, k0, k, c)+(q-k0)*width:]
			packRows(t, to[:rows*width], j.b[q*j.n+c:], j.n, rows, cols, width)
		}
		q += rows
	}
}

// packTile copies k columns of the given number of rows of A, one after the
// other.
func packTile(t *tierInfo, dst, a []float32, rows, k, ars, acs int) {
	switch {
	case rows == 8 && ars == 1:
		packRows(t, dst, a, acs, k, 8, 8)
	case rows == 6 && ars == 1:
		for q := range k {
			*(*[6]float32)(dst[q*6:]) = *(*[6]float32)(a[q*acs:])
		}
	case rows == 8 && acs == 1:
		packTransposed(t, dst, a, ars, k, 8, 8)
	default:
		for q := range k {
			for r := range rows {
				dst[q*rows+r] = a[r*ars+q*acs]
			}
		}
	}
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
