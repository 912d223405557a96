package exec

import "gantry/infer/internal/plan"

// function is an operator that needs no type of its own.
type function struct {
	infer  func(in []*plan.Arg) (plan.Result, error)
	run    func(c *plan.Context, in, out []*plan.Tensor) error
	values []int // arguments whose elements infer reads
	types  bool  // neither reads elements
}

// Infer returns the types of the results.
func (f *function) Infer(in []*plan.Arg) (plan.Result, error) { return f.infer(in) }

// Run computes the results.
func (f *function) Run(c *plan.Context, in, out []*plan.Tensor) error { return f.run(c, in, out) }

// ValueArgs names the arguments whose elements must be known.
func (f *function) ValueArgs() []int { return f.values }

// FromTypes reports whether types alone decide the results.
func (f *function) FromTypes() bool { return f.types }
