package train

import (
	"gorgonia.org/gorgonia"

	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/internal/memory"
	"gantry/models"
)

// A solver updates the trainable parameters of one network in place. Its state,
// the moments, is all in its slots; how far its schedules are follows from the
// number of the update.
type solver struct {
	recipe *models.Solver
	lr     float32
	pool   *kernel.Pool
	slots  []slot
}

// A slot is one parameter and its moments.
type slot struct {
	name  string
	shape []int
	w     []float32
	m     []float32 // Adam: mean gradient; nil for SGD
	v     []float32 // Adam: mean square; SGD: velocity
}

func newSolver(r *models.Solver, lr float32, net *graph.Net, pool *kernel.Pool) *solver {
	s := &solver{recipe: r, lr: lr, pool: pool}
	for _, p := range net.Trainable() {
		x := slot{name: p.Name, shape: p.Shape, w: net.Tensor(p.Name).Float32s()}
		x.v = memory.Make[float32](len(x.w))
		if r.Type == models.Adam {
			x.m = memory.Make[float32](len(x.w))
		}
		s.slots = append(s.slots, x)
	}
	return s
}

// step applies one gradient for each slot. update counts the network's updates
// from 0 and epoch the passes through the data from 1.
func (s *solver) step(grads gorgonia.Nodes, update, epoch int) {
	r := s.recipe
	lr := learningRate(s.lr, r.LRDecay, r.LRMin, update)
	mom := momentum(r, epoch)
	for i := range s.slots {
		x, g := &s.slots[i], graph.Floats(grads[i])
		if r.Type == models.Adam {
			kernel.Adam(s.pool, x.w, g, x.m, x.v, lr, r.Beta1, r.Beta2, r.Eps, update+1)
		} else {
			kernel.Momentum(s.pool, x.w, g, x.v, lr, mom)
		}
	}
}
