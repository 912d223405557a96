package models

import "slices"

// MultiplyAdds returns the multiplications, each with an addition, that the
// layer needs for one sample: weights times pixels of the smaller grid for
// convolutions, weights for linear and maxout. The others count nothing.
func (n *Node) MultiplyAdds() int64 {
	switch n.Type {
	case Linear, Maxout, Conv:
		return int64(n.Params[0].Elements()) * int64(Elements(n.Out)/n.Out[0])
	case ConvTranspose:
		return int64(n.Params[0].Elements()) * int64(Elements(n.In)/n.In[0])
	}
	return 0
}

// StepFLOP returns the floating-point operations that one training step of the
// recipe needs in multiply-adds, of two operations each. A layer takes its
// multiply-adds once forward, once for the gradient of its weights and once for
// that of its input, if a gradient is wanted; G's update needs none of D's weights.
// The spec and the recipe must be valid.
func StepFLOP(s *Spec, r *Recipe) (float64, error) {
	g, d, err := s.Networks()
	if err != nil {
		return 0, err
	}
	if err := r.Validate(); err != nil {
		return 0, err
	}
	gAll, gFirst := g.multiplyAdds()
	dAll, dFirst := d.multiplyAdds()
	generate := float64(r.K) // forward passes of G
	if r.GLatents == Fresh {
		generate++
	}
	discriminate := float64(2 * float64(r.K) * (float64(3*dAll) - dFirst)) // on real and on generated samples
	deceive := 2 * dAll                                                    // forward, then back to the samples
	if r.Update == Simultaneous {
		deceive = dAll // D's forward pass serves both
	}
	step := float64(generate*gAll) + discriminate + deceive + float64(2*gAll) - gFirst
	return 2 * float64(r.Batch) * step, nil
}

// multiplyAdds returns the sum over all layers, and over those whose input has
// no weights before it and so needs no gradient in an update.
func (n *Network) multiplyAdds() (all, first float64) {
	trained := make([]bool, len(n.Nodes)) // a weight stands in or before the layer
	for i := range n.Nodes {
		l := &n.Nodes[i]
		before := slices.ContainsFunc(l.Args, func(a int) bool { return a >= 0 && trained[a] })
		trained[i] = before || len(l.Params) > 0
		count := float64(l.MultiplyAdds())
		all += count
		if !before {
			first += count
		}
	}
	return all, first
}
