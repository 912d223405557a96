package exec

import (
	"math"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Cast", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		to := d.Int("to", 0)
		if to < 0 || to >= int64(len(castTypes)) || castTypes[to].dtype == 0 {
			return nil, errorf("attribute to is %d, want the number of a floating-point, integer or boolean type", to)
		}
		return newCast(d, castTypes[to]), nil
	}})
	plan.Register(plan.Operator{Name: "CastLike", Since: 15, MinIn: 2, MaxIn: 2, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		return newCast(d, castType{}), nil
	}})
}

// castType is a type of ONNX: how it is held, and the range of an integer. Floating point is float32, whatever its width.
type castType struct {
	dtype  plan.DType
	lo, hi int64
}

// castTypes holds what Cast may make, by the numbers of TensorProto.DataType.
var castTypes = [...]castType{
	1: {dtype: plan.Float32}, 10: {dtype: plan.Float32}, 11: {dtype: plan.Float32}, 16: {dtype: plan.Float32},
	2: {plan.Uint8, 0, math.MaxUint8}, 3: {plan.Int32, math.MinInt8, math.MaxInt8},
	4: {plan.Int32, 0, math.MaxUint16}, 5: {plan.Int32, math.MinInt16, math.MaxInt16},
	6: {plan.Int32, math.MinInt32, math.MaxInt32}, 7: {plan.Int64, math.MinInt64, math.MaxInt64},
	9: {plan.Bool, 0, 1}, 12: {plan.Int64, 0, math.MaxUint32}, 13: {plan.Int64, 0, math.MaxInt64},
}

// newCast returns Cast to a type, or to that of argument 1 if the type is 0. Integers lose their high bits, floats what is behind the point;
// floats outside the range of an integer become its nearest end, NaN 0, which ONNX leaves open. All but 0 is true.
func newCast(d *plan.Decl, to castType) plan.Op {
	if d.Opset >= 19 {
		d.Int("saturate", 1) // of float8, like the next
	}
	if d.Opset >= 24 {
		d.String("round_mode", "up")
	}
	typeOf := func(dtype plan.DType) castType {
		if to.dtype != 0 {
			return to
		}
		return castTo(dtype)
	}
	return &function{
		infer: func(in []*plan.Arg) (plan.Result, error) {
			t := typeOf(in[len(in)-1].DType).dtype
			if t == in[0].DType && (t == plan.Float32 || t == plan.Int64 || t == plan.Bool) && to.hi != math.MaxUint32 {
				return viewed(t, in[0].Shape), nil
			}
			return result(t, in[0].Shape), nil
		},
		run: func(c *plan.Context, in, out []*plan.Tensor) error {
			t := typeOf(out[0].DType)
			each(c, out[0].Count(), 1, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					t.cast(out[0], in[0], i)
				}
			})
			return nil
		}}
}

// castTo returns the conversion to a type as it is held.
func castTo(t plan.DType) castType {
	return castTypes[[...]int{plan.Float32: 1, plan.Int64: 7, plan.Int32: 6, plan.Uint8: 2, plan.Bool: 9}[t]]
}

// cast converts element i.
func (t castType) cast(y, x *plan.Tensor, i int) {
	switch {
	case x.DType == plan.Float32 && y.DType == plan.Float32:
		y.F[i] = x.F[i]
	case y.DType == plan.Float32:
		y.F[i] = float32(x.I[i])
	case x.DType == plan.Float32:
		v := float64(x.F[i])
		switch {
		case t.dtype == plan.Bool && v != 0: // or NaN
			y.I[i] = 1
		case v >= float64(t.hi): // which for int64 is rounded up, out of the range
			y.I[i] = t.hi
		case v > float64(t.lo):
			y.I[i] = int64(v)
		case v == v:
			y.I[i] = t.lo
		default:
			y.I[i] = 0
		}
	default:
		v := x.I[i]
		switch {
		case t.dtype == plan.Bool || t.hi == math.MaxInt64:
			v = t.dtype.Wrap(v)
		default: // the low bits: t.hi-t.lo+1 is a power of 2
			if v &= t.hi - t.lo; v > t.hi {
				v -= t.hi - t.lo + 1
			}
		}
		y.I[i] = v
	}
}
