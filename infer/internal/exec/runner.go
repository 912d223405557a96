package exec

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

// maxPlans is the number of plans that a Runner keeps; the oldest goes first.
const maxPlans = 16

// maxKeyed is the number of elements up to which an input may decide shapes.
const maxKeyed = 4096

// Runner runs a graph for inputs of any shapes. It keeps a plan for each set of shapes seen lately.
// It must not be used by two goroutines at once.
type Runner struct {
	g        *plan.Graph
	lim      plan.Limits
	byValue  []bool // by input: its elements decide shapes
	machine  *Machine
	programs map[string]*Program
	order    []string // keys of programs, oldest first
	key      []byte

	Seed    uint64        // of random numbers
	Samples []plan.Sample // what the rows of the next Run's batch are; nil if that is not known
}

// NewRunner returns a runner of g. Kernels run on pool, which may be nil.
func NewRunner(g *plan.Graph, lim plan.Limits, pool *kernel.Pool) *Runner {
	return &Runner{g: g, lim: lim, byValue: g.ValueInputs(), machine: NewMachine(pool), programs: map[string]*Program{}}
}

// Run computes g's outputs for its inputs, in order. The results are valid until the next Run and
// must not be written to.
func (r *Runner) Run(ctx context.Context, in []*plan.Tensor) ([]*plan.Tensor, error) {
	p, err := r.program(ctx, in)
	if err != nil {
		return nil, err
	}
	p.context.Seed, p.context.Samples = r.Seed, r.Samples
	return p.Run(ctx, in)
}

// program returns the program for inputs like in, from the ones it keeps if it can.
func (r *Runner) program(ctx context.Context, in []*plan.Tensor) (*Program, error) {
	key := r.key[:0]
	for i, t := range in {
		key = append(key, byte(t.DType), byte(len(t.Shape)))
		for _, d := range t.Shape {
			key = binary.LittleEndian.AppendUint64(key, uint64(d))
		}
		if r.byValue[i] {
			if err := r.decides(i, t); err != nil {
				return nil, err
			}
			for _, v := range t.I {
				key = binary.LittleEndian.AppendUint64(key, uint64(v))
			}
			for _, v := range t.F {
				key = binary.LittleEndian.AppendUint32(key, math.Float32bits(v))
			}
		}
	}
	r.key = key
	if p := r.programs[string(key)]; p != nil {
		return p, nil
	}
	pl, err := r.Plan(ctx, in)
	if err != nil {
		return nil, err
	}
	if len(r.order) == maxPlans {
		delete(r.programs, r.order[0])
		r.order = append(r.order[:0], r.order[1:]...)
	}
	p := r.machine.Bind(pl)
	r.programs[string(key)] = p
	r.order = append(r.order, string(key))
	return p, nil
}

// decides checks that input i, whose elements decide shapes, can be part of a plan.
func (r *Runner) decides(i int, t *plan.Tensor) error {
	name := r.g.Values[r.g.Inputs[i]].Name
	switch {
	case t.Count() > maxKeyed:
		return errorf("input %q decides shapes, so it may have %d elements at most, got %v", name, maxKeyed, t.Type)
	case len(t.I)+len(t.F) != t.Count():
		return errorf("input %q decides shapes, so a plan needs its elements", name)
	}
	return nil
}

// Plan returns the plan for inputs like in. Of the tensors it needs the types, and the elements of
// those that decide shapes.
func (r *Runner) Plan(ctx context.Context, in []*plan.Tensor) (*plan.Plan, error) {
	args := make([]*plan.Arg, len(in))
	for i, t := range in {
		t := *t // what the plan keeps must not change with the caller's tensor
		t.Shape = slices.Clone(t.Shape)
		args[i] = &plan.Arg{Type: t.Type}
		if r.byValue[i] {
			if err := r.decides(i, &t); err != nil {
				return nil, err
			}
			t.I, t.F = slices.Clone(t.I), slices.Clone(t.F)
			args[i].Known = &t
		}
	}
	return plan.Compile(ctx, r.g, args, r.lim)
}
