package kernel

import (
	"fmt"
	"sync"
)

// ConvShape is the geometry that a convolution, the transposed convolution with
// the same weights and their weight gradient share. It relates a fine grid
// [H,W] of C channels to a coarse grid [OH,OW] of K channels:
//
//	fine position = coarse position·stride - pad + tap·dilation
//
// for each of the R x S taps. A position outside the fine grid contributes
// nothing, so that padding at the bottom and at the right needs no number.
type ConvShape struct {
	H, W, C              int // the fine grid: what a convolution reads and a transposed one writes
	OH, OW, K            int // the coarse grid
	R, S                 int // taps
	StrideH, StrideW     int
	PadH, PadW           int // at the top and at the left
	DilationH, DilationW int
	Groups               int // C and K are cut into as many groups, which do not mix
}

// Conv computes convolutions of one shape. Batches of n images have the layout
// HWNC: pixels first, then the images, then the channels, so that for each
// pixel there is a matrix [n,C]. Weights are [K, C/Groups, R, S] for all
// three operations, as in ONNX.
//
// A Conv is immutable and safe for concurrent use.
//
// # Order of summation
//
// An output of [Conv.Forward] or [Conv.Transposed] sums over taps and over the
// depth: the input channels of its group. The taps that can reach it are a
// phase: all of them, row by row, for Forward; for Transposed those at the same
// distance modulo the stride. Blocks are cut from the taps of the phase: with a
// depth of at least maxBlock a block is one tap and blockLen(depth) channels;
// otherwise it is as many taps as maxBlock allows, evenly. A block is a chain
// of fused multiply-adds from zero, tap by tap and channel by channel, without
// the taps that fall outside of the grid; the sums of the blocks that have any
// tap are added in order; then come the bias and the activation. Nothing of
// this depends on the batch, the pool or the tier.
//
// The thin form, for outputs of at most thinWidth channels in one group, more than
// one tap and, unless it is Transposed, strides of 1 and at most thinGrid fine pixels
// times output channels for a coarse pixel, is another: the sum of each tap
// over the depth is taken alone, in blocks as in [Gemm], and the taps in range are
// added row by row. Weight gradients are summed as [Conv.WeightGrad] says.
//
// # Fast form
//
// With [NewFastConv], taps of 4x4 with a stride of 2 and at least winoChannels
// channels on both sides go through Winograd's F(4x4,2x2), or else F(2x2,2x2), where
// that saves a fifth of the work, see winograd.go; weight gradients know the first
// only. Outputs of a phase, or the coarse grid, are cut into tiles of up to 4x4 or
// 2x2, as equal as can be, the larger first. Inputs, taps and products are
// transformed down the columns first and then along the rows (winoLine). Each of
// the 25 or 9 products, of which a tile with fewer outputs needs 20 or 16, 6 or 4,
// sums over the phases of inputs and the depth, in blocks as above with those
// phases in place of taps; positions outside of the grid or of what the tile needs
// count as zeros. The bias is added to product (1,1), which stands once in each
// output of the tile.
type Conv struct {
	s       ConvShape
	forward *convPlan
	back    func() *convPlan // made when it is asked for: large strides cut the fine grid into as many phases as it has pixels
}

// NewConv prepares convolutions of shape s in the direct form.
func NewConv(s ConvShape) *Conv {
	for _, v := range []int{s.H, s.W, s.C, s.OH, s.OW, s.K, s.R, s.S, s.StrideH, s.StrideW, s.DilationH, s.DilationW, s.Groups} {
		if v < 1 {
			panic(fmt.Sprintf("kernel: internal error: convolution %+v", s))
		}
	}
	if s.C%s.Groups != 0 || s.K%s.Groups != 0 {
		panic(fmt.Sprintf("kernel: internal error: convolution %+v: channels do not divide into groups", s))
	}
	needShape("a weight", s.K, s.C/s.Groups, s.R, s.S)
	c := &Conv{s: s}
	c.forward = &convPlan{
		rows: convAxis(s.OH, s.H, s.R, s.StrideH, s.PadH, s.DilationH), cols: convAxis(s.OW, s.W, s.S, s.StrideW, s.PadW, s.DilationW),
		inW: s.W, outW: s.OW, inH: s.H, outH: s.OH, in: s.C, out: s.K, groups: s.Groups, taps: s.R * s.S, tapCols: s.S,
		colStride: s.C / s.Groups * s.R * s.S, rowStride: s.R * s.S,
	}
	c.forward.finish(s.StrideH == 1 && s.StrideW == 1 && s.H*s.W*s.K <= thinGrid*s.OH*s.OW)
	c.back = sync.OnceValue(func() *convPlan {
		l := &convPlan{
			rows: transposedAxis(s.H, s.OH, s.R, s.StrideH, s.PadH, s.DilationH), cols: transposedAxis(s.W, s.OW, s.S, s.StrideW, s.PadW, s.DilationW),
			inW: s.OW, outW: s.W, inH: s.OH, outH: s.H, in: s.K, out: s.C, groups: s.Groups, taps: s.R * s.S, tapCols: s.S,
			colStride: s.R * s.S, rowStride: s.C / s.Groups * s.R * s.S,
		}
		l.finish(true)
		return l
	})
	return c
}

