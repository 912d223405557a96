package exec

import (
	"errors"
	"math"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Expand", Since: 8, MinIn: 2, MaxIn: 2, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) {
		return stretch(func(x, want []int) (from, to, shape []int, err error) {
			if to, err = plan.Broadcast(x, want); err != nil {
				return nil, nil, nil, err
			}
			for range len(to) - len(x) {
				from = append(from, 1)
			}
			return append(from, x...), to, to, nil
		}), nil
	}})
	plan.Register(plan.Operator{Name: "Tile", MinIn: 2, MaxIn: 2, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) {
		return stretch(func(x, want []int) (from, to, shape []int, err error) {
			if len(want) != len(x) {
				return nil, nil, nil, errorf("has %d repeats for an input of rank %d", len(want), len(x))
			}
			shape = []int{}
			for k, d := range x { // each dimension stands behind one that repeats it
				from, to = append(from, 1, d), append(to, want[k], d)
				shape = append(shape, int(min(float64(want[k])*float64(d), math.MaxInt32)))
			}
			return from, to, shape, nil
		}), nil
	}})
}

// stretch returns an operator that repeats elements as input 1 says: of turns the shape of input 0 and the elements of input 1 into
// two shapes for the argument and the result, as long as each other, and the shape of the result as the file sees it.
func stretch(of func(x, want []int) (from, to, shape []int, err error)) plan.Op {
	shapes := func(in []*plan.Arg) (from, to, shape []int, err error) {
		want, err := knownShape("input 1", in[1])
		if err != nil {
			return nil, nil, nil, err
		}
		for _, d := range want {
			if d < 0 {
				return nil, nil, nil, errors.New("input 1 has a number below zero")
			}
		}
		return of(in[0].Shape, want)
	}
	return &function{values: []int{1},
		infer: func(in []*plan.Arg) (plan.Result, error) {
			from, to, shape, err := shapes(in)
			r := listed(result(in[0].DType, shape), to)
			r.View = plan.SameShape(from, to)
			return r, err
		},
		run: func(c *plan.Context, in, out []*plan.Tensor) error {
			from, to, _, err := shapes(asArgs(in))
			if err != nil {
				return err
			}
			parts := make([]part, len(to))
			for k, d := range to {
				if parts[k] = (part{0, 1, d}); from[k] != d {
					parts[k].step = 0
				}
			}
			take(c, out[0], in[0].View(from), parts)
			return nil
		}}
}
