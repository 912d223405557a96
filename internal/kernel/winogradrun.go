package kernel

import "gantry/internal/memory"

// winoPackJob is a [Task]: it lays out the transformed weights of the fast form.
// A part is a panel: its weights are laid out as for the direct form, aside, and added.
// For each phase of outputs and each product there is a matrix like that of a
// convPhase, with the phases of inputs in place of taps.
type winoPackJob struct {
	direct convPackJob
	u      []float32
}

// winoPanel returns where the panel from column j on begins.
func (l *convPlan) winoPanel(t *tierInfo, phase, product, j int) int {
	return ((l.wino.form.products*l.wino.form.products*phase+product)*t.width(l.width) + j) * l.wino.ins * l.depth
}

// Run lays out one panel.
func (k *winoPackJob) Run(part int) {
	l, t := k.direct.l, k.direct.t
	w := l.wino
	j0 := part * t.nr
	size := l.depth * t.width(min(t.nr, l.width-j0))
	s := scratches.get()
	s.a = grown(s.a, l.phaseTaps()*size)
	direct := k.direct
	direct.b = s.a
	direct.Run(part)
	var args winoArgs
	for qr, rows := range w.rows.phases {
		for qc, cols := range w.cols.phases {
			q := qr*len(w.cols.phases) + qc
			for i := range w.ins {
				rp, cp := &rows[i/len(cols)], &cols[i%len(cols)]
				args.squares(2, func(r, c int) []float32 {
					at := w.tapAt[rp.taps[r]*l.tapCols+cp.taps[c]]
					return s.a[(l.phases[at[0]].at+at[1])*size:]
				})
				for product := range w.form.products * w.form.products {
					args.dst[product] = k.u[l.winoPanel(t, q, product, j0)+i*size:]
				}
				args.run(w.form.taps, 1, size, size, size)
			}
		}
	}
	scratches.put(s)
}

// winoJob is a [Task]: a convolution in the fast form. A part is a block of
// images, of tiles of one phase of outputs, and of output channels.
type winoJob struct {
	l      *convPlan
	t      *tierInfo
	u      []float32
	dst, x []float32
	n      int
	ep     Epilogue

	images, tiles, cols  int // of a part
	imageParts, colParts int
}

var (
	winoJobs     freeList[winoJob]
	winoPackJobs freeList[winoPackJob]
)

// Sizes of parts. They do not change bits.
const (
	winoCached  = 1 << 18 // floats of weights that stay in the second cache from part to part, beside
	winoRows    = 32      // so many tiles and images of a part
	winoSharing = 128     // and so many share the weights where those are more
	winoCols    = 256     // output channels of a part
	winoSkew    = 80      // floats between products, so that their places in a cache differ
)

// packWinograd returns w as the fast form wants it, in u if that has room.
func (l *convPlan) packWinograd(p *Pool, t *tierInfo, u, w []float32) []float32 {
	need("w", len(w), l.width*l.depth*l.taps)
	u = grown(u, l.winoSize(t))
	k := winoPackJobs.get()
	k.direct, k.u = convPackJob{l: l, t: t, w: w, alone: true}, u
	p.Do((l.width+t.nr-1)/t.nr, k)
	*k = winoPackJob{}
	winoPackJobs.put(k)
	return u
}

// winoSize returns the number of floats of packed weights.
func (l *convPlan) winoSize(t *tierInfo) int {
	w := l.wino
	return needShape("a packed weight", len(w.rows.phases)*len(w.cols.phases)*w.form.products*w.form.products, t.width(l.width), w.ins*l.depth)
}

// runWinograd computes the convolution with weights u of packWinograd.
func (l *convPlan) runWinograd(p *Pool, t *tierInfo, dst, x, u []float32, n int, ep Epilogue) {
	j := winoJobs.get()
	j.l, j.t, j.u, j.dst, j.x, j.n, j.ep = l, t, u, dst, x, n, ep
	late := n < t.rows[0] // so few rows take less time than calls for each pixel
	if late {
		j.ep.Act = Identity
	}
	j.divide(p.Threads())
	p.Do(j.parts(), j)
	if late && ep.Act != Identity {
		Apply(p, ep.Act, ep.Alpha, dst, dst)
	}
	*j = winoJob{}
	winoJobs.put(j)
}

