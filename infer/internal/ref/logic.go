package ref

import (
	"math"

	"gantry/infer/internal/plan"
)

func init() {
	for name, f := range map[string]func(a, b float64) bool{
		"Equal":          func(a, b float64) bool { return a == b },
		"Less":           func(a, b float64) bool { return a < b },
		"LessOrEqual":    func(a, b float64) bool { return a <= b },
		"Greater":        func(a, b float64) bool { return a > b },
		"GreaterOrEqual": func(a, b float64) bool { return a >= b },
		"And":            func(a, b float64) bool { return a != 0 && b != 0 },
		"Or":             func(a, b float64) bool { return a != 0 || b != 0 },
		"Xor":            func(a, b float64) bool { return (a != 0) != (b != 0) },
	} {
		operators[name] = func(_ node, in []*Tensor) (*Tensor, error) {
			shape, err := broadcast(in[0].Shape, in[1].Shape)
			if err != nil {
				return nil, err
			}
			y := newLike(&Tensor{DType: plan.Bool}, shape)
			each(shape, func(i int, c []int) {
				y.I[i] = truth(f(in[0].number(index(c, in[0].Shape)), in[1].number(index(c, in[1].Shape))))
			})
			return y, nil
		}
	}
	operators["Not"] = func(_ node, in []*Tensor) (*Tensor, error) {
		y := newLike(in[0], in[0].Shape)
		for i, v := range in[0].I {
			y.I[i] = truth(v == 0)
		}
		return y, nil
	}
	operators["Where"] = func(_ node, in []*Tensor) (*Tensor, error) {
		shape, err := broadcast(in[1].Shape, in[2].Shape)
		if err == nil {
			shape, err = broadcast(in[0].Shape, shape)
		}
		if err != nil {
			return nil, err
		}
		y := newLike(in[1], shape)
		each(shape, func(i int, c []int) {
			from := in[1]
			if in[0].I[index(c, in[0].Shape)] == 0 {
				from = in[2]
			}
			y.move(i, from, index(c, from.Shape))
		})
		return y, nil
	}
	operators["Cast"] = func(n node, in []*Tensor) (*Tensor, error) { return cast(in[0], n.int("to", 0)), nil }
	operators["CastLike"] = func(_ node, in []*Tensor) (*Tensor, error) {
		return cast(in[0], map[plan.DType]int64{plan.Float32: 1, plan.Uint8: 2, plan.Int32: 6, plan.Int64: 7, plan.Bool: 9}[in[1].DType]), nil
	}
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// number returns element i, which for an integer must be below 2^53.
func (t *Tensor) number(i int) float64 {
	if t.V == nil {
		return float64(t.I[i])
	}
	return t.V[i]
}

// cast is ONNX Cast to a type by its number. What a float that is out of range becomes is ours to choose: the nearest end, 0 for NaN.
func cast(x *Tensor, to int64) *Tensor {
	lo, hi := 0.0, 0.0
	y := newLike(&Tensor{DType: plan.Int32}, x.Shape)
	switch to {
	case 2:
		y.DType, hi = plan.Uint8, math.MaxUint8
	case 3:
		lo, hi = math.MinInt8, math.MaxInt8
	case 4:
		hi = math.MaxUint16
	case 5:
		lo, hi = math.MinInt16, math.MaxInt16
	case 6:
		lo, hi = math.MinInt32, math.MaxInt32
	case 7:
		y.DType, lo, hi = plan.Int64, math.MinInt64, math.MaxInt64
	case 9:
		y.DType = plan.Bool
	case 12:
		y.DType, hi = plan.Int64, math.MaxUint32
	default:
		y = newFloats(x.Shape)
	}
	for i := range size(x.Shape) {
		switch {
		case y.V != nil && x.V != nil:
			y.V[i], y.E[i] = x.V[i], x.E[i]
		case y.V != nil:
			y.V[i] = float64(float32(x.I[i]))
		case y.DType == plan.Bool:
			y.I[i] = truth(x.number(i) != 0)
		case x.V == nil && to == 7:
			y.I[i] = x.I[i]
		case x.V == nil:
			y.I[i] = x.I[i] - int64(math.Floor((float64(x.I[i])-lo)/(hi-lo+1)))*int64(hi-lo+1)
		case to == 7 && x.V[i] >= hi: // which as a float64 is out of the range
			y.I[i] = math.MaxInt64
		case !math.IsNaN(x.V[i]):
			y.I[i] = int64(math.Trunc(math.Min(math.Max(x.V[i], lo), hi)))
		}
	}
	return y
}
