package kernel

import "math"

// An element is one element of a result, summed in blocks: a block is a chain
// of fused multiply-adds from zero, and the blocks are added in order. A block
// without products is left out. Beside it stand the exact sum, to the precision
// of float64, and Σ|products|.
type element struct {
	sum         float32
	begun       bool    // sum holds a block
	chain       float32 // the block that is open
	steps       int     // and its products
	rounds      int     // the most roundings that a product has met in sum
	exact, size float64
}

// mul continues the open block with the product x·y.
func (e *element) mul(x, y float32) {
	e.chain = fma(x, y, e.chain)
	e.steps++
	p := float64(x) * float64(y)
	e.exact += p
	e.size += math.Abs(p)
}

// end closes the open block.
func (e *element) end() {
	if e.steps > 0 {
		e.join(e.chain, e.steps)
	}
	e.chain, e.steps = 0, 0
}

// join adds a block whose products have met so many roundings.
func (e *element) join(v float32, rounds int) {
	if e.begun {
		v = e.sum + v
		rounds = max(e.rounds, rounds) + 1
	}
	e.sum, e.rounds, e.begun = v, rounds, true
}

// add adds a sum of blocks as if it were one block.
func (e *element) add(s *element) {
	e.join(s.sum, s.rounds)
	e.exact += s.exact
	e.size += s.size
}

// A naiveTap is what one tap reads: the channels of a group at one position of
// the input, nil where that is outside of the grid, and the weights, which
// stand stride elements apart.
type naiveTap struct {
	in, w  []float32
	stride int
}

// sumTaps sums over the taps of one phase and over depth channels.
//
// With 256 channels or more, a block is one tap and blockLen(depth) channels;
// otherwise a block is some taps, so many that it has up to 256 products.
func (e *element) sumTaps(taps []naiveTap, depth int) {
	channels := blockLen(depth)
	perBlock := 1
	if depth < 256 {
		perBlock = 256 / depth
		blocks := (len(taps) + perBlock - 1) / perBlock
		perBlock = (len(taps) + blocks - 1) / max(blocks, 1)
	}
	for i, t := range taps {
		if i%perBlock == 0 {
			e.end()
		}
		if t.in == nil {
			continue
		}
		for q, x := range t.in {
			if depth >= 256 && q%channels == 0 {
				e.end()
			}
			e.mul(x, t.w[q*t.stride])
		}
	}
	e.end()
}

// sumTapsThin takes each tap's sum alone, in blocks as in Gemm, and adds the
// taps in range in order.
func (e *element) sumTapsThin(taps []naiveTap, depth int) {
	for _, t := range taps {
		if t.in == nil {
			continue
		}
		var one element
		for q, x := range t.in {
			if q%blockLen(depth) == 0 {
				one.end()
			}
			one.mul(x, t.w[q*t.stride])
		}
		one.end()
		e.add(&one)
	}
}

// A naiveResult holds the elements of a result, and the most roundings of any.
type naiveResult struct {
	want        []float32
	exact, size []float64
	rounds      int
}

func newNaiveResult(n int) *naiveResult {
	return &naiveResult{want: make([]float32, n), exact: make([]float64, n), size: make([]float64, n)}
}

func (r *naiveResult) set(i int, e *element, ep Epilogue, channel int) {
	if ep.Bias != nil {
		b := ep.Bias[channel]
		e.sum += b
		e.rounds++
		e.exact += float64(b)
		e.size += math.Abs(float64(b))
	}
	r.want[i], r.exact[i], r.size[i] = e.sum, e.exact, e.size
	r.rounds = max(r.rounds, e.rounds)
}

// fine returns the fine index that a tap reaches from a coarse one, and
// whether it is inside of the grid.
func fine(coarse, stride, pad, tap, dilation, size int) (int, bool) {
	i := coarse*stride - pad + tap*dilation
	return i, 0 <= i && i < size
}

// naiveForward is the definition of Forward.
func naiveForward(s ConvShape, x, w []float32, n int, ep Epilogue) *naiveResult {
	res := newNaiveResult(s.OH * s.OW * n * s.K)
	depth := s.C / s.Groups
	thin := s.K <= 4 && s.Groups == 1 && s.R*s.S > 1 && s.StrideH == 1 && s.StrideW == 1 && s.H*s.W*s.K <= 32*s.OH*s.OW
	taps := make([]naiveTap, s.R*s.S)
	for i := range res.want {
		k, image, ow, oh := i%s.K, i/s.K%n, i/s.K/n%s.OW, i/s.K/n/s.OW
		group := k / (s.K / s.Groups)
		for t := range taps {
			taps[t] = naiveTap{nil, w[k*depth*s.R*s.S+t:], s.R * s.S}
			h, inH := fine(oh, s.StrideH, s.PadH, t/s.S, s.DilationH, s.H)
			v, inW := fine(ow, s.StrideW, s.PadW, t%s.S, s.DilationW, s.W)
			if inH && inW {
				taps[t].in = x[((h*s.W+v)*n+image)*s.C+group*depth:][:depth]
			}
		}
		var e element
		if thin {
			e.sumTapsThin(taps, depth)
		} else {
			e.sumTaps(taps, depth)
		}
		res.set(i, &e, ep, k)
	}
	applyGeneric(ep.Act, ep.Alpha, res.want, res.want)
	return res
}

