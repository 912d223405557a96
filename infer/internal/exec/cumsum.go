package exec

import "gantry/infer/internal/plan"

func init() {
	plan.Register(plan.Operator{Name: "CumSum", MinIn: 2, MaxIn: 2, MaxOut: 1, Since: 11, New: func(d *plan.Decl) (plan.Op, error) {
		return &CumSum{d.Bool("exclusive", false), d.Bool("reverse", false)}, nil
	}})
}

// CumSum is ONNX CumSum: the sums of all elements up to each one along an axis. Floats are summed in float64, in order.
type CumSum struct {
	exclusive bool // without the element itself
	reverse   bool // from the end
}

// Infer returns the argument's type.
func (*CumSum) Infer(in []*plan.Arg) (plan.Result, error) {
	if t := in[1].Type; t.DType != plan.Int64 && t.DType != plan.Int32 || plan.Count(t.Shape) != 1 {
		return plan.Result{}, errorf("axis is %v, want one int64 or int32", t)
	}
	if in[0].DType == plan.Bool {
		return plan.Result{}, errorf("input 0 is %v, want numbers", in[0].Type)
	}
	return result(in[0].DType, in[0].Shape), nil
}

// InPlace allows the result to overwrite the argument.
func (*CumSum) InPlace() []int { return []int{0} }

// Run computes the sums.
func (s *CumSum) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0], out[0]
	axis, err := plan.Axis(in[1].I[0], len(x.Shape))
	if err != nil || y.Count() == 0 {
		return err
	}
	n, step := x.Shape[axis], plan.Count(x.Shape[axis+1:])
	each(c, y.Count()/n, n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			at := i/step*step*n + i%step
			if x.DType.Integer() {
				cumulate[int64, int64](s, y.I[at:], x.I[at:], n, step)
			} else {
				cumulate[float32, float64](s, y.F[at:], x.F[at:], n, step)
			}
		}
	})
	for i, v := range y.I {
		y.I[i] = y.DType.Wrap(v)
	}
	return nil
}

func cumulate[T int64 | float32, A int64 | float64](s *CumSum, y, x []T, n, step int) {
	at := 0
	if s.reverse {
		at, step = (n-1)*step, -step
	}
	sum := A(0)
	for range n {
		before := sum
		sum += A(x[at])
		if y[at] = T(sum); s.exclusive {
			y[at] = T(before)
		}
		at += step
	}
}
