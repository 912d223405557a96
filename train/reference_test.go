package train

import (
	"fmt"
	"math"
	"slices"

	"gantry/internal/graph"
	"gantry/internal/rng"
	"gantry/models"
	"gantry/train/dataset"
)

// reference is Algorithm 1 of Goodfellow et al. 2014 in plain float64 loops,
// written without the trainer's graphs, kernels, solvers and schedules: what
// the trainer does must agree with it up to float32's rounding.
type reference struct {
	spec   *models.Spec
	recipe *models.Recipe
	data   dataset.Dataset
	seed   uint64
	step   int
	g, d   *refNet
}

// refNet is a network and the moments of its solver.
type refNet struct {
	*models.Network
	p, m, v map[string][]float64
	ema     map[string][]float64 // of p
	updates int
}

func newReference(model *graph.Model, r *models.Recipe, data dataset.Dataset, seed uint64) *reference {
	net := func(n *graph.Net) *refNet {
		x := &refNet{Network: n.Network, p: map[string][]float64{}, m: map[string][]float64{}, v: map[string][]float64{}, ema: map[string][]float64{}}
		for _, p := range n.Params() {
			for _, w := range n.Tensor(p.Name).Float32s() {
				x.p[p.Name] = append(x.p[p.Name], float64(w))
			}
			x.m[p.Name] = make([]float64, p.Elements())
			x.v[p.Name] = make([]float64, p.Elements())
			x.ema[p.Name] = slices.Clone(x.p[p.Name])
		}
		return x
	}
	return &reference{spec: model.Spec, recipe: r, data: data, seed: seed, g: net(model.G), d: net(model.D)}
}

// gradients of a network's parameters by name.
type gradients map[string][]float64

func (g gradients) add(name string, i, size int, v float64) {
	if g == nil {
		return // frozen
	}
	if g[name] == nil {
		g[name] = make([]float64, size)
	}
	g[name][i] += v
}

// backward takes the gradient of a result to that of the argument and adds the
// parameters' to g, unless g is nil.
type backward func(dy []float64, g gradients) []float64

// forward is one training pass of a batch of n samples.
func (t *refNet) forward(x []float64, n int, seed, pass uint64) ([]float64, backward) {
	var steps []backward
	for i := range t.Nodes {
		l := &t.Nodes[i]
		var back backward
		switch l.Type {
		case models.Linear, models.Maxout:
			x, back = t.linear(l, x, n)
			if l.Type == models.Maxout {
				steps = append(steps, back)
				x, back = maximum(x, l.Pieces)
			}
		case models.Conv, models.ConvTranspose:
			x, back = t.convolution(l, x, n)
		case models.Relu:
			x, back = pointwise(x, func(v float64) (float64, float64) { return max(v, 0), heaviside(v, 0) })
		case models.LeakyRelu:
			a := float64(l.Alpha)
			x, back = pointwise(x, func(v float64) (float64, float64) { return v * heaviside(v, a), heaviside(v, a) })
		case models.Tanh:
			x, back = pointwise(x, func(v float64) (float64, float64) { y := math.Tanh(v); return y, 1 - y*y })
		case models.Sigmoid:
			x, back = pointwise(x, func(v float64) (float64, float64) { y := sigmoid(v); return y, y * (1 - y) })
		case models.Dropout:
			sub := uint32(i)
			if t.Prefix == "d" {
				sub += 1 << 16
			}
			mask := make([]float32, len(x)/n)
			k := 0
			row := -1
			x, back = pointwise(x, func(v float64) (float64, float64) {
				if k/len(mask) != row {
					row = k / len(mask)
					rng.Keep(mask, l.Keep, l.Scale, seed, rng.Dropout, sub, pass*uint64(n)+uint64(row))
				}
				m := float64(mask[k%len(mask)])
				k++
				return v * m, m
			})
		case models.BatchNorm:
			x, back = t.batchNorm(l, x, n)
		case models.Reshape, models.Flatten:
			continue
		default:
			panic("no reference for " + l.Type)
		}
		steps = append(steps, back)
	}
	return x, func(dy []float64, g gradients) []float64 {
		for i := len(steps) - 1; i >= 0; i-- {
			dy = steps[i](dy, g)
		}
		return dy
	}
}

