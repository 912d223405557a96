package kernel

// tileArgs is a tile of a product: rows x vecs vectors of C. With s running
// through the segments and q from 0 to k-1 in each,
//
//	c[i*ldc+j] = act((c[i*ldc+j] +) Σ a[s.a+i*ars+q*acs]·b[s.b+q*brs+j] (+ bias[j]))
//
// The assembly reads this struct: the slices' lengths are checked in Go.
type tileArgs struct {
	a, b, c, bias      []float32
	segs               []tileSeg
	ahead              []float32 // what a later tile reads: see aheadPitch
	ars, acs, brs, ldc int
	ldcBytes           int // 4·ldc, set by tile
	pitch              int // of ahead; 0 is aheadPitch
	k, rows, vecs      int
	flags              int
	mask               uint64    // lanes of the last vector that exist in C: bit i for lane i
	maskVector         *[8]int32 // the same for AVX2
	lastLanes          int       // the same as a number
	alpha              float32
}

// Four steps of k, a round of the assembly's loop, ask for one line of ahead and go on by
// pitch bytes: by a line where tiles enough pass until ahead is needed, else by two,
// since processors fetch lines in pairs.
const (
	aheadPitch = 64
	widePitch  = 2 * aheadPitch
)

// ask lets the tile ask for as much of ahead as it has time for, and returns the rest.
func (t *tileArgs) ask(ahead []float32) []float32 {
	if t.pitch == 0 {
		t.pitch = aheadPitch
	}
	n := t.pitch / 16 * t.k * len(t.segs)
	if len(ahead) <= n {
		return ahead
	}
	t.ahead = ahead
	return ahead[n:]
}

// tileSeg is a part of a sum: where its operands begin in a and b.
type tileSeg struct{ a, b int }

// oneSeg is the sum of an ordinary product.
var oneSeg = []tileSeg{{}}

// What a tile does after its sum, in this order.
const (
	tileAdd     = 1 << iota // add to C's old value
	tileBias                // add the bias
	tileRelu                // negative values become 0
	tileLeaky               // negative values are multiplied by alpha
	tilePartial             // the last vector is partial
)

// laneMasks holds, from 8-n, the AVX2 mask for n lanes.
var laneMasks = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// setMask says that n of the last vector's lanes exist.
func (t *tileArgs) setMask(n, lanes int) {
	t.lastLanes = n
	t.mask = 1<<n - 1
	if n < lanes {
		t.flags |= tilePartial
	}
	if lanes == 8 {
		t.maskVector = (*[8]int32)(laneMasks[8-n:])
	}
}

// tileGeneric computes any tile of up to 4 rows and 8 columns.
func tileGeneric(t *tileArgs) {
	lanes := goTier.lanes
	width := t.vecs * lanes
	var sum [4][8]float32
	for _, s := range t.segs {
		for q := range t.k {
			b := t.b[s.b+q*t.brs : s.b+q*t.brs+width]
			for i := range t.rows {
				x := t.a[s.a+i*t.ars+q*t.acs]
				row := &sum[i&3]
				for j, y := range b {
					row[j&7] = fma(x, y, row[j&7])
				}
			}
		}
	}
	cols := width - lanes + t.lastLanes
	for i := range t.rows {
		for j, v := range sum[i&3][:cols] {
			c := &t.c[i*t.ldc+j]
			if t.flags&tileAdd != 0 {
				v = *c + v
			}
			if t.flags&tileBias != 0 {
				v += t.bias[j]
			}
			if v < 0 {
				if t.flags&tileRelu != 0 {
					v = 0
				} else if t.flags&tileLeaky != 0 {
					v *= t.alpha
				}
			}
			*c = v
		}
	}
}
