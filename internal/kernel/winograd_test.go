package kernel

import (
	"fmt"
	"math"
	"testing"
)

// winoCases are geometries of the fast form: even and odd grids, every padding,
// more columns than rows, channels around the widths of tiles and blocks.
func winoCases() []convCase {
	list := []convCase{
		{square(8, 48, 4, 48, 4, 2, 1), 3, 1},
		{square(8, 49, 4, 67, 4, 2, 1), 1, 1},
		{square(8, 50, 4, 260, 4, 2, 1), 2, 2},
		{square(8, 260, 4, 48, 4, 2, 1), 2, 1},
		{square(18, 48, 9, 48, 4, 2, 1), 1, 1},
		{square(14, 52, 7, 48, 4, 2, 1), 2, 1},
		{square(16, 64, 8, 52, 4, 2, 1), 3, 3},
		{square(8, 48, 3, 48, 4, 2, 0), 130, 1},
		{square(12, 32, 5, 540, 4, 2, 0), 3, 1},
		{square(14, 48, 8, 50, 4, 2, 2), 1, 1},
		{square(9, 48, 4, 51, 4, 2, 0), 8, 4},
	}
	s := square(12, 48, 6, 50, 4, 2, 1)
	s.W, s.OW, s.PadW = 17, 8, 0
	list = append(list, convCase{s, 2, 1})
	u := square(10, 48, 4, 50, 4, 2, 0) // rows of one tile, which needs no last product
	u.H, u.OH = 8, 3
	return append(list, convCase{u, 4, 2})
}

// winoAt returns the tile of output i of n, as its first output and its number of
// outputs.
func winoAt(f *winoForm, i, n int) (first, count int) {
	for tiles := (n + f.outputs - 1) / f.outputs; ; tiles-- {
		count = (n - first + tiles - 1) / tiles
		if i < first+count {
			return first, count
		}
		first += count
	}
}

// winoNeed returns the products that a tile of count outputs needs in a dimension.
func winoNeed(f *winoForm, count int) int { return f.outputs + count/f.outputs }

// winoMatrix returns a square of a side, of what at returns.
func winoMatrix(side int, at func(r, c int) float32) [][]float32 {
	m := make([][]float32, side)
	for r := range m {
		for c := range side {
			m[r] = append(m[r], at(r, c))
		}
	}
	return m
}

// TestFastConv: there is a fast form for some geometries only, where it pays, and
// with enough tiles.
func TestFastConv(t *testing.T) {
	large, small := &winoForms[0], &winoForms[1]
	dilated := square(11, 48, 4, 48, 4, 2, 1)
	dilated.DilationH, dilated.DilationW = 2, 2
	grouped := square(8, 96, 4, 96, 4, 2, 1)
	grouped.Groups = 2
	for what, c := range map[string]struct {
		s     ConvShape
		tiles int
		form  *winoForm
	}{
		"large":                   {square(8, 48, 4, 48, 4, 2, 1), 0, large},
		"few fine channels":       {square(8, 31, 4, 48, 4, 2, 1), 0, nil},
		"few coarse channels":     {square(8, 48, 4, 31, 4, 2, 1), 0, nil},
		"stride 1":                {square(8, 48, 7, 48, 4, 1, 1), 0, nil},
		"3x3 taps":                {square(8, 48, 4, 48, 3, 2, 1), 0, nil},
		"dilation":                {dilated, 0, nil},
		"groups":                  {grouped, 0, nil},
		"three by three":          {square(6, 48, 3, 48, 4, 2, 1), 0, large},
		"as many products":        {square(4, 48, 2, 48, 4, 2, 1), 0, nil},
		"a grid of one coarse":    {square(4, 48, 1, 48, 4, 2, 0), 0, nil},
		"a grid of one and pad":   {square(2, 48, 1, 48, 4, 2, 1), 0, nil},
		"16 tiles of 4x4":         {square(32, 48, 16, 48, 4, 2, 1), 16, large},
		"fewer":                   {square(16, 48, 8, 48, 4, 2, 1), 16, small},
		"tiles that are not full": {square(14, 48, 7, 48, 4, 2, 1), 16, nil},
		"12 full ones":            {square(14, 48, 7, 48, 4, 2, 1), 12, small},
		"too few":                 {square(8, 48, 4, 48, 4, 2, 1), 16, nil},
	} {
		conv := NewFastConv(c.s, c.tiles)
		if forward, back := conv.forward.winoForm(), conv.back().winoForm(); forward != c.form || back != c.form {
			t.Errorf("%s: forms %+v and %+v, want %+v", what, forward, back, c.form)
		}
	}
}

