package kernel

// Winograd's fast form of convolutions with 4x4 taps and strides of 2.
//
// Such taps fall into four phases, by their parity in both dimensions, and each
// phase is a convolution of 2x2 taps with a stride of 1, from or to the fine
// positions of one parity. Four outputs of it in one dimension need five products
// instead of eight (Winograd 1980, F(4,2); the points 0, 1, -1, 2 and infinity):
//
//	y₀ = d₀·g₀ + d₁·g₁ = m₀ + m₁ + m₂ - m₃          m₀ = (d₀-d₂ - (d₁-d₃)/2) · g₀
//	y₁ = d₁·g₀ + d₂·g₁ = m₁ - m₂ - 2·m₃             m₁ = (d₁+d₂ + (d₁-d₃)) · (g₀+g₁)/2
//	y₂ = d₂·g₀ + d₃·g₁ = m₁ + m₂ - 4·m₃             m₂ = (d₂-d₃ - 2(d₁-d₂)) · (g₀-g₁)/6
//	y₃ = d₃·g₀ + d₄·g₁ = m₁ - m₂ - 8·m₃ - m₄        m₃ = (d₁-d₃) · (g₀+2g₁)/6
//	                                                m₄ = (d₂-d₄ - 2(d₁-d₃)) · g₁
//
// A tile of 4x4 outputs needs 25 products instead of 64. A tile of three outputs
// needs no m₄, so that a dimension of seven outputs costs nine products. The
// same products serve the gradient of the weights: there g are four coarse
// pixels, and y two taps.
//
// The small form, F(2,2) with the points 0, 1 and infinity, needs 9 instead of 16:
//
//	y₀ = d₀·g₀ + d₁·g₁ = m₀ + m₁        m₀ = (d₀-d₁) · g₀
//	y₁ = d₁·g₀ + d₂·g₁ = m₁ - m₂        m₁ = d₁ · (g₀+g₁)
//	                                    m₂ = (d₁-d₂) · g₁
//
// It has 36 matrices of weights where the taps are 16, and F(4,2) has 100: a
// product should have enough tiles to pay for reading its weights.

// Sizes of the large form, which no other exceeds.
const (
	winoOutputs  = 4 // of a tile, in one dimension
	winoProducts = 5
)

// A winoForm is F(outputs x outputs, 2x2).
type winoForm struct {
	outputs, products   int // of a tile, in one dimension
	input, taps, output winoOp
}

// winoForms are the forms, that with fewer products first.
var winoForms = [...]winoForm{
	{winoOutputs, winoProducts, winoInput, winoTaps, winoOutput},
	{2, 3, winoSmallInput, winoSmallTaps, winoSmallOutput},
}

// winoChannels is the fewest channels on both sides for which the fast form is
// used: with fewer the additions outweigh the products that they save. It is
// part of what [Numerics] stands for.
const winoChannels = 32

// A winoAxis is one dimension of the fast form. Transposed has two phases of
// outputs with one phase of inputs each, Forward one with two.
type winoAxis struct {
	phases [][]winoPhase // by phase of outputs, then of inputs
	tiles  [][]winoTile  // by phase of outputs
}

// A winoTile holds the outputs of a tile, -1 where it has fewer, and how many
// products they need: with fewer outputs not the last.
type winoTile struct {
	out      [winoOutputs]int
	products int
}

// winoPhase says what a phase of inputs has for each tile, -1 outside of the
// grid or where the outputs do not need it, and which taps are g₀ and g₁.
type winoPhase struct {
	in   [][winoProducts]int
	taps winoPair
}

type winoPair [2]int

// add appends tiles for n outputs to phase p of outputs, as equal as can be;
// output and input return the places of an output and of an input of each phase of
// inputs.
func (a *winoAxis) add(f *winoForm, p, n int, output func(i int) int, input func(q, i int) int) {
	tiles := (n + f.outputs - 1) / f.outputs
	for first := 0; tiles > 0; tiles-- {
		count := (n - first + tiles - 1) / tiles
		t := winoTile{products: f.products}
		if count < f.outputs {
			t.products--
		}
		for i := range t.out {
			t.out[i] = -1
			if i < count {
				t.out[i] = output(first + i)
			}
		}
		a.tiles[p] = append(a.tiles[p], t)
		for q := range a.phases[p] {
			var in [winoProducts]int
			for i := range in {
				in[i] = -1
				if i <= count {
					in[i] = input(q, first+i)
				}
			}
			a.phases[p][q].in = append(a.phases[p][q].in, in)
		}
		first += count
	}
}

