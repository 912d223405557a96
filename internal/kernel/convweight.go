package kernel

// WeightGrad computes the gradient dw [K,C/Groups,R,S] of [Conv.Forward] with
// input x [H,W,n,C] and gradient g [OH,OW,n,K] of its output; for
// [Conv.Transposed], g is the input and x the gradient of the output.
//
// An element sums over coarse pixels, row by row, and images. The images are cut
// into shards equal parts, which are summed alone and added in the tree of
// [GemmShards]. Blocks within a shard of m images are max(1, maxBlock/m)
// consecutive pixels, or a part of one pixel's images if m is above maxBlock: a
// chain of fused multiply-adds from zero, pixel by pixel, without the pixels whose
// tap falls outside of the grid; the blocks that have any are added in order.
// With at most thinWeights weights for an output channel a tap outside of the grid
// counts as zeros, blocks end with their row of pixels, and first the blocks of a
// row are added and then the rows.
//
// In the fast form, see [Conv], the tiles of the coarse grid take the place of
// its pixels and the products that of sums: g is transformed like taps and x like
// inputs, and the blocks, in place of maxBlock, are of winoBlock.
//
// dw must not overlap the others.
func (c *Conv) WeightGrad(p *Pool, dw, x, g []float32, n, shards int) {
	s := &c.s
	size := s.K * c.forward.depth * s.R * s.S
	need("dw", len(dw), size)
	need("x", len(x), needShape("x", s.H, s.W, n, s.C))
	need("g", len(g), needShape("g", s.OH, s.OW, n, s.K))
	needShards(n, shards)
	if n == 0 {
		clear(dw[:size])
		return
	}
	more := sumsList.get()
	j := weightJobs.get()
	j.c, j.x, j.g, j.n, j.images, j.tier = c, x, g, n, n/shards, tier.forWidth(c.forward.width)
	if s.Groups == 1 && size/s.K <= thinWeights {
		more.s = grown(more.s, (shards*s.OH+shards-1)*size)
		rows := more.s[(shards-1)*size:]
		j.dst = rows
		p.Do(shards*s.OH, (*thinWeightJob)(j))
		for i := range shards {
			to := dw[:size]
			if i > 0 {
				to = more.s[(i-1)*size : i*size]
			}
			sum := rows[i*s.OH*size:][:size]
			for r := 1; r < s.OH; r++ {
				Add(p, sum, sum, rows[(i*s.OH+r)*size:][:size])
			}
			tapsLast(to, sum, s.C, s.R*s.S)
		}
	} else {
		more.s = grown(more.s, (shards-1)*size)
		j.divide(p.Threads())
		for i := range shards {
			j.first, j.dst = i*j.images, dw
			if i > 0 {
				j.dst = more.s[(i-1)*size : i*size]
			}
			if w := c.forward.wino; w != nil && w.form == &winoForms[0] {
				j.runWinograd(p)
			} else {
				p.Do(j.parts(), j)
			}
		}
	}
	addShards(p, dw[:size], more.s, 0, shards)
	*j = weightJob{}
	weightJobs.put(j)
	sumsList.put(more)
}

// tapsLast copies rows of [taps, channels] to rows of [channels, taps].
func tapsLast(dst, src []float32, channels, taps int) {
	row := channels * taps
	for i := 0; i < len(dst); i += row {
		for t := range taps {
			for c := range channels {
				dst[i+c*taps+t] = src[i+t*channels+c]
			}
		}
	}
}

// thinWeights is the most weights of an output channel that the thin form of
// [Conv.WeightGrad] serves. It is part of what [Numerics] stands for.
const thinWeights = 64

// weightJob is a [Task]: the weight gradient of one shard. A part is a range of
// coarse channels of one group and a range of fine channels.
type weightJob struct {
	c             *Conv
	dst, x, g     []float32
	n             int
	first, images int // of the shard
	tier          *tierInfo
	mc, nc        int // fine and coarse channels of a part
}

var weightJobs freeList[weightJob]

// weightSums is the most floats that a part sums up: a third of the second cache.
const weightSums = 1<<17 + 1<<16

// divide chooses the channels of a part.
func (j *weightJob) divide(threads int) {
	nr := j.tier.nr
	j.mc, j.nc = j.c.forward.depth, (j.c.forward.width+nr-1)/nr*nr
	parts := 4 * threads
	if threads == 1 {
		parts = 1
	}
	taps := j.c.s.R * j.c.s.S
	for taps*j.mc*j.nc > weightSums || j.parts() < parts {
		switch {
		case j.nc > 2*nr:
			j.nc = (j.nc/2 + nr - 1) / nr * nr
		case j.mc > 32:
			j.mc = (j.mc/2 + 7) &^ 7
		case j.nc > nr:
			j.nc = nr
		case j.mc > 8 && j.parts() < threads:
			j.mc = (j.mc/2 + 7) &^ 7
		default:
			return
		}
	}
}

