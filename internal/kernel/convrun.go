package kernel

import "math"

// convJob is a [Task]: one convolution. A part is a block of images, a band of
// output rows and a range of panels.
type convJob struct {
	l      *convPlan
	pc     *PackedConv
	dst, x []float32
	n      int
	ep     Epilogue

	byTap                             bool // outputs are summed tap by tap
	images, band, panels              int  // of a part
	imageParts, bandParts, panelParts int
}

var (
	convJobs    freeList[convJob]
	packedConvs freeList[PackedConv]
)

// runWith packs the weights and runs.
func (l *convPlan) runWith(p *Pool, dst, x, w []float32, n int, ep Epilogue) {
	pc := packedConvs.get()
	l.run(p, dst, x, l.pack(p, pc, w), n, ep)
	packedConvs.put(pc)
}

// checkRun checks the lengths of operands.
func (l *convPlan) checkRun(dst, x []float32, n int, ep Epilogue) {
	need("x", len(x), needShape("x", l.inH, l.inW, n, l.in))
	need("dst", len(dst), needShape("dst", l.outH, l.outW, n, l.out))
	if ep.Bias != nil {
		need("bias", len(ep.Bias), l.out)
	}
}

func (l *convPlan) run(p *Pool, dst, x []float32, pc *PackedConv, n int, ep Epilogue) {
	l.checkRun(dst, x, n, ep)
	if n == 0 {
		return
	}
	switch {
	case l.wino != nil:
		l.runWinograd(p, pc.tier, dst, x, pc.b, n, ep)
		return
	case l.thin:
		l.runThin(p, dst, x, pc, n, ep)
		return
	}
	j := convJobs.get()
	j.l, j.pc, j.dst, j.x, j.n, j.ep = l, pc, dst, x, n, ep
	if j.byTap = l.byTap && n < pc.tier.rows[0] && l.outH*l.outW <= byTapPixels; j.byTap {
		j.ep = Epilogue{}
		zero := float32(math.Copysign(0, -1)) // to which x can be added for every x
		for i := range dst {
			dst[i] = zero
		}
	}
	j.divide(p.Threads())
	p.Do(j.imageParts*j.bandParts*j.panelParts, j)
	if j.byTap {
		for at := 0; at < len(dst) && ep.Bias != nil; at += l.out {
			pixel := dst[at : at+l.out]
			Add(nil, pixel, pixel, ep.Bias)
		}
		if ep.Act != Identity {
			Apply(p, ep.Act, ep.Alpha, dst, dst)
		}
	}
	*j = convJob{}
	convJobs.put(j)
}

// Sizes of parts. They do not change bits.
const (
	byTapPixels = 256     // of the result: with more, runs are long enough for tiles
	convCached  = 1 << 18 // floats that a part reads and writes: half of the second cache
	convRows    = 512     // rows that share a panel: enough to pay for loading it
)

// divide chooses the sizes of a part: what it reads and writes should stay in the
// second cache, and every thread should get some parts.
func (j *convJob) divide(threads int) {
	l := j.l
	t := j.pc.tier
	panels := l.groups * ((l.width + t.nr - 1) / t.nr)
	tall := t.rows[0]
	j.images, j.band, j.panels = j.n, l.outH, panels
	halve := func(n, unit int) int { return (n/2 + unit - 1) / unit * unit }
	touched := l.inH*l.inW*l.in/l.outH + l.outW*l.out                                          // for an image and a row of outputs
	rows := func() int { return j.images * j.band * min(l.outH*l.outW, l.inH*l.inW) / l.outH } // of a tap
	for j.images*j.band*touched > convCached && rows() > convRows {
		if j.images > tall {
			j.images = halve(j.images, tall)
		} else if j.band > 1 {
			j.band = (j.band + 1) / 2
		} else {
			break
		}
	}
	work := float64(j.n) * float64(l.outH*l.outW) * float64(l.out) * float64(l.depth*max(1, l.phases[0].taps))
	parts := 4 * threads
	if threads == 1 || work < 1<<16 {
		parts = 1
	}
	j.count(panels)
	for j.imageParts*j.bandParts*j.panelParts < parts {
		switch {
		case j.images >= 2*tall && rows() > convRows:
			j.images = halve(j.images, tall)
		case j.panels > 1:
			j.panels = (j.panels + 1) / 2
		case j.images > tall:
			j.images = halve(j.images, tall)
		case j.band > 1:
			j.band = (j.band + 1) / 2
		default:
			return
		}
		j.count(panels)
	}
}

