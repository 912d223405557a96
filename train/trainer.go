// Package train trains a generative adversarial network and keeps its run
// directory.
//
// # Concepts
//
// A [Trainer] runs Algorithm 1 of Goodfellow et al. 2014 one [Trainer.Step] at a
// time. What a step does is a function of (spec, recipe, data, seed, step): its
// images, latents and dropout masks are addressed, not drawn, so [Trainer.State]
// and the number of steps are all that a run needs to go on exactly.
// [Trainer.Restore] puts them back. [Options] change the speed and no bit of the
// result.
//
// [Run] is the loop around it: checkpoints, samples, figures and the run
// directory.
package train

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/models"
	"gantry/train/dataset"
)

// Machines that a step's graphs can run on, [Options.VM].
const (
	GantryVM = "gantry" // Gantry's own machine, which allocates nothing
	TapeVM   = "tape"   // Gorgonia's TapeMachine: the same bits, more slowly
)

// Options are what changes how fast a training runs, but not a bit of its result.
type Options struct {
	Threads int    // threads of the kernels; 0 means 1
	VM      string // GantryVM or TapeVM; "" means GantryVM
}

// Stats are the figures of one step. The losses and probabilities of the
// discriminator are those of its last update in the step.
type Stats struct {
	Step  int     // number of completed steps
	LossD float64 // before the update
	LossG float64 // before the update
	Dx    float64 // mean probability that D gives real samples
	DGz1  float64 // and generated ones, before D's update
	DGz2  float64 // and generated ones, as G's update sees them
}

// A Trainer runs Algorithm 1 of Goodfellow et al. 2014, "Generative adversarial
// nets". It is used by one goroutine at a time.
//
// Everything it does is a function of (spec, recipe, data, seed): with k updates
// of D in a step, update j of step t (both from 0) takes the real images of
// batch t·k+j and the latents of batch t·k+j. With g_latents "same", G's update
// uses the latents of D's last update in the step; with "fresh" it has a batch
// of its own, and a step takes k+1 of them. The passes through D are numbered
// t·(2k+1) + 2j for real samples, one more for generated ones, and t·(2k+1) + 2k
// for G's update; those through G by their batch of latents.
type Trainer struct {
	spec   *models.Spec
	recipe *models.Recipe
	data   dataset.Dataset
	seed   uint64
	step   int

	model   *graph.Model
	pool    *kernel.Pool
	real    *batches
	latents *latents
	g       *generatorGraph
	d       *discriminatorGraph
	a       *adversaryGraph
	solvers struct{ g, d *solver }
	ema     *average // nil: none
}

// NewTrainer returns a trainer with initialised weights at step 0. It keeps spec
// and recipe, which must not be changed. Close it after use.
func NewTrainer(spec *models.Spec, recipe *models.Recipe, data dataset.Dataset, seed uint64, o Options) (*Trainer, error) {
	if err := recipe.Validate(); err != nil {
		return nil, err
	}
	model, err := graph.NewModel(spec)
	if err != nil {
		return nil, err
	}
	if err := suits(spec, recipe, data); err != nil {
		return nil, err
	}
	machine := graph.NewVM
	switch o.VM {
	case "", GantryVM:
	case TapeVM:
		machine = graph.NewTape
	default:
		return nil, fmt.Errorf("train: unknown machine %q, want %q or %q", o.VM, GantryVM, TapeVM)
	}
	if o.Threads < 0 {
		return nil, fmt.Errorf("train: %d threads, want at least 1", o.Threads)
	}

	t := &Trainer{spec: spec, recipe: recipe, data: data, seed: seed, model: model, pool: kernel.NewPool(o.Threads)}
	if err := t.build(machine); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Trainer) build(machine func(...gorgonia.Nodes) (graph.Machine, error)) error {
	var mean []float32
	var err error
	if t.recipe.Init.GOutputBias == models.Marginals {
		if mean, err = marginals(t.data); err != nil {
			return err
		}
	}
	if err := t.model.Init(t.recipe.Init, t.seed, mean); err != nil {
		return err
	}
	r := t.recipe
	w := workshop{t.model, r, &graph.Context{Pool: t.pool, Seed: t.seed, Shards: r.Shards}, machine}
	if t.g, err = w.generator(); err != nil {
		return err
	}
	if t.d, t.a, err = w.discriminator(); err != nil {
		return err
	}
	t.real = newBatches(t.data, t.seed, r.Batch, t.spec.Sample.Range, t.pool)
	t.latents = &latents{input: t.spec.Inputs[0], seed: t.seed, rows: r.Batch, pool: t.pool}
	t.solvers.g = newSolver(&r.Solver, r.Solver.GLR, t.model.G, t.pool)
	t.solvers.d = newSolver(&r.Solver, r.Solver.DLR, t.model.D, t.pool)
	t.ema = newAverage(r, t.model, t.pool)
	return nil
}