func (j *weightJob) coarseParts() int { return (j.c.forward.width + j.nc - 1) / j.nc }

func (j *weightJob) parts() int {
	return j.c.s.Groups * j.coarseParts() * ((j.c.forward.depth + j.mc - 1) / j.mc)
}

// blockPixels returns into how many pixels and images blocks are cut.
func (j *weightJob) blockPixels() (pixels, images int) {
	if j.images > maxBlock {
		return 1, blockLen(j.images)
	}
	return maxBlock / j.images, j.images
}

// weightScratch is the memory of one part.
type weightScratch struct {
	segs    []tileSeg
	panel   []float32 // a block of g, or of columns
	sums    []float32 // for each tap its panels
	started []bool    // for each tap
}

var weightScratches freeList[weightScratch]

// Run computes one part.
func (j *weightJob) Run(part int) {
	c, s, t := j.c, &j.c.s, j.tier
	group := part / j.coarseParts() % s.Groups
	k0 := part % j.coarseParts() * j.nc
	c0 := part / j.coarseParts() / s.Groups * j.mc
	channels := min(j.mc, c.forward.depth-c0)
	cols := min(j.nc, c.forward.width-k0)
	width := t.width(cols)
	taps := s.R * s.S

	own := weightScratches.get()
	own.sums = grown(own.sums, taps*channels*width)
	own.started = append(own.started[:0], make([]bool, taps)...)
	pixels, images := j.blockPixels()
	own.panel = grown(own.panel, pixels*images*width)
	for o := 0; o < s.OH*s.OW; o += pixels {
		end := min(o+pixels, s.OH*s.OW)
		for i := 0; i < j.images; i += images {
			n := min(images, j.images-i)
			rows := (end - o) * n
			for q := o; q < end; q++ {
				for k := 0; k < cols; k += t.nr {
					src := j.g[(q*j.n+j.first+i)*s.K+group*c.forward.width+k0+k:]
					wide := t.width(min(t.nr, cols-k))
					packRows(t, own.panel[k*rows+(q-o)*n*wide:][:n*wide], src, s.K, n, min(t.nr, cols-k), wide)
				}
			}
			j.block(own, o, end, j.first+i, n, group*c.forward.depth+c0, channels, width)
		}
	}
	j.unpack(own, group*c.forward.width+k0, cols, c0, channels, width)
	weightScratches.put(own)
}

// block adds the coarse pixels o ... end-1 of images n0 ... n0+n-1 to the sums.
func (j *weightJob) block(own *weightScratch, o, end, n0, n, in0, channels, width int) {
	s, t := &j.c.s, j.tier
	args := tileArgs{ars: 1, acs: s.C, k: n}
	args.setMask(t.lanes, t.lanes)
	for tap := range s.R * s.S {
		dh, dw := tap/s.S*s.DilationH-s.PadH, tap%s.S*s.DilationW-s.PadW
		own.segs = own.segs[:0]
		for q := o; q < end; q++ {
			h, w := q/s.OW*s.StrideH+dh, q%s.OW*s.StrideW+dw
			if h >= 0 && h < s.H && w >= 0 && w < s.W {
				own.segs = append(own.segs, tileSeg{a: (h*s.W + w) * j.n * s.C, b: (q - o) * n})
			}
		}
		if len(own.segs) == 0 {
			continue
		}
		args.segs, args.flags = own.segs, 0
		if own.started[tap] {
			args.flags = tileAdd
		}
		own.started[tap] = true
		for k, last := 0, 1; k < width; k += t.nr {
			wide := min(t.nr, width-k)
			for i := range own.segs { // rows of the panel become floats
				own.segs[i].b = own.segs[i].b / last * wide
			}
			last = wide
			args.b = own.panel[k*(end-o)*n:]
			args.brs, args.ldc, args.vecs = wide, wide, wide/t.lanes
			sums := own.sums[tap*channels*width+k*channels:]
			for i := 0; i < channels; i += args.rows {
				args.rows = t.height(channels - i)
				args.a = j.x[n0*s.C+in0+i:]
				args.c = sums[i*wide:]
				t.tile(&args)
			}
		}
	}
}