// coarse returns the coarse index whose tap reaches a fine one, whether it is
// inside of the grid, and whether the tap belongs to the fine index's phase.
func coarse(fine, stride, pad, tap, dilation, size int) (i int, inside, phase bool) {
	i = fine + pad - tap*dilation
	if i%stride != 0 {
		return 0, false, false
	}
	i /= stride
	return i, 0 <= i && i < size, true
}

// naiveTransposed is the definition of Transposed.
func naiveTransposed(s ConvShape, x, w []float32, n int, ep Epilogue) *naiveResult {
	res := newNaiveResult(s.H * s.W * n * s.C)
	depth, width := s.K/s.Groups, s.C/s.Groups
	thin := s.C <= 4 && s.Groups == 1 && s.R*s.S > 1
	var taps []naiveTap
	for i := range res.want {
		c, image, v, h := i%s.C, i/s.C%n, i/s.C/n%s.W, i/s.C/n/s.W
		group := c / width
		taps = taps[:0]
		for t := range s.R * s.S {
			oh, inH, phaseH := coarse(h, s.StrideH, s.PadH, t/s.S, s.DilationH, s.OH)
			ow, inW, phaseW := coarse(v, s.StrideW, s.PadW, t%s.S, s.DilationW, s.OW)
			if !phaseH || !phaseW {
				continue
			}
			tap := naiveTap{nil, w[(group*depth*width+c%width)*s.R*s.S+t:], width * s.R * s.S}
			if inH && inW {
				tap.in = x[((oh*s.OW+ow)*n+image)*s.K+group*depth:][:depth]
			}
			taps = append(taps, tap)
		}
		var e element
		if thin {
			e.sumTapsThin(taps, depth)
		} else {
			e.sumTaps(taps, depth)
		}
		res.set(i, &e, ep, c)
	}
	applyGeneric(ep.Act, ep.Alpha, res.want, res.want)
	return res
}

// naiveWeightGrad is the definition of WeightGrad: each of the shards alone,
// and their sums added in a tree.
func naiveWeightGrad(s ConvShape, x, g []float32, n, shards int) *naiveResult {
	return naiveShards(n, shards, func(n0, n1 int) *naiveResult { return naiveShard(s, x, g, n, n0, n1) })
}

// naiveShards adds up shards of n images in a tree; shard is what images n0 ...
// n1-1 make alone.
func naiveShards(n, shards int, shard func(n0, n1 int) *naiveResult) *naiveResult {
	parts := make([]*naiveResult, shards)
	for i := range parts {
		parts[i] = shard(i*n/shards, (i+1)*n/shards)
	}
	return addNaiveShards(parts)
}

// addNaiveShards adds shards in a tree: the left part of s > 1 shards is the
// largest power of two below s.
func addNaiveShards(parts []*naiveResult) *naiveResult {
	if len(parts) == 1 {
		return parts[0]
	}
	left := 1
	for 2*left < len(parts) {
		left *= 2
	}
	a, b := addNaiveShards(parts[:left]), addNaiveShards(parts[left:])
	for i := range a.want {
		a.want[i] += b.want[i]
		a.exact[i] += b.exact[i]
		a.size[i] += b.size[i]
	}
	a.rounds = max(a.rounds, b.rounds) + 1
	return a
}

// naiveShard is the weight gradient of images n0 ... n1-1 of a batch of n.
func naiveShard(s ConvShape, x, g []float32, n, n0, n1 int) *naiveResult {
	depth := s.C / s.Groups
	res := newNaiveResult(s.K * depth * s.R * s.S)
	images := n1 - n0
	imagesPerBlock := blockLen(images)
	pixelsPerBlock := max(1, 256/max(images, 1))
	thin := s.C*s.R*s.S <= 64 && s.Groups == 1
	for i := range res.want {
		k, c, r, q := i/(s.S*s.R*depth), i/(s.S*s.R)%depth, i/s.S%s.R, i%s.S
		c += k / (s.K / s.Groups) * depth
		// pixel continues a sum with the products of one coarse pixel.
		pixel := func(e *element, oh, ow int) {
			h, inH := fine(oh, s.StrideH, s.PadH, r, s.DilationH, s.H)
			v, inW := fine(ow, s.StrideW, s.PadW, q, s.DilationW, s.W)
			if !thin && !(inH && inW) {
				return
			}
			for image := n0; image < n1; image++ {
				if images > 256 && (image-n0)%imagesPerBlock == 0 {
					e.end()
				}
				a := float32(0)
				if inH && inW {
					a = x[((h*s.W+v)*n+image)*s.C+c]
				}
				e.mul(a, g[((oh*s.OW+ow)*n+image)*s.K+k])
			}
		}
		var e element
		if thin {
			for oh := range s.OH {
				var row element
				for ow := range s.OW {
					if ow%pixelsPerBlock == 0 {
						row.end()
					}
					pixel(&row, oh, ow)
				}
				row.end()
				e.add(&row)
			}
		} else {
			for p := range s.OH * s.OW {
				if p%pixelsPerBlock == 0 {
					e.end()
				}
				pixel(&e, p/s.OW, p%s.OW)
			}
			e.end()
		}
		res.set(i, &e, Epilogue{}, 0)
	}
	return res
}
