package exec

import (
	"slices"

	"gantry/infer/internal/plan"
)

// listed returns r with the memory that remap takes where dimensions of the given lengths have lists.
func listed(r plan.Result, lengths []int) plan.Result {
	for _, n := range lengths {
		r.Extra += 6 * n // an offset and a piece
	}
	return r
}

// remap computes a tensor whose element [i j ...] is element [lists[0][i] lists[1][j] ...] of x, or fill where one of these is below
// zero. A list that is nil leaves its dimension as it is. The lists are remap's to change.
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
		from = lists[:k]
	}
	step := inner
	for i := k - 1; i >= 0; i-- {
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

// piece is a run of elements that stay together: n of them go from the offset at, or are filled where that is below zero.
type piece struct{ at, n int }

// pieces returns the pieces that elements make of which inner stand at each of the offsets.
func pieces(offsets []int, inner int) []piece {
	follows := func(i int) bool {
		if i == 0 {
			return false
		}
		before, at := offsets[i-1], offsets[i]
		return before < 0 && at < 0 || before >= 0 && before+inner == at
	}
	n := 0
	for i := range offsets {
		if !follows(i) {
			n++
		}
	}
	list := make([]piece, 0, n)
	for i, at := range offsets {
		if follows(i) {
			list[len(list)-1].n += inner
		} else {
			list = append(list, piece{at, inner})
		}
	}
	return list
}

// gather copies pieces of inner elements, which stand at sums of offsets.
func gather[T int64 | float32](c *plan.Context, y, x []T, from [][]int, inner int, fill T) {
	if len(y) == 0 {
		return
	}
	last := from[len(from)-1]
	from = from[:len(from)-1]
	n := len(last) * inner
	pieces := pieces(last, inner)
	scattered := inner == 1 && 8*len(pieces) > len(last) && slices.Min(last) >= 0 // short pieces: one by one is faster
	each(c, len(y)/n, n, func(lo, hi int) {
		var place [2 * plan.MaxRank]int // of row r in the lists, of which Tile has two for each dimension
		for k, rest := len(from)-1, lo; k >= 0; k-- {
			place[k], rest = rest%len(from[k]), rest/len(from[k])
		}
		for r := lo; r < hi; r++ {
			base, inside := 0, true
			for k, list := range from {
				at := list[place[k]]
				base += at
				inside = inside && at >= 0
			}
			for k := len(from) - 1; k >= 0; k-- {
				if place[k]++; place[k] < len(from[k]) {
					break
				}
				place[k] = 0
			}
			row := y[r*n : (r+1)*n]
			if scattered && inside {
				src, row := x[base:], row[:len(last)]
				for i, at := range last {
					row[i] = src[at]
				}
				continue
			}
			for _, p := range pieces {
				switch {
				case p.at < 0 || !inside:
					for j := range row[:p.n] {
						row[j] = fill
					}
				case p.n == 1:
					row[0] = x[base+p.at]
				default:
					copy(row[:p.n], x[base+p.at:])
				}
				row = row[p.n:]
			}
		}
	})
}
