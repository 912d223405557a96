package kernel

import "gantry/internal/memory"

// convPackJob is a [Task]: it lays out the weights of a convolution. A part is
// a panel of one group.
type convPackJob struct {
	l     *convPlan
	t     *tierInfo
	b     []float32
	w     []float32
	alone bool // b is for one panel
}

var convPackJobs freeList[convPackJob]

// packedSize returns the number of floats of packed weights.
func (l *convPlan) packedSize(t *tierInfo) int {
	return needShape("a packed weight", l.groups, l.phaseTaps(), l.depth, t.width(l.width))
}

// phaseTaps returns the number of taps in all phases. It is less than the taps
// where the stride leaves taps that no output reads, as in a grid of one row.
func (l *convPlan) phaseTaps() int {
	p := l.phases[len(l.phases)-1]
	return p.at + p.taps
}

// panel returns where the panel from column j of a group on begins in packed
// weights, for one phase. It holds the taps in order, of each its rows.
func (l *convPlan) panel(t *tierInfo, p *convPhase, group, j int) int {
	width := t.width(l.width)
	return (group*l.phaseTaps()+p.at)*l.depth*width + j*p.taps*l.depth
}

// pack lays out w in pc, reusing its memory.
func (l *convPlan) pack(p *Pool, pc *PackedConv, w []float32) *PackedConv {
	need("w", len(w), l.groups*l.width*l.depth*l.taps)
	t := tier.forWidth(l.width)
	pc.plan, pc.tier = l, t
	switch {
	case l.wino != nil:
		pc.b = l.packWinograd(p, t, pc.b, w)
		return pc
	case l.thin:
		l.packThin(pc, w)
		return pc
	}
	pc.b = grown(pc.b, l.packedSize(t))
	j := convPackJobs.get()
	j.l, j.t, j.b, j.w = l, t, pc.b, w
	panels := (l.width + t.nr - 1) / t.nr
	if len(pc.b) < chunk {
		p = nil
	}
	p.Do(l.groups*panels, j)
	*j = convPackJob{}
	convPackJobs.put(j)
	return pc
}

func (j *convPackJob) Run(part int) {
	l, t := j.l, j.t
	panels := (l.width + t.nr - 1) / t.nr
	group, j0 := part/panels, part%panels*t.nr
	cols := min(t.nr, l.width-j0)
	width := t.width(cols)
	s := scratches.get()
	if cap(s.at) < l.taps {
		s.at = make([]int, l.taps)
	}
	rows := s.at[:l.taps] // where each tap's rows begin, -1 for those that no output reads
	for i := range rows {
		rows[i] = -1
	}
	for pi := range l.phases {
		p := &l.phases[pi]
		at := l.panel(t, p, group, j0)
		if j.alone {
			at = p.at * l.depth * width
		}
		for i := range p.taps {
			rows[l.tap(p, i)] = at + i*l.depth*width
		}
	}
	// The weights of one input channel: cols rows, one for each output channel, of taps.
	first := group*l.width*l.depth*l.taps + j0*l.colStride
	var taps [64]float32
	for q := range l.depth {
		for c := 0; c < cols; c += 8 {
			j.columns(rows, q*width+c, j.w[first+q*l.rowStride+c*l.colStride:], min(8, cols-c), &taps)
		}
		if cols < width {
			for _, at := range rows {
				if at >= 0 {
					clear(j.b[at+q*width:][cols:width])
				}
			}
		}
	}
	scratches.put(s)
}

// columns packs up to 8 output channels of one input channel: of tap t to element at of the rows that
// begin at rows[t]. taps is for 8 taps of 8 channels.
func (j *convPackJob) columns(rows []int, at int, src []float32, n int, taps *[64]float32) {
	l := j.l
	first := 0
	if len(l.phases) == 1 && l.phaseTaps() == l.taps && n == 8 && l.taps >= 8 && archTranspose(j.t, j.b[rows[0]+at:], src, l.colStride, rows[1]-rows[0], len(rows)/8) {
		first = len(rows) &^ 7 // its taps are in order
	}
	for ; first < len(rows); first += 8 {
		some := rows[first:min(first+8, len(rows))]
		if n == 8 && len(some) == 8 && archTranspose(j.t, taps[:], src[first:], l.colStride, 8, 1) {
			for k, row := range some {
				if row >= 0 {
					*(*[8]float32)(j.b[row+at:]) = *(*[8]float32)(taps[8*k:])
				}
			}
			continue
		}
		for k, row := range some {
			for c := 0; c < n && row >= 0; c++ {
				j.b[row+at+c] = src[c*l.colStride+first+k]
			}
		}
	}
}

// Restores reports whether [PackedConv.Unpack] can give the weights back: not from a fast form or from
// that for few channels, and not where no output reads some of them.
func (w *PackedConv) Restores() bool {
	l := w.plan
	return l.wino == nil && !l.thin && l.phaseTaps() == l.taps
}

// Unpack returns the weights that were packed, if Restores says so.
func (w *PackedConv) Unpack() []float32 {
	l, t := w.plan, w.tier
	plain := memory.Make[float32](l.groups * l.width * l.depth * l.taps)
	for group := range l.groups {
		for j0 := 0; j0 < l.width; j0 += t.nr {
			cols := min(t.nr, l.width-j0)
			for pi := range l.phases {
				p := &l.phases[pi]
				panel := w.b[l.panel(t, p, group, j0):]
				for r := range p.taps * l.depth { // a tap's rows are input channels
					to := plain[(group*l.depth*l.taps)*l.width+j0*l.colStride+r%l.depth*l.rowStride+l.tap(p, r/l.depth):]
					for c, v := range panel[r*t.width(cols):][:cols] {
						to[c*l.colStride] = v
					}
				}
			}
		}
	}
	return plain
}
