package graph

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gantry/internal/rng"
	"gantry/models"
)

// Init sets every parameter to its value at step 0: weights, biases and the
// scales of batch norms as init says; their shift is 0, mean 0 and variance 1.
// Parameter i, of the generator's in order and then the discriminator's, is
// drawn from stream [rng.Init] with sub i and index 0.
//
// marginals are the mean of each element of the data in [0,1], which
// init.GOutputBias "marginals" needs: the bias of the generator's output layer
// becomes what gives the mean image where the layer's input is zero
// (Goodfellow's code for the 2014 paper). The generator must end in linear and
// sigmoid with range [0,1] or in linear and tanh with range [-1,1]; only
// reshape and flatten may stand after or between them. They may be nil otherwise.
func (m *Model) Init(init models.Init, seed uint64, marginals []float32) error {
	if err := m.G.init(init.G, init.GammaStd, seed, 0); err != nil {
		return err
	}
	if err := m.D.init(init.D, init.GammaStd, seed, uint32(len(m.G.params))); err != nil {
		return err
	}
	if init.GOutputBias == models.Marginals {
		return m.initOutputBias(marginals)
	}
	return nil
}

// Init sets every parameter of a network by itself as [Model.Init] sets those of
// a generator: d is the distribution of its weights and biases.
func (n *Net) Init(d models.Distribution, seed uint64) error { return n.init(d, 0, seed, 0) }

// init draws parameter i with sub first+i.
func (n *Net) init(d models.Distribution, gammaStd float32, seed uint64, first uint32) error {
	for i, p := range n.params {
		if err := initParam(n.Tensor(p.Name).Float32s(), p, d, gammaStd, seed, first+uint32(i)); err != nil {
			return err
		}
	}
	return nil
}

func initParam(w []float32, p models.Param, d models.Distribution, gammaStd float32, seed uint64, sub uint32) error {
	switch p.Role {
	case models.Gamma:
		rng.Normal(w, seed, rng.Init, sub, 0)
		for i, x := range w {
			w[i] = 1 + float32(gammaStd*x)
		}
		return nil
	case models.RunningVar:
		fill(w, 1)
		return nil
	case models.Beta, models.RunningMean:
		clear(w)
		return nil
	}
	switch {
	case d.Type == models.FanInUniform:
		bound := float32(1 / math.Sqrt(float64(p.FanIn)))
		rng.Uniform(w, -bound, bound, seed, rng.Init, sub, 0)
	case p.Role == models.Bias:
		clear(w)
	case d.Type == models.Uniform:
		rng.Uniform(w, -d.Scale, d.Scale, seed, rng.Init, sub, 0)
	case d.Type == models.Normal:
		rng.Normal(w, seed, rng.Init, sub, 0)
		for i := range w {
			w[i] *= d.Scale
		}
	default:
		return fmt.Errorf("graph: init: unknown distribution %q", d.Type)
	}
	return nil
}

// initOutputBias sets the bias of the generator's output layer to the inverse of
// its activation at the marginals: logit(p), or for tanh, whose result is 2p-1,
// artanh(2p-1) = logit(p)/2.
func (m *Model) initOutputBias(marginals []float32) error {
	var end []*models.Node // the last two layers that compute, the last one first
	for i := m.G.Out; i >= 0 && len(end) < 2; i = m.G.Nodes[i].Args[0] {
		if l := &m.G.Nodes[i]; l.Type != models.Reshape && l.Type != models.Flatten {
			end = append(end, l)
		}
	}
	var seen []string
	for _, l := range slices.Backward(end) {
		seen = append(seen, l.Type)
	}
	seen = append(seen, fmt.Sprint("range ", m.Spec.Sample.Range))
	scale := float32(1)
	switch s := strings.Join(seen, ", "); s {
	case "linear, sigmoid, range [0 1]":
	case "linear, tanh, range [-1 1]":
		scale = 0.5
	default:
		return fmt.Errorf(`graph: init: output bias %q: the generator ends in %s, want "linear, sigmoid, range [0 1]" or "linear, tanh, range [-1 1]"`, models.Marginals, s)
	}
	for _, p := range end[1].Params {
		if p.Role != models.Bias {
			continue
		}
		b := m.G.Tensor(p.Name).Float32s()
		if len(b) != len(marginals) {
			return fmt.Errorf("graph: init: %s has %d elements, but the data's mean has %d", p.Name, len(b), len(marginals))
		}
		for j, p := range marginals {
			b[j] = scale * logit(p)
		}
	}
	return nil
}

// logit returns log(p/(1-p)) for p clipped to [1e-7, 1-1e-7], the same bits on
// every machine: the logarithm of q = f·2^e, with f within a factor √2 of 1, is
// e·ln 2 + 2·artanh(t) for t = (f-1)/(f+1), whose series ends after 12 terms
// because |t| < 0.172.
func logit(p float32) float32 {
	c := min(max(float64(p), 1e-7), 1-1e-7)
	f, e := math.Frexp(c / (1 - c))
	if f < math.Sqrt2/2 {
		f, e = 2*f, e-1
	}
	t := (f - 1) / (f + 1)
	t2 := float64(t * t)
	s := 0.0
	for k := 23; k >= 1; k -= 2 {
		s = float64(s*t2) + 1/float64(k)
	}
	return float32(float64(float64(e)*math.Ln2) + float64(2*t*s))
}
