package kernel

// winoWeightJob is a [Task]: the nine products of a weight gradient in the fast
// form, for one shard. A part is three products of one phase of fine positions, for
// a range of fine and of coarse channels.
type winoWeightJob struct {
	weightJob
	m []float32 // the products: 36 matrices
}

// winoSumJob is a [Task]: it adds the products into the weights. A part is a
// panel of coarse channels.
type winoSumJob winoWeightJob

var winoWeightJobs freeList[winoWeightJob]

// runWinogradWeight computes the gradient of one shard.
func (j *weightJob) runWinograd(p *Pool) {
	s := scratches.get()
	k := winoWeightJobs.get()
	k.weightJob = *j
	width := j.tier.width(j.c.s.K)
	s.a = grown(s.a, 36*j.c.s.C*width)
	k.m = s.a
	k.divide()
	p.Do(12*k.blocks(), k)
	p.Do((j.c.s.K+j.tier.nr-1)/j.tier.nr, (*winoSumJob)(k))
	*k = winoWeightJob{}
	winoWeightJobs.put(k)
	scratches.put(s)
}

// Most channels of a part, so that its sums and the operands of a block stay in
// the second cache. They do not change bits.
const (
	winoFine   = 256
	winoCoarse = 528
)

// divide chooses the channels of a part.
func (j *winoWeightJob) divide() {
	nr := j.tier.nr
	fine := (j.c.s.C + winoFine - 1) / winoFine
	j.mc = ((j.c.s.C+fine-1)/fine + 7) &^ 7
	coarse := (j.c.s.K + winoCoarse - 1) / winoCoarse
	j.nc = ((j.c.s.K+coarse-1)/coarse + nr - 1) / nr * nr
}

func (j *winoWeightJob) blocks() int {
	return (j.c.s.C + j.mc - 1) / j.mc * ((j.c.s.K + j.nc - 1) / j.nc)
}

// matrix returns one of the products: panels of coarse channels, which hold a
// row for each fine channel.
func (j *winoWeightJob) matrix(product, phase int) []float32 {
	size := j.c.s.C * j.tier.width(j.c.s.K)
	return j.m[(4*product+phase)*size:][:size]
}

// winoWeightScratch is the memory of a part, for one block: both operands of
// three products as rows, and of one packed; and zeros.
type winoWeightScratch struct {
	v, h, a, b, zeros []float32
	runs              []winoPair
}

var winoWeightScratches freeList[winoWeightScratch]

// Run computes one part.
func (j *winoWeightJob) Run(part int) {
	s, t, w := &j.c.s, j.tier, j.c.forward.wino
	r, phase := part/j.blocks()/4, part/j.blocks()%4
	coarseParts := (s.K + j.nc - 1) / j.nc
	c0, k0 := part%j.blocks()/coarseParts*j.mc, part%j.blocks()%coarseParts*j.nc
	channels, cols := min(j.mc, s.C-c0), min(j.nc, s.K-k0)
	rowTiles, colTiles := w.rows.tiles[0], w.cols.tiles[0]
	rp, cp := &w.rows.phases[0][phase/2], &w.cols.phases[0][phase%2]

	tilesOf, imagesOf := j.blockPixels()
	own := winoWeightScratches.get()
	most := tilesOf * imagesOf
	own.v, own.a = grown(own.v, 3*most*channels), grown(own.a, most*channels)
	own.h, own.b = grown(own.h, 3*most*cols), grown(own.b, most*min(t.nr, t.width(cols)))
	own.zeros = zeros(own.zeros, imagesOf*max(s.C, s.K))
	tiles := len(rowTiles) * len(colTiles)
	var started [3]bool
	var args winoArgs
	for o := 0; o < tiles; o += tilesOf {
		end := min(o+tilesOf, tiles)
		for i := 0; i < j.images; i += imagesOf {
			n, n0 := min(imagesOf, j.images-i), j.first+i
			for tile := o; tile < end; tile++ {
				rin, cin := &rp.in[tile/len(colTiles)], &cp.in[tile%len(colTiles)]
				rout, cout := &rowTiles[tile/len(colTiles)], &colTiles[tile%len(colTiles)]
				length, times := winoLength(channels, s.C, n)
				for i := range times {
					op := args.differences(r, func(r, c int) []float32 {
						if rin[r] < 0 || cin[c] < 0 {
							return own.zeros
						}
						return j.x[((rin[r]*s.W+cin[c])*j.n+n0+i)*s.C+c0:]
					})
					for c := range 3 {
						args.dst[c] = own.v[c*most*channels+((tile-o)*n+i)*channels:]
					}
					args.run(op, length)
				}
				length, times = winoLength(cols, s.K, n)
				for i := range times {
					op := args.sums(r, func(r, c int) []float32 {
						if rout[r] < 0 || cout[c] < 0 {
							return own.zeros
						}
						return j.g[((rout[r]*s.OW+cout[c])*j.n+n0+i)*s.K+k0:]
					})
					for c := range 3 {
						args.dst[c] = own.h[c*most*cols+((tile-o)*n+i)*cols:]
					}
					args.run(op, length)
				}
			}
			for c := range 3 {
				if own.runs = winoRuns(own.runs, rowTiles, colTiles, o, end, r, c); len(own.runs) > 0 {
					j.block(own, own.v[c*most*channels:], own.h[c*most*cols:], j.matrix(3*r+c, phase), n, c0, channels, k0, cols, started[c])
					started[c] = true
				}
			}
		}
	}
	for c := range 3 {
		if !started[c] { // no tile has a second output
			j.clear(j.matrix(3*r+c, phase), c0, channels, k0, cols)
		}
	}
	winoWeightScratches.put(own)
}

