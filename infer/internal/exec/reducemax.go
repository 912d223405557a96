package exec

import (
	"errors"
	"math"
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "ReduceMax", MinIn: 1, MaxIn: 2, MaxOut: 1, New: newReduceMax})
}

// ReduceMax is ONNX ReduceMax: the largest element over some axes. NaN is larger than all others.
type ReduceMax struct {
	axesArg
	keep bool // reduced dimensions stay, with length 1
	noop bool // no axes means none, not all
}

func newReduceMax(d *plan.Decl) (plan.Op, error) {
	r := &ReduceMax{keep: d.Bool("keepdims", true)}
	if d.Opset >= 18 {
		r.noop = d.Bool("noop_with_empty_axes", false)
	}
	var err error
	r.axesArg, err = readAxes(d, 18)
	return r, err
}

// reduced returns which dimensions of x are reduced.
func (r *ReduceMax) reduced(in []*plan.Arg) ([]bool, error) {
	rank := len(in[0].Shape)
	axes, _, err := r.axes(in, rank)
	if err != nil {
		return nil, err
	}
	is := make([]bool, rank)
	for _, a := range axes {
		is[a] = true
	}
	for i := range is {
		is[i] = is[i] || len(axes) == 0 && !r.noop
	}
	return is, nil
}

// Infer returns the shape without the reduced dimensions.
func (r *ReduceMax) Infer(in []*plan.Arg) (plan.Result, error) {
	is, err := r.reduced(in)
	if err != nil {
		return plan.Result{}, err
	}
	shape := []int{}
	for i, d := range in[0].Shape {
		switch {
		case !is[i]:
			shape = append(shape, d)
		case d == 0:
			return plan.Result{}, errors.New("reduces an empty dimension")
		case r.keep:
			shape = append(shape, 1)
		}
	}
	return result(in[0].DType, shape), nil
}

// Run finds the largest elements.
func (r *ReduceMax) Run(c *plan.Context, in, out []*plan.Tensor) error {
	args := []*plan.Arg{{Type: in[0].Type}, nil}
	if len(in) > 1 && in[1] != nil {
		args[1] = &plan.Arg{Type: in[1].Type, Known: in[1]}
	}
	is, err := r.reduced(args)
	if err != nil || out[0].Count() == 0 {
		return err
	}
	kept := slices.Clone(in[0].Shape)
	for i := range kept {
		if is[i] {
			kept[i] = 1
		}
	}
	w := newBroadcast(in[0].Shape, in[0].Shape, kept)
	if in[0].DType.Integer() {
		reduceMax(c, &w, out[0].I, in[0].I, math.MinInt64)
	} else {
		reduceMax(c, &w, out[0].F, in[0].F, float32(math.Inf(-1)))
	}
	return nil
}

// reduceMax walks x with the result stretched over it: a stride of 0 is a reduced dimension.
func reduceMax[T int64 | float32](c *plan.Context, w *broadcast, dst, x []T, least T) {
	for i := range dst {
		dst[i] = least
	}
	n := w.shape[0]
	rows := func(first, last int) {
		w.rows(first, last, func(lo, _, j int) {
			row := x[lo : lo+n]
			if w.stride[1][0] == 0 {
				m := dst[j]
				for _, v := range row {
					if v > m || v != v {
						m = v
					}
				}
				dst[j] = m
				return
			}
			y := dst[j : j+n]
			for i, v := range row {
				if v > y[i] || v != v {
					y[i] = v
				}
			}
		})
	}
	for d := 1; d < w.rank; d++ {
		if w.stride[1][d] == 0 { // rows share elements of the result
			rows(0, len(x)/n)
			return
		}
	}
	each(c, len(x)/n, n, rows)
}
