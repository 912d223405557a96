package kernel

// thinWidth is the most output channels that the thin form serves. It is part
// of what [Numerics] stands for.
const thinWidth = 4

// thinGrid is the most fine pixels times output channels for each coarse pixel with
// which the thin form serves a convolution: it multiplies every fine pixel with all
// taps, however few coarse pixels use the products. It is part of what [Numerics]
// stands for.
const thinGrid = 32

// packThin packs the weights of the thin form: a matrix of depth rows whose
// columns are the output channels of each tap.
func (l *convPlan) packThin(pc *PackedConv, w []float32) {
	cols := l.width * l.taps
	s := scratches.get()
	s.a = grown(s.a, cols*l.depth)
	for q := range l.depth {
		for c := range l.width {
			for t, v := range w[c*l.colStride+q*l.rowStride:][:l.taps] {
				s.a[q*cols+t*l.width+c] = v
			}
		}
	}
	if pc.thin == nil {
		pc.thin = new(Packed)
	}
	pc.thin.pack(NN, s.a, cols, l.depth)
	scratches.put(s)
}

// thinJob is a [Task]: a convolution with few output channels, which would leave
// most of a tile empty. Instead every input pixel is multiplied with all taps at
// once, a product of depth by taps·channels, and each output adds what the taps in
// range, row by row, have for it. A part is a block of images and a band of
// output rows.
type thinJob struct {
	l            *convPlan
	pc           *PackedConv
	dst, x       []float32
	n            int
	ep           Epilogue
	images, band int
	imageParts   int
}

var thinJobs freeList[thinJob]

// thinImages is the number of images in a part: the products of a few rows of
// pixels stay in the second cache.
const thinImages = 32

func (l *convPlan) runThin(p *Pool, dst, x []float32, pc *PackedConv, n int, ep Epilogue) {
	j := thinJobs.get()
	j.l, j.pc, j.dst, j.x, j.n, j.ep = l, pc, dst, x, n, ep
	j.images, j.band = min(n, thinImages), l.outH
	j.imageParts = (n + j.images - 1) / j.images
	for p.Threads() > 1 && j.band > 8 && j.imageParts*((l.outH+j.band-1)/j.band) < 4*p.Threads() {
		j.band = (j.band + 1) / 2
	}
	p.Do(j.imageParts*((l.outH+j.band-1)/j.band), j)
	*j = thinJob{}
	thinJobs.put(j)
}

// Run computes one part: output rows in order, keeping the products of the
// input rows that they still need in a ring.
func (j *thinJob) Run(part int) {
	l := j.l
	n0, h0 := part%j.imageParts*j.images, part/j.imageParts*j.band
	n1, h1 := min(n0+j.images, j.n), min(h0+j.band, l.outH)
	s := scratches.get()
	pixel := (n1 - n0) * l.width * l.taps
	s.a = grown(s.a, l.rows.span*l.inW*pixel)
	done := 0 // rows below have been multiplied, or are not needed
	for h := h0; h < h1; h++ {
		row, in := l.rows.at(h)
		if row.lo < row.hi {
			_, hi := l.rows.reach(row, in)
			for done = max(done, l.rows.from[h]); done <= hi; done++ {
				j.row(s.a[done%l.rows.span*l.inW*pixel:], done, n0, n1, pixel)
			}
		}
		for ci := range l.cols.runs {
			j.gather(s, row, &l.cols.runs[ci], h, in, n0, n1-n0)
		}
		if j.ep.Act != Identity && n1-n0 == j.n { // the whole row at once
			dst := j.dst[h*l.outW*j.n*l.out : (h+1)*l.outW*j.n*l.out]
			applyAct(j.ep.Act, j.ep.Alpha, dst, dst)
		}
	}
	scratches.put(s)
}

// row multiplies input row i for images n0 ... n1-1.
func (j *thinJob) row(dst []float32, i, n0, n1, pixel int) {
	l := j.l
	if j.n == n1-n0 { // all pixels at once
		j.products(dst, j.x[i*l.inW*j.n*l.in:], l.inW*j.n)
		return
	}
	for w := range l.inW {
		j.products(dst[w*pixel:], j.x[((i*l.inW+w)*j.n+n0)*l.in:], n1-n0)
	}
}

// at returns the run that output o belongs to, and the input position of its tap
// of delta 0.
func (a *axis) at(o int) (run *axisRun, in int) {
	for i := range a.runs {
		r := &a.runs[i]
		if k := (o - r.out) / r.outStep; o >= r.out && k < r.count && r.out+k*r.outStep == o {
			return r, r.in + k*r.inStep
		}
	}
	panic("kernel: internal error: an output belongs to no run")
}

// reach returns the first and the last input that an output of run r reads.
func (a *axis) reach(r *axisRun, in int) (lo, hi int) {
	d := a.phases[r.phase].delta
	return in + min(d[r.lo], d[r.hi-1]), in + max(d[r.lo], d[r.hi-1])
}