// divide chooses the size of a part.
func (j *winoJob) divide(threads int) {
	l, tall, nr := j.l, j.t.rows[0], j.t.nr
	j.colParts = (l.width + winoCols - 1) / winoCols
	j.cols = ((l.width+j.colParts-1)/j.colParts + nr - 1) / nr * nr
	j.colParts = (l.width + j.cols - 1) / j.cols
	rows := winoRows
	if products := l.wino.form.products * l.wino.form.products; products*l.wino.ins*l.depth*min(j.cols, l.width) > winoCached {
		rows = winoSharing
	}
	j.images = min(j.n, rows/tall*tall)
	j.imageParts = (j.n + j.images - 1) / j.images
	j.images = ((j.n+j.imageParts-1)/j.imageParts + tall - 1) / tall * tall // evenly
	j.imageParts = (j.n + j.images - 1) / j.images
	j.tiles = max(1, rows/min(j.images, j.n))
	for j.parts() < 2*threads && threads > 1 {
		if rows := min(j.images, j.n) * j.tiles; j.cols > max(rows, nr) { // fewer weights are read again than inputs
			j.cols = (j.cols/2 + nr - 1) / nr * nr
			j.colParts = (l.width + j.cols - 1) / j.cols
		} else if j.tiles > 1 {
			j.tiles = (j.tiles + 1) / 2
		} else {
			break
		}
	}
}

// find returns the phase and the first tile of a block of tiles, and how many
// such blocks there are.
func (j *winoJob) find(block int) (qr, qc, first, total int) {
	w := j.l.wino
	for r, rows := range w.rows.tiles {
		for c, cols := range w.cols.tiles {
			blocks := (len(rows)*len(cols) + j.tiles - 1) / j.tiles
			if block >= total && block < total+blocks {
				qr, qc, first = r, c, (block-total)*j.tiles
			}
			total += blocks
		}
	}
	return qr, qc, first, total
}

func (j *winoJob) parts() int {
	_, _, _, blocks := j.find(-1)
	return blocks * j.imageParts * j.colParts
}

// winoScratch is the memory of a part: the transformed inputs of all products,
// the products, zeros, and outputs that a tile does not have.
type winoScratch struct {
	v, m, zeros, outside []float32
	segs                 []tileSeg
	runs                 []winoPair
}

var winoScratches freeList[winoScratch]

// Run computes one part.
func (j *winoJob) Run(part int) {
	l, w := j.l, j.l.wino
	f := w.form
	products := f.products * f.products
	j0 := part % j.colParts * j.cols
	part /= j.colParts
	cols := min(j.cols, l.width-j0)
	n0 := part % j.imageParts * j.images
	images := min(j.images, j.n-n0)
	qr, qc, first, _ := j.find(part / j.imageParts)
	rowTiles, colTiles := w.rows.tiles[qr], w.cols.tiles[qc]
	tiles := min(j.tiles, len(rowTiles)*len(colTiles)-first)
	rows := tiles * images

	own := winoScratches.get()
	size := w.ins * rows * l.depth // the transformed inputs of one product
	vStep, mStep := size+winoSkew, rows*cols+winoSkew
	own.v = grown(own.v, products*vStep)
	own.m = grown(own.m, products*mStep)
	own.zeros = zeros(own.zeros, images*l.depth)
	own.outside = grown(own.outside, images*l.out)
	var args winoArgs
	at := 0
	for qi := range w.rows.phases[qr] {
		for qj := range w.cols.phases[qc] {
			for tile := first; tile < first+tiles; tile++ {
				rin, cin := &w.rows.phases[qr][qi].in[tile/len(colTiles)], &w.cols.phases[qc][qj].in[tile%len(colTiles)]
				args.squares(f.products, func(r, c int) []float32 {
					if rin[r] < 0 || cin[c] < 0 {
						return own.zeros
					}
					return j.x[((rin[r]*l.inW+cin[c])*j.n+n0)*l.in:]
				})
				for product := range products {
					args.dst[product] = own.v[product*vStep+at:]
				}
				args.run(f.input, 1, images*l.depth, 0, 0)
				at += images * l.depth
			}
		}
	}
	for product := range products {
		own.runs = winoRuns(own.runs, rowTiles, colTiles, first, first+tiles, product/f.products, product%f.products)
		for i := range own.runs { // tiles become rows
			own.runs[i][0], own.runs[i][1] = own.runs[i][0]*images, own.runs[i][1]*images
		}
		j.multiply(own, own.v[product*vStep:][:size], own.m[product*mStep:][:rows*cols], qr*len(w.cols.phases)+qc, product, rows, j0, cols)
	}
	for tile := range tiles {
		rt, ct := &rowTiles[(first+tile)/len(colTiles)], &colTiles[(first+tile)%len(colTiles)]
		j.output(own, rt, ct, tile*images*cols, mStep, n0, images, j0, cols)
	}
	winoScratches.put(own)
}

