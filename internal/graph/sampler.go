package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"gantry/internal/kernel"
	"gantry/models"
)

// A Sampler is the generator's graph in sampling mode at one batch size: batch
// norms use their running statistics and dropout does nothing. It reads the
// model's weights as they are when it runs. One goroutine at a time.
type Sampler struct {
	vm    Machine
	batch int
	x, y  *gorgonia.Node
}

// NewSampler returns a sampler for batches of the given size. A nil pool is serial.
func NewSampler(m *Model, batch int, pool *kernel.Pool) (*Sampler, error) {
	return newSampler(m.G, "z", batch, pool)
}

// NewJudge is NewSampler for the discriminator: Run takes samples, packed if
// the spec says so, and returns their logits.
func NewJudge(m *Model, batch int, pool *kernel.Pool) (*Sampler, error) {
	return newSampler(m.D, models.SampleInput, batch, pool)
}

func newSampler(net *Net, input string, batch int, pool *kernel.Pool) (*Sampler, error) {
	if batch < 1 {
		return nil, fmt.Errorf("graph: sampler: batch is %d, want at least 1", batch)
	}
	g := gorgonia.NewGraph()
	x := Input(g, input, append([]int{batch}, net.Input...)...)
	y, err := Build(g, net, x, Sampling, &Context{Pool: pool}, nil)
	if err != nil {
		return nil, err
	}
	vm, err := NewVM(gorgonia.Nodes{y})
	if err != nil {
		return nil, err
	}
	return &Sampler{vm: vm, batch: batch, x: x, y: y}, nil
}

// Input returns the node of the latents, [batch, z...], named "z".
func (s *Sampler) Input() *gorgonia.Node { return s.x }

// Output returns the node of the samples, [batch, sample...].
func (s *Sampler) Output() *gorgonia.Node { return s.y }

// Run returns the samples of one batch of latents. The result is the sampler's
// memory and lasts until the next Run.
func (s *Sampler) Run(z []float32) ([]float32, error) {
	x := Floats(s.x)
	if len(z) != len(x) {
		return nil, fmt.Errorf("graph: sampler: got %d values, want %d", len(z), len(x))
	}
	copy(x, z)
	if err := s.vm.Run(0); err != nil {
		return nil, err
	}
	return Floats(s.y), nil
}