// The transformations of the fast form along one dimension, as matrices. What the
// passes compute in another order and fused is what lines says.
var winoMatrices = [...][][]float64{
	winoInput:       {{1, -.5, -1, .5}, {0, 2, 1, -1}, {0, -2, 3, -1}, {0, 1, 0, -1}, {0, -2, 1, 2, -1}},
	winoTaps:        {{1}, {.5, .5}, {1. / 6, -1. / 6}, {1. / 6, 2. / 6}, {0, 1}},
	winoOutput:      {{1, 1, 1, -1}, {0, 1, -1, -2}, {0, 1, 1, -4}, {0, 1, -1, -8, -1}},
	winoGrad:        {{1}, {1, 1, 1, 1}, {1, -1, 1, -1}, {1, 2, 4, 8}, {0, 0, 0, 1}},
	winoGradTaps:    {{1, .5, 1. / 6, -1. / 6}, {0, .5, -1. / 6, -2. / 6, -1}},
	winoSmallInput:  {{1, -1}, {0, 1}, {0, 1, -1}},
	winoSmallTaps:   {{1}, {1, 1}, {0, 1}},
	winoSmallOutput: {{1, 1}, {0, 1, -1}},
}

// winoRoundings bounds the roundings that a value meets in one line.
const winoRoundings = 5

// winoNaive is the definition of winoLine.
func winoNaive(op winoOp, x []float32) []float32 {
	const sixth = float32(1) / 6
	switch op {
	case winoInput:
		outer := x[1] - x[3]
		left, right, front := x[0]-x[2], x[2]-x[4], x[1]+x[2]
		return []float32{left - outer/2, front + outer, (x[2] - x[3]) - 2*(x[1]-x[2]), outer, right - 2*outer}
	case winoTaps:
		return []float32{x[0], (x[0] + x[1]) / 2, float32((x[0] - x[1]) * sixth), float32((x[0] + 2*x[1]) * sixth), x[1]}
	case winoOutput:
		s, d := x[1]+x[2], x[1]-x[2]
		return []float32{(x[0] + s) - x[3], d - 2*x[3], s - 4*x[3], (d - x[4]) - 8*x[3]}
	case winoGrad:
		even, odd := x[0]+x[2], x[1]+x[3]
		return []float32{x[0], even + odd, even - odd, x[0] + 2*(x[1]+2*(x[2]+2*x[3])), x[3]}
	case winoSmallInput:
		return []float32{x[0] - x[1], x[1], x[1] - x[2]}
	case winoSmallTaps:
		return []float32{x[0], x[0] + x[1], x[1]}
	case winoSmallOutput:
		return []float32{x[0] + x[1], x[1] - x[2]}
	}
	return []float32{fma(sixth, x[2]-x[3], x[0]+x[1]/2), fma(-sixth, x[2]+2*x[3], x[1]/2-x[4])}
}

// winoSquare applies a line along the columns of x and then along its rows.
func winoSquare(op winoOp, x [][]float32) [][]float32 {
	var half [][]float32
	for c := range x {
		var column []float32
		for r := range x {
			column = append(column, x[r][c])
		}
		half = append(half, winoNaive(op, column))
	}
	var y [][]float32
	for r := range half[0] {
		var row []float32
		for c := range half {
			row = append(row, half[c][r])
		}
		y = append(y, winoNaive(op, row))
	}
	return y
}

// winoSize returns, for each result of winoSquare, the sum of the sizes of what it is
// made of.
func winoSize(m [][]float64, x func(r, c int) float64) [][]float64 {
	var y [][]float64
	for i := range m {
		y = append(y, make([]float64, len(m)))
		for k := range m {
			for r, a := range m[i] {
				for c, b := range m[k] {
					y[i][k] += math.Abs(a*b) * x(r, c)
				}
			}
		}
	}
	return y
}

// A winoSum is what the outputs of a tile are the sums of: rows of channels of its
// inputs and of taps or gradients.
type winoSum struct {
	form     *winoForm
	products [winoProducts * winoProducts]element
}

