package models

// StepFlops returns the floating-point operations that a training step of a
// valid spec and recipe needs, where a multiplication with its addition counts
// as two. It counts the matrix products and convolutions, which are nearly all
// of it, each as often as Algorithm 1 of Goodfellow et al. 2014 cannot do
// without it: forward, the gradient of the weights and, where something that is
// trained lies below, the gradient of the data. D's weights have no gradient in
// G's update, and a pass that can serve two purposes counts once. Where k is 1
// and the update alternating, it is the count of bench/train_torch.py.
func StepFlops(s *Spec, r *Recipe) (int64, error) {
	gen, dis, err := s.Networks()
	if err != nil {
		return 0, err
	}
	g, gInner := gen.macs()
	d, dInner := dis.macs()
	k := int64(r.K)
	ofD := k*(2*(d+d)+2*dInner) + d // on real and on generated samples: forward, weights, data; and backward for G's update
	ofG := k*g + g + gInner         // forward for D's updates; backward for its own
	if r.GLatents == Fresh {
		ofG += g // of samples of its own
	}
	if r.Update != Simultaneous {
		ofD += d // and forward through the updated D
	}
	return 2 * (int64(r.Batch)*ofG + int64(r.Batch/s.Packed())*ofD), nil
}

// macs returns the multiply-adds of one sample's forward pass: of all layers,
// and of those above another layer with weights. The gradient of the data needs
// as many in each layer, but only the latter need it, unless it is wanted for
// the network's input.
func (n *Network) macs() (all, inner int64) {
	trained := make([]bool, len(n.Nodes)) // the node's result depends on a weight
	for i := range n.Nodes {
		node := &n.Nodes[i]
		below := false
		for _, a := range node.Args {
			below = below || a >= 0 && trained[a]
		}
		m := node.MultiplyAdds()
		all += m
		if below {
			inner += m
		}
		for _, p := range node.Params {
			trained[i] = trained[i] || p.Role.Trainable()
		}
		trained[i] = trained[i] || below
	}
	return all, inner
}

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