// Step runs one iteration: k updates of the discriminator and one of the
// generator. A loss or gradient that is NaN or infinite is a *NonFiniteError,
// found before it reaches a weight. After an error the trainer is in the middle
// of a step and must not be used or saved; restore the last good state.
func (t *Trainer) Step() (Stats, error) {
	r, k := t.recipe, t.recipe.K
	perStep := k // batches of latents
	if r.GLatents == models.Fresh {
		perStep++
	}
	for j := range k {
		if err := t.generate(t.step*perStep + j); err != nil {
			return Stats{}, err
		}
		if err := t.discriminate(j); err != nil {
			return Stats{}, err
		}
		if r.Update == models.Simultaneous && j == k-1 {
			break // both gradients come before either update
		}
		if err := t.updateD(j); err != nil {
			return Stats{}, err
		}
	}
	if r.GLatents == models.Fresh {
		if err := t.generate(t.step*perStep + k); err != nil {
			return Stats{}, err
		}
	}
	if err := t.deceive(); err != nil {
		return Stats{}, err
	}
	if r.Update == models.Simultaneous {
		if err := t.updateD(k - 1); err != nil {
			return Stats{}, err
		}
	}
	t.updateG()
	t.step++
	return Stats{
		Step:  t.step,
		LossD: float64(graph.Floats(t.d.loss)[0]),
		LossG: float64(graph.Floats(t.a.loss)[0]),
		Dx:    float64(kernel.SigmoidMean(graph.Floats(t.d.logits[0]))),
		DGz1:  float64(kernel.SigmoidMean(graph.Floats(t.d.logits[1]))),
		DGz2:  float64(kernel.SigmoidMean(graph.Floats(t.a.logits))),
	}, nil
}

// generate runs G forward on a batch of latents.
func (t *Trainer) generate(batch int) error {
	t.latents.draw(graph.Floats(t.g.z), batch)
	t.g.pass.Number = uint64(batch)
	if err := t.g.vm.Run(0); err != nil {
		return fmt.Errorf("train: step %d: generator: %w", t.step+1, err)
	}
	t.g.pass.Commit()
	return nil
}

// passes returns the number of the step's first pass through D.
func (t *Trainer) passes() uint64 { return uint64(t.step) * uint64(2*t.recipe.K+1) }

// discriminate computes D's loss and the gradients of its two passes for its
// update j of the step.
func (t *Trainer) discriminate(j int) error {
	if err := t.real.read(graph.Floats(t.d.x[0]), t.step*t.recipe.K+j); err != nil {
		return err
	}
	if err := bind(t.d.x[1], t.g.fake); err != nil {
		return err
	}
	for i := range t.d.pass {
		t.d.pass[i].Number = t.passes() + uint64(2*j+i)
	}
	if err := t.d.vm.Run(0); err != nil {
		return fmt.Errorf("train: step %d: discriminator: %w", t.step+1, err)
	}
	if err := t.checkLoss("the discriminator's loss", t.d.loss); err != nil {
		return err
	}
	for i := range t.d.pass {
		t.d.pass[i].Commit()
	}
	return nil
}

