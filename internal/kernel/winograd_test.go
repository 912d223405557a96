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
		{square(6, 48, 2, 48, 4, 2, 0), 258, 1},
		{square(6, 48, 2, 540, 4, 2, 0), 3, 1},
		{square(14, 48, 8, 50, 4, 2, 2), 1, 1},
		{square(9, 48, 4, 51, 4, 2, 0), 8, 4},
	}
	s := square(12, 48, 6, 50, 4, 2, 1)
	s.W, s.OW, s.PadW = 17, 8, 0
	list = append(list, convCase{s, 2, 1})
	// Grids of one row or column, whose tiles have no second output there.
	s = square(4, 260, 1, 50, 4, 2, 0)
	s.W, s.OW = 10, 4
	u := square(10, 48, 4, 50, 4, 2, 0)
	u.W, u.OW = 4, 1
	return append(list, convCase{s, 4, 2}, convCase{u, 2, 1})
}

// TestFastConv: the fast form is for some geometries only, and where it pays.
func TestFastConv(t *testing.T) {
	dilated := square(11, 48, 4, 48, 4, 2, 1)
	dilated.DilationH, dilated.DilationW = 2, 2
	grouped := square(8, 96, 4, 96, 4, 2, 1)
	grouped.Groups = 2
	for what, c := range map[string]struct {
		s    ConvShape
		fast bool
	}{
		"fast":                  {square(8, 48, 4, 48, 4, 2, 1), true},
		"few fine channels":     {square(8, 47, 4, 48, 4, 2, 1), false},
		"few coarse channels":   {square(8, 48, 4, 47, 4, 2, 1), false},
		"stride 1":              {square(8, 48, 7, 48, 4, 1, 1), false},
		"3x3 taps":              {square(8, 48, 4, 48, 3, 2, 1), false},
		"dilation":              {dilated, false},
		"groups":                {grouped, false},
		"as many products":      {square(6, 48, 3, 48, 4, 2, 1), false},
		"a grid of one coarse":  {square(4, 48, 1, 48, 4, 2, 0), false},
		"a grid of one and pad": {square(2, 48, 1, 48, 4, 2, 1), false},
	} {
		conv := NewFastConv(c.s)
		if forward, back := conv.forward.wino != nil, conv.back().wino != nil; forward != c.fast || back != c.fast {
			t.Errorf("%s: fast form forward %v, transposed %v, want %v", what, forward, back, c.fast)
		}
	}
}

// A winoSum is what one output of the fast form is the sum of: rows of channels
// of a tile's 3x3 inputs and 2x2 factors.
type winoSum struct {
	products [9]element
}

// mul continues the products with d [3][3] and g [2][2], but not the third of a
// dimension with one output.
func (w *winoSum) mul(d *[3][3]float32, g *[2][2]float32, oneRow, oneCol bool) {
	differ := func(a, b, c float32, i int) float32 { return []float32{a - b, b, b - c}[i] }
	add := func(a, b float32, i int) float32 { return []float32{a, a + b, b}[i] }
	size := func(i int, x ...float32) float64 {
		s := 0.
		for _, k := range [][]int{{0, 1}, {1}, {1, 2}}[i] {
			s += math.Abs(float64(x[k]))
		}
		return s
	}
	sizeG := func(i int, x ...float32) float64 {
		s := 0.
		for _, k := range [][]int{{0}, {0, 1}, {1}}[i] {
			s += math.Abs(float64(x[k]))
		}
		return s
	}
	for i := range 9 {
		r, c := i/3, i%3
		if r == 2 && oneRow || c == 2 && oneCol {
			continue
		}
		var rowD, absD [3]float32
		var rowG, absG [2]float32
		for k := range 3 {
			rowD[k] = differ(d[0][k], d[1][k], d[2][k], r)
			absD[k] = float32(size(r, d[0][k], d[1][k], d[2][k]))
		}
		for k := range 2 {
			rowG[k] = add(g[0][k], g[1][k], r)
			absG[k] = float32(sizeG(r, g[0][k], g[1][k]))
		}
		e := &w.products[i]
		e.mul(differ(rowD[0], rowD[1], rowD[2], c), add(rowG[0], rowG[1], c))
		e.size += 1.0001*size(c, absD[0], absD[1], absD[2])*sizeG(c, absG[0], absG[1]) - math.Abs(float64(differ(rowD[0], rowD[1], rowD[2], c)))*math.Abs(float64(add(rowG[0], rowG[1], c)))
	}
}

