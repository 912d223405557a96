package exec

import (
	"errors"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func init() {
	for _, op := range []Arithmetic{Add, Sub, Mul, Div} {
		plan.Register(plan.Operator{Name: op.Describe(), MinIn: 2, MaxIn: 2, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) { return op, nil }})
	}
}

// Arithmetic is Add, Sub, Mul or Div, element by element after numpy's broadcasting.
type Arithmetic uint8

// The operations.
const (
	Add Arithmetic = iota
	Sub
	Mul
	Div
)

// Describe returns ONNX's name of the operation.
func (op Arithmetic) Describe() string { return [...]string{"Add", "Sub", "Mul", "Div"}[op] }

// Infer returns the broadcast shape.
func (op Arithmetic) Infer(in []*plan.Arg) (plan.Result, error) {
	a, b := in[0], in[1]
	if a.DType != b.DType {
		return plan.Result{}, errorf("inputs are %v and %v, want one type", a.Type, b.Type)
	}
	shape, err := plan.Broadcast(a.Shape, b.Shape)
	return result(a.DType, shape), err
}

// InPlace allows the result to overwrite an argument of its size.
func (Arithmetic) InPlace() []int { return []int{0, 1} }

// Run computes the result. Division of integers truncates; by zero it is an error.
func (op Arithmetic) Run(c *plan.Context, in, out []*plan.Tensor) error {
	a, b, y := in[0], in[1], out[0]
	if y.Count() == 0 {
		return nil
	}
	if y.DType.Integer() {
		if op == Div {
			for _, v := range b.I {
				if v == 0 {
					return errors.New("integer division by zero")
				}
			}
		}
		arithmetic(c, op, y, a, b, y.I, a.I, b.I)
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
	arithmetic(c, op, y, a, b, y.F, a.F, b.F)
	return nil
}

func arithmetic[T int64 | float32](c *plan.Context, op Arithmetic, y, a, b *plan.Tensor, dst, x, z []T) {
	w := newBroadcast(y.Shape, a.Shape, b.Shape)
	n := w.shape[0]
	if w.rank == 1 {
		each(c, n, 1, func(lo, hi int) {
			row(op, dst[lo:hi], operand(x, lo*w.stride[0][0], hi-lo, w.stride[0][0]), operand(z, lo*w.stride[1][0], hi-lo, w.stride[1][0]))
		})
		return
	}
	each(c, len(dst)/n, n, func(first, last int) {
		w.rows(first, last, func(lo, i, j int) {
			row(op, dst[lo:lo+n], operand(x, i, n, w.stride[0][0]), operand(z, j, n, w.stride[1][0]))
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
func row[T int64 | float32](op Arithmetic, dst, x, z []T) {
	switch {
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