// clear makes the sums of some channels zero.
func (j *winoWeightJob) clear(m []float32, c0, channels, k0, cols int) {
	for k := 0; k < cols; k += j.tier.nr {
		wide := j.tier.width(min(j.tier.nr, cols-k))
		clear(m[(k0+k)*j.c.s.C+c0*wide:][:channels*wide])
	}
}

// winoLength returns how n rows of count channels of all are passed over: at once
// if there are no others between them, else one by one.
func winoLength(count, all, n int) (length, times int) {
	if count == all {
		return n * count, 1
	}
	return count, n
}

// block adds to m the sums over the runs of tiles that own has, of n rows each, of
// v [rows, channels] and h [rows, cols].
func (j *winoWeightJob) block(own *winoWeightScratch, v, h, m []float32, n, c0, channels, k0, cols int, started bool) {
	t, rows := j.tier, 0
	for _, run := range own.runs {
		rows += (run[1] - run[0]) * n
	}
	for i, height := 0, 0; i < channels; i += height {
		height = t.height(channels - i)
		dst := own.a[i*rows:]
		for _, run := range own.runs {
			count := (run[1] - run[0]) * n
			packTile(t, dst[:height*count], v[run[0]*n*channels+i:], height, count, 1, channels)
			dst = dst[height*count:]
		}
	}
	args := tileArgs{segs: oneSeg, ars: 1, k: rows}
	if started {
		args.flags = tileAdd
	}
	args.setMask(t.lanes, t.lanes)
	for k := 0; k < cols; k += t.nr {
		wide := t.width(min(t.nr, cols-k))
		dst := own.b
		for _, run := range own.runs {
			count := (run[1] - run[0]) * n
			packRows(t, dst[:count*wide], h[run[0]*n*cols+k:], cols, count, min(t.nr, cols-k), wide)
			dst = dst[count*wide:]
		}
		args.b, args.brs, args.ldc, args.vecs = own.b, wide, wide, wide/t.lanes
		sums := m[(k0+k)*j.c.s.C:]
		for i := 0; i < channels; i += args.rows {
			args.rows = t.height(channels - i)
			args.a, args.acs = own.a[i*rows:], args.rows
			args.c = sums[(c0+i)*wide:]
			t.tile(&args)
		}
	}
}

// Run adds the products of one panel and moves the sums to where the weights
// stand.
func (k *winoSumJob) Run(part int) {
	j := (*winoWeightJob)(k)
	s, t := &j.c.s, j.tier
	k0 := part * t.nr
	cols := min(t.nr, s.K-k0)
	wide := t.width(cols)
	size := s.C * wide
	own := winoWeightScratches.get()
	own.v = grown(own.v, 16*size)
	var args winoArgs
	for phase := range 4 {
		for i := range 9 {
			args.src[i] = j.matrix(i, phase)[k0*s.C:]
		}
		for y := range 4 {
			tap := (phase/2+y/2*2)*4 + phase%2 + y%2*2
			args.dst[y] = own.v[tap*size:]
		}
		args.run(winoOutput, size)
	}
	tapsInRows(t, j.dst[k0*s.C*16:], s.C*16, own.v, size, 16, s.C, cols, wide)
	winoWeightScratches.put(own)
}
