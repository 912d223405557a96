package exec

import (
	"slices"

	"gantry/infer/internal/plan"
)

// asArgs returns what Infer would see of arguments that Run has.
//
//go:noinline
func asArgs(in []*plan.Tensor) []*plan.Arg {
	args := make([]*plan.Arg, len(in))
	for i, t := range in {
		if t != nil {
			args[i] = &plan.Arg{Type: t.Type, Known: t}
		}
	}
	return args
}

// place returns where dimension k of a value of the file stands, for values of the given rank.
func place(k, rank int, hwnc bool) int {
	if hwnc {
		return (k + rank - 2) % rank
	}
	return k
}

// volume returns the product of shape, or so much that no limit allows it.
func volume(shape []int) int {
	n := 1.0
	for _, d := range shape {
		n *= float64(d)
	}
	return int(min(n, 1<<50))
}

// remap computes a tensor whose element [i j ...] is element [lists[0][i] lists[1][j] ...] of x, or fill where one of these is below
// zero. A list that is nil leaves its dimension as it is.
func remap(c *plan.Context, y, x *plan.Tensor, lists [][]int, fill *plan.Tensor) {
	if fill == nil {
		fill = plan.NewTensor(plan.Type{DType: y.DType, Shape: []int{1}})
	}
	k, inner := len(lists), 1
	for ; k > 0 && lists[k-1] == nil; k-- {
		inner *= x.Shape[k-1]
	}
	from := [][]int{{0}} // offsets
	if k > 0 {
		from = make([][]int, k)
	}
	step := inner
	for i := k - 1; i >= 0; i-- {
		from[i] = slices.Clone(lists[i])
		if from[i] == nil {
			from[i] = make([]int, x.Shape[i])
			for j := range from[i] {
				from[i][j] = j
			}
		}
		for j := range from[i] {
			from[i][j] *= step
		}
		step *= x.Shape[i]
	}
	if y.DType.Integer() {
		gather(c, y.I, x.I, from, inner, fill.I[0])
	} else {
		gather(c, y.F, x.F, from, inner, fill.F[0])
	}
}

// gather copies pieces of inner elements, which stand at sums of offsets.
func gather[T int64 | float32](c *plan.Context, y, x []T, from [][]int, inner int, fill T) {
	if len(y) == 0 {
		return
	}
	last := from[len(from)-1]
	from = from[:len(from)-1]
	n := len(last) * inner
	each(c, len(y)/n, n, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			base, rest, inside := 0, r, true
			for k := len(from) - 1; k >= 0; k-- {
				at := from[k][rest%len(from[k])]
				rest /= len(from[k])
				base += at
				inside = inside && at >= 0
			}
			row := y[r*n : (r+1)*n]
			for i, at := range last {
				switch {
				case at < 0 || !inside:
					for j := range row[i*inner : (i+1)*inner] {
						row[i*inner+j] = fill
					}
				case inner == 1:
					row[i] = x[base+at]
				default:
					copy(row[i*inner:(i+1)*inner], x[base+at:])
				}
			}
		}
	})
}