// products multiplies rows of x [rows, depth] with all taps: [GemmPacked] on one
// goroutine, without what a call costs.
func (j *thinJob) products(dst, x []float32, rows int) {
	b := j.pc.thin
	t, kc := b.tier, blockLen(b.k)
	args := tileArgs{segs: oneSeg, ars: b.k, acs: 1, ldc: b.n}
	for k0 := 0; k0 < b.k; k0 += kc {
		args.k, args.flags = min(kc, b.k-k0), 0
		if k0 > 0 {
			args.flags = tileAdd
		}
		for c := 0; c < b.n; c += t.nr {
			cols := min(t.nr, b.n-c)
			width := t.width(cols)
			args.b, args.brs, args.vecs = b.b[panelAt(t, b.n, k0, args.k, c):], width, width/t.lanes
			args.setMask(cols-width+t.lanes, t.lanes)
			for i := 0; i < rows; i += args.rows {
				args.rows = t.height(rows - i)
				args.a, args.c = x[i*b.k+k0:], dst[i*b.n+c:]
				t.tile(&args)
			}
			args.flags &^= tilePartial
		}
	}
}

// gather adds the taps for a run of outputs in row h: the products are those of
// the input pixels, row iy has delta 0.
func (j *thinJob) gather(s *scratch, row, col *axisRun, h, iy, n0, images int) {
	l := j.l
	rp, cp := &l.rows.phases[row.phase], &l.cols.phases[col.phase]
	pitch := l.width * l.taps
	pixel := images * pitch
	s.at = s.at[:0]
	for y := row.lo; y < row.hi; y++ {
		for x := col.lo; x < col.hi; x++ {
			tap := rp.taps[y]*l.tapCols + cp.taps[x]
			s.at = append(s.at, ((iy+rp.delta[y])%l.rows.span*l.inW+col.in+cp.delta[x])*pixel+tap*l.width)
		}
	}
	g := gatherArgs{at: s.at, n: images, dstStep: l.width, srcStep: pitch, width: l.width, bias: j.ep.Bias}
	outer, dstStep, srcStep := col.count, col.outStep*j.n*l.out, col.inStep*pixel
	if images == j.n && images < 8 { // the longer loop goes inside
		outer, g.n = g.n, outer
		dstStep, g.dstStep = g.dstStep, dstStep
		srcStep, g.srcStep = g.srcStep, srcStep
	}
	first := ((h*l.outW+col.out)*j.n + n0) * l.out
	for i := range outer {
		dst := j.dst[first+i*dstStep:]
		g.run(dst, s.a, i*srcStep)
		if j.ep.Act != Identity && images < j.n { // a pixel; else Run has the whole row
			applyAct(j.ep.Act, j.ep.Alpha, dst[:images*l.out], dst[:images*l.out])
		}
	}
}

// gatherArgs are n pixels, dstStep apart, of width channels, whose taps stand at
// places at of the products, srcStep from one pixel to the next.
type gatherArgs struct {
	at                         []int
	n, width, dstStep, srcStep int
	bias                       []float32 // nil for none
}

// run adds taps and bias, with products from src[from:] on.
func (g *gatherArgs) run(dst, src []float32, from int) {
	if len(g.at) == 4 && g.width == 3 && g.bias != nil {
		g.sum4x3(dst, src[from:])
		return
	}
	if len(g.at) == 4 {
		g.sum4(dst, src[from:])
	} else {
		for c := range g.width {
			for i, o, k := c, from+c, g.n; k > 0; i, o, k = i+g.dstStep, o+g.srcStep, k-1 {
				v := float32(0)
				for n, t := range g.at {
					if v += src[t+o]; n == 0 {
						v = src[t+o] // which may be -0
					}
				}
				dst[i] = v
			}
		}
	}
	if g.bias == nil {
		return
	}
	for c, b := range g.bias[:g.width] {
		for i, k := c, g.n; k > 0; i, k = i+g.dstStep, k-1 {
			dst[i] += b
		}
	}
}

// sum4 is the sum of four taps.
func (g *gatherArgs) sum4(dst, src []float32) {
	t0, t1, t2, t3 := src[g.at[0]:], src[g.at[1]:], src[g.at[2]:], src[g.at[3]:]
	dstStep, srcStep := g.dstStep, g.srcStep
	for c := range g.width {
		for i, o, k := c, c, g.n; k > 0; i, o, k = i+dstStep, o+srcStep, k-1 {
			dst[i] = t0[o] + t1[o] + t2[o] + t3[o]
		}
	}
}

// sum4x3 is the sum of four taps of three channels, and bias.
func (g *gatherArgs) sum4x3(dst, src []float32) {
	t0, t1, t2, t3 := src[g.at[0]:], src[g.at[1]:], src[g.at[2]:], src[g.at[3]:]
	bias := *(*[3]float32)(g.bias)
	dstStep, srcStep := g.dstStep, g.srcStep
	for i, o, k := 0, 0, g.n; k > 0; i, o, k = i+dstStep, o+srcStep, k-1 {
		a, b, c, d, y := (*[3]float32)(t0[o:]), (*[3]float32)(t1[o:]), (*[3]float32)(t2[o:]), (*[3]float32)(t3[o:]), (*[3]float32)(dst[i:])
		y[0] = a[0] + b[0] + c[0] + d[0] + bias[0]
		y[1] = a[1] + b[1] + c[1] + d[1] + bias[1]
		y[2] = a[2] + b[2] + c[2] + d[2] + bias[2]
	}
}
