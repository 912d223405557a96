package exec

import (
	"errors"
	"math"
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Slice", MinIn: 1, MaxIn: 5, MaxOut: 1, New: newSlice})
	plan.Register(plan.Operator{Name: "Split", MinIn: 1, MaxIn: 2, MaxOut: 1 << 30, New: newSplit})
}

// part is n places along a dimension, from the first on, step apart.
type part struct{ from, step, n int }

// take computes the elements of x at the places that the parts list, one part for each dimension.
func take(c *plan.Context, y, x *plan.Tensor, parts []part) {
	lists := make([][]int, len(parts))
	for k, p := range parts {
		if p == (part{0, 1, x.Shape[k]}) {
			continue
		}
		lists[k] = make([]int, p.n)
		for i := range lists[k] {
			lists[k][i] = p.from + i*p.step
		}
	}
	remap(c, y, x, lists, nil)
}

// taken returns the shape of what take computes from x, and whether that is all of x.
func taken(x []int, parts []part) (shape []int, all bool) {
	all = true
	shape = make([]int, len(parts))
	for k, p := range parts {
		shape[k], all = p.n, all && p == part{0, 1, x[k]}
	}
	return shape, all
}

// newSlice returns Slice, whose starts, ends and axes were attributes before opset 10.
func newSlice(d *plan.Decl) (plan.Op, error) {
	var list [4][]int64 // starts, ends, axes, steps
	attributes := d.Opset < 10
	switch {
	case attributes && len(d.In) > 1:
		return nil, errors.New("has starts as an input, which begins with opset 10")
	case attributes:
		list = [4][]int64{d.Ints("starts"), d.Ints("ends"), d.Ints("axes"), nil}
	case !d.Has(1) || !d.Has(2):
		return nil, errors.New("starts or ends is left out")
	}
	parts := func(in []*plan.Arg) ([]part, error) {
		list := list
		for k := 1; k < len(in); k++ {
			if in[k] != nil {
				v, err := plan.KnownInts([...]string{"starts", "ends", "axes", "steps"}[k-1], in[k])
				if err != nil {
					return nil, err
				}
				list[k-1] = v
			}
		}
		return sliced(in[0].Shape, list)
	}
	return &function{values: []int{1, 2, 3, 4},
		infer: func(in []*plan.Arg) (plan.Result, error) {
			p, err := parts(in)
			if err != nil {
				return plan.Result{}, err
			}
			shape, all := taken(in[0].Shape, p)
			if all {
				return viewed(in[0].DType, shape), nil
			}
			return listed(result(in[0].DType, shape), shape), nil
		},
		run: func(c *plan.Context, in, out []*plan.Tensor) error {
			p, err := parts(asArgs(in))
			if err != nil {
				return err
			}
			take(c, out[0], in[0], p)
			return nil
		}}, nil
}

// sliced returns the part of each dimension of x; axes and steps may be nil.
func sliced(x []int, list [4][]int64) ([]part, error) {
	starts, ends, axes, steps := list[0], list[1], list[2], list[3]
	n := len(starts)
	if n > plan.MaxRank || len(ends) != n || axes != nil && len(axes) != n || steps != nil && len(steps) != n || axes == nil && n > len(x) {
		return nil, errorf("has %d starts, %d ends, %d axes and %d steps for an input of rank %d", n, len(ends), len(axes), len(steps), len(x))
	}
	parts := make([]part, len(x))
	for k, d := range x {
		parts[k] = part{0, 1, d}
	}
	at, err := distinct(axes, len(x))
	if err != nil {
		return nil, err
	}
	for i := range n {
		k, step := i, int64(1)
		if axes != nil {
			k = at[i]
		}
		if steps != nil {
			step = min(max(steps[i], -1<<50), 1<<50)
		}
		if step == 0 {
			return nil, errorf("step %d of %v is 0", i, steps)
		}
		d := x[k]
		p := part{within(starts[i], d), int(step), 0}
		if end := within(ends[i], d); step > 0 {
			p.n = max(0, (end-p.from+p.step-1)/p.step)
		} else {
			p.from = min(p.from, d-1)
			if end = min(end, d-1); ends[i]+int64(d) < 0 && ends[i] < 0 {
				end = -1
			}
			p.n = max(0, (p.from-end-p.step-1)/-p.step)
		}
		parts[k] = p
	}
	return parts, nil
}

// newSplit returns Split. Its sizes are an attribute before opset 13, then input 1; left out, they are equal, and from opset 18 on
// the last may be smaller.
func newSplit(d *plan.Decl) (plan.Op, error) {
	axis, list, count := d.Int("axis", 0), []int64(nil), d.List
	switch {
	case d.Opset < 13 && d.Has(1):
		return nil, errors.New("has its sizes as an input, which begins with opset 13")
	case d.Opset < 13:
		list = d.Ints("split")
	case d.Opset >= 18 && !d.Has(1):
		if n := d.Int("num_outputs", 0); n != int64(count) {
			return nil, errorf("attribute num_outputs is %d for %d outputs", n, count)
		}
	}
	opset := d.Opset
	// sizes returns the axis and the length along it of each output.
	sizes := func(in []*plan.Arg) (int, []int64, error) {
		k, err := plan.Axis(axis, len(in[0].Shape))
		if err != nil {
			return 0, nil, err
		}
		v, length := list, int64(in[0].Shape[k])
		if len(in) > 1 {
			if v, err = plan.KnownInts("split", in[1]); err != nil {
				return 0, nil, err
			}
		}
		if v == nil {
			each := (length + int64(count) - 1) / int64(count)
			v = slices.Repeat([]int64{each}, count)
			if v[count-1] += length - each*int64(count); opset < 18 && v[count-1] != each {
				return 0, nil, errorf("dimension %d of %s does not divide into %d equal parts", k, plan.ShapeString(in[0].Shape), count)
			}
		}
		rest := length
		for _, n := range v {
			if n < 0 || n > rest {
				rest = math.MaxInt64
				break
			}
			rest -= n
		}
		if rest != 0 || len(v) != count {
			return 0, nil, errorf("sizes are %v for %d outputs, which is not dimension %d of %s", v, count, k, plan.ShapeString(in[0].Shape))
		}
		return k, v, nil
	}
	return &function{values: []int{1},
		infer: func(in []*plan.Arg) (plan.Result, error) {
			k, v, err := sizes(in)
			r := listed(plan.Result{View: len(v) == 1}, in[0].Shape)
			for _, n := range v {
				shape := slices.Clone(in[0].Shape)
				shape[k] = int(n)
				r.Out = append(r.Out, plan.Type{DType: in[0].DType, Shape: shape})
			}
			return r, err
		},
		run: func(c *plan.Context, in, out []*plan.Tensor) error {
			k, v, err := sizes(asArgs(in))
			if err != nil {
				return err
			}
			parts := make([]part, len(in[0].Shape))
			for i, d := range in[0].Shape {
				parts[i] = part{0, 1, d}
			}
			parts[k].n = 0
			for i, y := range out {
				parts[k].from += parts[k].n
				parts[k].n = int(v[i])
				take(c, y, in[0], parts)
			}
			return nil
		}}, nil
}
