package kernel

import (
	"fmt"
	"math"
	"sync"
	"testing"
)

// square is the shape of a convolution whose two dimensions are alike.
func square(size, c, coarse, k, taps, stride, pad int) ConvShape {
	return ConvShape{size, size, c, coarse, coarse, k, taps, taps, stride, stride, pad, pad, 1, 1, 1}
}

type convCase struct {
	s         ConvShape
	n, shards int
}

func (c convCase) String() string {
	s := c.s
	return fmt.Sprintf("fine %s coarse %s taps %dx%d stride %dx%d pad %dx%d dilation %dx%d groups %d batch %d shards %d",
		shapeName(s.H, s.W, s.C), shapeName(s.OH, s.OW, s.K), s.R, s.S, s.StrideH, s.StrideW, s.PadH, s.PadW,
		s.DilationH, s.DilationW, s.Groups, c.n, c.shards)
}

// convCases holds the kinds of layers of a DCGAN and the neighbours of the
// sizes of tiles, blocks and forms.
func convCases() []convCase {
	var list []convCase
	add := func(s ConvShape, n int) { list = append(list, convCase{s, n, 1 + len(list)%2*(n+1)%2}) }
	// DCGANs, with fewer channels.
	for i, c := range []int{1, 3, 4, 5, 16, 48} {
		n := []int{1, 2, 7, 8, 9, 17}[i]
		add(square(8, c, 4, 17, 4, 2, 1), n)  // 4x4, stride 2
		add(square(4, c, 1, 20, 4, 1, 0), n)  // a point and a map
		add(square(7, c, 4, 8, 4, 1, 0), n)   //
		add(square(7, c, 1, 12, 7, 1, 0), n)  //
		add(square(6, c, 6, 9, 3, 1, 1), n)   // 3x3
		add(square(5, c, 5, 50, 1, 1, 0), n)  // 1x1
		add(square(10, c, 5, 7, 5, 2, 2), n)  // 5x5, output padding 1
		add(square(9, 17, 5, c, 5, 2, 2), n)  // and none
		add(square(14, 17, 7, c, 4, 2, 1), 2) // few channels on the coarse side
		add(square(4, 33, 1, c, 4, 1, 0), n)  //
	}
	// Channels around the widths of tiles, on both sides.
	for i, c := range []int{1, 3, 4, 5, 8, 15, 16, 17, 47, 48, 49, 100} {
		add(square(6, c, 3, 100-c+1, 4, 2, 1), 3)
		add(square(3, 10, 3, c, 3, 1, 1), 1+i%9)
		add(square(3, c, 3, 2, 3, 1, 1), 9-i%9)
	}
	// Depths around maxBlock, of Forward and Transposed, in both forms.
	for _, d := range []int{85, 86, 127, 128, 129, 255, 256, 257, 520} {
		add(square(4, d, 2, 9, 4, 2, 1), 2)
		add(square(3, d, 3, 2, 3, 1, 1), 1)
		add(square(4, 10, 2, d, 4, 2, 1), 2)
		add(square(4, 3, 2, d, 4, 2, 1), 1)
		add(square(2, d, 2, 5, 1, 1, 0), 5)
	}
	// Sums by tap: with dilation, with outputs that no tap reaches, in groups, of a larger grid.
	add(ConvShape{10, 10, 256, 4, 4, 257, 3, 3, 2, 2, 1, 1, 2, 3, 1}, 2)
	add(ConvShape{9, 10, 6, 3, 3, 256, 2, 2, 3, 4, 0, 1, 1, 1, 1}, 3)
	add(ConvShape{7, 12, 514, 4, 5, 512, 3, 4, 2, 3, 1, 2, 1, 1, 2}, 1)
	add(square(18, 256, 18, 3, 3, 1, 1), 1)
	// More weights than one part of a weight gradient sums up.
	add(square(4, 130, 2, 200, 4, 2, 1), 1)
	// More pixels than one part reads and writes.
	add(ConvShape{32, 32, 32, 16, 16, 5, 2, 1, 2, 2, 0, 0, 1, 1, 1}, 17)
	// Everything asymmetric.
	add(ConvShape{7, 12, 5, 4, 5, 6, 3, 4, 2, 3, 1, 2, 1, 1, 1}, 3)
	add(ConvShape{12, 7, 6, 5, 4, 4, 4, 3, 3, 2, 2, 1, 2, 1, 2}, 2)
	add(ConvShape{11, 6, 4, 4, 6, 18, 2, 5, 3, 1, 0, 2, 3, 1, 2}, 9)
	// A stride beyond the taps: outputs of Transposed that no tap reaches.
	add(ConvShape{9, 10, 6, 3, 3, 5, 2, 2, 3, 4, 0, 1, 1, 1, 1}, 3)
	add(ConvShape{7, 7, 3, 3, 3, 20, 1, 1, 3, 3, 1, 0, 1, 1, 1}, 2)
	add(ConvShape{9, 9, 2, 3, 3, 6, 2, 1, 3, 4, 0, 0, 1, 1, 1}, 8)
	// Dilation, also with a stride that divides it or not.
	add(ConvShape{9, 9, 5, 9, 9, 5, 3, 3, 1, 1, 2, 2, 2, 2, 1}, 2)
	add(ConvShape{10, 10, 5, 4, 4, 7, 3, 3, 2, 2, 1, 1, 2, 3, 1}, 2)
	// Groups, as far as one channel each.
	add(ConvShape{6, 6, 8, 3, 3, 12, 4, 4, 2, 2, 1, 1, 1, 1, 4}, 3)
	add(ConvShape{6, 6, 17, 6, 6, 17, 3, 3, 1, 1, 1, 1, 1, 1, 17}, 9)
	add(ConvShape{5, 5, 3, 5, 5, 6, 3, 3, 1, 1, 1, 1, 1, 1, 3}, 4)
	add(ConvShape{5, 5, 98, 5, 5, 100, 3, 3, 1, 1, 1, 1, 1, 1, 2}, 2)
	add(ConvShape{4, 4, 514, 2, 2, 4, 4, 4, 2, 2, 1, 1, 1, 1, 2}, 1)
	// Taps and whole outputs that are never in range.
	add(square(2, 5, 6, 9, 3, 1, 3), 3)
	add(square(1, 5, 1, 9, 5, 1, 2), 3)
	add(square(3, 3, 4, 3, 2, 4, 1), 2)
	add(square(3, 2, 9, 3, 3, 2, 4), 2)
	// Batches and shards around the blocks of a weight gradient.
	for _, n := range []int{1, 2, 7, 8, 9, 17, 36, 51, 52, 64, 85, 86, 128, 129, 255, 256, 257, 300, 520} {
		for _, shards := range []int{1, 2, 4} {
			if n%shards == 0 {
				list = append(list, convCase{square(4, 3, 2, 5, 4, 2, 1), n, shards}, convCase{square(4, 5, 3, 3, 4, 2, 2), n, shards})
			}
		}
	}
	for _, n := range []int{50, 86, 129, 257} { // rows longer than a block, in both forms
		list = append(list, convCase{square(7, 2, 7, 3, 3, 1, 1), n, 1}, convCase{square(7, 8, 7, 3, 3, 1, 1), n, 1})
	}
	list = append(list, convCase{ConvShape{5, 4, 13, 3, 4, 2, 5, 1, 1, 1, 1, 0, 1, 1, 1}, 3, 1})    // 65 weights for an output
	list = append(list, convCase{ConvShape{2, 4, 3, 2, 4, 3, 1, 257, 1, 1, 0, 128, 1, 1, 3}, 2, 1}) // 257 taps for one channel
	list = append(list, convCase{square(3, 2, 3, 3, 3, 1, 1), 60, 5}, convCase{square(3, 9, 3, 3, 3, 1, 1), 63, 7})
	return append(list, convCase{ConvShape{3, 4, 6, 2, 3, 4, 3, 3, 2, 1, 1, 1, 1, 1, 2}, 600, 2})
}

