package kernel

// Winograd's fast form of convolutions with 4x4 taps and strides of 2.
//
// Such taps fall into four phases, by their parity in both dimensions, and each
// phase is a convolution of 2x2 taps with a stride of 1, from or to the fine
// positions of one parity. Two outputs of it in one dimension need three
// products instead of four (Winograd 1980, F(2,2)):
//
//	y₀ = d₀·g₀ + d₁·g₁ = m₀ + m₁    m₀ = (d₀-d₁)·g₀
//	y₁ = d₁·g₀ + d₂·g₁ = m₁ - m₂    m₁ = d₁·(g₀+g₁)
//	                                m₂ = (d₁-d₂)·g₁
//
// and a tile of 2x2 outputs nine instead of sixteen; the last tile of an odd number
// of outputs needs no m₂. There are only additions besides, so that errors stay
// near those of the sums themselves. The same three products serve the gradient of
// the weights: there g are two coarse pixels, and y two taps.

// winoChannels is the fewest channels on both sides for which the fast form is
// used: with fewer the additions outweigh the products that they save. It is
// part of what [Numerics] stands for.
const winoChannels = 48

// A winoAxis is one dimension of the fast form. Transposed has two phases of
// outputs with one phase of inputs each, Forward one with two.
type winoAxis struct {
	phases [][]winoPhase // by phase of outputs, then of inputs
	tiles  [][]winoPair  // by phase of outputs: the two outputs of each tile
}

// winoPhase says what a phase of inputs has for each tile, -1 outside of the
// grid, and which taps are g₀ and g₁.
type winoPhase struct {
	in   [][3]int
	taps winoPair
}

type winoPair [2]int

// products returns how many of the three products all tiles need.
func (a *winoAxis) products() int {
	n := 0
	for _, tiles := range a.tiles {
		for _, t := range tiles {
			n += 3
			if t[1] < 0 {
				n--
			}
		}
	}
	return n
}

// winoRuns appends to runs, as pairs, the runs of tiles first ... end-1 that need
// product (r,c).
func winoRuns(runs []winoPair, rows, cols []winoPair, first, end, r, c int) []winoPair {
	runs = runs[:0]
	for i := first; i < end; i++ {
		if r == 2 && rows[i/len(cols)][1] < 0 || c == 2 && cols[i%len(cols)][1] < 0 {
			continue
		}
		if n := len(runs); n > 0 && runs[n-1][1] == i-first {
			runs[n-1][1]++
		} else {
			runs = append(runs, winoPair{i - first, i - first + 1})
		}
	}
	return runs
}

// inside returns i, or -1 outside of 0 ... size-1.
func inside(i, size int) int {
	if i < 0 || i >= size {
		return -1
	}
	return i
}

// winoForward describes a convolution from fine to coarse: tap a+2s of coarse c
// reads fine position 2(c+s)+a-pad.
func winoForward(coarse, fine, pad int) winoAxis {
	a := winoAxis{phases: [][]winoPhase{{{taps: winoPair{0, 2}}, {taps: winoPair{1, 3}}}}, tiles: make([][]winoPair, 1)}
	for c := 0; c < coarse; c += 2 {
		a.tiles[0] = append(a.tiles[0], winoPair{c, inside(c+1, coarse)})
		for p := range a.phases[0] {
			at := func(i int) int { return inside(2*(c+i)+p-pad, fine) }
			a.phases[0][p].in = append(a.phases[0][p].in, [3]int{at(0), at(1), at(2)})
		}
	}
	return a
}

// winoTransposed describes a transposed convolution: with u for fine position
// 2u+a-pad, tap a+2s of it reads coarse u-s.
func winoTransposed(fine, coarse, pad int) winoAxis {
	a := winoAxis{phases: make([][]winoPhase, 2), tiles: make([][]winoPair, 2)}
	for p := range 2 {
		a.phases[p] = []winoPhase{{taps: winoPair{p + 2, p}}}
		for u := (pad - p + 1) >> 1; 2*u+p-pad < fine; u += 2 {
			f := 2*u + p - pad
			a.tiles[p] = append(a.tiles[p], winoPair{f, inside(f+2, fine)})
			a.phases[p][0].in = append(a.phases[p][0].in, [3]int{inside(u-1, coarse), inside(u, coarse), inside(u+1, coarse)})
		}
	}
	return a
}

// winograd is the fast form of one direction of a convolution.
type winograd struct {
	rows, cols winoAxis
	ins        int // phases of inputs for each of outputs
	tapAt      []winoPair
	blocks     []convBlock // of a sum over the phases of inputs and over channels
}

// planWinograd sets the fast form where it saves at least a fifth of the work.
func (l *convPlan) planWinograd(rows, cols winoAxis) {
	w := &winograd{rows: rows, cols: cols}
	w.ins = len(rows.phases[0]) * len(cols.phases[0])
	products, taps := rows.products()*cols.products()*w.ins, 0
	for _, r := range l.rows.runs {
		for _, c := range l.cols.runs {
			taps += r.count * c.count * (r.hi - r.lo) * (c.hi - c.lo)
		}
	}
	if 5*products > 4*taps {
		return
	}
	w.tapAt = make([]winoPair, l.taps)
	for i := range l.phases {
		for k := range l.phases[i].taps {
			w.tapAt[l.tap(&l.phases[i], k)] = winoPair{i, k}
		}
	}
	w.blocks = l.cut(w.ins)
	l.wino, l.fast = w, l.runWinograd
}

// mayWinograd reports whether the geometry is that of the fast form.
func (s *ConvShape) mayWinograd() bool {
	return s.R == 4 && s.S == 4 && s.StrideH == 2 && s.StrideW == 2 && s.DilationH == 1 && s.DilationW == 1 && s.Groups == 1 &&
		s.C >= winoChannels && s.K >= winoChannels && s.H > 1 && s.W > 1
}

// differences sets op and the sources of the transformed inputs of products 3r,
// 3r+1 and 3r+2, from a tile's pixels, three by three.
func (a *winoArgs) differences(r int, pixel func(r, c int) []float32) (op winoOp) {
	hi, lo := min(r, 1), 2
	if r == 0 {
		lo = 1
	}
	for c := range 3 {
		a.src[c] = pixel(hi, c)
		if r != 1 {
			a.src[3+c] = pixel(lo, c)
		}
	}
	if r == 1 {
		return winoDifference1
	}
	return winoDifference2
}

// sums is the same for transformed g, of which a tile has two by two.
func (a *winoArgs) sums(r int, g func(r, c int) []float32) (op winoOp) {
	for c := range 2 {
		a.src[c] = g(r/2, c)
		if r == 1 {
			a.src[2+c] = g(1, c)
		}
	}
	if r == 1 {
		return winoSum2
	}
	return winoSum1
}
