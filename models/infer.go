package models

import (
	"fmt"
	"slices"
)

// Bounds on what a spec may ask for. They keep every product of sizes far from
// overflow, on 32-bit machines too, and refuse absurd files before anything is
// allocated.
const (
	maxLayers   = 1000    // per network
	maxElements = 1 << 24 // per sample, of any tensor
	maxParams   = 1 << 28 // per network
	maxRank     = 8
	maxKernel   = 1024 // also of strides and factors
	maxPack     = 1024 // samples that D judges at once
)

// Networks validates the spec, infers all shapes and returns both networks. An
// error names the network, the layer's number and type, what was seen and what
// was expected. The networks share no memory with s.
func (s *Spec) Networks() (g, d *Network, err error) {
	if err := s.check(); err != nil {
		return nil, nil, err
	}
	in := s.Inputs[0]
	g, err = build("generator", "g", in.Name, []int{in.Size}, s.Generator, s.Outputs.Generator)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Equal(g.Output, s.Sample.Shape) {
		return nil, nil, fmt.Errorf("models: generator: result is %v, want the sample's shape %v; end it with a reshape", g.Output, s.Sample.Shape)
	}
	packed := slices.Clone(s.Sample.Shape)
	packed[0] *= s.Packed()
	d, err = build("discriminator", "d", SampleInput, packed, s.Discriminator, s.Outputs.Discriminator)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Equal(d.Output, []int{1}) {
		return nil, nil, fmt.Errorf("models: discriminator: result is %v, want one logit, [1]", d.Output)
	}
	if last := d.Nodes[d.Out]; last.Type == Sigmoid {
		return nil, nil, fmt.Errorf("models: %s: leave it out, the losses take logits and apply the sigmoid themselves", d.where(d.Out, last.Layer))
	}
	return g, d, nil
}

// NewNetwork validates the layers of a network that is no part of a [Spec], such
// as a classifier, and infers all shapes, as [Spec.Networks] does. Its layers
// take samples of shape input, which they may call [SampleInput].
func NewNetwork(name, prefix string, input []int, layers []Layer) (*Network, error) {
	return build(name, prefix, SampleInput, input, layers, "")
}

// where names layer i in messages.
func (n *Network) where(i int, l Layer) string {
	if l.Name != "" {
		return fmt.Sprintf("%s layer %d %q (%s)", n.Name, i, clip(l.Name), plain(l.Type))
	}
	return fmt.Sprintf("%s layer %d (%s)", n.Name, i, plain(l.Type))
}

// build validates the layers of one network and infers their shapes. out is the
// name of the output layer, "" for the last.
func build(name, prefix, inputName string, input []int, layers []Layer, out string) (*Network, error) {
	if len(layers) < 1 || len(layers) > maxLayers {
		return nil, fmt.Errorf("models: %s: %d layers, want 1..%d", name, len(layers), maxLayers)
	}
	n := &Network{Name: name, Prefix: prefix, Input: slices.Clone(input), Out: len(layers) - 1}
	byName := map[string]int{inputName: -1}
	used := make([]bool, len(layers))
	params := 0
	for i, l := range cloneLayers(layers) {
		where := n.where(i, l)
		l.setDefaults()
		if err := l.check(); err != nil {
			return nil, fmt.Errorf("models: %s: %w", where, err)
		}
		node, err := n.node(i, l, byName)
		if err != nil {
			return nil, fmt.Errorf("models: %s: %w", where, err)
		}
		for _, p := range node.Params {
			if params += p.Elements(); params > maxParams {
				return nil, fmt.Errorf("models: %s: %s brings the network to %d parameters, want at most %d", where, p.Name, params, maxParams)
			}
		}
		if l.Name != "" {
			byName[l.Name] = i
		}
		for _, a := range node.Args {
			if a >= 0 {
				used[a] = true
			}
		}
		n.Nodes = append(n.Nodes, node)
	}
	if out != "" {
		i, ok := byName[out]
		if !ok || i < 0 {
			return nil, fmt.Errorf("models: spec.outputs.%s: %q is not the name of a layer", name, clip(out))
		}
		n.Out = i
	}
	used[n.Out] = true
	if i := slices.Index(used, false); i >= 0 {
		return nil, fmt.Errorf("models: %s: nothing uses its result", n.where(i, n.Nodes[i].Layer))
	}
	if n.NumParams() == 0 {
		return nil, fmt.Errorf("models: %s: nothing to train, want at least one layer with weights: %s, %s, %s, %s or %s", name, Linear, Maxout, Conv, ConvTranspose, BatchNorm)
	}
	n.Output = n.Nodes[n.Out].Out
	return n, nil
}

