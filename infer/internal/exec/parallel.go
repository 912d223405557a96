package exec

import "gantry/infer/internal/plan"

// grain is the number of elements below which a range is not worth another thread.
const grain = 1 << 14

// spread is a kernel.Task that calls f for equal parts of 0..n.
type spread struct {
	n, parts int
	f        func(lo, hi int)
}

func (s *spread) Run(part int) { s.f(part*s.n/s.parts, (part+1)*s.n/s.parts) }

// each calls f for ranges that together cover 0..n, on the threads of c; cost is the elements
// behind one of the n. What f computes must not depend on where the ranges end.
func each(c *plan.Context, n, cost int, f func(lo, hi int)) {
	parts := min(n, c.Pool.Threads(), n*max(cost, 1)/grain+1)
	if parts <= 1 {
		f(0, n)
		return
	}
	c.Pool.Do(parts, &spread{n, parts, f})
}