// randomConvCases returns geometries of every kind, the same each time.
func randomConvCases(count int) []convCase {
	s := noise(5)
	few := []int{1, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 33}
	list := make([]convCase, count)
	for i := range list {
		c := &list[i]
		c.shards = []int{1, 1, 1, 2, 3, 4}[s.below(6)]
		c.n = c.shards * (1 + s.below(4))
		g := &c.s
		g.Groups = []int{1, 1, 1, 2, 3}[s.below(5)]
		g.C, g.K = g.Groups*few[s.below(len(few))], g.Groups*few[s.below(len(few))]
		if s.below(12) == 0 {
			g.Groups = g.C
			g.K = g.C * (1 + s.below(2))
		}
		axis := func() (size, coarse, taps, stride, pad, dilation int) {
			size, taps, stride, dilation = 1+s.below(9), 1+s.below(5), 1+s.below(4), 1+max(0, s.below(5)-2)
			pad = s.below(taps*dilation + 1)
			coarse = 1 + max(0, size+2*pad-(taps-1)*dilation-1)/stride
			if s.below(4) == 0 { // more padding at the end, or an output padding
				coarse = max(1, coarse+s.below(5)-2)
			}
			return
		}
		g.H, g.OH, g.R, g.StrideH, g.PadH, g.DilationH = axis()
		g.W, g.OW, g.S, g.StrideW, g.PadW, g.DilationW = axis()
		if float64(c.n*g.OH*g.OW)*float64(g.R*g.S)*float64(g.C/g.Groups*g.K) > 3e5 {
			g.C, g.K = g.Groups, g.Groups
		}
	}
	return list
}

