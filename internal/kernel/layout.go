package kernel

// Images outside of the kernels are NCHW. Inside they are HWNC: pixels first,
// then the batch, then the channels.

// ToHWNC copies images from NCHW, x [n,c,pixels], to HWNC, dst [pixels,n,c]. dst
// must not overlap x.
func ToHWNC(p *Pool, dst, x []float32, n, c, pixels int) {
	transpose(p, dst, x, needShape("the batch", n, c), pixels)
}

// FromHWNC copies images from HWNC, x [pixels,n,c], to NCHW, dst [n,c,pixels].
// dst must not overlap x.
func FromHWNC(p *Pool, dst, x []float32, n, c, pixels int) {
	transpose(p, dst, x, pixels, needShape("the batch", n, c))
}

// transposeJob is a [Task]: dst [cols,rows] = xᵀ for x [rows,cols]. A part is a
// block of x.
type transposeJob struct {
	dst, x     []float32
	rows, cols int
	rowParts   int
}

var transposeJobs freeList[transposeJob]

// The block of one part. Other sizes are no faster.
const (
	transposeRows = 512
	transposeCols = 128
)

// transpose copies x [rows,cols] to dst [cols,rows].
func transpose(p *Pool, dst, x []float32, rows, cols int) {
	size := needShape("x", rows, cols)
	need("x", len(x), size)
	need("dst", len(dst), size)
	if rows == 1 || cols == 1 {
		copy(dst[:size], x)
		return
	}
	j := transposeJobs.get()
	j.dst, j.x, j.rows, j.cols = dst, x, rows, cols
	j.rowParts = (rows + transposeRows - 1) / transposeRows
	parts := j.rowParts * ((cols + transposeCols - 1) / transposeCols)
	if size < 2*chunk {
		for i := range parts {
			j.Run(i)
		}
	} else {
		p.Do(parts, j)
	}
	*j = transposeJob{}
	transposeJobs.put(j)
}

// Run transposes one block, in pieces of 16 by 16: a piece reads and writes
// whole cache lines, few enough to stay in the first cache whatever the strides
// are.
func (j *transposeJob) Run(part int) {
	r0 := part % j.rowParts * transposeRows
	r1 := min(r0+transposeRows, j.rows)
	c0 := part / j.rowParts * transposeCols
	c1 := min(c0+transposeCols, j.cols)
	for r := r0; r < r1; r += 16 {
		for c := c0; c < c1; c += 16 {
			for s := r; s < min(r+16, r1); s += 8 {
				j.piece(s, min(s+8, r1), c, min(c+16, c1))
			}
		}
	}
}

// piece transposes up to 8 rows and 16 columns.
func (j *transposeJob) piece(r0, r1, c0, c1 int) {
	if blocks := (c1 - c0) / 8; r1-r0 == 8 && blocks > 0 &&
		archTranspose(tier, j.dst[c0*j.rows+r0:], j.x[r0*j.cols+c0:], j.cols, j.rows, blocks) {
		c0 += 8 * blocks
	}
	for c := c0; c < c1; c++ {
		dst := j.dst[c*j.rows+r0 : c*j.rows+r1]
		for r := range dst {
			dst[r] = j.x[(r0+r)*j.cols+c]
		}
	}
}
