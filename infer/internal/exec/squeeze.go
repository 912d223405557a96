package exec

import (
	"errors"
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Squeeze", MinIn: 1, MaxIn: 2, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		a, err := readAxes(d, 13)
		return &Squeeze{axesArg: a}, err
	}})
	plan.Register(plan.Operator{Name: "Unsqueeze", MinIn: 1, MaxIn: 2, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		a, err := readAxes(d, 13)
		if err == nil && !a.given && !a.input {
			err = errors.New("axes is left out")
		}
		return &Unsqueeze{axesArg: a}, err
	}})
}

// axesArg is a list of axes that was an attribute and became input 1 in a later opset.
type axesArg struct {
	list  []int64 // of the attribute
	given bool    // the attribute is there
	input bool    // input 1 is there
}

// readAxes reads the axes of a node; since is the opset that made them an input.
func readAxes(d *plan.Decl, since int64) (axesArg, error) {
	if d.Opset >= since {
		return axesArg{input: d.Has(1)}, nil
	}
	if d.Has(1) {
		return axesArg{}, errorf("has its axes as an input, which begins with opset %d", since)
	}
	return axesArg{list: d.Ints("axes"), given: d.Given("axes")}, nil
}

// ValueArgs says that the axes must be known.
func (axesArg) ValueArgs() []int { return []int{1} }

// axes returns the axes, counted from the front of rank dimensions; ok is false if there are none given.
func (a axesArg) axes(in []*plan.Arg, rank int) (axes []int, ok bool, err error) {
	list := a.list
	switch {
	case a.input:
		if list, err = plan.KnownInts("axes", in[1]); err != nil {
			return nil, false, err
		}
	case !a.given:
		return nil, false, nil
	}
	axes, err = distinct(list, rank)
	return axes, true, err
}

// distinct returns axes counted from the front of rank dimensions. That one is named twice is an error.
func distinct(list []int64, rank int) ([]int, error) {
	var axes []int
	for _, a := range list {
		k, err := plan.Axis(a, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(axes, k) {
			return nil, errorf("axis %d is named twice", k)
		}
		axes = append(axes, k)
	}
	return axes, nil
}

// Squeeze is ONNX Squeeze: it removes dimensions of length 1.
type Squeeze struct {
	view
	axesArg
}

// Infer returns the shape without the axes, or without all dimensions of length 1 if none are given.
func (s *Squeeze) Infer(in []*plan.Arg) (plan.Result, error) {
	x := in[0]
	axes, given, err := s.axes(in, len(x.Shape))
	if err != nil {
		return plan.Result{}, err
	}
	shape := []int{}
	for i, d := range x.Shape {
		switch {
		case given && !slices.Contains(axes, i) || !given && d != 1:
			shape = append(shape, d)
		case d != 1:
			return plan.Result{}, errorf("dimension %d of %s is not 1", i, plan.ShapeString(x.Shape))
		}
	}
	return viewed(x.DType, shape), nil
}

// Unsqueeze is ONNX Unsqueeze: it inserts dimensions of length 1, at axes of the result.
type Unsqueeze struct {
	view
	axesArg
}

// Infer returns the shape with the axes.
func (u *Unsqueeze) Infer(in []*plan.Arg) (plan.Result, error) {
	x := in[0]
	n := len(u.list)
	if u.input {
		n = in[1].Count()
	}
	if n > plan.MaxRank {
		return plan.Result{}, errorf("axes has %d elements, want at most %d", n, plan.MaxRank)
	}
	axes, _, err := u.axes(in, len(x.Shape)+n)
	if err != nil {
		return plan.Result{}, err
	}
	shape, rest := make([]int, len(x.Shape)+n), x.Shape
	for k := range shape {
		if slices.Contains(axes, k) {
			shape[k] = 1
		} else {
			shape[k], rest = rest[0], rest[1:]
		}
	}
	return viewed(x.DType, shape), nil
}