// within fails unless a naive result is as near to the exact sums as its
// roundings allow.
func (r *naiveResult) within(t *testing.T, what string) {
	t.Helper()
	bound := float64(r.rounds) * 0x1p-24 * 1.01
	for i := range r.want {
		if d := math.Abs(float64(r.want[i]) - r.exact[i]); !(d <= bound*r.size[i]) {
			t.Fatalf("%s: element %d is %v, want %v: off by %v, bound %v", what, i, r.want[i], r.exact[i], d, bound*r.size[i])
		}
	}
}

// convTest is one geometry with its operands and what must come out.
type convTest struct {
	convCase
	x, g, w          guarded // fine, coarse, weights
	forward, back    Epilogue
	wantF, wantT, wW *naiveResult
}

// newConvTest makes operands from noise. Epilogues and alignments change with i.
func newConvTest(t *testing.T, c convCase, i int) *convTest {
	s := c.s
	noise := noise(i)
	ct := &convTest{convCase: c}
	ct.x = guard(noise.slice(s.H*s.W*c.n*s.C), i%4)
	ct.g = guard(noise.slice(s.OH*s.OW*c.n*s.K), i/2%4)
	ct.w = guard(noise.slice(s.K*s.C/s.Groups*s.R*s.S), i/3%4)
	ct.forward, ct.back = epilogues[i%len(epilogues)], epilogues[(i+3)%len(epilogues)]
	if ct.forward.Bias != nil {
		ct.forward.Bias = guard(noise.slice(s.K), 1).x
	}
	if ct.back.Bias != nil {
		ct.back.Bias = guard(noise.slice(s.C), 1).x
	}
	ct.wantF = naiveForward(s, ct.x.x, ct.w.x, c.n, ct.forward)
	ct.wantT = naiveTransposed(s, ct.g.x, ct.w.x, c.n, ct.back)
	ct.wW = naiveWeightGrad(s, ct.x.x, ct.g.x, c.n, c.shards)
	if ct.forward.Act == Identity {
		ct.wantF.within(t, c.String()+": forward")
	}
	if ct.back.Act == Identity {
		ct.wantT.within(t, c.String()+": transposed")
	}
	ct.wW.within(t, c.String()+": weight gradient")
	return ct
}