// OneImage is the tiles of [NewFastConv] where a batch may be of one image, which
// soon waits for the weights, of which the fast forms have more. It is part of
// what [Numerics] stands for.
const OneImage = 16

// NewFastConv prepares convolutions of shape s in a fast form where that pays,
// see [Conv], and where each phase of an image fills at least so many tiles: 0
// for large batches.
func NewFastConv(s ConvShape, tiles int) *Conv {
	c := NewConv(s)
	if !s.mayWinograd() {
		return c
	}
	c.forward.planWinograd(tiles, func(f *winoForm) (rows, cols winoAxis) {
		return winoForward(f, s.OH, s.H, s.PadH), winoForward(f, s.OW, s.W, s.PadW)
	})
	back := c.back
	c.back = sync.OnceValue(func() *convPlan {
		l := back()
		l.planWinograd(tiles, func(f *winoForm) (rows, cols winoAxis) {
			return winoTransposed(f, s.H, s.OH, s.PadH), winoTransposed(f, s.W, s.OW, s.PadW)
		})
		return l
	})
	return c
}

// Shape returns the geometry.
func (c *Conv) Shape() ConvShape { return c.s }

// Forward computes the convolution dst [OH,OW,n,K] = act(x ⋆ w + bias) of
// x [H,W,n,C] (ONNX Conv). dst must not overlap the others.
func (c *Conv) Forward(p *Pool, dst, x, w []float32, n int, ep Epilogue) {
	c.forward.runWith(p, dst, x, w, n, ep)
}

// Transposed computes the transposed convolution dst [H,W,n,C] of
// x [OH,OW,n,K] (ONNX ConvTranspose), which is the gradient of [Conv.Forward]
// with respect to its input. dst must not overlap the others.
func (c *Conv) Transposed(p *Pool, dst, x, w []float32, n int, ep Epilogue) {
	c.back().runWith(p, dst, x, w, n, ep)
}

// Pack lays out weights for [Conv.Forward], to be used as often as wanted. w is
// copied; the fast forms make it 2.25 or 6.25 times as large.
func (c *Conv) Pack(w []float32) *PackedConv { return c.forward.pack(nil, new(PackedConv), w) }

// PackTransposed is Pack for [Conv.Transposed].
func (c *Conv) PackTransposed(w []float32) *PackedConv { return c.back().pack(nil, new(PackedConv), w) }

// PackedConv is a convolution with its weights. It is immutable.
type PackedConv struct {
	plan *convPlan
	tier *tierInfo
	b    []float32
	thin *Packed
}

// Run computes what [Conv.Forward] or [Conv.Transposed] computes, to the bit.
func (w *PackedConv) Run(p *Pool, dst, x []float32, n int, ep Epilogue) {
	w.plan.run(p, dst, x, w, n, ep)
}

// convPlan is one direction of a convolution: every output pixel gathers what
// the taps of its phase read.
type convPlan struct {
	rows, cols           axis
	inH, inW, outH, outW int
	in, out, groups      int // channels
	taps, tapCols        int
	colStride, rowStride int // in the weights: from one output channel to the next, one input channel to the next
	depth, width         int // input and output channels of a group
	thin                 bool
	byTap                bool      // each block is of one tap, and each output reads one
	wino                 *winograd // nil where no fast form is used
	phases               []convPhase
}

// axis is one dimension of a plan.
type axis struct {
	phases []axisPhase
	runs   []axisRun
	from   []int // for each output, the first input that it or a later one reads
	span   int   // as many inputs at once are enough to serve the outputs in order
}

// axisPhase lists the taps that outputs of one phase read, and how far from the
// first of them.
type axisPhase struct {
	taps, delta []int
	runs        []*axisRun  // of the outputs
	readers     [][]axisRun // by tap, the outputs that read it
}

// join sets the readers.
func (p *axisPhase) join() {
	p.readers = make([][]axisRun, len(p.taps))
	for t := range p.taps {
		var list []axisRun
		for _, r := range p.runs {
			if t < r.lo || t >= r.hi {
				continue
			}
			if n := len(list); n > 0 {
				if last := &list[n-1]; last.out+last.count*last.outStep == r.out && last.in+last.count*last.inStep == r.in {
					last.count += r.count
					continue
				}
			}
			list = append(list, *r)
		}
		p.readers[t] = list
	}
}

// axisRun is a run of count outputs of one phase: out, out+outStep, ... They read
// the taps lo ... hi-1 of their phase; the tap of delta 0 would be at in,
// in+inStep, ...
type axisRun struct {
	phase, lo, hi       int
	out, outStep, count int
	in, inStep          int
}

