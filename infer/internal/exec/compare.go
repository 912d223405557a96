package exec

import "gantry/infer/internal/plan"

func init() {
	for _, op := range []struct {
		name  string
		since int64
		table uint8
	}{{"Less", 0, 1}, {"LessOrEqual", 12, 3}, {"Equal", 0, 2}, {"GreaterOrEqual", 12, 6}, {"Greater", 0, 4}, {"And", 0, bools | 8}, {"Or", 0, bools | 14}, {"Xor", 0, bools | 6}} {
		plan.Register(plan.Operator{Name: op.name, Since: op.since, MinIn: 2, MaxIn: 2, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) {
			return &function{infer: compare(op.table).infer, run: compare(op.table).run}, nil
		}})
	}
	plan.Register(plan.Operator{Name: "Not", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) {
		return &function{
			infer: func(in []*plan.Arg) (plan.Result, error) { return result(plan.Bool, in[0].Shape), wantBool(in[0]) },
			run: func(_ *plan.Context, in, out []*plan.Tensor) error {
				for i, v := range in[0].I {
					out[0].I[i] = 1 - v
				}
				return nil
			}}, nil
	}})
	plan.Register(plan.Operator{Name: "Where", Since: 9, MinIn: 3, MaxIn: 3, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) {
		return &function{infer: inferWhere, run: runWhere}, nil
	}})
}

func wantBool(a *plan.Arg) error {
	if a.DType != plan.Bool {
		return errorf("input 0 is %v, want bool", a.Type)
	}
	return nil
}

// compare is the table of an operator whose results are booleans: bit k answers arguments of case k. Of numbers, 0 is less,
// 1 equal, 2 greater, and NaN none of them; of booleans x and z, with the bit bools, the case is x + 2z.
type compare uint8

const bools = 1 << 4

func (t compare) infer(in []*plan.Arg) (plan.Result, error) {
	if in[0].DType != in[1].DType || t&bools != 0 && in[0].DType != plan.Bool {
		return plan.Result{}, errorf("inputs are %v and %v, want one type that can be compared", in[0].Type, in[1].Type)
	}
	shape, err := plan.Broadcast(in[0].Shape, in[1].Shape)
	return result(plan.Bool, shape), err
}

func (t compare) run(c *plan.Context, in, out []*plan.Tensor) error {
	a, b, y := in[0], in[1], out[0]
	switch {
	case t&bools != 0:
		pairs(c, y, a, b, y.I, a.I, b.I, func(x, z int64) int64 { return int64(t>>(x+2*z)) & 1 })
	case a.DType.Integer():
		pairs(c, y, a, b, y.I, a.I, b.I, func(x, z int64) int64 { return answer(t, x < z, x == z, x > z) })
	default:
		pairs(c, y, a, b, y.I, a.F, b.F, func(x, z float32) int64 { return answer(t, x < z, x == z, x > z) })
	}
	return nil
}

func answer(t compare, less, equal, greater bool) int64 {
	if t&1 != 0 && less || t&2 != 0 && equal || t&4 != 0 && greater {
		return 1
	}
	return 0
}

// pairs computes dst = f(x, z) after broadcasting.
func pairs[T int64 | float32](c *plan.Context, y, a, b *plan.Tensor, dst []int64, x, z []T, f func(x, z T) int64) {
	walk(c, y, a, b, func(lo, n, i, j, p, q int) {
		for k := range n {
			dst[lo+k] = f(x[i+k*p], z[j+k*q])
		}
	})
}

// walk calls f for runs of y, which a and b are stretched over: lo and n in y, i and j in the operands, with steps p and q.
func walk(c *plan.Context, y, a, b *plan.Tensor, f func(lo, n, i, j, p, q int)) {
	count := y.Count()
	if count == 0 {
		return
	}
	w := newBroadcast(y.Shape, a.Shape, b.Shape)
	n, p, q := w.shape[0], w.stride[0][0], w.stride[1][0]
	each(c, count/n, n, func(first, last int) {
		w.rows(first, last, func(lo, i, j int) { f(lo, n, i, j, p, q) })
	})
}

func inferWhere(in []*plan.Arg) (plan.Result, error) {
	if err := wantBool(in[0]); err != nil {
		return plan.Result{}, err
	}
	if in[1].DType != in[2].DType {
		return plan.Result{}, errorf("inputs 1 and 2 are %v and %v, want one type", in[1].Type, in[2].Type)
	}
	shape, err := plan.Broadcast(in[1].Shape, in[2].Shape)
	if err == nil {
		shape, err = plan.Broadcast(in[0].Shape, shape)
	}
	return result(in[1].DType, shape), err
}

// runWhere takes the elements of input 1 where input 0 is true, then those of input 2 where it is not.
func runWhere(c *plan.Context, in, out []*plan.Tensor) error {
	for k := range 2 {
		a, x, y := in[0].I, in[1+k], out[0]
		walk(c, y, in[0], x, func(lo, n, i, j, p, q int) {
			for r := range n {
				switch {
				case a[i+r*p] == int64(k):
				case y.DType.Integer():
					y.I[lo+r] = x.I[j+r*q]
				default:
					y.F[lo+r] = x.F[j+r*q]
				}
			}
		})
	}
	return nil
}