// node resolves the arguments of layer i and infers its result.
func (n *Network) node(i int, l Layer, byName map[string]int) (Node, error) {
	if l.Name != "" {
		if !wellFormed(l.Name) {
			return Node{}, fmt.Errorf("name %q: want a letter, then at most 63 letters, digits, \"_\" and \"-\"", clip(l.Name))
		}
		if j, ok := byName[l.Name]; ok && j < 0 {
			return Node{}, fmt.Errorf("name %q: that is the network's input", l.Name)
		} else if ok {
			return Node{}, fmt.Errorf("name %q: layer %d has it already", l.Name, j)
		}
	}
	id := l.Name
	if id == "" {
		id = fmt.Sprint(i)
	}
	node := Node{Layer: l, ID: n.Prefix + "." + id, Args: []int{i - 1}}
	if len(l.In) > 0 {
		if len(l.In) != 1 {
			return Node{}, fmt.Errorf("in: %d arguments, want 1", len(l.In))
		}
		j, ok := byName[l.In[0]]
		if !ok {
			return Node{}, fmt.Errorf("in: %q is neither the name of an earlier layer nor the network's input", clip(l.In[0]))
		}
		node.Args[0] = j
	}
	node.In = n.Input
	if a := node.Args[0]; a >= 0 {
		node.In = n.Nodes[a].Out
	}
	return node, node.infer()
}

// infer sets the shape of the node's result and its parameters.
func (n *Node) infer() error {
	features := Elements(n.In)
	switch n.Type {
	case Linear, Maxout:
		if len(n.In) != 1 {
			return fmt.Errorf("input is %v, want rank 1; put a flatten before it", n.In)
		}
	case BatchNorm:
		if len(n.In) != 1 && len(n.In) != 3 {
			return fmt.Errorf("input is %v, want [n] or [C, H, W]", n.In)
		}
	case Conv, ConvTranspose, Upsample, GlobalAvgPool:
		if len(n.In) != 3 {
			return fmt.Errorf("input is %v, want [C, H, W]; put a reshape before it", n.In)
		}
	}
	n.Out = n.In
	switch n.Type {
	case Linear:
		n.Out = []int{n.Units}
		return n.units(n.Units, features, n.Bias == nil || *n.Bias)
	case Maxout:
		n.Out = []int{n.Units}
		return n.units(n.Units*n.Pieces, features, true)
	case BatchNorm:
		for _, r := range []Role{Gamma, Beta, RunningMean, RunningVar} {
			n.param(r, 0, n.In[0])
		}
	case Conv, ConvTranspose:
		return n.convolution()
	case Upsample:
		return n.image(n.In[0], int64(n.In[1])*int64(n.Factor), int64(n.In[2])*int64(n.Factor))
	case GlobalAvgPool:
		n.Out = []int{n.In[0], 1, 1}
	case Flatten:
		n.Out = []int{features}
	case Reshape:
		if e := Elements(n.Shape); e != features {
			return fmt.Errorf("input is %v, %d elements, but shape %v has %d", n.In, features, n.Shape, e)
		}
		n.Out = slices.Clone(n.Shape)
	}
	return nil
}

// convolution infers a conv or conv_transpose. Its weight has ONNX's layout:
// [K C R S], and for conv_transpose [C K R S].
func (n *Node) convolution() error {
	c, h, w := n.In[0], n.In[1], n.In[2]
	taps := n.Kernel * n.Kernel
	shape := []int{n.Channels, c, n.Kernel, n.Kernel}
	size := func(in int) int64 { return int64((in+2*n.Pad-n.Kernel)/n.Stride) + 1 }
	if n.Type == Conv {
		if least := min(h, w) + 2*n.Pad; least < n.Kernel {
			return fmt.Errorf("kernel: %d, want at most %d, the smaller side of input %v with its pad", n.Kernel, least, n.In)
		}
	} else {
		shape[0], shape[1] = c, n.Channels
		size = func(in int) int64 {
			return int64(in-1)*int64(n.Stride) - int64(2*n.Pad) + int64(n.Kernel+n.OutputPad)
		}
		if least := size(min(h, w)); least < 1 {
			return fmt.Errorf("pad: %d, nothing is left of input %v: want a result of at least 1 pixel, got %d", n.Pad, n.In, least)
		}
	}
	if n.Channels > maxParams/taps/c {
		return fmt.Errorf("weight is %v, want at most %d elements", shape, maxParams)
	}
	fanIn := shape[1] * taps // PyTorch's, which for conv_transpose counts output channels
	n.param(Weight, fanIn, shape...)
	if *n.Bias {
		n.param(Bias, fanIn, n.Channels)
	}
	return n.image(n.Channels, size(h), size(w))
}

// image sets the shape of the result.
func (n *Node) image(c int, h, w int64) error {
	if most := int64(maxElements / c); h > most || w > most/h {
		return fmt.Errorf("result is %v, want at most %d elements", []int64{int64(c), h, w}, maxElements)
	}
	n.Out = []int{c, int(h), int(w)}
	return nil
}

// units adds the weight and, if there is one, the bias of units linear functions
// of features.
func (n *Node) units(units, features int, bias bool) error {
	if units > maxParams/features {
		return fmt.Errorf("weight is [%d %d], want at most %d elements", units, features, maxParams)
	}
	n.param(Weight, features, units, features)
	if bias {
		n.param(Bias, features, units)
	}
	return nil
}

func (n *Node) param(r Role, fanIn int, shape ...int) {
	n.Params = append(n.Params, Param{Name: n.ID + "." + r.String(), Shape: shape, Role: r, FanIn: fanIn})
}