// mul continues the products with d and g, but those of the last row or column
// only where the tile needs them.
func (w *winoSum) mul(d, g [][]float32, rows, cols int) {
	in, op := w.form.input, w.form.taps
	if len(g) == winoOutputs {
		op = winoGrad
	}
	size := func(x [][]float32) func(r, c int) float64 {
		return func(r, c int) float64 { return math.Abs(float64(x[r][c])) }
	}
	v, u := winoSquare(in, d), winoSquare(op, g)
	sizeV, sizeU := winoSize(winoMatrices[in], size(d)), winoSize(winoMatrices[op], size(g))
	for r := range rows {
		for c := range cols {
			e := &w.products[r*w.form.products+c]
			e.mul(v[r][c], u[r][c])
			e.size += 1.0001*sizeV[r][c]*sizeU[r][c] - math.Abs(float64(v[r][c])*float64(u[r][c]))
		}
	}
}

func (w *winoSum) end() {
	for i := range w.products {
		w.products[i].end()
	}
}

// add adds the bias of a channel to the product that stands once in all outputs.
func (w *winoSum) add(bias []float32, channel int) {
	if bias != nil {
		p := &w.products[w.form.products+1]
		p.sum += bias[channel]
		p.size += math.Abs(float64(bias[channel]))
		p.rounds++
	}
}

// output returns result (r,c) of op, and adds to e what bounds its error: every
// product has met its own roundings, those of two lines in each operand, and
// those of two lines of products.
func (w *winoSum) output(op winoOp, r, c int, e *element) float32 {
	m, x := winoMatrices[op], make([][]float32, w.form.products)
	for i := range x {
		for k := range w.form.products {
			x[i] = append(x[i], w.products[i*w.form.products+k].sum)
		}
	}
	e.sum = winoSquare(op, x)[r][c]
	for i, a := range m[r] {
		for k, b := range m[c] {
			p := &w.products[i*w.form.products+k]
			e.size += math.Abs(a*b) * p.size
			e.rounds = max(e.rounds, p.rounds+6*winoRoundings)
		}
	}
	return e.sum
}

// skip leaves an element out: the definition of the fast form is slow.
func (r *naiveResult) skip(i int) { r.want[i], r.exact[i] = float32(math.NaN()), math.NaN() }

// sameWhereComputed is sameBits for the elements that are not left out, which it
// also checks against the exact sums if the result has no activation.
func (r *naiveResult) sameWhereComputed(t *testing.T, what string, got []float32, exact bool) {
	t.Helper()
	bound := float64(r.rounds) * 0x1p-24 * 1.01
	for i, want := range r.want {
		if r.exact[i] != r.exact[i] {
			continue
		}
		if math.Float32bits(got[i]) != math.Float32bits(want) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], want)
		}
		if d := math.Abs(float64(want) - r.exact[i]); exact && !(d <= bound*r.size[i]) {
			t.Fatalf("%s: element %d is %v, want %v: off by %v, bound %v", what, i, want, r.exact[i], d, bound*r.size[i])
		}
	}
}

// naiveWinoForward is the definition of Forward in the fast form.
func naiveWinoForward(f *winoForm, s ConvShape, x, w []float32, n int, ep Epilogue) *naiveResult {
	direct := naiveForward(s, x, w, n, Epilogue{Bias: ep.Bias})
	res := newNaiveResult(len(direct.want))
	for i := range res.want {
		if i%151 != 0 {
			res.skip(i)
			continue
		}
		k, image, ow, oh := i%s.K, i/s.K%n, i/s.K/n%s.OW, i/s.K/n/s.OW
		firstRow, rows := winoAt(f, oh, s.OH)
		firstCol, cols := winoAt(f, ow, s.OW)
		sum := winoSum{form: f}
		sum.channels(4, s.C, winoNeed(f, rows), winoNeed(f, cols), func(p, c int) (d, g [][]float32) {
			return winoMatrix(f.products, func(r, q int) float32 {
				h, v := 2*(firstRow+r)+p/2-s.PadH, 2*(firstCol+q)+p%2-s.PadW
				if r > rows || q > cols || h < 0 || h >= s.H || v < 0 || v >= s.W {
					return 0
				}
				return x[((h*s.W+v)*n+image)*s.C+c]
			}), winoMatrix(2, func(r, q int) float32 { return w[(k*s.C+c)*16+(p/2+2*r)*4+p%2+2*q] })
		})
		sum.add(ep.Bias, k)
		var e element
		sum.output(f.output, oh-firstRow, ow-firstCol, &e)
		e.exact = direct.exact[i]
		res.set(i, &e, Epilogue{}, 0)
	}
	applyGeneric(ep.Act, ep.Alpha, res.want, res.want)
	return res
}