// deceive computes G's loss through D, and G's gradients.
func (t *Trainer) deceive() error {
	separate := t.recipe.Update != models.Simultaneous
	if separate {
		if err := bind(t.a.fake, t.g.fake); err != nil {
			return err
		}
		t.a.pass.Number = t.passes() + uint64(2*t.recipe.K)
	}
	err := t.a.vm.Run(t.a.at)
	if err == nil {
		err = bind(t.g.gfake, t.a.gfake)
	}
	if err == nil {
		err = t.g.vm.Run(1)
	}
	if err != nil {
		return fmt.Errorf("train: step %d: generator: %w", t.step+1, err)
	}
	if err := t.checkLoss("the generator's loss", t.a.loss); err != nil {
		return err
	}
	if err := t.checkGradients(t.solvers.g, t.g.grads); err != nil {
		return err
	}
	if separate {
		t.a.pass.Commit()
	}
	return nil
}

// updateD applies D's gradients: the sum of those of its two passes.
//
// ALL-REDUCE: machines that have a part of each batch add each of the two lists
// here, and updateG's one there, in the shards' tree (kernel.GemmShards). Only
// then come the sum of the two, the check and the solver, or the bits would not
// be those of one machine with as many shards.
func (t *Trainer) updateD(j int) error {
	for i, n := range t.d.grads[0] {
		sum := graph.Floats(n) // the node's own memory, which the next run writes anew
		kernel.Add(t.pool, sum, sum, graph.Floats(t.d.grads[1][i]))
	}
	if err := t.checkGradients(t.solvers.d, t.d.grads[0]); err != nil {
		return err
	}
	n := t.step*t.recipe.K + j
	t.solvers.d.step(t.d.grads[0], n, t.epoch(n))
	return nil
}

// updateG applies G's gradients, and has the moving average follow.
func (t *Trainer) updateG() {
	t.solvers.g.step(t.g.grads, t.step, t.epoch(t.step*t.recipe.K+t.recipe.K-1))
	t.ema.update(t.step)
}

// epoch returns the pass through the data, from 1, in which a batch of real
// images begins.
func (t *Trainer) epoch(batch int) int { return batch*t.recipe.Batch/t.data.Len() + 1 }

// GradientNorm returns the length of G's gradient in the last step, over all of
// its parameters.
func (t *Trainer) GradientNorm() float64 {
	sum := 0.0
	for _, n := range t.g.grads {
		for _, v := range graph.Floats(n) {
			sum += float64(float64(v) * float64(v))
		}
	}
	return math.Sqrt(sum)
}

// Steps returns the number of completed steps.
func (t *Trainer) Steps() int { return t.step }

// Model returns the networks, whose weights a step changes in place.
func (t *Trainer) Model() *graph.Model { return t.model }

// Averaged returns the model whose generator is to be drawn from and exported:
// the moving average of Model's, if the recipe has one, or else Model itself. A
// step changes it in place.
func (t *Trainer) Averaged() *graph.Model {
	if t.ema == nil {
		return t.model
	}
	return t.ema.model
}

// Spec returns the networks' description.
func (t *Trainer) Spec() *models.Spec { return t.spec }

// Recipe returns how they are trained.
func (t *Trainer) Recipe() *models.Recipe { return t.recipe }

// Seed returns the seed of the run.
func (t *Trainer) Seed() uint64 { return t.seed }

// Data returns the data set.
func (t *Trainer) Data() dataset.Dataset { return t.data }

// Close releases the trainer's threads and machines. What Model and State
// returned stays valid.
func (t *Trainer) Close() {
	if t.g != nil && t.g.vm != nil {
		t.g.vm.Close()
	}
	if t.d != nil && t.d.vm != nil {
		t.d.vm.Close()
	}
	if t.a != nil && t.a.vm != nil && (t.d == nil || t.a.vm != t.d.vm) {
		t.a.vm.Close()
	}
	t.pool.Close()
}