func (j *convJob) count(panels int) {
	j.imageParts = (j.n + j.images - 1) / j.images
	j.bandParts = (j.l.outH + j.band - 1) / j.band
	j.panelParts = (panels + j.panels - 1) / j.panels
}

// convPart is a part: what [convJob.Run] loops over.
type convPart struct {
	n0, n1 int // images
	h0, h1 int // output rows
}

// Run computes one part.
func (j *convJob) Run(part int) {
	l, t := j.l, j.pc.tier
	perGroup := (l.width + t.nr - 1) / t.nr
	ip := part % j.imageParts
	bp := part / j.imageParts % j.bandParts
	pp := part / j.imageParts / j.bandParts
	r := convPart{ip * j.images, min((ip+1)*j.images, j.n), bp * j.band, min((bp+1)*j.band, l.outH)}
	last := min((pp+1)*j.panels, l.groups*perGroup)
	own := convScratches.get()
	for i := pp * j.panels; i < last; i++ {
		j.panel(own, r, i/perGroup, i%perGroup*t.nr)
	}
	own.ahead = nil
	convScratches.put(own)
	if j.ep.Act == Tanh || j.ep.Act == Sigmoid {
		j.activate(r, pp*j.panels, last, perGroup)
	}
}

// convScratch is the memory of one part.
type convScratch struct {
	segs  []tileSeg
	ahead []float32 // what is left to ask for of the next block
}

var convScratches freeList[convScratch]

// panel computes the output channels from column j0 of a group on.
func (j *convJob) panel(own *convScratch, r convPart, group, j0 int) {
	l, t := j.l, j.pc.tier
	cols := min(t.nr, l.width-j0)
	width := t.width(cols)
	out0 := group*l.width + j0
	args := tileArgs{acs: 1, brs: width, alpha: j.ep.Alpha, vecs: width / t.lanes}
	if j.ep.Bias != nil {
		args.bias = j.ep.Bias[out0:]
	}
	for pi := range l.phases {
		p := &l.phases[pi]
		base := l.panel(t, p, group, j0)
		if p.taps == 0 {
			j.empty(own, &args, r, p, out0, cols)
			continue
		}
		for bi := range p.blocks {
			b := &p.blocks[bi]
			args.k = b.k
			args.b = j.pc.b[base+(b.t0*l.depth+b.c0)*width:]
			own.ahead = args.b[min((b.t1-b.t0-1)*l.depth*width+b.k*width, len(args.b)):]
			if j.byTap {
				j.tap(own, &args, r, p, b, group, out0, cols)
			} else {
				j.block(own, &args, r, p, b, group, out0, cols)
			}
		}
	}
}

// block adds one block to the outputs of a phase.
func (j *convJob) block(own *convScratch, args *tileArgs, r convPart, p *convPhase, b *convBlock, group, out0, cols int) {
	l := j.l
	rp, cp := &l.rows.phases[p.row], &l.cols.phases[p.col]
	nc := len(cp.taps)
	for _, row := range rp.runs {
		if row.out >= r.h1 || row.out+(row.count-1)*row.outStep < r.h0 {
			continue
		}
		for _, col := range cp.runs {
			if row.lo == row.hi || col.lo == col.hi { // nothing in range
				if b == &p.blocks[0] {
					args.segs = nil
					j.tiles(own, args, r, row, col, 0, 0, 0, out0, cols, j.ep.flags())
				}
				continue
			}
			dr := min(rp.delta[row.lo], rp.delta[row.hi-1])
			dc := min(cp.delta[col.lo], cp.delta[col.hi-1])
			own.segs = own.segs[:0]
			for i := b.t0; i < b.t1; i++ {
				y, x := i/nc, i%nc
				if y < row.lo || y >= row.hi || x < col.lo || x >= col.hi {
					continue
				}
				own.segs = append(own.segs, tileSeg{
					a: ((rp.delta[y]-dr)*l.inW + cp.delta[x] - dc) * j.n * l.in,
					b: (i - b.t0) * l.depth * args.brs,
				})
			}
			if len(own.segs) == 0 {
				continue
			}
			args.segs = own.segs
			flags := 0
			// The first tap in range stands before the block: there is something to add to.
			if first := row.lo*nc + col.lo; first < b.t0 || (first == b.t0 && b.c0 > 0) {
				flags |= tileAdd
			}
			if end := (row.hi-1)*nc + col.hi - 1; end < b.t1 && b.c0+b.k == l.depth {
				flags |= j.ep.flags()
			}
			j.tiles(own, args, r, row, col, dr, dc, group*l.depth+b.c0, out0, cols, flags)
		}
	}
}