// channels sums over phases of inputs and channels, in blocks as sumTaps has
// them.
func (w *winoSum) channels(phases, depth, rows, cols int, at func(p, c int) (d, g [][]float32)) {
	perBlock := 1
	if depth < 256 {
		perBlock = 256 / depth
		blocks := (phases + perBlock - 1) / perBlock
		perBlock = (phases + blocks - 1) / blocks
	}
	for p := range phases {
		if p%perBlock == 0 {
			w.end()
		}
		for c := range depth {
			if depth >= 256 && c%blockLen(depth) == 0 {
				w.end()
			}
			d, g := at(p, c)
			w.mul(d, g, rows, cols)
		}
	}
	w.end()
}

// naiveWinoTransposed is the definition of Transposed in the fast form.
func naiveWinoTransposed(f *winoForm, s ConvShape, x, w []float32, n int, ep Epilogue) *naiveResult {
	direct := naiveTransposed(s, x, w, n, Epilogue{Bias: ep.Bias})
	res := newNaiveResult(len(direct.want))
	// tile returns the phase of fine position p of size, the first coarse row of the tile's inputs, the number of its
	// outputs, and which of them p is.
	tile := func(p, size, pad int) (a, first, count, r int) {
		a = (p + pad) % 2
		start := (pad - a + 1) / 2 // u of the first output of the phase
		u := (p+pad-a)/2 - start
		n := (size-1+pad-a)/2 - start + 1
		begin, count := winoAt(f, u, n)
		return a, start + begin - 1, count, u - begin
	}
	for i := range res.want {
		if i%151 != 0 {
			res.skip(i)
			continue
		}
		c, image, v, h := i%s.C, i/s.C%n, i/s.C/n%s.W, i/s.C/n/s.W
		a, oh, rows, r := tile(h, s.H, s.PadH)
		b, ow, cols, q := tile(v, s.W, s.PadW)
		sum := winoSum{form: f}
		sum.channels(1, s.K, winoNeed(f, rows), winoNeed(f, cols), func(_, k int) (d, g [][]float32) {
			return winoMatrix(f.products, func(r, q int) float32 {
				y, z := oh+r, ow+q
				if r > rows || q > cols || y < 0 || y >= s.OH || z < 0 || z >= s.OW {
					return 0
				}
				return x[((y*s.OW+z)*n+image)*s.K+k]
			}), winoMatrix(2, func(r, q int) float32 { return w[(k*s.C+c)*16+(a+2-2*r)*4+b+2-2*q] })
		})
		sum.add(ep.Bias, c)
		var e element
		sum.output(f.output, r, q, &e)
		e.exact = direct.exact[i]
		res.set(i, &e, Epilogue{}, 0)
	}
	applyGeneric(ep.Act, ep.Alpha, res.want, res.want)
	return res
}

// naiveWinoWeight is the definition of WeightGrad in the fast form.
func naiveWinoWeight(s ConvShape, x, g []float32, n, shards int) *naiveResult {
	return naiveShards(n, shards, func(n0, n1 int) *naiveResult { return naiveWinoShard(s, x, g, n, n0, n1) })
}

// naiveWinoShard is the weight gradient of images n0 ... n1-1 in the fast form.
func naiveWinoShard(s ConvShape, x, g []float32, n, n0, n1 int) *naiveResult {
	direct := naiveShard(s, x, g, n, n0, n1)
	res := newNaiveResult(len(direct.want))
	tileCols := (s.OW + 3) / 4
	tiles := (s.OH + 3) / 4 * tileCols
	images := n1 - n0
	for i := range res.want {
		if i/16%211 != 0 { // all taps of some channels are enough
			res.skip(i)
			continue
		}
		k, c, r, q := i/(16*s.C), i/16%s.C, i/4%4, i%4
		form := &winoForms[0]
		sum := winoSum{form: form}
		firstRow := 0
		for t := range tiles {
			_, rows := winoAt(form, firstRow, s.OH)
			firstCol, cols := 0, 0
			for range t%tileCols + 1 {
				firstCol += cols
				_, cols = winoAt(form, firstCol, s.OW)
			}
			if t%max(1, winoBlock/images) == 0 {
				sum.end()
			}
			for image := n0; image < n1; image++ {
				if images > winoBlock && (image-n0)%evenBlock(images, winoBlock) == 0 {
					sum.end()
				}
				d := winoMatrix(5, func(y, z int) float32 {
					h, v := 2*(firstRow+y)+r%2-s.PadH, 2*(firstCol+z)+q%2-s.PadW
					if y > rows || z > cols || h < 0 || h >= s.H || v < 0 || v >= s.W {
						return 0
					}
					return x[((h*s.W+v)*n+image)*s.C+c]
				})
				f := winoMatrix(4, func(y, z int) float32 {
					if y >= rows || z >= cols {
						return 0
					}
					return g[(((firstRow+y)*s.OW+firstCol+z)*n+image)*s.K+k]
				})
				sum.mul(d, f, winoNeed(form, rows), winoNeed(form, cols))
			}
			if t%tileCols == tileCols-1 {
				firstRow += rows
			}
		}
		sum.end()
		var e element
		sum.output(winoGradTaps, r/2, q/2, &e)
		e.exact = direct.exact[i]
		res.set(i, &e, Epilogue{}, 0)
	}
	return res
}