// run computes everything on one tier and compares bits.
func (c *convTest) run(t *testing.T, conv *Conv, p *Pool, packed, packedT *PackedConv, what string) {
	t.Helper()
	for _, op := range []struct {
		name string
		want *naiveResult
		f    func(dst []float32)
	}{
		{"forward", c.wantF, func(dst []float32) { conv.Forward(p, dst, c.x.x, c.w.x, c.n, c.forward) }},
		{"forward, packed", c.wantF, func(dst []float32) { packed.Run(p, dst, c.x.x, c.n, c.forward) }},
		{"transposed", c.wantT, func(dst []float32) { conv.Transposed(p, dst, c.g.x, c.w.x, c.n, c.back) }},
		{"transposed, packed", c.wantT, func(dst []float32) { packedT.Run(p, dst, c.g.x, c.n, c.back) }},
		{"weight gradient", c.wW, func(dst []float32) { conv.WeightGrad(p, dst, c.x.x, c.g.x, c.n, c.shards) }},
	} {
		dst := newGuarded(len(op.want.want), len(what)%4)
		op.f(dst.x)
		sameBits(t, op.name+" of "+what, dst.x, op.want.want)
		dst.check(t, op.name+" of "+what)
	}
}

// TestConv compares the bits of every tier with the definition, with weights
// packed or not, on 1, 2 and 3 threads; and the definition with exact sums.
func TestConv(t *testing.T) {
	pools := testPools(t)
	restored := 0
	for i, c := range append(convCases(), randomConvCases(300)...) {
		if testing.Short() && i%6 != 0 {
			continue
		}
		ct := newConvTest(t, c, i)
		conv := NewConv(c.s)
		for _, ti := range tiers {
			onTier(ti, func() {
				packed, packedT := conv.Pack(ct.w.x), conv.PackTransposed(ct.w.x)
				for _, packed := range []*PackedConv{packed, packedT} {
					if packed.Restores() {
						sameBits(t, fmt.Sprintf("%v on %s, unpacked", c, ti.name), packed.Unpack(), ct.w.x)
						restored++
					}
				}
				for _, p := range pools {
					ct.run(t, conv, p, packed, packedT, fmt.Sprintf("%v on %s, %d threads", c, ti.name, p.Threads()))
				}
			})
		}
		ct.x.check(t, "x")
		ct.g.check(t, "g")
		ct.w.check(t, "w")
	}
	if restored < 100 {
		t.Errorf("weights were unpacked %d times", restored)
	}
}

// ofImage returns image i of a batch of n in layout HWNC.
func ofImage(x []float32, pixels, n, c, i int) []float32 {
	var one []float32
	for p := range pixels {
		one = append(one, x[(p*n+i)*c:][:c]...)
	}
	return one
}

// TestConvImagesIndependent: an image of a batch has the bits that it has
// alone.
func TestConvImagesIndependent(t *testing.T) {
	const n = 19
	for i, s := range []ConvShape{
		square(8, 20, 4, 60, 4, 2, 1), square(8, 3, 4, 10, 4, 2, 1), square(4, 70, 1, 33, 4, 1, 0),
		square(5, 6, 5, 2, 3, 1, 1), {6, 6, 9, 6, 6, 9, 3, 3, 1, 1, 1, 1, 1, 1, 9}, square(2, 260, 1, 258, 2, 1, 0),
	} {
		noise := noise(i)
		x, g, w := noise.slice(s.H*s.W*n*s.C), noise.slice(s.OH*s.OW*n*s.K), noise.slice(s.K*s.C/s.Groups*s.R*s.S)
		all, allT := make([]float32, len(g)), make([]float32, len(x))
		one, oneT := make([]float32, len(g)/n), make([]float32, len(x)/n)
		p := NewPool(2)
		defer p.Close()
		c := NewConv(s)
		eachTier(t, func(t *testing.T) {
			c.Forward(p, all, x, w, n, Epilogue{Act: Tanh})
			c.Transposed(p, allT, g, w, n, Epilogue{Act: Tanh})
			for image := range n {
				what := fmt.Sprintf("%v, image %d", convCase{s, n, 1}, image)
				c.Forward(nil, one, ofImage(x, s.H*s.W, n, s.C, image), w, 1, Epilogue{Act: Tanh})
				sameBits(t, what, one, ofImage(all, s.OH*s.OW, n, s.K, image))
				c.Transposed(nil, oneT, ofImage(g, s.OH*s.OW, n, s.K, image), w, 1, Epilogue{Act: Tanh})
				sameBits(t, what+", transposed", oneT, ofImage(allT, s.H*s.W, n, s.C, image))
			}
		})
	}
}