// unpack moves the sums of coarse channels k0 ... and fine channels c0 ... to
// where the weights stand. The sums of a tap are panels, which hold a row for
// each fine channel.
func (j *weightJob) unpack(own *weightScratch, k0, cols, c0, channels, width int) {
	nr, taps := j.tier.nr, j.c.s.R*j.c.s.S
	for tap, started := range own.started {
		if !started {
			clear(own.sums[tap*channels*width : (tap+1)*channels*width])
		}
	}
	depth := j.c.forward.depth
	for k := 0; k < cols; k += nr {
		wide := min(nr, width-k)
		tapsInRows(j.tier, j.dst[((k0+k)*depth+c0)*taps:], depth*taps, own.sums[k*channels:], channels*width, taps, channels, min(nr, cols-k), wide)
	}
}

// tapsInRows moves sums, for each tap a matrix [channels, wide] step elements after
// the one before, to weights [cols, channels, taps] with pitch elements from column
// to column.
func tapsInRows(t *tierInfo, dst []float32, pitch int, sums []float32, step, taps, channels, cols, wide int) {
	for c := range channels {
		for k := 0; k < cols; k += 8 {
			for tap := 0; tap < taps; tap += 8 {
				to, from := dst[k*pitch+c*taps+tap:], sums[tap*step+c*wide+k:]
				if k+8 <= cols && tap+8 <= taps && archTranspose(t, to, from, step, pitch, 1) {
					continue
				}
				for i := range min(8, cols-k) {
					for r := range min(8, taps-tap) {
						to[i*pitch+r] = from[r*step+i]
					}
				}
			}
		}
	}
}

// thinWeightJob computes the thin form: a part is a row of coarse pixels in one
// shard, whose sum [K, C·R·S] goes to dst.
type thinWeightJob weightJob

// Run computes one part: for each block, the fine pixels that its coarse pixels
// see become the rows of a matrix [images, C·R·S].
func (j *thinWeightJob) Run(part int) {
	s, t := &j.c.s, j.tier
	taps := s.R * s.S
	cols := s.C * taps
	size := s.K * cols
	shard, oh := part/s.OH, part%s.OH
	first := shard * j.images
	pixels, images := (*weightJob)(j).blockPixels()
	pitch := t.width(cols)
	own := weightScratches.get()
	own.panel = grown(own.panel, pixels*images*pitch)
	dst := j.dst[part*size : (part+1)*size]
	args := tileArgs{ars: 1, acs: s.K, brs: pitch, ldc: cols}
	for o := 0; o < s.OW; o += pixels {
		end := min(o+pixels, s.OW)
		for i := 0; i < j.images; i += images {
			n := min(images, j.images-i)
			own.segs = own.segs[:0]
			for w := o; w < end; w++ {
				j.columns(own.panel[(w-o)*n*pitch:][:n*pitch], oh, w, first+i, n, pitch)
				own.segs = append(own.segs, tileSeg{a: ((oh*s.OW+w)*j.n + first + i) * s.K, b: (w - o) * n * pitch})
			}
			args.segs, args.k = own.segs, n
			for c := 0; c < cols; c += t.nr {
				wide := min(t.nr, cols-c)
				args.vecs = t.width(wide) / t.lanes
				args.flags = 0
				if o > 0 || i > 0 {
					args.flags = tileAdd
				}
				args.setMask(wide-t.width(wide)+t.lanes, t.lanes)
				args.b = own.panel[c:]
				for k := 0; k < s.K; k += args.rows {
					args.rows = t.height(s.K - k)
					args.a = j.g[k:]
					args.c = dst[k*cols+c:]
					t.tile(&args)
				}
			}
		}
	}
	weightScratches.put(own)
}

// columns writes the rows of one coarse pixel for images n0 ... n0+n-1: element
// tap·C+c of a row is channel c of the fine pixel under the tap.
func (j *thinWeightJob) columns(dst []float32, oh, ow, n0, n, pitch int) {
	s := &j.c.s
	taps := s.R * s.S
	for tap := range taps {
		h := oh*s.StrideH - s.PadH + tap/s.S*s.DilationH
		w := ow*s.StrideW - s.PadW + tap%s.S*s.DilationW
		to := dst[tap*s.C:]
		if h < 0 || h >= s.H || w < 0 || w >= s.W {
			for i := range n {
				clear(to[i*pitch : i*pitch+s.C])
			}
			continue
		}
		src := j.x[((h*s.W+w)*j.n+n0)*s.C:][:n*s.C]
		switch s.C {
		case 1:
			for i, v := range src {
				to[i*pitch] = v
			}
		case 3:
			for i, at := 0, 0; i < len(src); i, at = i+3, at+pitch {
				*(*[3]float32)(to[at:]) = *(*[3]float32)(src[i:])
			}
		default:
			for i := range n {
				copy(to[i*pitch:i*pitch+s.C], src[i*s.C:])
			}
		}
	}
	if used := s.C * taps; used < pitch {
		for i := range n {
			clear(dst[i*pitch+used : (i+1)*pitch])
		}
	}
}
