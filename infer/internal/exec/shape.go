package exec

import (
	"errors"
	"math"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Shape", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		s := &Shape{end: math.MaxInt64}
		if d.Opset >= 15 {
			s.start, s.end = d.Int("start", 0), d.Int("end", math.MaxInt64)
		}
		return s, nil
	}})
	plan.Register(plan.Operator{Name: "Size", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) {
		return &function{types: true,
			infer: func([]*plan.Arg) (plan.Result, error) { return result(plan.Int64, []int{}), nil },
			run: func(_ *plan.Context, in, out []*plan.Tensor) error {
				out[0].I[0] = int64(in[0].Count())
				return nil
			}}, nil
	}})
	plan.Register(plan.Operator{Name: "ConstantOfShape", Since: 9, MinIn: 1, MaxIn: 1, MaxOut: 1, New: newConstantOfShape})
	plan.Register(plan.Operator{Name: "Range", Since: 11, MinIn: 3, MaxIn: 3, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		if d.Opset >= 27 {
			d.Int("stash_type", 1) // of narrower floats, which are float32 here
		}
		return &function{infer: inferRange, run: runRange, values: []int{0, 1, 2}}, nil
	}})
}

// Shape is ONNX Shape: the dimensions from start to end, counted from the back where they are below zero.
type Shape struct {
	start, end int64
	hwnc       bool
}

// HWNC returns the operator on HWNC images.
func (s *Shape) HWNC() plan.Op {
	h := *s
	h.hwnc = true
	return &h
}

// FromTypes says that nothing but types matters.
func (*Shape) FromTypes() bool { return true }

// of returns the part of a shape.
func (s *Shape) of(x []int) []int {
	if s.hwnc {
		x = nchw(x)
	}
	lo, hi := within(s.start, len(x)), within(s.end, len(x))
	return x[lo:max(lo, hi)]
}

// within returns i, counted from the back of n where it is below zero, clamped to 0..n.
func within(i int64, n int) int {
	if i < 0 {
		i += int64(n)
	}
	return int(min(max(i, 0), int64(n)))
}

// Infer returns a list of int64.
func (s *Shape) Infer(in []*plan.Arg) (plan.Result, error) {
	return result(plan.Int64, []int{len(s.of(in[0].Shape))}), nil
}

// Run writes the dimensions.
func (s *Shape) Run(_ *plan.Context, in, out []*plan.Tensor) error {
	for i, d := range s.of(in[0].Shape) {
		out[0].I[i] = int64(d)
	}
	return nil
}

func newConstantOfShape(d *plan.Decl) (plan.Op, error) {
	v := d.Tensor("value")
	if v == nil {
		v = floats([]int{1}, 0)
	}
	if v.Count() != 1 {
		return nil, errorf("attribute value is %v, want one element", v.Type)
	}
	return &function{values: []int{0},
		infer: func(in []*plan.Arg) (plan.Result, error) {
			shape, err := knownShape("input", in[0])
			return result(v.DType, shape), err
		},
		run: func(_ *plan.Context, _, out []*plan.Tensor) error {
			fill(out[0], v)
			return nil
		}}, nil
}

// fill sets all elements of y to the one of v.
func fill(y, v *plan.Tensor) {
	for i := range y.F {
		y.F[i] = v.F[0]
	}
	for i := range y.I {
		y.I[i] = v.I[0]
	}
}

// knownShape returns the elements of an argument as a shape, which Limits.Check has not seen yet.
func knownShape(what string, a *plan.Arg) ([]int, error) {
	v, err := plan.KnownInts(what, a)
	if err != nil {
		return nil, err
	}
	if len(v) > plan.MaxRank {
		return nil, errorf("%s has %d elements, want at most %d", what, len(v), plan.MaxRank)
	}
	shape := make([]int, len(v))
	for i, d := range v {
		shape[i] = int(min(max(d, -1), math.MaxInt32))
	}
	return shape, nil
}

// inferRange returns as many elements as there are from start before limit, delta apart.
func inferRange(in []*plan.Arg) (plan.Result, error) {
	t := in[0].DType
	for _, a := range in {
		switch {
		case a.DType != t || t == plan.Bool || t == plan.Uint8 || plan.Count(a.Shape) != 1:
			return plan.Result{}, errorf("inputs are %v, %v and %v, want numbers of one type", in[0].Type, in[1].Type, in[2].Type)
		case a.Known == nil:
			return plan.Result{}, errorf("number of elements %w", plan.ErrUnknownValue)
		}
	}
	n := 0.0
	if t == plan.Float32 {
		start, limit, delta := in[0].Known.F[0], in[1].Known.F[0], in[2].Known.F[0]
		n = math.Ceil(float64(limit-start) / float64(delta))
	} else {
		start, limit, delta := in[0].Known.I[0], in[1].Known.I[0], in[2].Known.I[0]
		way, step := uint64(limit)-uint64(start), uint64(delta)
		if delta < 0 {
			start, limit, way, step = limit, start, -way, -step
		}
		if step != 0 && limit > start {
			n = float64((way-1)/step + 1)
		}
		if step == 0 {
			n = math.NaN()
		}
	}
	if n != n {
		return plan.Result{}, errors.New("delta is 0, or an input is not a number")
	}
	return result(t, []int{int(min(max(n, 0), 1<<50))}), nil // which is past any limit
}

func runRange(c *plan.Context, in, out []*plan.Tensor) error {
	y := out[0]
	each(c, y.Count(), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if y.DType.Integer() {
				y.I[i] = in[0].I[0] + int64(i)*in[2].I[0]
			} else {
				y.F[i] = float32(float64(in[0].F[0]) + float64(float64(i)*float64(in[2].F[0])))
			}
		}
	})
	return nil
}
