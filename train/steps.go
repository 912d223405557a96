package train

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"gantry/internal/graph"
	"gantry/models"
)

// The three graphs of a training step. They wrap the same weights, and what one
// hands to another is bound, not copied; images are in HWNC if D's layers want
// them so:
//
//	generator      z -> fake                          then ∂L_G/∂fake -> gradients of G
//	discriminator  real, fake -> L_D, gradients of D by the pass through real and by that through fake
//	adversary      fake -> L_G, ∂L_G/∂fake            through D, whose weights are frozen
//
// In an alternating step the adversary is a graph of its own that runs on the
// updated D. In a simultaneous step it is a second segment of the discriminator's
// graph, with the same pass of fake through D: the same activations, the same
// dropout masks. D's graphs take packs of samples, if the spec has them.

// generatorGraph is G with its backward pass fed from outside.
type generatorGraph struct {
	z, gfake *gorgonia.Node
	fake     *gorgonia.Node
	grads    gorgonia.Nodes
	pass     graph.Pass
	vm       graph.Machine // segments: fake; grads
}

// discriminatorGraph is D on a batch of real and a batch of generated samples.
type discriminatorGraph struct {
	x      [2]*gorgonia.Node // real, fake
	logits [2]*gorgonia.Node
	loss   *gorgonia.Node
	grads  [2]gorgonia.Nodes // of each pass; their sums are those of the loss
	pass   [2]graph.Pass
	vm     graph.Machine // segments: loss, grads; in a simultaneous step also the adversary's
}

// adversaryGraph is G's loss as a function of the generated samples.
type adversaryGraph struct {
	fake   *gorgonia.Node
	logits *gorgonia.Node
	loss   *gorgonia.Node
	gfake  *gorgonia.Node
	pass   *graph.Pass
	vm     graph.Machine
	at     int // the segment of vm
}

// A workshop is what building a graph needs.
type workshop struct {
	model   *graph.Model
	recipe  *models.Recipe
	context *graph.Context
	machine func(...gorgonia.Nodes) (graph.Machine, error)
}

func (s *workshop) generator() (*generatorGraph, error) {
	net, batch := s.model.G, s.recipe.Batch
	g := gorgonia.NewGraph()
	t := &generatorGraph{z: graph.Input(g, "z", shape(batch, net.Input)...)}
	t.pass.HWNC = s.model.D.OfPixels()
	var err error
	if t.fake, err = graph.Build(g, net, t.z, graph.Training, s.context, &t.pass); err != nil {
		return nil, err
	}
	t.gfake = graph.Input(g, "gradient of fake", t.fake.Shape()...)
	if t.grads, err = graph.Grad(t.fake, t.gfake, trainable(g, net)...); err != nil {
		return nil, err
	}
	t.vm, err = s.machine(gorgonia.Nodes{t.fake}, t.grads)
	return t, err
}

// discriminator returns D's graph and the adversary's.
func (s *workshop) discriminator() (*discriminatorGraph, *adversaryGraph, error) {
	net, r := s.model.D, s.recipe
	g := gorgonia.NewGraph()
	t := &discriminatorGraph{}
	t.pass[1].HWNC = net.OfPixels() // real samples come as they are in data sets
	var losses [2]*gorgonia.Node
	for i, name := range []string{"real", "fake"} {
		t.x[i] = s.samples(g, name, &t.pass[i])
		var err error
		if t.logits[i], err = graph.Build(g, net, t.x[i], graph.Training, s.context, &t.pass[i]); err != nil {
			return nil, nil, err
		}
		sign := float32(2*i - 1) // BCE(real, 1) = softplus(-real), BCE(fake, 0) = softplus(fake)
		if losses[i], err = graph.Softplus(s.context, t.logits[i], sign, r.DLossScale); err != nil {
			return nil, nil, err
		}
		if t.grads[i], err = graph.Grad(losses[i], one(g), trainable(g, net)...); err != nil {
			return nil, nil, err
		}
	}
	var err error
	if t.loss, err = graph.Add(s.context, losses[0], losses[1]); err != nil {
		return nil, nil, err
	}
	segments := []gorgonia.Nodes{slices.Concat(gorgonia.Nodes{t.loss, t.logits[0], t.logits[1]}, t.grads[0], t.grads[1])}
	if r.Update != models.Simultaneous {
		if t.vm, err = s.machine(segments...); err != nil {
			return nil, nil, err
		}
		a, err := s.adversary()
		return t, a, err
	}
	a := &adversaryGraph{fake: t.x[1], logits: t.logits[1], pass: &t.pass[1], at: 1}
	if err := s.generatorLoss(a); err != nil {
		return nil, nil, err
	}
	t.vm, err = s.machine(append(segments, gorgonia.Nodes{a.loss, a.gfake})...)
	a.vm = t.vm
	return t, a, err
}