// TestWinograd compares the fast forms, bit by bit and on every tier, with their
// definition, and that with the exact sums.
func TestWinograd(t *testing.T) {
	for i, c := range winoCases() {
		if testing.Short() && i%3 != 0 {
			continue
		}
		large := NewFastConv(c.s, 0)
		w := large.forward.wino
		if w == nil || w.form != &winoForms[0] {
			t.Fatalf("%v: not the large form", c)
		}
		small := NewFastConv(c.s, w.rows.fewest()*w.cols.fewest()/16+1)
		if small.forward.winoForm() != &winoForms[1] {
			t.Fatalf("%v: not the small form", c)
		}
		testWinograd(t, large, c, i)
		if i%2 == 0 {
			testWinograd(t, small, c, i/2)
		}
	}
}

func testWinograd(t *testing.T, conv *Conv, c convCase, i int) {
	pools := testPools(t)
	s, n := c.s, c.n
	x, g, w := guard(noiseSlice(s.H*s.W*n*s.C, 1), i%4), guard(noiseSlice(s.OH*s.OW*n*s.K, 2), 0), guard(noiseSlice(s.K*s.C*16, 3), 1)
	ep := Epilogue{Bias: noiseSlice(max(s.C, s.K), 4), Act: []Act{LeakyRelu, Tanh, Identity}[i%3], Alpha: 0.2}
	bare := i%2 == 0
	if bare {
		ep = Epilogue{}
	}
	// Large batches are for the weight gradient.
	few := min(n, 3)
	fx, fg := x.x[:s.H*s.W*few*s.C], g.x[:s.OH*s.OW*few*s.K]
	form := conv.forward.winoForm()
	forward := naiveWinoForward(form, s, fx, w.x, few, ep)
	var transposed, weight *naiveResult
	if f := conv.back().winoForm(); f != nil {
		transposed = naiveWinoTransposed(f, s, fg, w.x, few, ep)
	}
	if form == &winoForms[0] {
		weight = naiveWinoWeight(s, x.x, g.x, n, c.shards)
	}
	eachTier(t, func(t *testing.T) {
		for _, p := range pools {
			what := fmt.Sprintf("%v, F(%d,2), %d threads", c, form.outputs, p.Threads())
			got := newGuarded(len(forward.want), i%3)
			conv.Forward(p, got.x, fx, w.x, few, ep)
			got.check(t, what)
			forward.sameWhereComputed(t, "forward, "+what, got.x, bare)
			if transposed != nil {
				got := newGuarded(len(transposed.want), i%3)
				conv.Transposed(p, got.x, fg, w.x, few, ep)
				got.check(t, what)
				transposed.sameWhereComputed(t, "transposed, "+what, got.x, bare)
			}
			if weight != nil {
				got := newGuarded(len(w.x), i%3)
				conv.WeightGrad(p, got.x, x.x, g.x, n, c.shards)
				got.check(t, what)
				weight.sameWhereComputed(t, "weight, "+what, got.x, true)
			}
		}
		got := newGuarded(len(forward.want), 0)
		conv.Pack(w.x).Run(nil, got.x, fx, few, ep)
		forward.sameWhereComputed(t, fmt.Sprintf("packed, %v", c), got.x, bare)
	})
	x.check(t, "x")
	g.check(t, "g")
	w.check(t, "w")
}
