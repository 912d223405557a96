package graph

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"gantry/internal/rng"
)

// pixelSpec has every type of layer of images in both networks, and each kind of
// step between them and layers of vectors. Images are not square.
const pixelSpec = `{"version": 1,
 "inputs": [{"name": "z", "size": 5, "distribution": "normal"}],
 "generator": [{"type": "linear", "units": 36}, {"type": "reshape", "shape": [6, 2, 3]}, {"type": "batch_norm"}, {"type": "relu"},
  {"type": "upsample", "factor": 2}, {"type": "conv", "channels": 5, "kernel": 3, "pad": 1}, {"type": "batch_norm"}, {"type": "tanh"},
  {"type": "dropout", "keep": 0.75}, {"type": "conv_transpose", "channels": 2, "kernel": 3, "stride": 2, "pad": 1, "output_pad": 1}, {"type": "sigmoid"}],
 "discriminator": [{"type": "conv", "channels": 3, "kernel": 4, "stride": 2, "pad": 1, "bias": false}, {"type": "leaky_relu", "alpha": 0.2, "name": "a"},
  {"type": "batch_norm"}, {"type": "leaky_relu", "alpha": 0.2}, {"type": "conv", "channels": 6, "kernel": 2}, {"type": "global_avg_pool"},
  {"type": "flatten"}, {"type": "linear", "units": 1}],
 "sample": {"shape": [2, 8, 12], "range": [0, 1]}}`

// A passCase is one training pass through the networks of pixelSpec, with the
// gradients of all parameters as a second segment.
type passCase struct {
	x, gy, y *gorgonia.Node
	grads    gorgonia.Nodes
	pass     Pass
}

func newPassCase(t *testing.T, m *Model, net *Net, c *Context, batch int) *passCase {
	t.Helper()
	g := gorgonia.NewGraph()
	p := &passCase{x: Input(g, "x", append([]int{batch}, net.Input...)...)}
	var err error
	if p.y, err = Build(g, net, p.x, Training, c, &p.pass); err != nil {
		t.Fatal(err)
	}
	p.gy = Input(g, "gy", p.y.Shape()...)
	wrt := gorgonia.Nodes{p.x}
	for _, q := range net.Trainable() {
		wrt = append(wrt, net.Node(g, q))
	}
	if p.grads, err = Grad(p.y, p.gy, wrt...); err != nil {
		t.Fatal(err)
	}
	rng.Normal(Floats(p.x), 1, rng.Augment, 0, 0)
	rng.Normal(Floats(p.gy), 1, rng.Augment, 1, 0)
	return p
}

func (p *passCase) results() [][]float32 {
	var all [][]float32
	for _, n := range append(gorgonia.Nodes{p.y}, p.grads...) {
		all = append(all, slices.Clone(Floats(n)))
	}
	return all
}

func sameResults(t *testing.T, what string, got, want [][]float32) {
	t.Helper()
	for i := range want {
		sameBits(t, fmt.Sprintf("%s: output %d", what, i), got[i], want[i])
	}
}

// TestMemory runs passes while everything that the plan calls dead is NaN: the
// bits are those of Gorgonia's machine, which shares nothing.
func TestMemory(t *testing.T) {
	m := newTestModel(t, pixelSpec, fanIn)
	for _, net := range []*Net{m.G, m.D} {
		p := newPassCase(t, m, net, &Context{Seed: 1}, 3)
		segments := []gorgonia.Nodes{{p.y}, p.grads[:1], p.grads[1:]}
		tape, err := NewTape(segments...)
		if err != nil {
			t.Fatal(err)
		}
		if err := tape.RunAll(); err != nil {
			t.Fatal(err)
		}
		want := p.results()
		vm, err := NewVM(segments...)
		if err != nil {
			t.Fatal(err)
		}
		mem := vm.(*machine).storage
		size := 0
		for _, b := range mem.buffers {
			size += b.Size
		}
		if len(mem.floats) >= size {
			t.Errorf("%s: %d floats of memory for buffers of %d in all: nothing is shared", net.Name, len(mem.floats), size)
		}
		poison := func(step int) {
			dead := slices.Repeat([]bool{true}, len(mem.floats))
			for i, b := range mem.buffers {
				if b.First <= step && step < b.Last {
					for j := range b.Size {
						dead[mem.offset[i]+j] = false
					}
				}
			}
			for i, d := range dead {
				if d {
					mem.floats[i] = float32(math.NaN())
				}
			}
		}
		fill(mem.floats, float32(math.NaN()))
		first := []int{0} // steps of the segments
		for _, s := range vm.(*machine).segments {
			first = append(first, first[len(first)-1]+len(s))
		}
		// A segment may run again, and leaves what later ones made and need.
		all := false
		for _, s := range []int{0, 1, 1, 2, 0, 2, 1, 0} {
			for i := range vm.(*machine).segments[s] {
				if err := vm.(*machine).segments[s][i].run(); err != nil {
					t.Fatal(err)
				}
				poison(first[s] + i)
			}
			if all = all || s == 2; all {
				sameResults(t, net.Name, p.results(), want)
			}
		}
	}
}