func (w *winoSum) end() {
	for i := range w.products {
		w.products[i].end()
	}
}

// output returns output (r,c), and adds to e what bounds its error: every
// product of the four has met its own roundings, two in each transformed
// operand, and three in the sum of the products.
func (w *winoSum) output(r, c int, e *element) float32 {
	m := func(i, k int) float32 { return w.products[3*i+k].sum }
	var t [3]float32
	for k := range 3 {
		t[k] = [2]float32{m(0, k) + m(1, k), m(1, k) - m(2, k)}[r]
	}
	e.sum = [2]float32{t[0] + t[1], t[1] - t[2]}[c]
	for i := r; i < r+2; i++ {
		for k := c; k < c+2; k++ {
			p := &w.products[3*i+k]
			e.size += p.size
			e.rounds = max(e.rounds, p.rounds+7)
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
func naiveWinoForward(s ConvShape, x, w []float32, n int, ep Epilogue) *naiveResult {
	direct := naiveForward(s, x, w, n, Epilogue{})
	res := newNaiveResult(len(direct.want))
	for i := range res.want {
		if i%11 != 0 {
			res.skip(i)
			continue
		}
		k, image, ow, oh := i%s.K, i/s.K%n, i/s.K/n%s.OW, i/s.K/n/s.OW
		var sum winoSum
		sum.channels(4, s.C, func(p, c int) (d [3][3]float32, g [2][2]float32) {
			for r := range 3 {
				for q := range 3 {
					h, v := 2*(oh&^1+r)+p/2-s.PadH, 2*(ow&^1+q)+p%2-s.PadW
					if 0 <= h && h < s.H && 0 <= v && v < s.W {
						d[r][q] = x[((h*s.W+v)*n+image)*s.C+c]
					}
				}
			}
			for r := range 2 {
				for q := range 2 {
					g[r][q] = w[(k*s.C+c)*16+(p/2+2*r)*4+p%2+2*q]
				}
			}
			return
		})
		var e element
		sum.output(oh%2, ow%2, &e)
		e.exact = direct.exact[i]
		res.set(i, &e, ep, k)
	}
	applyGeneric(ep.Act, ep.Alpha, res.want, res.want)
	return res
}

// channels sums over phases of inputs and channels, in blocks as sumTaps has
// them.
func (w *winoSum) channels(phases, depth int, at func(p, c int) ([3][3]float32, [2][2]float32)) {
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
			w.mul(&d, &g, false, false)
		}
	}
	w.end()
}

// naiveWinoTransposed is the definition of Transposed in the fast form.
func naiveWinoTransposed(s ConvShape, x, w []float32, n int, ep Epilogue) *naiveResult {
	direct := naiveTransposed(s, x, w, n, Epilogue{})
	res := newNaiveResult(len(direct.want))
	// tile returns the phase, the first coarse row of the tile's inputs and the output of it that f is.
	tile := func(f, pad int) (a, first, r int) {
		a = (f + pad) % 2
		u, u0 := (f+pad-a)/2, (pad-a+1)/2
		return a, u0 + (u-u0)&^1 - 1, (u - u0) % 2
	}
	for i := range res.want {
		if i%11 != 0 {
			res.skip(i)
			continue
		}
		c, image, v, h := i%s.C, i/s.C%n, i/s.C/n%s.W, i/s.C/n/s.W
		a, oh, r := tile(h, s.PadH)
		b, ow, q := tile(v, s.PadW)
		var sum winoSum
		sum.channels(1, s.K, func(_, k int) (d [3][3]float32, g [2][2]float32) {
			for r := range 3 {
				for q := range 3 {
					if y, z := oh+r, ow+q; 0 <= y && y < s.OH && 0 <= z && z < s.OW {
						d[r][q] = x[((y*s.OW+z)*n+image)*s.K+k]
					}
				}
			}
			for r := range 2 {
				for q := range 2 {
					g[r][q] = w[(k*s.C+c)*16+(a+2-2*r)*4+b+2-2*q]
				}
			}
			return
		})
		var e element
		sum.output(r, q, &e)
		e.exact = direct.exact[i]
		res.set(i, &e, ep, c)
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
	tileCols := (s.OW + 1) / 2
	tiles := (s.OH + 1) / 2 * tileCols
	images := n1 - n0
	for i := range res.want {
		if i/16%97 != 0 { // all taps of some channels are enough
			res.skip(i)
			continue
		}
		k, c, r, q := i/(16*s.C), i/16%s.C, i/4%4, i%4
		var sum winoSum
		for t := range tiles {
			if t%max(1, 256/images) == 0 {
				sum.end()
			}
			for image := n0; image < n1; image++ {
				if images > 256 && (image-n0)%blockLen(images) == 0 {
					sum.end()
				}
				var d [3][3]float32
				var f [2][2]float32
				for y := range 3 {
					for z := range 3 {
						h, v := 2*(t/tileCols*2+y)+r%2-s.PadH, 2*(t%tileCols*2+z)+q%2-s.PadW
						if 0 <= h && h < s.H && 0 <= v && v < s.W {
							d[y][z] = x[((h*s.W+v)*n+image)*s.C+c]
						}
					}
				}
				for y := range 2 {
					for z := range 2 {
						if oh, ow := t/tileCols*2+y, t%tileCols*2+z; oh < s.OH && ow < s.OW {
							f[y][z] = g[((oh*s.OW+ow)*n+image)*s.K+k]
						}
					}
				}
				sum.mul(&d, &f, t/tileCols*2+1 >= s.OH, t%tileCols*2+1 >= s.OW)
			}
		}
		sum.end()
		var e element
		sum.output(r/2, q/2, &e)
		e.exact = direct.exact[i]
		res.set(i, &e, Epilogue{}, 0)
	}
	return res
}

// TestWinograd compares the fast form, bit by bit and on every tier, with its
// definition, and that with the exact sums.
func TestWinograd(t *testing.T) {
	pools := testPools(t)
	for i, c := range winoCases() {
		if testing.Short() && i%3 != 0 {
			continue
		}
		s, n := c.s, c.n
		conv := NewFastConv(s)
		if conv.forward.wino == nil && conv.back().wino == nil {
			t.Fatalf("%v: the direct form", c)
		}
		x, g, w := guard(noiseSlice(s.H*s.W*n*s.C, 1), i%4), guard(noiseSlice(s.OH*s.OW*n*s.K, 2), 0), guard(noiseSlice(s.K*s.C*16, 3), 1)
		ep := Epilogue{Bias: noiseSlice(max(s.C, s.K), 4), Act: []Act{LeakyRelu, Tanh, Identity}[i%3], Alpha: 0.2}
		bare := i%2 == 0
		if bare {
			ep = Epilogue{}
		}
		// Large batches are for the weight gradient.
		few := min(n, 3)
		fx, fg := x.x[:s.H*s.W*few*s.C], g.x[:s.OH*s.OW*few*s.K]
		var forward, transposed *naiveResult
		if conv.forward.wino != nil {
			forward = naiveWinoForward(s, fx, w.x, few, ep)
		}
		if conv.back().wino != nil {
			transposed = naiveWinoTransposed(s, fg, w.x, few, ep)
		}
		weight := naiveWinoWeight(s, x.x, g.x, n, c.shards)
		eachTier(t, func(t *testing.T) {
			for _, p := range pools {
				what := fmt.Sprintf("%v, %d threads", c, p.Threads())
				if forward != nil {
					got := newGuarded(len(forward.want), i%3)
					conv.Forward(p, got.x, fx, w.x, few, ep)
					got.check(t, what)
					forward.sameWhereComputed(t, "forward, "+what, got.x, bare)
				}
				if transposed != nil {
					got := newGuarded(len(transposed.want), i%3)
					conv.Transposed(p, got.x, fg, w.x, few, ep)
					got.check(t, what)
					transposed.sameWhereComputed(t, "transposed, "+what, got.x, bare)
				}
				if conv.forward.wino != nil {
					got := newGuarded(len(w.x), i%3)
					conv.WeightGrad(p, got.x, x.x, g.x, n, c.shards)
					got.check(t, what)
					weight.sameWhereComputed(t, "weight, "+what, got.x, true)
				}
			}
		})
		x.check(t, "x")
		g.check(t, "g")
		w.check(t, "w")
	}
}