// products returns how many products all tiles need.
func (a *winoAxis) products() int {
	n := 0
	for _, tiles := range a.tiles {
		for i := range tiles {
			n += tiles[i].products
		}
	}
	return n
}

// fewest returns the number of outputs of the phase that has the fewest.
func (a *winoAxis) fewest() int {
	n := -1
	for _, tiles := range a.tiles {
		count := 0
		for i := range tiles {
			for _, at := range tiles[i].out {
				if at >= 0 {
					count++
				}
			}
		}
		if n < 0 || count < n {
			n = count
		}
	}
	return n
}

// winoRuns appends to runs, as pairs, the runs of tiles first ... end-1 that need
// product (r,c).
func winoRuns(runs []winoPair, rows, cols []winoTile, first, end, r, c int) []winoPair {
	runs = runs[:0]
	for i := first; i < end; i++ {
		if r >= rows[i/len(cols)].products || c >= cols[i%len(cols)].products {
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
func winoForward(f *winoForm, coarse, fine, pad int) winoAxis {
	a := winoAxis{phases: [][]winoPhase{{{taps: winoPair{0, 2}}, {taps: winoPair{1, 3}}}}, tiles: make([][]winoTile, 1)}
	a.add(f, 0, coarse, func(c int) int { return c }, func(q, c int) int { return inside(2*c+q-pad, fine) })
	return a
}

// winoTransposed describes a transposed convolution: with u for fine position
// 2u+a-pad, tap a+2s of it reads coarse u-s.
func winoTransposed(f *winoForm, fine, coarse, pad int) winoAxis {
	a := winoAxis{phases: make([][]winoPhase, 2), tiles: make([][]winoTile, 2)}
	for p := range 2 {
		a.phases[p] = []winoPhase{{taps: winoPair{p + 2, p}}}
		first := (pad - p + 1) >> 1
		at := func(u int) int { return 2*(first+u) + p - pad }
		n := (fine - at(0) + 1) / 2
		a.add(f, p, n, at, func(_, u int) int { return inside(first+u-1, coarse) })
	}
	return a
}

// winograd is the fast form of one direction of a convolution.
type winograd struct {
	form       *winoForm
	rows, cols winoAxis
	ins        int // phases of inputs for each of outputs
	tapAt      []winoPair
	blocks     []convBlock // of a sum over the phases of inputs and over channels
}

// planWinograd sets the fast form, if there is one of which a phase of outputs would
// fill at least so many tiles and which saves at least a fifth of the work.
func (l *convPlan) planWinograd(tiles int, axes func(f *winoForm) (rows, cols winoAxis)) {
	taps := 0
	for _, r := range l.rows.runs {
		for _, c := range l.cols.runs {
			taps += r.count * c.count * (r.hi - r.lo) * (c.hi - c.lo)
		}
	}
	for i := range winoForms {
		w := &winograd{form: &winoForms[i]}
		w.rows, w.cols = axes(w.form)
		w.ins = len(w.rows.phases[0]) * len(w.cols.phases[0])
		if w.rows.fewest()*w.cols.fewest() < tiles*w.form.outputs*w.form.outputs || 5*w.rows.products()*w.cols.products()*w.ins > 4*taps {
			continue
		}
		w.tapAt = make([]winoPair, l.taps)
		for i := range l.phases {
			for k := range l.phases[i].taps {
				w.tapAt[l.tap(&l.phases[i], k)] = winoPair{i, k}
			}
		}
		w.blocks = l.cut(w.ins)
		l.wino = w
		return
	}
}

// mayWinograd reports whether the geometry is that of the fast form.
func (s *ConvShape) mayWinograd() bool {
	return s.R == 4 && s.S == 4 && s.StrideH == 2 && s.StrideW == 2 && s.DilationH == 1 && s.DilationW == 1 && s.Groups == 1 &&
		s.C >= winoChannels && s.K >= winoChannels && s.H > 1 && s.W > 1
}

// MaxFastWeights returns the most floats that packed weights take in a fast form,
// or 0 for geometries that have none.
func (s *ConvShape) MaxFastWeights() int {
	if !s.mayWinograd() {
		return 0
	}
	t := tier.forWidth(max(s.C, s.K))
	return 4 * winoProducts * winoProducts * max(s.C*t.width(s.K), s.K*t.width(s.C))
}

// squares sets the sources of a pass, which stand side by side.
//
//go:noinline
func (a *winoArgs) squares(side int, at func(r, c int) []float32) {
	for r := range side {
		for c := range side {
			a.src[r*side+c] = at(r, c)
		}
	}
}
