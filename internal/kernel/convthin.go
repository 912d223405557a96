package kernel

// thinWidth is the most output channels that the thin form serves. It is part
// of what [Numerics] stands for.
const thinWidth = 4

// packThin packs the weights of the thin form: a matrix of depth rows whose
// columns are the taps of each output channel.
func (l *convPlan) packThin(pc *PackedConv, w []float32) {
	cols := l.width * l.taps
	s := scratches.get()
	s.a = grown(s.a, cols*l.depth)
	for q := range l.depth {
		for c := range l.width {
			copy(s.a[q*cols+c*l.taps:][:l.taps], w[c*l.colStride+q*l.rowStride:])
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

// thinScratch is the number of products that a part keeps.
const thinScratch = 1 << 17

func (l *convPlan) runThin(p *Pool, dst, x []float32, pc *PackedConv, n int, ep Epilogue) {
	j := thinJobs.get()
	j.l, j.pc, j.dst, j.x, j.n, j.ep = l, pc, dst, x, n, ep
	j.images, j.band = min(n, 16), l.outH
	for j.band > 1 && (j.rowsFor(j.band)*l.inW*j.images*l.width*l.taps > thinScratch ||
		((n+j.images-1)/j.images)*((l.outH+j.band-1)/j.band) < 4*p.Threads()) {
		j.band = (j.band + 1) / 2
	}
	j.imageParts = (n + j.images - 1) / j.images
	p.Do(j.imageParts*((l.outH+j.band-1)/j.band), j)
	*j = thinJob{}
	thinJobs.put(j)
}

// rowsFor returns about how many input rows a band of output rows reads.
func (j *thinJob) rowsFor(band int) int {
	return band*j.l.inH/j.l.outH + len(j.l.rows.phases[0].taps)
}

// Run computes one part.
func (j *thinJob) Run(part int) {
	l := j.l
	n0, h0 := part%j.imageParts*j.images, part/j.imageParts*j.band
	n1, h1 := min(n0+j.images, j.n), min(h0+j.band, l.outH)
	i0, i1 := l.rows.inputs(h0, h1)
	s := scratches.get()
	cols := l.width * l.taps
	pixel := (n1 - n0) * cols
	s.a = grown(s.a, (i1-i0)*l.inW*pixel)
	for i := i0; i < i1; i++ {
		for w := range l.inW {
			a := j.x[((i*l.inW+w)*j.n+n0)*l.in:]
			to := s.a[((i-i0)*l.inW+w)*pixel:]
			if j.n == n1-n0 { // a whole row of pixels at once
				GemmPacked(nil, to, a, l.inW*j.n, j.pc.thin, Epilogue{})
				break
			}
			GemmPacked(nil, to, a, n1-n0, j.pc.thin, Epilogue{})
		}
	}
	for ri := range l.rows.runs {
		row := &l.rows.runs[ri]
		for k := range row.count {
			h := row.out + k*row.outStep
			if h < h0 || h >= h1 {
				continue
			}
			for ci := range l.cols.runs {
				col := &l.cols.runs[ci]
				for m := range col.count {
					dst := j.dst[((h*l.outW+col.out+m*col.outStep)*j.n+n0)*l.out:][:(n1-n0)*l.out]
					j.gather(dst, s.a, row, col, row.in+k*row.inStep-i0, col.in+m*col.inStep, pixel)
				}
			}
		}
	}
	scratches.put(s)
}

// inputs returns the range of input positions that the outputs lo ... hi-1 read.
func (a *axis) inputs(lo, hi int) (first, end int) {
	first = -1
	for ri := range a.runs {
		r := &a.runs[ri]
		for k := range r.count {
			if o := r.out + k*r.outStep; o < lo || o >= hi || r.lo == r.hi {
				continue
			}
			d := a.phases[r.phase].delta
			in := r.in + k*r.inStep
			low, high := in+min(d[r.lo], d[r.hi-1]), in+max(d[r.lo], d[r.hi-1])
			if first < 0 || low < first {
				first = low
			}
			end = max(end, high+1)
		}
	}
	return max(first, 0), end
}

// gather adds the taps of one output pixel for all images of a part: products
// holds them for the input pixels, whose row iy and column ix have delta 0.
func (j *thinJob) gather(dst, products []float32, row, col *axisRun, iy, ix, pixel int) {
	l := j.l
	rp, cp := &l.rows.phases[row.phase], &l.cols.phases[col.phase]
	cols := l.width * l.taps
	first := true
	for y := row.lo; y < row.hi; y++ {
		for x := col.lo; x < col.hi; x++ {
			src := products[((iy+rp.delta[y])*l.inW+ix+cp.delta[x])*pixel+rp.taps[y]*l.tapCols+cp.taps[x]:]
			gatherTap(dst, src, l.width, l.taps, cols, first)
			first = false
		}
	}
	if first {
		clear(dst)
	}
	if j.ep.Bias != nil {
		for i := range dst {
			dst[i] += j.ep.Bias[i%l.width]
		}
	}
	if j.ep.Act != Identity {
		applyAct(j.ep.Act, j.ep.Alpha, dst, dst)
	}
}

// gatherTap adds, or stores, one tap: channel c of image i is
// src[i·cols + c·taps].
func gatherTap(dst, src []float32, width, taps, cols int, store bool) {
	at := 0
	for i := 0; i < len(dst); i += width {
		for c := range width {
			if v := src[at+c*taps]; store {
				dst[i+c] = v
			} else {
				dst[i+c] += v
			}
		}
		at += cols
	}
}
