package exec

import "gantry/infer/internal/plan"

// grain is the number of elements below which a range is not worth another thread, longWork that after which a long one looks
// whether somebody still waits for it.
const (
	grain    = 1 << 14
	longWork = 1 << 24
)

// spread is a kernel.Task that calls f for equal parts of 0..n, until its context is stopped.
type spread struct {
	c        *plan.Context
	n, parts int
	f        func(lo, hi int)
}

func (s *spread) Run(part int) {
	if !s.c.Stopped() {
		s.f(part*s.n/s.parts, (part+1)*s.n/s.parts)
	}
}

// each calls f for ranges that together cover 0..n, on the threads of c; cost is the elements
// behind one of the n. What f computes must not depend on where the ranges end.
func each(c *plan.Context, n, cost int, f func(lo, hi int)) {
	work := n * max(cost, 1)
	parts := min(n, max(min(c.Pool.Threads(), work/grain+1), work/longWork))
	if parts <= 1 {
		f(0, n)
		return
	}
	c.Pool.Do(parts, &spread{c, n, parts, f})
}