// add appends the output at position out, or lengthens the last run of its
// phase.
func (a *axis) add(phase, out, outStep, in, inStep, size int) {
	r := axisRun{phase: phase, out: out, outStep: outStep, count: 1, in: in, inStep: inStep}
	inside := func(d int) bool { return in+d >= 0 && in+d < size }
	delta := a.phases[phase].delta
	for r.lo < len(delta) && !inside(delta[r.lo]) {
		r.lo++
	}
	r.hi = r.lo
	for r.hi < len(delta) && inside(delta[r.hi]) {
		r.hi++
	}
	if n := len(a.runs); n > 0 {
		if last := &a.runs[n-1]; last.phase == phase && last.lo == r.lo && last.hi == r.hi {
			last.count++
			return
		}
	}
	a.runs = append(a.runs, r)
}

// convAxis describes a convolution from fine to coarse.
func convAxis(coarse, fine, taps, stride, pad, dilation int) axis {
	var a axis
	p := axisPhase{}
	for t := range taps {
		p.taps, p.delta = append(p.taps, t), append(p.delta, t*dilation)
	}
	a.phases = []axisPhase{p}
	for o := range coarse {
		a.add(0, o, 1, o*stride-pad, stride, fine)
	}
	return a
}

// transposedAxis describes a transposed convolution from coarse to fine: tap t
// of fine position f reads (f+pad-t·dilation)/stride where that is whole.
func transposedAxis(fine, coarse, taps, stride, pad, dilation int) axis {
	var a axis
	for f0 := range min(stride, fine) {
		p, in := axisPhase{}, 0
		for t := range taps {
			d := f0 + pad - t*dilation
			if d%stride != 0 {
				continue
			}
			if len(p.taps) == 0 {
				in = d / stride
			}
			p.taps, p.delta = append(p.taps, t), append(p.delta, d/stride-in)
		}
		a.phases = append(a.phases, p)
		for i, f := 0, f0; f < fine; i, f = i+1, f+stride {
			a.add(len(a.phases)-1, f, stride, in+i, 1, coarse)
		}
	}
	return a
}

// window fills from and span for n outputs.
func (a *axis) window(n int) {
	a.from = make([]int, n)
	least := int(^uint(0) >> 1)
	for o := n - 1; o >= 0; o-- {
		if r, in := a.at(o); r.lo < r.hi {
			lo, _ := a.reach(r, in)
			least = min(least, lo)
		}
		a.from[o] = least
	}
	last := -1
	for o := range n {
		if r, in := a.at(o); r.lo < r.hi {
			_, hi := a.reach(r, in)
			last = max(last, hi)
		}
		a.span = max(a.span, last-a.from[o]+1)
	}
}

// convPhase is a phase of both dimensions and its blocks.
type convPhase struct {
	row, col int // the phases of rows and columns
	at       int // taps of the phases before: where its weights begin
	taps     int
	blocks   []convBlock
}

// convBlock is a block of a sum: taps t0 ... t1-1 of the phase, of each the
// input channels c0 ... c0+k-1.
type convBlock struct {
	t0, t1, c0, k int
}

// finish derives what follows from the rest.
func (l *convPlan) finish(mayBeThin bool) {
	for _, a := range []*axis{&l.rows, &l.cols} {
		for i := range a.runs {
			p := &a.phases[a.runs[i].phase]
			p.runs = append(p.runs, &a.runs[i])
		}
	}
	l.depth, l.width = l.in/l.groups, l.out/l.groups
	l.byTap = l.depth >= maxBlock
	for _, a := range []*axis{&l.rows, &l.cols} {
		for i := range a.phases {
			a.phases[i].join()
		}
		for i := range a.runs {
			l.byTap = l.byTap && a.runs[i].lo < a.runs[i].hi
		}
	}
	l.thin = mayBeThin && l.width <= thinWidth && l.groups == 1 && l.taps > 1
	if l.thin {
		l.rows.window(l.outH)
	}
	at := 0
	for i, r := range l.rows.phases {
		for k, c := range l.cols.phases {
			p := convPhase{row: i, col: k, at: at, taps: len(r.taps) * len(c.taps)}
			at += p.taps
			p.blocks = l.cut(p.taps)
			l.phases = append(l.phases, p)
		}
	}
}

// cut returns the blocks of a phase.
func (l *convPlan) cut(taps int) []convBlock {
	var list []convBlock
	if l.depth >= maxBlock {
		kc := blockLen(l.depth)
		for t := range taps {
			for c := 0; c < l.depth; c += kc {
				list = append(list, convBlock{t, t + 1, c, min(kc, l.depth-c)})
			}
		}
		return list
	}
	most := maxBlock / l.depth
	n := (taps + most - 1) / most
	for t := 0; t < taps; {
		next := min(t+(taps+n-1)/n, taps)
		list = append(list, convBlock{t, next, 0, l.depth})
		t = next
	}
	return list
}

// tap returns the index of tap i of a phase in the weights' R·S taps.
func (l *convPlan) tap(p *convPhase, i int) int {
	cols := l.cols.phases[p.col].taps
	return l.rows.phases[p.row].taps[i/len(cols)]*l.tapCols + cols[i%len(cols)]
}
