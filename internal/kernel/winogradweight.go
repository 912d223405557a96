package kernel

// winoWeightJob is a [Task]: the products of a weight gradient in the fast form,
// for one shard. A part is one phase of fine positions, for a range of fine and of
// coarse channels.
type winoWeightJob struct {
	weightJob
	m []float32 // the products: 25 matrices for each of four phases
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
	s.a = grown(s.a, 4*winoProducts*winoProducts*j.c.s.C*width)
	k.m = s.a
	k.divide(p.Threads())
	p.Do(4*k.blocks(), k)
	p.Do((j.c.s.K+j.tier.nr-1)/j.tier.nr, (*winoSumJob)(k))
	*k = winoWeightJob{}
	winoWeightJobs.put(k)
	scratches.put(s)
}

// winoSums is the most floats that a part sums up. With fewer, parts transform
// the same operands more often than these sums save of moving; it does not change
// bits.
const winoSums = 1 << 20

// divide chooses the channels of a part.
func (j *winoWeightJob) divide(threads int) {
	nr := j.tier.nr
	j.mc, j.nc = (j.c.s.C+7)&^7, (j.c.s.K+nr-1)/nr*nr
	for j.mc > 8 && j.nc > nr && winoProducts*winoProducts*j.mc*j.nc > winoSums {
		if j.mc >= j.nc {
			j.mc = (j.mc/2 + 7) &^ 7
		} else {
			j.nc = (j.nc/2 + nr - 1) / nr * nr
		}
	}
	for j.mc > 16 && 4*j.blocks() < 2*threads && threads > 2 {
		j.mc = (j.mc/2 + 7) &^ 7
	}
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

// winoBlock is the most rows, images of tiles, that are summed in one chain: both
// operands of all products of a block lie in the second cache. It is part of what
// [Numerics] stands for.
const winoBlock = 64

// winoWeightScratch is the memory of a part, for one block: both operands of all
// products as rows; and zeros.
type winoWeightScratch struct {
	v, h, zeros []float32
	segs        []tileSeg // the tiles of a block that need a product
}

var winoWeightScratches freeList[winoWeightScratch]

// Run computes one part.
func (j *winoWeightJob) Run(part int) {
	s, t, w := &j.c.s, j.tier, j.c.forward.wino
	phase := part / j.blocks()
	coarseParts := (s.K + j.nc - 1) / j.nc
	c0, k0 := part%j.blocks()/coarseParts*j.mc, part%j.blocks()%coarseParts*j.nc
	channels, cols := min(j.mc, s.C-c0), min(j.nc, s.K-k0)
	rowTiles, colTiles := w.rows.tiles[0], w.cols.tiles[0]
	rp, cp := &w.rows.phases[0][phase/2], &w.cols.phases[0][phase%2]

	imagesOf := evenBlock(j.images, winoBlock)
	tilesOf := max(1, winoBlock/j.images)
	own := winoWeightScratches.get()
	vSize, hSize := tilesOf*imagesOf*channels+winoSkew, tilesOf*imagesOf*cols+winoSkew
	own.v = grown(own.v, winoProducts*winoProducts*vSize)
	own.h = grown(own.h, winoProducts*winoProducts*hSize+t.nr) // tiles read whole vectors
	own.zeros = zeros(own.zeros, imagesOf*max(s.C, s.K))
	tiles := len(rowTiles) * len(colTiles)
	var started [winoProducts * winoProducts]bool
	var args winoArgs
	for o := 0; o < tiles; o += tilesOf {
		end := min(o+tilesOf, tiles)
		for i := 0; i < j.images; i += imagesOf {
			n, n0 := min(imagesOf, j.images-i), j.first+i
			for tile := o; tile < end; tile++ {
				rin, cin := &rp.in[tile/len(colTiles)], &cp.in[tile%len(colTiles)]
				args.squares(winoProducts, func(r, c int) []float32 {
					if rin[r] < 0 || cin[c] < 0 {
						return own.zeros
					}
					return j.x[((rin[r]*s.W+cin[c])*j.n+n0)*s.C+c0:]
				})
				for p := range args.dst {
					args.dst[p] = own.v[p*vSize+(tile-o)*n*channels:]
				}
				args.run(winoInput, n, channels, channels, s.C)
				rout, cout := &rowTiles[tile/len(colTiles)].out, &colTiles[tile%len(colTiles)].out
				args.squares(winoOutputs, func(r, c int) []float32 {
					if rout[r] < 0 || cout[c] < 0 {
						return own.zeros
					}
					return j.g[((rout[r]*s.OW+cout[c])*j.n+n0)*s.K+k0:]
				})
				for p := range args.dst {
					args.dst[p] = own.h[p*hSize+(tile-o)*n*cols:]
				}
				args.runGrad(winoGrad, n, cols, cols, s.K)
			}
			for p := range started {
				own.segs = own.segs[:0]
				for tile := o; tile < end; tile++ {
					if p/winoProducts < rowTiles[tile/len(colTiles)].products && p%winoProducts < colTiles[tile%len(colTiles)].products {
						own.segs = append(own.segs, tileSeg{p*vSize + (tile-o)*n*channels, p*hSize + (tile-o)*n*cols})
					}
				}
				if len(own.segs) > 0 {
					j.block(own, j.matrix(p, phase), n, c0, channels, k0, cols, started[p])
					started[p] = true
				}
			}
		}
	}
	for p := range started {
		if !started[p] { // no tile has a last output
			j.clear(j.matrix(p, phase), c0, channels, k0, cols)
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

// block adds to m the sums over the tiles that own has, of n rows each.
func (j *winoWeightJob) block(own *winoWeightScratch, m []float32, n, c0, channels, k0, cols int, started bool) {
	t := j.tier
	args := tileArgs{segs: own.segs, ars: 1, acs: channels, brs: cols, k: n}
	if started {
		args.flags = tileAdd
	}
	args.setMask(t.lanes, t.lanes)
	for k := 0; k < cols; k += t.nr {
		wide := t.width(min(t.nr, cols-k))
		args.b, args.ldc, args.vecs = own.h[k:], wide, wide/t.lanes
		sums := m[(k0+k)*j.c.s.C:]
		for i := 0; i < channels; i += args.rows {
			args.rows = t.height(channels - i)
			args.a, args.c = own.v[i:], sums[(c0+i)*wide:]
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
		for i := range args.src {
			args.src[i] = j.matrix(i, phase)[k0*s.C:]
		}
		for y := range 4 {
			tap := (phase/2+y/2*2)*4 + phase%2 + y%2*2
			args.dst[y] = own.v[tap*size:]
		}
		args.runGrad(winoGradTaps, 1, size, size, size)
	}
	tapsInRows(t, j.dst[k0*s.C*16:], s.C*16, own.v, size, 16, s.C, cols, wide)
	winoWeightScratches.put(own)
}
