package exec

import (
	"gantry/infer/internal/plan"
)

// broadcast walks two tensors that numpy's rules stretch over one shape. Neighbouring dimensions
// that are walked alike count as one, so most pairs become one or two loops.
type broadcast struct {
	rank   int
	shape  [plan.MaxRank]int
	stride [2][plan.MaxRank]int // 0 where an operand is stretched
}

func newBroadcast(out, a, b []int) broadcast {
	var w broadcast
	step := [2]int{1, 1}
	for i := 1; i <= len(out); i++ { // from the last dimension
		d := out[len(out)-i]
		if d == 1 {
			continue
		}
		var s [2]int
		for k, shape := range [2][]int{a, b} {
			if i <= len(shape) && shape[len(shape)-i] != 1 {
				s[k] = step[k]
				step[k] *= d
			}
		}
		if r := w.rank - 1; r >= 0 && follows(w.stride[0][r], s[0], w.shape[r]) && follows(w.stride[1][r], s[1], w.shape[r]) {
			w.shape[r] *= d
			continue
		}
		w.shape[w.rank], w.stride[0][w.rank], w.stride[1][w.rank] = d, s[0], s[1]
		w.rank++
	}
	if w.rank == 0 {
		w.rank, w.shape[0] = 1, 1
	}
	return w
}

// follows reports whether a dimension of stride outer continues one of stride inner and length n.
func follows(inner, outer, n int) bool { return outer == inner*n }

// rows calls f for each run of the innermost dimension: lo is its place in the result, a and b where
// it begins in the operands. The runs are those numbered first..last-1.
func (w *broadcast) rows(first, last int, f func(lo, a, b int)) {
	for row := first; row < last; row++ {
		a, b, rest := 0, 0, row
		for d := 1; d < w.rank; d++ {
			i := rest % w.shape[d]
			rest /= w.shape[d]
			a += i * w.stride[0][d]
			b += i * w.stride[1][d]
		}
		f(row*w.shape[0], a, b)
	}
}

// at returns which element of an operand stands behind element i of the result.
func (w *broadcast) at(operand, i int) int {
	at := 0
	for d := range w.rank {
		at += i % w.shape[d] * w.stride[operand][d]
		i /= w.shape[d]
	}
	return at
}
