package exec

import (
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	// The pieces of the data along the axis that indices name, in the shape of the indices. Those below zero count from the back.
	plan.Register(plan.Operator{Name: "Gather", MinIn: 2, MaxIn: 2, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		axis := d.Int("axis", 0)
		return &function{
			infer: func(in []*plan.Arg) (plan.Result, error) {
				x, index := in[0], in[1]
				k, err := plan.Axis(axis, len(x.Shape))
				if err == nil {
					err = wantIndices(index)
				}
				if err != nil {
					return plan.Result{}, err
				}
				shape := slices.Concat(x.Shape[:k], index.Shape, x.Shape[k+1:])
				return listed(result(x.DType, shape), []int{plan.Count(x.Shape[:k]), index.Count()}), nil
			},
			run: func(c *plan.Context, in, out []*plan.Tensor) error {
				x, index := in[0], in[1].I
				k, err := plan.Axis(axis, len(x.Shape))
				if err != nil {
					return err
				}
				list := make([]int, len(index))
				for i, v := range index {
					if list[i], err = at(v, x.Shape[k]); err != nil {
						return err
					}
				}
				remap(c, out[0], x.View([]int{plan.Count(x.Shape[:k]), x.Shape[k], plan.Count(x.Shape[k+1:])}), [][]int{nil, list, nil}, nil)
				return nil
			}}, nil
	}})
}

// wantIndices returns an error unless a may hold indices.
func wantIndices(a *plan.Arg) error {
	if a.DType != plan.Int64 && a.DType != plan.Int32 {
		return errorf("indices are %v, want int64 or int32", a.Type)
	}
	return nil
}

// at returns the place that an index means along a dimension of length n: one below zero counts from the back.
func at(index int64, n int) (int, error) {
	i := index
	if i < 0 {
		i += int64(n)
	}
	if i < 0 || i >= int64(n) {
		return 0, errorf("index %d is out of range for a dimension of %d", index, n)
	}
	return int(i), nil
}
