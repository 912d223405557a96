package exec

import (
	"context"
	"unsafe"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
	"gantry/internal/memory"
)

// Machine owns the arena in which plans run. It must not be used by two goroutines at once.
type Machine struct {
	pool  *kernel.Pool
	arena []float32 // aligned to a cache line
	grown int       // how often the arena was replaced: programs of older ones are bound anew
}

// NewMachine returns a machine that runs kernels on pool, which may be nil.
func NewMachine(pool *kernel.Pool) *Machine { return &Machine{pool: pool} }

// Program is a plan at home in a machine's arena.
type Program struct {
	m       *Machine
	plan    *plan.Plan
	grown   int
	steps   []step
	outputs []*plan.Tensor
	inputs  [][]*plan.Tensor // by input: the tensors that borrow its elements
	context plan.Context
}

type step struct {
	node    *plan.Node
	run     plan.Runner
	in, out []*plan.Tensor
}

// Bind returns the program of p.
func (m *Machine) Bind(p *plan.Plan) *Program {
	g := &Program{m: m, plan: p, grown: -1}
	g.context.Pool = m.pool
	return g
}

// Run computes the plan's outputs from inputs, which have the types that the plan was made for. The
// results stay valid until the next Run on this machine; some may be inputs or constants. They must
// not be written to. The context is looked at between steps, and in long ones but for matrix products and convolutions.
func (g *Program) Run(ctx context.Context, inputs []*plan.Tensor) ([]*plan.Tensor, error) {
	g.bind()
	g.context.Done = ctx.Done()
	for i, uses := range g.inputs {
		for _, t := range uses {
			t.F, t.I = inputs[i].F, inputs[i].I
		}
	}
	for i := range g.steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := &g.steps[i]
		if err := s.run.Run(&g.context, s.in, s.out); err != nil {
			return nil, errorf("%s: %w", s.node.Where(), err)
		}
	}
	if err := ctx.Err(); err != nil { // the last step may have stopped
		return nil, err
	}
	return g.outputs, nil
}

// bind makes the tensors of the program, if the arena has moved since.
func (g *Program) bind() {
	m, p := g.m, g.plan
	if p.Floats > len(m.arena) {
		m.arena = newArena(p.Floats)
		m.grown++
	}
	if g.grown == m.grown {
		return
	}
	g.grown = m.grown
	g.steps, g.outputs, g.inputs = nil, nil, make([][]*plan.Tensor, len(p.Inputs))
	g.context.Scratch = m.arena[p.Floats-p.Scratch : p.Floats]
	for i := range p.Steps {
		g.steps = append(g.steps, step{p.Steps[i].Node, p.Steps[i].Run, g.tensors(p.Steps[i].In), g.tensors(p.Steps[i].Out)})
	}
	g.outputs = g.tensors(p.Outputs)
}

func (g *Program) tensors(refs []plan.Ref) []*plan.Tensor {
	ts := make([]*plan.Tensor, len(refs))
	for i, r := range refs {
		switch r.Source {
		case plan.FromConst:
			ts[i] = r.Const
		case plan.FromInput:
			ts[i] = &plan.Tensor{Type: r.Type}
			g.inputs[r.Index] = append(g.inputs[r.Index], ts[i])
		case plan.FromArena:
			ts[i] = &plan.Tensor{Type: r.Type}
			n := r.Type.Count()
			if n == 0 {
				continue
			}
			at := g.m.arena[r.Index:]
			if r.Type.DType.Integer() {
				ts[i].I = unsafe.Slice((*int64)(unsafe.Pointer(&at[:2*n][0])), n)
			} else {
				ts[i].F = at[:n:n]
			}
		}
	}
	return ts
}

// newArena returns n floats that begin at a cache line. The memory holds no pointers, and any of its
// multiples of 8 bytes may serve as int64.
func newArena(n int) []float32 {
	const line = 16 // float32
	a := memory.Make[float32](n + line)
	skip := 0
	if r := uintptr(unsafe.Pointer(&a[0])) % (4 * line); r != 0 {
		skip = int(4*line-r) / 4
	}
	return a[skip : skip+n : skip+n]
}