// output computes the outputs of a tile from its products, which begin at element
// at of each. Those that it does not need were never computed: no output that it
// has depends on them.
func (j *winoJob) output(own *winoScratch, rt, ct *winoTile, at, step, n0, images, j0, cols int) {
	l, f := j.l, j.l.wino.form
	var args winoArgs
	args.squares(f.products, func(r, c int) []float32 { return own.m[(r*f.products+c)*step+at:] })
	var made [winoOutputs * winoOutputs][]float32
	out := made[:f.outputs*f.outputs]
	for i := range out {
		args.dst[i] = own.outside
		if h, v := rt.out[i/f.outputs], ct.out[i%f.outputs]; h >= 0 && v >= 0 {
			out[i] = j.dst[((h*l.outW+v)*j.n+n0)*l.out+j0:]
			args.dst[i] = out[i]
		}
	}
	args.run(f.output, images, cols, l.out, cols)
	if j.ep.Act == Identity {
		return
	}
	for _, o := range out {
		switch {
		case o == nil:
		case cols == l.out: // rows stand side by side
			applyAct(j.ep.Act, j.ep.Alpha, o[:images*cols], o[:images*cols])
		default:
			for i := range images {
				applyAct(j.ep.Act, j.ep.Alpha, o[i*l.out:][:cols], o[i*l.out:][:cols])
			}
		}
	}
}

// multiply computes, of m [rows, cols], the runs of rows that own has, for the
// columns from j0 on of one product of transformed inputs v [ins, rows, depth],
// and adds the bias to the product that stands once in all outputs.
func (j *winoJob) multiply(own *winoScratch, v, m []float32, phase, product, rows, j0, cols int) {
	l, t := j.l, j.t
	args := tileArgs{ars: l.depth, acs: 1, ldc: cols}
	for c := 0; c < cols; c += t.nr {
		wide := min(t.nr, cols-c)
		width := t.width(wide)
		panel := j.u[l.winoPanel(t, phase, product, j0+c):][:l.wino.ins*l.depth*width]
		args.brs, args.vecs = width, width/t.lanes
		end := 0
		if j.ep.Bias != nil && product == l.wino.form.products+1 { // which all outputs have once
			args.bias, end = j.ep.Bias[j0+c:], tileBias
		}
		for bi := range l.wino.blocks {
			b := &l.wino.blocks[bi]
			own.segs = own.segs[:0]
			for i := b.t0; i < b.t1; i++ {
				own.segs = append(own.segs, tileSeg{a: i * rows * l.depth, b: i * l.depth * width})
			}
			args.segs, args.k, args.flags = own.segs, b.k, 0
			if bi > 0 {
				args.flags = tileAdd
			}
			if bi == len(l.wino.blocks)-1 {
				args.flags |= end
			}
			args.setMask(wide-width+t.lanes, t.lanes)
			args.b = panel[b.c0*width:]
			ahead := panel[min((b.t1-1)*l.depth*width+(b.c0+b.k)*width, len(panel)):]
			for _, run := range own.runs {
				for i := run[0]; i < run[1]; i += args.rows {
					args.rows = t.height(run[1] - i)
					args.a, args.c = v[i*l.depth+b.c0:], m[i*cols+c:]
					ahead = args.ask(ahead)
					t.tile(&args)
				}
			}
		}
	}
}

// zeros returns s with n zeros; s holds nothing else.
func zeros(s []float32, n int) []float32 {
	if cap(s) < n {
		return memory.Make[float32](n)
	}
	return s[:n]
}