func heaviside(x, below float64) float64 {
	if x > 0 {
		return 1
	}
	return below
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// pointwise applies f, which returns a value and a slope.
func pointwise(x []float64, f func(float64) (y, slope float64)) ([]float64, backward) {
	y, slope := make([]float64, len(x)), make([]float64, len(x))
	for i, v := range x {
		y[i], slope[i] = f(v)
	}
	return y, func(dy []float64, _ gradients) []float64 {
		dx := make([]float64, len(x))
		for i := range dx {
			dx[i] = dy[i] * slope[i]
		}
		return dx
	}
}

func (t *refNet) linear(l *models.Node, x []float64, n int) ([]float64, backward) {
	wn, bn := l.Params[0].Name, ""
	w, b := t.p[wn], make([]float64, l.Params[0].Shape[0])
	if len(l.Params) > 1 {
		bn = l.Params[1].Name
		b = t.p[bn]
	}
	in, out := len(x)/n, len(b)
	w = append([]float64(nil), w...) // as it is now: the backward pass may come after an update
	y := make([]float64, n*out)
	for r := range n {
		for o := range out {
			s := b[o]
			for i := range in {
				s += x[r*in+i] * w[o*in+i]
			}
			y[r*out+o] = s
		}
	}
	return y, func(dy []float64, g gradients) []float64 {
		dx := make([]float64, len(x))
		for r := range n {
			for o := range out {
				d := dy[r*out+o]
				if bn != "" {
					g.add(bn, o, len(b), d)
				}
				for i := range in {
					g.add(wn, o*in+i, len(w), d*x[r*in+i])
					dx[r*in+i] += d * w[o*in+i]
				}
			}
		}
		return dx
	}
}

func maximum(x []float64, pieces int) ([]float64, backward) {
	y, at := make([]float64, len(x)/pieces), make([]int, len(x)/pieces)
	for u := range y {
		at[u] = u * pieces
		for i := range pieces {
			if x[u*pieces+i] > x[at[u]] {
				at[u] = u*pieces + i
			}
		}
		y[u] = x[at[u]]
	}
	return y, func(dy []float64, _ gradients) []float64 {
		dx := make([]float64, len(x))
		for u, i := range at {
			dx[i] = dy[u]
		}
		return dx
	}
}

func (t *refNet) batchNorm(l *models.Node, x []float64, n int) ([]float64, backward) {
	c := l.In[0]
	px := len(x) / n / c
	rows := n * px
	at := func(r, j int) int { return (r/px*c+j)*px + r%px } // row r is pixel r%px of sample r/px
	name := func(i int) string { return l.Params[i].Name }
	gamma, beta, mean, variance := t.p[name(0)], t.p[name(1)], t.p[name(2)], t.p[name(3)]
	y, h, inv := make([]float64, len(x)), make([]float64, len(x)), make([]float64, c)
	for j := range c {
		m, v := 0.0, 0.0
		for r := range rows {
			m += x[at(r, j)] / float64(rows)
		}
		for r := range rows {
			v += (x[at(r, j)] - m) * (x[at(r, j)] - m) / float64(rows)
		}
		inv[j] = 1 / math.Sqrt(v+float64(l.Eps))
		for r := range rows {
			h[at(r, j)] = (x[at(r, j)] - m) * inv[j]
			y[at(r, j)] = h[at(r, j)]*gamma[j] + beta[j]
		}
		a := float64(l.Momentum)
		mean[j] = (1-a)*mean[j] + a*m
		variance[j] = (1-a)*variance[j] + a*v*float64(rows)/float64(rows-1)
	}
	scale := append([]float64(nil), gamma...)
	return y, func(dy []float64, g gradients) []float64 {
		dx := make([]float64, len(x))
		for j := range c {
			s, sh := 0.0, 0.0
			for r := range rows {
				s += dy[at(r, j)]
				sh += dy[at(r, j)] * h[at(r, j)]
			}
			g.add(name(0), j, c, sh)
			g.add(name(1), j, c, s)
			for r := range rows {
				dx[at(r, j)] = scale[j] * inv[j] * (dy[at(r, j)] - s/float64(rows) - h[at(r, j)]*sh/float64(rows))
			}
		}
		return dx
	}
}

// bce is the mean binary cross entropy of logits against one target, times
// scale, and its gradient.
func bce(x []float64, target, scale float64) (float64, []float64) {
	loss, dx := 0.0, make([]float64, len(x))
	for i, v := range x {
		p := sigmoid(v)
		loss -= scale * (target*math.Log(p) + (1-target)*math.Log(1-p)) / float64(len(x))
		dx[i] = scale * (p - target) / float64(len(x))
	}
	return loss, dx
}

// update applies one gradient, as the recipe's solver defines it.
func (t *refNet) update(s *models.Solver, lr float64, grads gradients, epoch int) {
	if s.LRDecay != 0 {
		lr = max(lr/math.Pow(s.LRDecay, float64(t.updates)), float64(s.LRMin))
	}
	mom := float64(s.Momentum)
	if s.MomentumSaturate > 0 {
		a := float64(epoch-s.MomentumStart) / float64(s.MomentumSaturate-s.MomentumStart)
		a = min(max(a, 0), 1)
		mom = (1-a)*mom + a*float64(s.MomentumFinal)
	}
	t.updates++
	for name, g := range grads {
		w, m, v := t.p[name], t.m[name], t.v[name]
		for i, d := range g {
			if s.Type == models.SGD {
				v[i] = mom*v[i] - lr*d
				w[i] += v[i]
				continue
			}
			b1, b2 := s.Beta1, s.Beta2
			m[i] = b1*m[i] + (1-b1)*d
			v[i] = b2*v[i] + (1-b2)*d*d
			mh := m[i] / (1 - math.Pow(b1, float64(t.updates)))
			vh := v[i] / (1 - math.Pow(b2, float64(t.updates)))
			w[i] -= lr * mh / (math.Sqrt(vh) + float64(s.Eps))
		}
	}
}

// batch returns the real samples of a batch, in the networks' range.
func (t *reference) batch(b int) []float64 {
	n, size := t.recipe.Batch, models.Elements(t.data.Shape())
	lo, hi := float64(t.spec.Sample.Range[0]), float64(t.spec.Sample.Range[1])
	var x []float64
	for i := range n {
		s := b*n + i
		order := make([]uint32, t.data.Len())
		rng.Permutation(order, t.seed, rng.Order, uint64(s/t.data.Len()))
		img := make([]float32, size)
		if err := t.data.Read(img, []int{int(order[s%t.data.Len()])}); err != nil {
			panic(err)
		}
		for _, v := range img {
			x = append(x, lo+(hi-lo)*float64(v))
		}
	}
	return x
}

// noise returns a batch of latents.
func (t *reference) noise(b int) []float64 {
	in := t.spec.Inputs[0]
	var z []float64
	for i := range t.recipe.Batch {
		row := make([]float32, in.Size)
		index := uint64(b*t.recipe.Batch + i)
		if in.Distribution == models.Normal {
			rng.Normal(row, t.seed, rng.TrainLatent, 0, index)
		} else {
			rng.Uniform(row, in.Bounds[0], in.Bounds[1], t.seed, rng.TrainLatent, 0, index)
		}
		for _, v := range row {
			z = append(z, float64(v))
		}
	}
	return z
}

// opinion is the mean probability that D's logits give.
func opinion(logits []float64) float64 {
	p := 0.0
	for _, x := range logits {
		p += sigmoid(x) / float64(len(logits))
	}
	return p
}

// run does one iteration and returns its figures.
func (t *reference) run() (s Stats) {
	r, n, k := t.recipe, t.recipe.Batch, t.recipe.K
	packs := n / max(t.spec.Pack, 1) // a row of D is the elements of as many samples, one after the other
	perStep := k
	if r.GLatents == models.Fresh {
		perStep = k + 1
	}
	pass := uint64(t.step * (2*k + 1))
	epoch := func(j int) int { return (t.step*k+j)*n/t.data.Len() + 1 }
	gLoss := func(logits []float64) (float64, []float64) {
		if r.GLoss == models.Minimax {
			return bce(logits, 0, -float64(r.GLossScale))
		}
		return bce(logits, 1, float64(r.GLossScale))
	}
	var fake, logits []float64
	var backG, backFake backward
	for j := range k {
		z := t.step*perStep + j
		fake, backG = t.g.forward(t.noise(z), n, t.seed, uint64(z))
		onReal, backReal := t.d.forward(t.batch(t.step*k+j), packs, t.seed, pass+uint64(2*j))
		logits, backFake = t.d.forward(fake, packs, t.seed, pass+uint64(2*j+1))
		l1, d1 := bce(onReal, 1, float64(r.DLossScale))
		l0, d0 := bce(logits, 0, float64(r.DLossScale))
		s.LossD, s.Dx, s.DGz1 = l1+l0, opinion(onReal), opinion(logits)
		grads := gradients{}
		backReal(d1, grads)
		backFake(d0, grads)
		if r.Update == models.Simultaneous && j == k-1 { // G's gradient through the old D, the same masks
			var dy []float64
			s.LossG, dy = gLoss(logits)
			s.DGz2 = s.DGz1
			gg := gradients{}
			backG(backFake(dy, nil), gg)
			t.d.update(&r.Solver, float64(r.Solver.DLR), grads, epoch(j))
			t.g.update(&r.Solver, float64(r.Solver.GLR), gg, epoch(j))
			t.average()
			t.step++
			s.Step = t.step
			return s
		}
		t.d.update(&r.Solver, float64(r.Solver.DLR), grads, epoch(j))
	}
	if r.GLatents == models.Fresh {
		z := t.step*perStep + k
		fake, backG = t.g.forward(t.noise(z), n, t.seed, uint64(z))
	}
	logits, backFake = t.d.forward(fake, packs, t.seed, pass+uint64(2*k))
	var dy []float64
	s.LossG, dy = gLoss(logits)
	s.DGz2 = opinion(logits)
	gg := gradients{}
	backG(backFake(dy, nil), gg)
	t.g.update(&r.Solver, float64(r.Solver.GLR), gg, epoch(k-1))
	t.average()
	t.step++
	s.Step = t.step
	return s
}

// average moves the average of G towards G: StyleGAN2-ADA's training_loop, with
// its ema_rampup of 0.05.
func (t *reference) average() {
	n := float64(t.recipe.Batch)
	life := min(float64(t.recipe.EMA.HalfLifeImages), 0.05*n*float64(t.step))
	beta := math.Pow(0.5, n/max(life, 1e-8))
	for name, w := range t.g.p {
		for i, e := range t.g.ema[name] {
			t.g.ema[name][i] = beta*e + (1-beta)*w[i]
		}
	}
}

// state returns a tensor of the trainer's state by its name.
func (t *reference) state(name string) []float64 {
	for _, n := range []*refNet{t.g, t.d} {
		if x, ok := n.p[name]; ok {
			return x
		}
		for p := range n.p {
			switch name {
			case "solver." + p + ".m":
				return n.m[p]
			case "solver." + p + ".v":
				return n.v[p]
			case "ema." + p:
				return n.ema[p]
			}
		}
	}
	panic(fmt.Sprintf("no tensor %q", name))
}
