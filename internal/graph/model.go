package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/memory"
	"gantry/models"
)

// A Model is a generator and a discriminator with their weights. Reading it
// from several goroutines is safe while nothing trains it.
type Model struct {
	Spec *models.Spec
	G, D *Net
}

// A Net is one network and its parameters, which every graph of it shares.
type Net struct {
	*models.Network
	params  []models.Param
	tensors map[string]*tensor.Dense
}

// NewModel returns a model of the spec with weights of zero and, for batch
// norms, a running variance of one. See [Model.Init].
func NewModel(spec *models.Spec) (*Model, error) {
	g, d, err := spec.Networks()
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	return &Model{Spec: spec, G: NewNet(g), D: NewNet(d)}, nil
}

// NewNet returns a network with weights of zero and, for batch norms, scales and a
// running variance of one. See [Net.Init].
func NewNet(network *models.Network) *Net {
	n := &Net{Network: network, tensors: map[string]*tensor.Dense{}}
	for _, node := range network.Nodes {
		for _, p := range node.Params {
			t := newTensor(p.Shape)
			if p.Role == models.RunningVar || p.Role == models.Gamma {
				fill(t.Float32s(), 1)
			}
			n.params = append(n.params, p)
			n.tensors[p.Name] = t
		}
	}
	return n
}

// CopyG returns a model that shares m's discriminator and has a generator of its
// own, with the values that m's has now.
func (m *Model) CopyG() *Model {
	c := &Model{Spec: m.Spec, G: NewNet(m.G.Network), D: m.D}
	for name, t := range m.G.tensors {
		copy(c.G.tensors[name].Float32s(), t.Float32s())
	}
	return c
}

// Params returns every parameter in the order of the layers, running
// statistics included.
func (n *Net) Params() []models.Param { return append([]models.Param(nil), n.params...) }

// Trainable returns the parameters that have gradients, in the order of the layers.
func (n *Net) Trainable() []models.Param {
	var ps []models.Param
	for _, p := range n.params {
		if p.Role.Trainable() {
			ps = append(ps, p)
		}
	}
	return ps
}

// Tensor returns the parameter of that name, such as "g.2.weight", or nil. It
// is the network's own memory in canonical layout.
func (n *Net) Tensor(name string) *tensor.Dense { return n.tensors[name] }

// Node returns the node that stands for parameter p in graph g, adding it the
// first time: all passes of a network through one graph share it.
func (n *Net) Node(g *gorgonia.ExprGraph, p models.Param) *gorgonia.Node {
	if old := g.ByName(p.Name); len(old) > 0 {
		return old[0]
	}
	return gorgonia.NewTensor(g, tensor.Float32, len(p.Shape), gorgonia.WithShape(p.Shape...),
		gorgonia.WithName(p.Name), gorgonia.WithValue(n.tensors[p.Name]))
}

// Input adds a float32 input of the given shape to a graph, with a zero tensor
// as its value. Names must be unique in a graph: Gorgonia merges inputs of one
// name and shape.
func Input(g *gorgonia.ExprGraph, name string, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...),
		gorgonia.WithName(name), gorgonia.WithValue(newTensor(shape)))
}

func newTensor(shape []int) *tensor.Dense {
	if len(shape) == 0 {
		return tensor.New(tensor.Of(tensor.Float32), tensor.WithShape())
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(memory.Make[float32](tensor.Shape(shape).TotalSize())))
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