// TestConvAdjoint: Forward, Transposed and WeightGrad are derivatives of one
// trilinear form,
//
//	<Forward(x), g> = <x, Transposed(g)> = <w, WeightGrad(x, g)>
//
// up to their roundings.
func TestConvAdjoint(t *testing.T) {
	dot := func(a, b []float32) (sum float64) {
		for i := range a {
			sum += float64(a[i]) * float64(b[i])
		}
		return sum
	}
	for i, c := range append(randomConvCases(60), convCases()[:40]...) {
		s, noise := c.s, noise(i+7)
		x, g, w := noise.slice(s.H*s.W*c.n*s.C), noise.slice(s.OH*s.OW*c.n*s.K), noise.slice(s.K*s.C/s.Groups*s.R*s.S)
		y, dx, dw := make([]float32, len(g)), make([]float32, len(x)), make([]float32, len(w))
		conv := NewConv(s)
		conv.Forward(nil, y, x, w, c.n, Epilogue{})
		conv.Transposed(nil, dx, g, w, c.n, Epilogue{})
		conv.WeightGrad(nil, dw, x, g, c.n, c.shards)
		naive := naiveForward(s, x, w, c.n, Epilogue{})
		rounds := naive.rounds + naiveTransposed(s, g, w, c.n, Epilogue{}).rounds + naiveWeightGrad(s, x, g, c.n, c.shards).rounds
		size := 0. // Σ|x·w·g|
		for i, v := range naive.size {
			size += v * math.Abs(float64(g[i]))
		}
		bound := size * (float64(rounds)*0x1p-24*1.01 + 0x1p-40) // the last for the dots
		a, b, d := dot(y, g), dot(dx, x), dot(dw, w)
		if !(math.Abs(a-b) <= bound && math.Abs(a-d) <= bound) {
			t.Errorf("%v: <Forward(x),g> = %v, <x,Transposed(g)> = %v, <w,WeightGrad(x,g)> = %v: differ by more than %v", c, a, b, d, bound)
		}
	}
}

// TestConvSpecialValues sends infinities, NaN, signed zeros and numbers whose
// products underflow through taps in range and out of it.
func TestConvSpecialValues(t *testing.T) {
	const n = 3
	for i, s := range []ConvShape{
		square(4, 5, 2, 7, 4, 2, 1), square(4, 2, 4, 3, 3, 1, 1), square(4, 3, 4, 20, 3, 1, 1),
		{7, 7, 2, 3, 3, 20, 2, 2, 3, 3, 1, 0, 1, 1, 1}, square(2, 2, 6, 2, 3, 1, 3),
	} {
		for kind := range 4 {
			noise := noise(10*i + kind)
			x, g, w := noise.slice(s.H*s.W*n*s.C), noise.slice(s.OH*s.OW*n*s.K), noise.slice(s.K*s.C/s.Groups*s.R*s.S)
			bias := noise.slice(s.K)
			for _, v := range [][]float32{x, g, w, bias} {
				for i := range v {
					switch {
					case kind == 0 && noise.below(20) == 0:
						v[i] = float32(math.Inf(noise.below(2)*2 - 1))
					case kind == 1 && noise.below(30) == 0:
						v[i] = float32(math.NaN())
					case kind == 2:
						v[i] *= 1e-30
					case kind == 3 && noise.below(2) == 0:
						v[i] = float32(math.Copysign(0, float64(v[i])))
					}
				}
			}
			for _, act := range acts {
				for _, ep := range []Epilogue{{nil, act.act, act.alpha}, {bias, act.act, act.alpha}} {
					ct := convTest{convCase: convCase{s, n, 1}, x: guard(x, 0), g: guard(g, 0), w: guard(w, 0), forward: ep, back: Epilogue{Act: act.act, Alpha: act.alpha}}
					ct.wantF = naiveForward(s, x, w, n, ct.forward)
					ct.wantT = naiveTransposed(s, g, w, n, ct.back)
					ct.wW = naiveWeightGrad(s, x, g, n, 1)
					c := NewConv(s)
					for _, ti := range tiers {
						onTier(ti, func() {
							ct.run(t, c, nil, c.Pack(w), c.PackTransposed(w), fmt.Sprintf("%v, special values %d, act %d, on %s", ct.convCase, kind, act.act, ti.name))
						})
					}
				}
			}
		}
	}
}

