package exec

import "gantry/infer/internal/plan"

// maxWindow bounds the numbers of a window, so that no arithmetic on them overflows.
const maxWindow = 1 << 20

// maxWork bounds the products and comparisons of what may take many of them for each element that it reads or writes.
const maxWork = 1 << 36

// foldWork is as much of it as is done while a model is loaded or planned.
const foldWork = 1 << 22

// bounded returns an error for work above the limit, and leaves to a run what is not small.
func bounded(r *plan.Result, work float64) error {
	if r.Late = work > foldWork; work > maxWork {
		return errorf("takes %.3g steps, %w of %.3g", work, plan.ErrLimit, float64(maxWork))
	}
	return nil
}

// volume returns the product of shape, or so much that no limit allows it.
func volume(shape []int) int {
	n := 1.0
	for _, d := range shape {
		n *= float64(d)
	}
	return int(min(n, 1<<50))
}
