package metric

import (
	"fmt"

	"gantry/internal/kernel"
)

// A Set holds vectors as the rows of X [n Dim].
type Set struct {
	X   []float32
	Dim int
}

// Len returns the number of vectors.
func (s Set) Len() int {
	if s.Dim < 1 {
		return 0
	}
	return len(s.X) / s.Dim
}

// Slice returns vectors first to end-1, which share the memory of s.
func (s Set) Slice(first, end int) Set { return Set{s.X[first*s.Dim : end*s.Dim], s.Dim} }

func (s Set) row(i int) []float32 { return s.X[i*s.Dim : (i+1)*s.Dim] }

// check reports what makes s useless: fewer vectors than least, another size
// than dim, or a value that is not finite.
func (s Set) check(name string, dim, least int) error {
	switch {
	case s.Dim < 1 || len(s.X)%s.Dim != 0:
		return fmt.Errorf("metric: %s: %d values are no vectors of %d", name, len(s.X), s.Dim)
	case s.Dim != dim:
		return fmt.Errorf("metric: %s: vectors have %d elements, want %d", name, s.Dim, dim)
	case s.Len() < least:
		return fmt.Errorf("metric: %s: %d vectors, want at least %d", name, s.Len(), least)
	}
	if i := kernel.FirstNonFinite(s.X); i >= 0 {
		return fmt.Errorf("metric: %s: element %d of vector %d is %v, want finite numbers", name, i%s.Dim, i/s.Dim, s.X[i])
	}
	return nil
}

// Options says how a metric is computed. Results do not depend on it.
type Options struct {
	Threads  int                   // goroutines; below 1 means 1
	Progress func(done, total int) // called now and then with the vectors that are done; may be nil
}

// tell reports progress.
func (o *Options) tell(done, total int) {
	if o.Progress != nil {
		o.Progress(done, total)
	}
}

// blocks calls do(first, end) for the rows 0 to n-1, some at a time.
func (o *Options) blocks(n int, do func(first, end int)) {
	for first := 0; first < n; first += blockRows {
		end := min(first+blockRows, n)
		do(first, end)
		o.tell(end, n)
	}
}

// blockRows is the number of rows whose distances to all others are held at once.
const blockRows = 64

// each is a [kernel.Task] of a function.
type each func(i int)

// Run implements [kernel.Task].
func (f each) Run(i int) { f(i) }