// adversary returns the adversary as a graph of its own.
func (s *workshop) adversary() (*adversaryGraph, error) {
	net := s.model.D
	g := gorgonia.NewGraph()
	a := &adversaryGraph{pass: &graph.Pass{HWNC: net.OfPixels()}}
	a.fake = s.samples(g, "fake", a.pass)
	var err error
	if a.logits, err = graph.Build(g, net, a.fake, graph.Training, s.context, a.pass); err != nil {
		return nil, err
	}
	if err = s.generatorLoss(a); err != nil {
		return nil, err
	}
	a.vm, err = s.machine(gorgonia.Nodes{a.loss, a.logits, a.gfake})
	return a, err
}

// samples adds the input of a pass through D.
func (s *workshop) samples(g *gorgonia.ExprGraph, name string, pass *graph.Pass) *gorgonia.Node {
	in := s.model.D.Input
	packs := s.recipe.Batch / s.model.Spec.Packed()
	if pass.HWNC {
		return graph.Input(g, name, in[1], in[2], packs, in[0])
	}
	return graph.Input(g, name, shape(packs, in)...)
}

// generatorLoss adds G's loss on the logits and its gradient with respect to fake.
func (s *workshop) generatorLoss(a *adversaryGraph) error {
	sign, scale := float32(-1), s.recipe.GLossScale // BCE(fake, 1)
	if s.recipe.GLoss == models.Minimax {
		sign, scale = 1, -scale // -BCE(fake, 0)
	}
	var err error
	if a.loss, err = graph.Softplus(s.context, a.logits, sign, scale); err != nil {
		return err
	}
	gs, err := graph.Grad(a.loss, one(a.fake.Graph()), a.fake)
	if err != nil {
		return err
	}
	a.gfake = gs[0]
	return nil
}

// trainable returns the nodes of a network's trainable parameters in a graph.
func trainable(g *gorgonia.ExprGraph, net *graph.Net) gorgonia.Nodes {
	var ns gorgonia.Nodes
	for _, p := range net.Trainable() {
		ns = append(ns, net.Node(g, p))
	}
	return ns
}

// one is the gradient of a loss with respect to itself.
func one(g *gorgonia.ExprGraph) *gorgonia.Node {
	n := graph.Input(g, "one", 1)
	graph.Floats(n)[0] = 1
	return n
}

func shape(batch int, sample []int) []int { return append([]int{batch}, sample...) }

// bind makes the elements of another graph's node the value of an input. Where
// the shapes differ, one is of samples and the other of packs of samples, whose
// elements have the same order in NCHW and in HWNC.
func bind(input, value *gorgonia.Node) error {
	if &graph.Floats(input)[0] == &graph.Floats(value)[0] {
		return nil
	}
	v := value.Value()
	if !input.Shape().Eq(value.Shape()) {
		v = graph.View(value, input.Shape())
	}
	if err := gorgonia.Let(input, v); err != nil {
		return fmt.Errorf("train: %s: %w", input.Name(), err)
	}
	return nil
}
