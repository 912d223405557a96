package exec

import (
	"errors"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func init() {
	for _, op := range []Arithmetic{Add, Sub, Mul, Div, PRelu} {
		plan.Register(plan.Operator{Name: op.Describe(), MinIn: 2, MaxIn: 2, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) { return op, nil }})
	}
	plan.Register(plan.Operator{Name: "Mod", MinIn: 2, MaxIn: 2, MaxOut: 1, Since: 10, New: func(d *plan.Decl) (plan.Op, error) {
		if d.Bool("fmod", false) {
			return Fmod, nil
		}
		return Mod, nil
	}})
}

// Arithmetic is an operation on two numbers, element by element after numpy's broadcasting.
type Arithmetic uint8

// The operations. Those behind Div are functions of functions.go, the power is Pow's.
const (
	Add Arithmetic = iota
	Sub
	Mul
	Div
	Min
	Max
	PRelu
	Mod  // with the sign of the divisor
	Fmod // with the sign of the dividend
	power
)

// Describe returns ONNX's name of the operation.
func (op Arithmetic) Describe() string {
	return [...]string{"Add", "Sub", "Mul", "Div", "Min", "Max", "PRelu", "Mod", "Mod", "Pow"}[op]
}

// Infer returns the broadcast shape.
func (op Arithmetic) Infer(in []*plan.Arg) (plan.Result, error) {
	shape := in[0].Shape
	for _, b := range in[1:] {
		if b.DType != in[0].DType || b.DType == plan.Bool {
			return plan.Result{}, errorf("inputs are %v and %v, want one type of numbers", in[0].Type, b.Type)
		}
		var err error
		if shape, err = plan.Broadcast(shape, b.Shape); err != nil {
			return plan.Result{}, err
		}
	}
	if op == PRelu && !plan.SameShape(shape, in[0].Shape) {
		return plan.Result{}, errorf("slope is %s, which does not broadcast to %s", plan.ShapeString(in[1].Shape), plan.ShapeString(in[0].Shape))
	}
	return result(in[0].DType, shape), nil
}

// InPlace allows the result to overwrite an argument of its size.
func (Arithmetic) InPlace() []int { return []int{0, 1} }

// Run computes the result. Division of integers truncates; by zero it is an error.
func (op Arithmetic) Run(c *plan.Context, in, out []*plan.Tensor) error {
	return op.apply(c, out[0], in[0], in[1])
}

// apply computes y = a op b; y may be larger than both together need, and may be one of them if it is as large.
func (op Arithmetic) apply(c *plan.Context, y, a, b *plan.Tensor) error {
	if y.Count() == 0 {
		return nil
	}
	if y.DType.Integer() {
		if op == Div || op >= Mod && op <= Fmod {
			for _, v := range b.I {
				if v == 0 {
					return errors.New("integer division by zero")
				}
			}
		}
		arithmetic(c, op, integerFunctions[op], y, a, b, y.I, a.I, b.I)
		for i, v := range y.I {
			y.I[i] = y.DType.Wrap(v)
		}
		return nil
	}
	if len(a.F) == len(b.F) && len(a.F) == len(y.F) {
		switch op {
		case Add:
			kernel.Add(c.Pool, y.F, a.F, b.F)
			return nil
		case Mul:
			kernel.Mul(c.Pool, y.F, a.F, b.F)
			return nil
		}
	}
	arithmetic(c, op, floatFunctions[op], y, a, b, y.F, a.F, b.F)
	return nil
}

func arithmetic[T int64 | float32](c *plan.Context, op Arithmetic, f func(x, z T) T, y, a, b *plan.Tensor, dst, x, z []T) {
	w := newBroadcast(y.Shape, a.Shape, b.Shape)
	n := w.shape[0]
	if w.rank == 1 {
		each(c, n, 1, func(lo, hi int) {
			row(op, f, dst[lo:hi], operand(x, lo*w.stride[0][0], hi-lo, w.stride[0][0]), operand(z, lo*w.stride[1][0], hi-lo, w.stride[1][0]))
		})
		return
	}
	each(c, len(dst)/n, n, func(first, last int) {
		w.rows(first, last, func(lo, i, j int) {
			row(op, f, dst[lo:lo+n], operand(x, i, n, w.stride[0][0]), operand(z, j, n, w.stride[1][0]))
		})
	})
}

// operand returns the n elements of x from i on, or the one element that stands for all of them.
func operand[T any](x []T, i, n, stride int) []T {
	if stride == 0 {
		n = 1
	}
	return x[i : i+n]
}

// row computes dst = x op z, where an operand of length 1 stands for as many as dst has.
func row[T int64 | float32](op Arithmetic, f func(x, z T) T, dst, x, z []T) {
	switch {
	case f != nil:
		p, q := 0, 0 // masks: an operand of length 1 is read at 0
		if len(x) > 1 {
			p = -1
		}
		if len(z) > 1 {
			q = -1
		}
		for i := range dst {
			dst[i] = f(x[i&p], z[i&q])
		}
	case len(x) == len(dst) && len(z) == len(dst):
		rowVV(op, dst, x, z)
	case len(z) == 1 && len(x) == len(dst):
		rowVS(op, dst, x, z[0])
	case len(x) == 1 && len(z) == len(dst):
		rowSV(op, dst, x[0], z)
	default:
		rowVS(op, dst[:1], x, z[0])
		for i := range dst {
			dst[i] = dst[0]
		}
	}
}

func rowVV[T int64 | float32](op Arithmetic, dst, x, z []T) {
	x, z = x[:len(dst)], z[:len(dst)]
	switch op {
	case Add:
		for i := range dst {
			dst[i] = x[i] + z[i]
		}
	case Sub:
		for i := range dst {
			dst[i] = x[i] - z[i]
		}
	case Mul:
		for i := range dst {
			dst[i] = x[i] * z[i]
		}
	case Div:
		for i := range dst {
			dst[i] = x[i] / z[i]
		}
	}
}

func rowVS[T int64 | float32](op Arithmetic, dst, x []T, z T) {
	x = x[:len(dst)]
	switch op {
	case Add:
		for i := range dst {
			dst[i] = x[i] + z
		}
	case Sub:
		for i := range dst {
			dst[i] = x[i] - z
		}
	case Mul:
		for i := range dst {
			dst[i] = x[i] * z
		}
	case Div:
		for i := range dst {
			dst[i] = x[i] / z
		}
	}
}

func rowSV[T int64 | float32](op Arithmetic, dst []T, x T, z []T) {
	z = z[:len(dst)]
	switch op {
	case Add:
		for i := range dst {
			dst[i] = x + z[i]
		}
	case Sub:
		for i := range dst {
			dst[i] = x - z[i]
		}
	case Mul:
		for i := range dst {
			dst[i] = x * z[i]
		}
	case Div:
		for i := range dst {
			dst[i] = x / z[i]
		}
	}
}