// tap adds a block of one tap to all outputs that read it. There are few images: tiles of the
// pixels with the same taps alone, as block makes them, would have fewer rows.
func (j *convJob) tap(own *convScratch, args *tileArgs, r convPart, p *convPhase, b *convBlock, group, out0, cols int) {
	rp, cp := &j.l.rows.phases[p.row], &j.l.cols.phases[p.col]
	y, x := b.t0/len(cp.taps), b.t0%len(cp.taps)
	args.segs = oneSeg
	for i := range rp.readers[y] {
		for k := range cp.readers[x] {
			j.tiles(own, args, r, &rp.readers[y][i], &cp.readers[x][k], rp.delta[y], cp.delta[x], group*j.l.depth+b.c0, out0, cols, tileAdd)
		}
	}
}

// empty writes outputs that no tap reaches.
func (j *convJob) empty(own *convScratch, args *tileArgs, r convPart, p *convPhase, out0, cols int) {
	l := j.l
	args.segs, args.k, args.b = nil, 0, nil
	for _, row := range l.rows.phases[p.row].runs {
		for _, col := range l.cols.phases[p.col].runs {
			j.tiles(own, args, r, row, col, 0, 0, 0, out0, cols, j.ep.flags())
		}
	}
}

// tiles computes the tiles of a run of rows and a run of columns. The rows of a
// tile are images or, where there are too few of them, columns or rows of pixels,
// whichever are more.
func (j *convJob) tiles(own *convScratch, args *tileArgs, r convPart, row, col *axisRun, dr, dc, in0, out0, cols, flags int) {
	l, t := j.l, j.pc.tier
	args.flags = flags
	args.setMask(cols-args.brs+t.lanes, t.lanes)
	first := max(0, (r.h0-row.out+row.outStep-1)/row.outStep) // rows of the run that the part has
	last := min(row.count, (r.h1-row.out+row.outStep-1)/row.outStep)
	// Loops over rows of pixels, columns and images; the last goes in tiles.
	loops := [3]convLoop{
		{last - first, row.inStep * l.inW * j.n * l.in, row.outStep * l.outW * j.n * l.out},
		{col.count, col.inStep * j.n * l.in, col.outStep * j.n * l.out},
		{r.n1 - r.n0, l.in, l.out},
	}
	for i := range 2 {
		if n := loops[2].n; n < t.rows[0] && loops[1-i].n > n {
			loops[2], loops[1-i] = loops[1-i], loops[2]
		}
	}
	args.ars, args.ldc = loops[2].in, loops[2].out
	if j.n < t.rows[0] { // a panel serves a few tiles only
		args.pitch = widePitch
	}
	in := (((row.in+first*row.inStep+dr)*l.inW+col.in+dc)*j.n+r.n0)*l.in + in0
	out := (((row.out+first*row.outStep)*l.outW+col.out)*j.n+r.n0)*l.out + out0
	for i := range loops[0].n {
		for k := range loops[1].n {
			x, y := in+i*loops[0].in+k*loops[1].in, out+i*loops[0].out+k*loops[1].out
			for v := 0; v < loops[2].n; v += args.rows {
				args.rows = t.most(loops[2].n - v)
				if len(args.segs) > 0 {
					args.a = j.x[x+v*args.ars:]
				}
				args.c = j.dst[y+v*args.ldc:]
				own.ahead = args.ask(own.ahead)
				t.tile(args)
			}
		}
	}
}

// A convLoop goes over n of something, in and out elements apart.
type convLoop struct{ n, in, out int }

// activate applies Tanh or Sigmoid to a part.
func (j *convJob) activate(r convPart, p0, p1, perGroup int) {
	l, nr := j.l, j.pc.tier.nr
	c0 := p0/perGroup*l.width + p0%perGroup*nr
	c1 := p1/perGroup*l.width + p1%perGroup*nr
	for h := r.h0; h < r.h1; h++ {
		for w := range l.outW {
			rows := j.dst[((h*l.outW+w)*j.n+r.n0)*l.out:]
			if c1-c0 == l.out {
				rows = rows[:(r.n1-r.n0)*l.out]
				applyAct(j.ep.Act, 0, rows, rows)
				continue
			}
			for i := range r.n1 - r.n0 {
				part := rows[i*l.out+c0 : i*l.out+c1]
				applyAct(j.ep.Act, 0, part, part)
			}
		}
	}
}