// TestConvEmptyBatch: there is nothing to compute but gradients of 0.
func TestConvEmptyBatch(t *testing.T) {
	for _, s := range []ConvShape{square(4, 5, 2, 7, 4, 2, 1), square(4, 1, 4, 2, 3, 1, 1)} {
		c := NewConv(s)
		w := noiseSlice(s.K*s.C*s.R*s.S, 1)
		c.Forward(nil, nil, nil, w, 0, Epilogue{})
		c.Transposed(nil, nil, nil, w, 0, Epilogue{})
		c.Pack(w).Run(nil, nil, nil, 0, Epilogue{})
		for _, shards := range []int{1, 2} {
			dw := newGuarded(len(w), 0)
			c.WeightGrad(nil, dw.x, nil, nil, 0, shards)
			sameBits(t, "weight gradient of nothing", dw.x, make([]float32, len(w)))
		}
	}
}

// TestConvConcurrent: callers that share a pool, a Conv and packed weights do
// not disturb each other.
func TestConvConcurrent(t *testing.T) {
	const n = 9
	s := square(8, 40, 4, 100, 4, 2, 1)
	ct := newConvTest(t, convCase{s, n, 1}, 3)
	c := NewConv(s)
	packed, packedT := c.Pack(ct.w.x), c.PackTransposed(ct.w.x)
	p := NewPool(3)
	defer p.Close()
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 4 {
				for _, op := range []struct {
					want *naiveResult
					f    func(dst []float32)
				}{
					{ct.wantF, func(dst []float32) { packed.Run(p, dst, ct.x.x, n, ct.forward) }},
					{ct.wantT, func(dst []float32) { packedT.Run(p, dst, ct.g.x, n, ct.back) }},
					{ct.wantF, func(dst []float32) { c.Forward(p, dst, ct.x.x, ct.w.x, n, ct.forward) }},
					{ct.wW, func(dst []float32) { c.WeightGrad(p, dst, ct.x.x, ct.g.x, n, 1) }},
				} {
					dst := make([]float32, len(op.want.want))
					op.f(dst)
					for i := range dst {
						if math.Float32bits(dst[i]) != math.Float32bits(op.want.want[i]) {
							t.Errorf("element %d is %v, want %v", i, dst[i], op.want.want[i])
							return
						}
					}
				}
			}
		})
	}
	callers.Wait()
}

