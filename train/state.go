package train

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/models"
)

// A NamedTensor is one tensor of a trainer's state. Data has the product of
// Shape elements, in row-major order.
type NamedTensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// State returns every tensor that a step changes: the parameters of G and of D,
// running statistics included, under their names in the model ("g.2.weight"),
// then for each trainable one the solver's moments ("solver.g.2.weight.m" for
// Adam, and "solver.g.2.weight.v"), then the generator's moving average if there
// is one ("ema.g.2.weight"). The order is fixed. Data is live: it is the
// trainer's own memory, to be read between steps. Together with [Trainer.Steps]
// it is all that a run needs to go on exactly.
func (t *Trainer) State() []NamedTensor {
	ts := modelTensors(t.model)
	for _, s := range []*solver{t.solvers.g, t.solvers.d} {
		for _, x := range s.slots {
			if x.m != nil {
				ts = append(ts, NamedTensor{"solver." + x.name + ".m", x.shape, x.m})
			}
			ts = append(ts, NamedTensor{"solver." + x.name + ".v", x.shape, x.v})
		}
	}
	if t.ema != nil {
		ts = append(ts, averageTensors(t.ema.model)...)
	}
	return ts
}

// Restore sets the number of completed steps and the state. tensors are those
// of [Trainer.State], in any order; they are copied. If one is missing,
// unknown, twice there or of another shape, Restore says which and changes
// nothing.
func (t *Trainer) Restore(step int, tensors []NamedTensor) error {
	if step < 0 {
		return fmt.Errorf("train: restore: step is %d, want at least 0", step)
	}
	given := make(map[string]NamedTensor, len(tensors))
	for _, x := range tensors {
		if _, ok := given[x.Name]; ok {
			return fmt.Errorf("train: restore: tensor %q is there twice", x.Name)
		}
		given[x.Name] = x
	}
	state := t.State()
	for _, want := range state {
		got, ok := given[want.Name]
		switch {
		case !ok:
			return fmt.Errorf("train: restore: tensor %q is missing", want.Name)
		case !slices.Equal(got.Shape, want.Shape):
			return fmt.Errorf("train: restore: tensor %q has shape %v, want %v", want.Name, got.Shape, want.Shape)
		case len(got.Data) != models.Elements(want.Shape):
			return fmt.Errorf("train: restore: tensor %q has %d elements, want %d", want.Name, len(got.Data), models.Elements(want.Shape))
		}
		delete(given, want.Name)
	}
	for _, x := range tensors { // not the map, whose order changes
		if _, ok := given[x.Name]; ok {
			return fmt.Errorf("train: restore: tensor %q is unknown to this model and solver", x.Name)
		}
	}
	for _, x := range tensors {
		given[x.Name] = x
	}
	for _, to := range state {
		copy(to.Data, given[to.Name].Data)
	}
	t.step = step
	return nil
}

// A NonFiniteError says that a loss or a gradient is NaN or infinite. No weight
// has been updated with it.
type NonFiniteError struct {
	Step   int    // the step that failed, counted from 1
	Tensor string // "the discriminator's loss", "the gradient of g.2.weight"...
}

func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("train: step %d: %s is not finite", e.Step, e.Tensor)
}

// checkState returns a *NonFiniteError if an element of the state is not finite:
// finite gradients may still overflow a weight or, squared, a moment, which then
// stops its weight for ever without showing in any loss.
func (t *Trainer) checkState() error {
	for _, x := range t.State() {
		if !kernel.AllFinite(t.pool, x.Data) {
			return &NonFiniteError{t.step, x.Name}
		}
	}
	return nil
}

// checkLoss returns a *NonFiniteError if the loss is not finite.
func (t *Trainer) checkLoss(what string, loss *gorgonia.Node) error {
	if !kernel.AllFinite(nil, graph.Floats(loss)) {
		return &NonFiniteError{t.step + 1, what}
	}
	return nil
}

// checkGradients returns a *NonFiniteError if a gradient is not finite.
func (t *Trainer) checkGradients(s *solver, grads gorgonia.Nodes) error {
	for i, x := range s.slots {
		if !kernel.AllFinite(t.pool, graph.Floats(grads[i])) {
			return &NonFiniteError{t.step + 1, "the gradient of " + x.name}
		}
	}
	return nil
}