// TestConvNoAllocations: once the free lists are filled, a call allocates
// nothing.
func TestConvNoAllocations(t *testing.T) {
	const n = 16
	pools := testPools(t)
	for i, s := range []ConvShape{
		square(8, 12, 4, 24, 4, 2, 1), square(8, 3, 4, 50, 4, 2, 1), square(8, 5, 8, 1, 3, 1, 1), square(4, 20, 1, 50, 4, 1, 0),
		{8, 8, 10, 4, 4, 10, 4, 4, 2, 2, 1, 1, 1, 1, 5},
	} {
		noise := noise(i)
		x, g, w := noise.slice(s.H*s.W*n*s.C), noise.slice(s.OH*s.OW*n*s.K), noise.slice(s.K*s.C/s.Groups*s.R*s.S)
		y, dx, dw := make([]float32, len(g)), make([]float32, len(x)), make([]float32, len(w))
		ep, c := Epilogue{Bias: noise.slice(s.K), Act: Tanh}, NewConv(s)
		eachTier(t, func(t *testing.T) {
			packed, packedT := c.Pack(w), c.PackTransposed(w)
			for _, p := range pools {
				for _, op := range []struct {
					name string
					f    func()
				}{
					{"Forward", func() { c.Forward(p, y, x, w, n, ep) }},
					{"Transposed", func() { c.Transposed(p, dx, g, w, n, Epilogue{}) }},
					{"WeightGrad", func() { c.WeightGrad(p, dw, x, g, n, 1) }},
					{"WeightGrad, 4 shards", func() { c.WeightGrad(p, dw, x, g, n, 4) }},
					{"Run", func() { packed.Run(p, y, x, n, ep) }},
					{"Run, transposed", func() { packedT.Run(p, dx, g, n, Epilogue{}) }},
				} {
					if got := allocations(op.f); got != 0 {
						t.Errorf("%v: %s with %d threads allocates %v times, want 0", convCase{s, n, 1}, op.name, p.Threads(), got)
					}
				}
			}
		})
	}
}

// TestConvPanicsOnBadShapes: what cannot be computed panics before anything is
// written.
func TestConvPanicsOnBadShapes(t *testing.T) {
	const n = 2
	s := square(4, 3, 2, 5, 4, 2, 1)
	c := NewConv(s)
	x, g, w, bias := make([]float32, 4*4*3*n), make([]float32, 2*2*5*n), make([]float32, 3*5*4*4), make([]float32, 5)
	bad := func(change func(s *ConvShape)) func() {
		b := s
		change(&b)
		return func() { NewConv(b) }
	}
	for name, f := range map[string]func(){
		"dst":         func() { c.Forward(nil, g[1:], x, w, n, Epilogue{}) },
		"x":           func() { c.Forward(nil, g, x[1:], w, n, Epilogue{}) },
		"w":           func() { c.Forward(nil, g, x, w[1:], n, Epilogue{}) },
		"bias":        func() { c.Forward(nil, g, x, w, n, Epilogue{Bias: bias[1:]}) },
		"fine dst":    func() { c.Transposed(nil, x[1:], g, w, n, Epilogue{}) },
		"coarse x":    func() { c.Transposed(nil, x, g[1:], w, n, Epilogue{}) },
		"fine bias":   func() { c.Transposed(nil, x, g, w, n, Epilogue{Bias: bias[:2]}) },
		"packed w":    func() { c.Pack(w[1:]) },
		"packed x":    func() { c.Pack(w).Run(nil, g, x[1:], n, Epilogue{}) },
		"dw":          func() { c.WeightGrad(nil, w[1:], x, g, n, 1) },
		"gradient x":  func() { c.WeightGrad(nil, w, x[1:], g, n, 1) },
		"gradient g":  func() { c.WeightGrad(nil, w, x, g[1:], n, 1) },
		"shards":      func() { c.WeightGrad(nil, w, x, g, n, 3) },
		"no shards":   func() { c.WeightGrad(nil, w, x, g, n, 0) },
		"batch":       func() { c.Forward(nil, g, x, w, -1, Epilogue{}) },
		"groups":      bad(func(s *ConvShape) { s.Groups = 2 }),
		"no groups":   bad(func(s *ConvShape) { s.Groups = 0 }),
		"no stride":   bad(func(s *ConvShape) { s.StrideW = 0 }),
		"no dilation": bad(func(s *ConvShape) { s.DilationH = 0 }),
		"no taps":     bad(func(s *ConvShape) { s.R = 0 }),
		"overflow":    bad(func(s *ConvShape) { s.C, s.K = math.MaxInt/2, 3 }),
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || len(s) < 24 || s[:24] != "kernel: internal error: " {
					t.Errorf("%s: recovered %v, want a panic with the package's prefix", name, s)
				}
			}()
			f()
		}()
	}
}
