package exec

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func f32(shape []int, v ...float32) *plan.Tensor { return floats(shape, v...) }
func i64(shape []int, v ...int64) *plan.Tensor   { return ints(shape, v...) }

func i32(shape []int, v ...int64) *plan.Tensor {
	return &plan.Tensor{Type: plan.Type{DType: plan.Int32, Shape: shape}, I: v}
}

// apply declares, plans and runs one operator of one result.
func apply(kind string, opset int64, attrs map[string]any, in ...*plan.Tensor) (*plan.Tensor, error) {
	out, err := applyAll(kind, opset, 1, attrs, in...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// applyAll declares, plans and runs one operator.
func applyAll(kind string, opset int64, outs int, attrs map[string]any, in ...*plan.Tensor) ([]*plan.Tensor, error) {
	d := &plan.Decl{Opset: opset, Outs: outs, List: outs, Attrs: attrs}
	args := make([]*plan.Arg, len(in))
	for i, t := range in {
		d.In = append(d.In, t != nil)
		if t != nil {
			args[i] = &plan.Arg{Type: t.Type, Known: t}
		}
	}
	op, err := plan.NewOp(kind, d)
	if err != nil {
		return nil, err
	}
	r, err := op.Infer(args)
	if err != nil {
		return nil, err
	}
	out := make([]*plan.Tensor, outs)
	for k := range out {
		out[k] = plan.NewTensor(r.Out[k])
		for i := range out[k].F {
			out[k].F[i] = float32(math.NaN()) // whatever stood in the arena
		}
		for i := range out[k].I {
			out[k].I[i] = math.MinInt64
		}
	}
	pool := kernel.NewPool(2)
	defer pool.Close()
	return out, plan.Bound(op, args).Run(&plan.Context{Pool: pool, Scratch: make([]float32, r.Scratch)}, in, out)
}

// sameTensor reports whether got and want are equal; NaN is.
func sameTensor(got, want *plan.Tensor) bool {
	same := got.DType == want.DType && slices.Equal(got.Shape, want.Shape) && slices.Equal(got.I, want.I) && len(got.F) == len(want.F)
	for i := range got.F {
		same = same && (got.F[i] == want.F[i] || got.F[i] != got.F[i] && want.F[i] != want.F[i])
	}
	return same
}

type attrs = map[string]any

func TestOperators(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	m23 := f32([]int{2, 3}, 1, 2, 3, 4, 5, 6)
	for _, c := range []struct {
		name  string
		kind  string
		opset int64
		attrs attrs
		in    []*plan.Tensor
		want  *plan.Tensor
	}{
		{"int64", "Add", 13, nil, []*plan.Tensor{i64([]int{2, 1}, 1, 2), i64([]int{2}, 10, 20)}, i64([]int{2, 2}, 11, 21, 12, 22)},
		{"int64", "Sub", 13, nil, []*plan.Tensor{i64([]int{}, 5), i64([]int{2}, 10, math.MinInt64)}, i64([]int{2}, -5, math.MinInt64+5)},
		{"int64", "Mul", 13, nil, []*plan.Tensor{i64([]int{2}, 3, -4), i64([]int{2}, 3, -4)}, i64([]int{2}, 9, 16)},
		{"int64 truncates", "Div", 13, nil, []*plan.Tensor{i64([]int{3}, -7, 7, math.MinInt64), i64([]int{3}, 2, -2, -1)}, i64([]int{3}, -3, -3, math.MinInt64)},
		{"scalar first", "Div", 7, nil, []*plan.Tensor{f32([]int{}, 6), f32([]int{3}, 1, 2, 4)}, f32([]int{3}, 6, 3, 1.5)},
		{"rows", "Sub", 7, nil, []*plan.Tensor{m23, f32([]int{3}, 1, 1, 2)}, f32([]int{2, 3}, 0, 1, 1, 3, 4, 4)},
		{"columns", "Mul", 7, nil, []*plan.Tensor{f32([]int{2, 1}, 1, -1), m23}, f32([]int{2, 3}, 1, 2, 3, -4, -5, -6)},
		{"both stretched", "Add", 7, nil, []*plan.Tensor{f32([]int{2, 1, 2}, 1, 2, 3, 4), f32([]int{2, 1}, 10, 20)}, f32([]int{2, 2, 2}, 11, 12, 21, 22, 13, 14, 23, 24)},
		{"scalars", "Add", 7, nil, []*plan.Tensor{f32([]int{}, 1), f32([]int{1, 1}, 2)}, f32([]int{1, 1}, 3)},
		{"empty", "Add", 7, nil, []*plan.Tensor{f32([]int{0, 2}), f32([]int{2}, 1, 2)}, f32([]int{0, 2})},
		{"int32 wraps", "Add", 13, nil, []*plan.Tensor{i32([]int{1}, math.MaxInt32), i32([]int{}, 1)}, i32([]int{1}, math.MinInt32)},
		{"slope of a channel", "PRelu", 9, nil, []*plan.Tensor{f32([]int{2, 2}, -1, 2, -3, -4), f32([]int{2, 1}, 2, 3)}, f32([]int{2, 2}, -2, 2, -9, -12)},
		{"int64", "PRelu", 9, nil, []*plan.Tensor{i64([]int{2}, -1, 2), i64([]int{}, 3)}, i64([]int{2}, -3, 2)},
		{"NaN", "Max", 13, nil, []*plan.Tensor{f32([]int{3}, nan, 1, 2), f32([]int{3}, 1, nan, 3)}, f32([]int{3}, nan, nan, 3)},
		{"NaN", "Min", 13, nil, []*plan.Tensor{f32([]int{3}, nan, 1, 2), f32([]int{3}, 1, nan, 3)}, f32([]int{3}, nan, nan, 2)},
		{"int64 of three", "Max", 13, nil, []*plan.Tensor{i64([]int{2, 1}, 1, 9), i64([]int{}, 4), i64([]int{2}, 0, 7)}, i64([]int{2, 2}, 4, 7, 9, 9)},
		{"of one", "Min", 13, nil, []*plan.Tensor{m23}, m23},
		{"of three", "Sum", 8, nil, []*plan.Tensor{f32([]int{1}, 1), f32([]int{2, 1}, 10, 20), f32([]int{2}, 2, 3)}, f32([]int{2, 2}, 13, 14, 23, 24)},
		{"of two", "Mean", 8, nil, []*plan.Tensor{f32([]int{1}, 1), f32([]int{2}, 10, 20)}, f32([]int{2}, 5.5, 10.5)},
		{"signs", "Mod", 10, nil, []*plan.Tensor{i64([]int{4}, -7, 7, -6, math.MinInt64), i64([]int{4}, 3, -3, 3, -1)}, i64([]int{4}, 2, -2, 0, 0)},
		{"signs", "Mod", 10, attrs{"fmod": int64(1)}, []*plan.Tensor{f32([]int{4}, -7.5, 7.5, inf, 1), f32([]int{4}, 2, -2, 1, 0)}, f32([]int{4}, -1.5, 1.5, nan, nan)},
		{"int64 and fmod", "Mod", 10, attrs{"fmod": int64(1)}, []*plan.Tensor{i64([]int{2}, -7, 7), i64([]int{}, 3)}, i64([]int{2}, -1, 1)},
		{"floats", "Mod", 28, nil, []*plan.Tensor{f32([]int{5}, -7.5, 7.5, 1, -1, nan), f32([]int{5}, 2, -2, inf, inf, 1)}, f32([]int{5}, 0.5, -0.5, 1, inf, nan)},
		{"powers", "Pow", 7, nil, []*plan.Tensor{f32([]int{8}, 3, -2, -2, 2, -8, 0, -3, 4), f32([]int{8}, 2, 3, -2, 0.5, 1.5, -1, 0, -0.5)},
			f32([]int{8}, 9, -8, 0.25, float32(math.Sqrt2), nan, inf, 1, 0.5)},
		{"limits", "Pow", 13, nil, []*plan.Tensor{f32([]int{8}, -inf, -inf, inf, 0.5, -1, -0.5, 1, nan), f32([]int{8}, 3, 0.25, -2, -inf, inf, inf, nan, 0)},
			f32([]int{8}, -inf, inf, 0, inf, 1, 0, 1, 1)},
		{"float by int64", "Pow", 12, nil, []*plan.Tensor{f32([]int{3}, 1, 2, 3), i64([]int{3}, 4, -5, 6)}, f32([]int{3}, 1, 1./32, 729)},
		{"int32 by float", "Pow", 12, nil, []*plan.Tensor{i32([]int{3}, 1, 2, 3), f32([]int{}, 2.5)}, i32([]int{3}, 1, 5, 15)},
		{"int32 by int64", "Pow", 12, nil, []*plan.Tensor{i32([]int{3}, 1<<24+1, -3, 1<<16), i64([]int{3}, 1, 3, 2)}, i32([]int{3}, 1<<24+1, -27, 0)},
		{"int64", "Pow", 12, nil, []*plan.Tensor{i64([]int{4}, -3, 2, -1, 2), i64([]int{4}, 3, 62, -3, -1)}, i64([]int{4}, -27, 1<<62, -1, 0)},
		{"values", "Relu", 6, nil, []*plan.Tensor{f32([]int{3}, -1, 0, inf)}, f32([]int{3}, 0, 0, inf)},
		{"reverse", "Transpose", 13, nil, []*plan.Tensor{i64([]int{2, 3}, 1, 2, 3, 4, 5, 6)}, i64([]int{3, 2}, 1, 4, 2, 5, 3, 6)},
		{"scalar", "Transpose", 13, nil, []*plan.Tensor{f32([]int{}, 7)}, f32([]int{}, 7)},
		{"empty", "Transpose", 13, nil, []*plan.Tensor{f32([]int{0, 2})}, f32([]int{2, 0})},
		{"DCR", "DepthToSpace", 10, attrs{"blocksize": int64(2)}, []*plan.Tensor{f32([]int{1, 4, 1, 1}, 1, 2, 3, 4)}, f32([]int{1, 1, 2, 2}, 1, 2, 3, 4)},
		{"NaN stays", "Clip", 13, nil, []*plan.Tensor{f32([]int{4}, nan, -inf, 0.5, inf), f32([]int{}, -1), f32([]int{}, 1)}, f32([]int{4}, nan, -1, 0.5, 1)},
		{"max alone", "Clip", 11, nil, []*plan.Tensor{f32([]int{2}, -5, 5), nil, f32([]int{}, 1)}, f32([]int{2}, -5, 1)},
		{"attributes", "Clip", 6, attrs{"max": float32(2)}, []*plan.Tensor{f32([]int{2}, -inf, 5)}, f32([]int{2}, -math.MaxFloat32, 2)},
		{"negative zero", "Abs", 13, nil, []*plan.Tensor{f32([]int{3}, float32(math.Copysign(0, -1)), -inf, 2)}, f32([]int{3}, 0, inf, 2)},
		{"below zero", "Sqrt", 13, nil, []*plan.Tensor{f32([]int{2}, -1, 4)}, f32([]int{2}, nan, 2)},
		{"int32", "Abs", 13, nil, []*plan.Tensor{i32([]int{3}, -3, math.MinInt32, 2)}, i32([]int{3}, 3, math.MinInt32, 2)},
		{"int64", "Neg", 13, nil, []*plan.Tensor{i64([]int{2}, -3, 2)}, i64([]int{2}, 3, -2)},
		{"int64", "Sign", 13, nil, []*plan.Tensor{i64([]int{3}, -3, 0, 2)}, i64([]int{3}, -1, 0, 1)},
		{"floats", "Sign", 13, nil, []*plan.Tensor{f32([]int{4}, nan, -inf, 0, 1e-45)}, f32([]int{4}, nan, -1, 0, 1)},
		{"int32", "Relu", 14, nil, []*plan.Tensor{i32([]int{2}, -3, 2)}, i32([]int{2}, 0, 2)},
		{"int64", "Clip", 12, nil, []*plan.Tensor{i64([]int{3}, -9, 0, 9), i64([]int{}, -1), i64([]int{1}, 1)}, i64([]int{3}, -1, 0, 1)},
		{"strict", "ThresholdedRelu", 10, attrs{"alpha": float32(2)}, []*plan.Tensor{f32([]int{4}, 2, 3, -3, nan)}, f32([]int{4}, 0, 3, 0, nan)},
		{"of zero", "Reciprocal", 13, nil, []*plan.Tensor{f32([]int{2}, 0, -4)}, f32([]int{2}, inf, -0.25)},
		{"auto_pad before pads", "Conv", 13, attrs{"auto_pad": "VALID", "pads": []int64{1, 1}}, []*plan.Tensor{f32([]int{1, 1, 3}, 1, 2, 3), f32([]int{1, 1, 2}, 10, 1)},
			f32([]int{1, 1, 2}, 12, 23)},
		{"dilated and same", "Conv", 13, attrs{"auto_pad": "SAME_LOWER", "dilations": []int64{2}}, []*plan.Tensor{f32([]int{1, 1, 4}, 1, 2, 3, 4), f32([]int{1, 1, 2}, 10, 1)},
			f32([]int{1, 1, 4}, 2, 13, 24, 30)},
		{"half pixels", "Resize", 13, attrs{"mode": "linear"}, []*plan.Tensor{f32([]int{1, 1, 2}, 0, 4), nil, f32([]int{3}, 1, 1, 2)}, f32([]int{1, 1, 4}, 0, 1, 3, 4)},
		{"sizes", "Resize", 11, attrs{"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, []*plan.Tensor{f32([]int{1, 1, 1, 2}, 1, 2), f32([]int{0}), f32([]int{0}), i64([]int{4}, 1, 1, 2, 3)},
			f32([]int{1, 1, 2, 3}, 1, 1, 2, 1, 1, 2)},
		{"downsample", "Resize", 10, nil, []*plan.Tensor{f32([]int{1, 1, 5}, 0, 1, 2, 3, 4), f32([]int{3}, 1, 1, 0.6)}, f32([]int{1, 1, 3}, 0, 2, 4)},
		{"means", "GlobalAveragePool", 7, nil, []*plan.Tensor{f32([]int{1, 2, 1, 2}, 1, 3, 5, 8)}, f32([]int{1, 2, 1, 1}, 2, 6.5)},
		{"attributes", "Pad", 10, attrs{"pads": []int64{0, -1, 1, 1}, "value": float32(9)}, []*plan.Tensor{m23}, f32([]int{3, 3}, 2, 3, 9, 5, 6, 9, 9, 9, 9)},
		{"there and back", "Pad", 18, attrs{"mode": "reflect"}, []*plan.Tensor{f32([]int{1, 3}, 1, 2, 3), i64([]int{2}, 5, 3), nil, i64([]int{1}, -1)},
			f32([]int{1, 11}, 2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2)},
		{"reflects one", "Pad", 13, attrs{"mode": "reflect"}, []*plan.Tensor{f32([]int{1}, 7), i64([]int{2}, 2, 1)}, f32([]int{4}, 7, 7, 7, 7)},
		{"wraps what is left", "Pad", 19, attrs{"mode": "wrap"}, []*plan.Tensor{i64([]int{4}, 1, 2, 3, 4), i64([]int{2}, -1, 4)}, i64([]int{7}, 2, 3, 4, 2, 3, 4, 2)},
		{"of integers", "Pad", 13, nil, []*plan.Tensor{i64([]int{1}, 1), i64([]int{2}, 0, 2), i64([]int{}, 5)}, i64([]int{3}, 1, 5, 5)},
		{"fills between", "Pad", 13, nil, []*plan.Tensor{f32([]int{1, 5}, 1, 2, 3, 4, 5), i64([]int{4}, 0, 3, 0, 0)}, f32([]int{1, 8}, 0, 0, 0, 1, 2, 3, 4, 5)},
		{"rounds up", "AveragePool", 19, attrs{"kernel_shape": []int64{2}, "strides": []int64{2}, "ceil_mode": int64(1), "count_include_pad": int64(1)},
			[]*plan.Tensor{f32([]int{1, 1, 3}, 1, 3, 8)}, f32([]int{1, 1, 2}, 2, 8)},
		{"padding counts", "AveragePool", 7, attrs{"kernel_shape": []int64{2}, "pads": []int64{1, 0}, "count_include_pad": int64(1)},
			[]*plan.Tensor{f32([]int{1, 1, 2}, 4, 6)}, f32([]int{1, 1, 2}, 2, 5)},
		{"NaN, and a window without elements", "MaxPool", 11, attrs{"kernel_shape": []int64{2}, "dilations": []int64{2}, "pads": []int64{1, 1}},
			[]*plan.Tensor{f32([]int{2, 1, 1}, nan, 3)}, f32([]int{2, 1, 1}, -inf, -inf)},
		{"NaN", "MaxPool", 7, attrs{"kernel_shape": []int64{1, 2}}, []*plan.Tensor{f32([]int{1, 1, 1, 3}, 5, nan, 7)}, f32([]int{1, 1, 1, 2}, nan, nan)},
		{"maxima", "GlobalMaxPool", 7, nil, []*plan.Tensor{f32([]int{1, 2, 1, 2}, -3, -1, 5, nan)}, f32([]int{1, 2, 1, 1}, -1, nan)},
		{"cubic", "Resize", 13, attrs{"mode": "cubic", "coordinate_transformation_mode": "asymmetric"}, []*plan.Tensor{f32([]int{1, 1, 4}, 0, 0, 1, 0), nil, f32([]int{3}, 1, 1, 2)},
			f32([]int{1, 1, 8}, 0, -0.09375, 0, 0.59375, 1, 0.59375, 0, -0.09375)},
		{"outside", "Resize", 13, attrs{"coordinate_transformation_mode": "tf_crop_and_resize", "mode": "linear", "extrapolation_value": float32(-1)},
			[]*plan.Tensor{f32([]int{1, 3}, 1, 2, 3), f32([]int{4}, 0, 0.5, 1, 1.5), nil, i64([]int{2}, 1, 3)}, f32([]int{1, 3}, 2, 3, -1)},
		{"aspect ratio", "Resize", 18, attrs{"axes": []int64{1, 0}, "keep_aspect_ratio_policy": "not_larger"}, []*plan.Tensor{f32([]int{1, 2}, 1, 2), nil, nil, i64([]int{2}, 6, 2)},
			f32([]int{2, 4}, 1, 1, 2, 2, 1, 1, 2, 2)},
		{"depth", "Conv", 13, attrs{"pads": []int64{1, 0, 0, 0, 0, 0}}, []*plan.Tensor{f32([]int{1, 1, 2, 1, 1}, 1, 2), f32([]int{1, 1, 2, 1, 1}, 10, 1), f32([]int{1}, 0.5)},
			f32([]int{1, 1, 2, 1, 1}, 1.5, 12.5)},
		{"depth", "ConvTranspose", 13, attrs{"strides": []int64{2, 1, 1}, "output_padding": []int64{1, 0, 0}}, []*plan.Tensor{f32([]int{1, 1, 2, 1, 1}, 1, 2), f32([]int{1, 1, 1, 1, 2}, 10, 1), f32([]int{1}, 0.5)},
			f32([]int{1, 1, 4, 1, 2}, 10.5, 1.5, 0.5, 0.5, 20.5, 2.5, 0.5, 0.5)},
		{"from the end", "GatherElements", 11, attrs{"axis": int64(-1)}, []*plan.Tensor{m23, i64([]int{2, 1}, -1, 0)}, f32([]int{2, 1}, 3, 4)},
		{"rows of a batch", "GatherND", 12, attrs{"batch_dims": int64(1)}, []*plan.Tensor{m23, i64([]int{2, 1}, 1, -1)}, f32([]int{2}, 2, 6)},
		{"twice in one place", "ScatterND", 16, attrs{"reduction": "add"}, []*plan.Tensor{m23, i64([]int{2, 1}, 1, 1), m23}, f32([]int{2, 3}, 1, 2, 3, 9, 12, 15)},
		{"the last counts", "ScatterElements", 11, nil, []*plan.Tensor{i64([]int{2}, 1, 2), i64([]int{2}, 0, 0), i64([]int{2}, 7, 8)}, i64([]int{2}, 8, 2)},
		{"out of range is off", "OneHot", 11, attrs{"axis": int64(0)}, []*plan.Tensor{i64([]int{3}, 1, -1, 2), i64([]int{}, 2), i64([]int{2}, 5, 6)}, i64([]int{2, 3}, 5, 5, 5, 6, 6, 5)},
		{"depth and indices of floats", "OneHot", 11, nil, []*plan.Tensor{f32([]int{2}, 1.5, nan), f32([]int{1}, 2), f32([]int{2}, 0, 1)}, f32([]int{2, 2}, 0, 1, 0, 0)},
		{"NaN first, then the first of equals", "TopK", 10, nil, []*plan.Tensor{f32([]int{4}, 1, 3, nan, 3), i64([]int{1}, 3)}, f32([]int{3}, nan, 3, 3)},
		{"smallest, by columns", "TopK", 11, attrs{"axis": int64(0), "largest": int64(0)}, []*plan.Tensor{i64([]int{2, 2}, 4, 1, 3, 2), i64([]int{1}, 1)}, i64([]int{1, 2}, 3, 1)},
		{"diagonal", "Einsum", 12, attrs{"equation": "ii->i"}, []*plan.Tensor{f32([]int{2, 2}, 1, 2, 3, 4)}, f32([]int{2}, 1, 4)},
		{"result not stated", "Einsum", 12, attrs{"equation": "b..., ab"}, []*plan.Tensor{f32([]int{2, 1}, 1, 2), m23.View([]int{3, 2})}, f32([]int{1, 3}, 5, 11, 17)},
		{"of nothing", "Einsum", 12, attrs{"equation": "ab,bc->ac"}, []*plan.Tensor{f32([]int{2, 0}), f32([]int{0, 2})}, f32([]int{2, 2}, 0, 0, 0, 0)},
		{"empty batch", "Einsum", 12, attrs{"equation": "nab,nbc->nac"}, []*plan.Tensor{f32([]int{0, 2, 3}), f32([]int{0, 3, 1})}, f32([]int{0, 2, 1})},
		{"ellipses of two lengths", "Einsum", 12, attrs{"equation": "...a, ...a -> ..."}, []*plan.Tensor{m23, f32([]int{3}, 1, 0, 2)}, f32([]int{2}, 7, 16)},
		{"default slope", "LeakyRelu", 6, nil, []*plan.Tensor{f32([]int{2}, -1, 2)}, f32([]int{2}, -0.01, 2)},
		{"A and B transposed", "Gemm", 13, attrs{"transA": int64(1), "transB": int64(1)}, []*plan.Tensor{m23, f32([]int{2, 2}, 1, 0, 1, 1)}, f32([]int{3, 2}, 1, 5, 2, 7, 3, 9)},
		{"alpha, beta, column C", "Gemm", 13, attrs{"alpha": float32(2), "beta": float32(-1)}, []*plan.Tensor{m23, f32([]int{3, 1}, 1, 1, 1), f32([]int{2, 1}, 1, 2)}, f32([]int{2, 1}, 11, 28)},
		{"empty sum", "Gemm", 13, nil, []*plan.Tensor{f32([]int{2, 0}), f32([]int{0, 2}), f32([]int{2}, 1, 2)}, f32([]int{2, 2}, 1, 2, 1, 2)},
		{"vectors", "MatMul", 13, nil, []*plan.Tensor{f32([]int{2}, 1, 2), f32([]int{2}, 3, 4)}, f32([]int{}, 11)},
		{"vector by batch", "MatMul", 13, nil, []*plan.Tensor{f32([]int{2}, 1, 2), f32([]int{2, 2, 1}, 3, 4, 5, 6)}, f32([]int{2, 1}, 11, 17)},
		{"batch by vector", "MatMul", 13, nil, []*plan.Tensor{f32([]int{2, 1, 2}, 3, 4, 5, 6), f32([]int{2}, 1, 2)}, f32([]int{2, 1}, 11, 17)},
		{"empty sum", "MatMul", 13, nil, []*plan.Tensor{f32([]int{2, 0}), f32([]int{0, 1})}, f32([]int{2, 1}, 0, 0)},
		{"images", "BatchNormalization", 9, attrs{"epsilon": float32(0)}, []*plan.Tensor{f32([]int{1, 2, 1, 2}, 1, 2, 3, 4), f32([]int{2}, 1, 2), f32([]int{2}, 0, 1), f32([]int{2}, 1, 3), f32([]int{2}, 1, 4)},
			f32([]int{1, 2, 1, 2}, 0, 1, 1, 2)},
		{"one channel", "BatchNormalization", 9, attrs{"epsilon": float32(0)}, []*plan.Tensor{f32([]int{3}, 1, 3, 5), f32([]int{1}, 2), f32([]int{1}, 1), f32([]int{1}, 3), f32([]int{1}, 4)},
			f32([]int{3}, -1, 1, 3)},
		{"rows", "Softmax", 13, nil, []*plan.Tensor{f32([]int{2, 2}, 1, 1, 500, -500)}, f32([]int{2, 2}, 0.5, 0.5, 1, 0)},
		{"columns", "Softmax", 13, attrs{"axis": int64(0)}, []*plan.Tensor{f32([]int{2, 2}, 1, 500, 1, -500)}, f32([]int{2, 2}, 0.5, 1, 0.5, 0)},
		{"flat", "Softmax", 11, nil, []*plan.Tensor{f32([]int{1, 2, 2}, 3, 3, 3, 3)}, f32([]int{1, 2, 2}, 0.25, 0.25, 0.25, 0.25)},
		{"scalar", "Softmax", 11, attrs{"axis": int64(0)}, []*plan.Tensor{f32([]int{}, 3)}, f32([]int{}, 1)},
		{"masked", "Softmax", 13, nil, []*plan.Tensor{f32([]int{3}, -inf, 0, -inf)}, f32([]int{3}, 0, 1, 0)},
		{"rows", "LogSoftmax", 13, nil, []*plan.Tensor{f32([]int{2}, 500, -500)}, f32([]int{2}, 0, -1000)},
		{"zeros", "LpNormalization", 7, nil, []*plan.Tensor{f32([]int{2, 2}, 3, -4, 0, 0)}, f32([]int{2, 2}, 0.6, -0.8, 0, 0)},
		{"first axis", "LpNormalization", 22, attrs{"axis": int64(0), "p": int64(1)}, []*plan.Tensor{f32([]int{2, 2}, 3, -4, 1, 0)}, f32([]int{2, 2}, 0.75, -1, 0.25, 0)},
		{"channels", "InstanceNormalization", 7, attrs{"epsilon": float32(0)}, []*plan.Tensor{f32([]int{1, 2, 2}, 1, 3, 1e6, 1e6+2), f32([]int{2}, 1, 2), f32([]int{2}, 0, 1)},
			f32([]int{1, 2, 2}, -1, 1, -1, 3)},
		{"scale of a group", "GroupNormalization", 18, attrs{"epsilon": float32(0), "num_groups": int64(1)}, []*plan.Tensor{f32([]int{1, 2, 1}, 1, 3), f32([]int{1}, 2), f32([]int{1}, 1)},
			f32([]int{1, 2, 1}, -1, 3)},
		{"scale of a channel", "GroupNormalization", 21, attrs{"epsilon": float32(0), "num_groups": int64(1)}, []*plan.Tensor{f32([]int{1, 2, 1}, 1, 3), f32([]int{2}, 2, 3), f32([]int{2}, 1, 0)},
			f32([]int{1, 2, 1}, -1, 3)},
		{"last two", "LayerNormalization", 17, attrs{"epsilon": float32(0), "axis": int64(1)}, []*plan.Tensor{f32([]int{1, 2, 2}, 1, 3, 1, 3), f32([]int{2}, 2, 3), f32([]int{2, 1}, 1, 0)},
			f32([]int{1, 2, 2}, -1, 4, -2, 3)},
		{"rows", "RMSNormalization", 23, attrs{"epsilon": float32(0)}, []*plan.Tensor{f32([]int{2}, 1, -7), f32([]int{}, 10)}, f32([]int{2}, 2, -14)},
		{"first", "ArgMax", 13, nil, []*plan.Tensor{f32([]int{3, 2}, 1, 9, 7, 9, 7, 2)}, i64([]int{1, 2}, 1, 0)},
		{"last", "ArgMax", 13, attrs{"axis": int64(-2), "keepdims": int64(0), "select_last_index": int64(1)}, []*plan.Tensor{f32([]int{3, 2}, 1, 9, 7, 9, 7, 2)}, i64([]int{2}, 2, 1)},
		{"NaN", "ArgMin", 13, nil, []*plan.Tensor{f32([]int{4}, 1, nan, nan, -inf)}, i64([]int{1}, 1)},
		{"int64", "ArgMin", 13, nil, []*plan.Tensor{i64([]int{3}, 4, -5, -5)}, i64([]int{1}, 1)},
		{"rows", "CumSum", 11, nil, []*plan.Tensor{m23, i64([]int{}, 1)}, f32([]int{2, 3}, 1, 3, 6, 4, 9, 15)},
		{"columns, exclusive", "CumSum", 11, attrs{"exclusive": int64(1)}, []*plan.Tensor{m23, i32([]int{1}, -2)}, f32([]int{2, 3}, 0, 0, 0, 1, 2, 3)},
		{"reverse of int32", "CumSum", 14, attrs{"reverse": int64(1)}, []*plan.Tensor{i32([]int{3}, 1, 2, math.MaxInt32), i64([]int{}, 0)}, i32([]int{3}, math.MinInt32+2, math.MinInt32+1, math.MaxInt32)},
		{"upper", "Trilu", 14, nil, []*plan.Tensor{m23}, f32([]int{2, 3}, 1, 2, 3, 0, 5, 6)},
		{"lower", "Trilu", 14, attrs{"upper": int64(0)}, []*plan.Tensor{i64([]int{2, 3}, 1, 2, 3, 4, 5, 6), i64([]int{}, 1)}, i64([]int{2, 3}, 1, 2, 0, 4, 5, 6)},
		{"nothing", "Trilu", 14, nil, []*plan.Tensor{m23, i64([]int{1}, math.MaxInt64)}, f32([]int{2, 3}, 0, 0, 0, 0, 0, 0)},
		{"everything", "Trilu", 14, nil, []*plan.Tensor{m23, i64([]int{}, math.MinInt64)}, m23},
		{"copy and rest", "Reshape", 5, nil, []*plan.Tensor{m23, i64([]int{3}, 0, -1, 1)}, f32([]int{2, 3, 1}, 1, 2, 3, 4, 5, 6)},
		{"scalar", "Reshape", 5, nil, []*plan.Tensor{f32([]int{1}, 7), i64([]int{0})}, f32([]int{}, 7)},
		{"allowzero", "Reshape", 14, attrs{"allowzero": int64(1)}, []*plan.Tensor{f32([]int{0, 3}), i64([]int{2}, 3, 0)}, f32([]int{3, 0})},
		{"rest of nothing", "Reshape", 14, nil, []*plan.Tensor{f32([]int{0, 3}), i64([]int{2}, -1, 3)}, f32([]int{0, 3})},
		{"axis 0", "Flatten", 9, attrs{"axis": int64(0)}, []*plan.Tensor{m23}, f32([]int{1, 6}, 1, 2, 3, 4, 5, 6)},
		{"axis -1", "Flatten", 11, attrs{"axis": int64(-1)}, []*plan.Tensor{m23}, f32([]int{2, 3}, 1, 2, 3, 4, 5, 6)},
		{"axis rank", "Flatten", 11, attrs{"axis": int64(2)}, []*plan.Tensor{m23}, f32([]int{6, 1}, 1, 2, 3, 4, 5, 6)},
		{"attribute", "Squeeze", 11, attrs{"axes": []int64{-2}}, []*plan.Tensor{f32([]int{1, 1, 1}, 5)}, f32([]int{1, 1}, 5)},
		{"input", "Squeeze", 13, nil, []*plan.Tensor{f32([]int{1, 2, 1}, 5, 6), i64([]int{2}, 0, -1)}, f32([]int{2}, 5, 6)},
		{"all", "Squeeze", 13, nil, []*plan.Tensor{f32([]int{1, 2, 1}, 5, 6)}, f32([]int{2}, 5, 6)},
		{"attribute", "Unsqueeze", 11, attrs{"axes": []int64{2, 0}}, []*plan.Tensor{f32([]int{2}, 5, 6)}, f32([]int{1, 2, 1}, 5, 6)},
		{"input", "Unsqueeze", 13, nil, []*plan.Tensor{f32([]int{2}, 5, 6), i64([]int{1}, -1)}, f32([]int{2, 1}, 5, 6)},
		{"int64", "Concat", 13, attrs{"axis": int64(-1)}, []*plan.Tensor{i64([]int{2, 1}, 1, 2), i64([]int{2, 2}, 3, 4, 5, 6)}, i64([]int{2, 3}, 1, 3, 4, 2, 5, 6)},
		{"empty part", "Concat", 13, attrs{"axis": int64(0)}, []*plan.Tensor{f32([]int{0, 2}), f32([]int{1, 2}, 1, 2)}, f32([]int{1, 2}, 1, 2)},
		{"all", "ReduceMax", 13, attrs{"keepdims": int64(0)}, []*plan.Tensor{m23}, f32([]int{}, 6)},
		{"first axis", "ReduceMax", 13, attrs{"axes": []int64{0}}, []*plan.Tensor{f32([]int{2, 2}, 1, 9, 8, 2)}, f32([]int{1, 2}, 8, 9)},
		{"outer and inner", "ReduceMax", 18, attrs{"keepdims": int64(0)}, []*plan.Tensor{f32([]int{2, 2, 2}, 1, 2, 3, 4, 8, 7, 6, 5), i64([]int{2}, 0, 2)}, f32([]int{2}, 8, 6)},
		{"no axes", "ReduceMax", 18, attrs{"noop_with_empty_axes": int64(1)}, []*plan.Tensor{m23}, m23},
		{"int64", "ReduceMax", 13, attrs{"axes": []int64{-1}}, []*plan.Tensor{i64([]int{1, 2}, math.MinInt64, -3)}, i64([]int{1, 1}, -3)},
		{"NaN", "ReduceMax", 13, attrs{"keepdims": int64(0), "axes": []int64{1}}, []*plan.Tensor{f32([]int{2, 2}, nan, 1, 1, -inf)}, f32([]int{2}, nan, 1)},
		{"nothing", "ReduceMax", 13, attrs{"keepdims": int64(0), "axes": []int64{0}}, []*plan.Tensor{f32([]int{0, 2})}, f32([]int{2}, -inf, -inf)},
		{"nothing of int32", "ReduceMin", 20, nil, []*plan.Tensor{i32([]int{0})}, i32([]int{1}, math.MaxInt32)},
		{"nothing", "ReduceProd", 20, nil, []*plan.Tensor{f32([]int{0})}, f32([]int{1}, 1)},
		{"nothing", "ReduceLogSum", 20, nil, []*plan.Tensor{f32([]int{0})}, f32([]int{1}, -inf)},
		{"axes as input", "ReduceSum", 13, attrs{"keepdims": int64(0)}, []*plan.Tensor{m23, i64([]int{1}, -1)}, f32([]int{2}, 6, 15)},
		{"int32 wraps", "ReduceSum", 13, attrs{"keepdims": int64(0)}, []*plan.Tensor{i32([]int{2}, math.MaxInt32, 2)}, i32([]int{}, math.MinInt32+1)},
		{"middle", "ReduceMean", 11, attrs{"axes": []int64{1}}, []*plan.Tensor{f32([]int{2, 2, 2}, 1, 2, 3, 4, 5, 6, 7, 9)}, f32([]int{2, 1, 2}, 2, 3, 6, 7.5)},
		{"no axes", "ReduceSumSquare", 18, attrs{"noop_with_empty_axes": int64(1)}, []*plan.Tensor{f32([]int{2}, 2, -3)}, f32([]int{2}, 4, 9)},
		{"values", "ReduceL1", 13, nil, []*plan.Tensor{f32([]int{2}, 2, -3)}, f32([]int{1}, 5)},
		{"values", "ReduceL2", 13, nil, []*plan.Tensor{f32([]int{2}, 4, -3)}, f32([]int{1}, 5)},
		{"int64", "ReduceL2", 13, nil, []*plan.Tensor{i64([]int{2}, 4, -4)}, i64([]int{1}, 5)},
		{"int64", "ReduceProd", 13, nil, []*plan.Tensor{i64([]int{3}, 4, -3, 2)}, i64([]int{1}, -24)},
		{"large", "ReduceLogSumExp", 13, nil, []*plan.Tensor{f32([]int{2}, 1e4, 1e4)}, f32([]int{1}, 1e4+math.Ln2)},
		{"infinite", "ReduceLogSumExp", 13, attrs{"axes": []int64{1}}, []*plan.Tensor{f32([]int{2, 2}, -inf, -inf, inf, 1)}, f32([]int{2, 1}, -inf, inf)},
		{"floats", "Constant", 13, attrs{"value_floats": []float32{1, 2}}, nil, f32([]int{2}, 1, 2)},
		{"int", "Constant", 13, attrs{"value_int": int64(4)}, nil, i64([]int{}, 4)},
	} {
		t.Run(c.kind+"/"+c.name, func(t *testing.T) {
			got, err := apply(c.kind, c.opset, c.attrs, c.in...)
			if err != nil {
				t.Fatal(err)
			}
			if !sameTensor(got, c.want) {
				t.Errorf("got %v %v %v, want %v %v %v", got.Type, got.F, got.I, c.want.Type, c.want.F, c.want.I)
			}
		})
	}
}

func TestOperatorErrors(t *testing.T) {
	long := f32([]int{1000}, make([]float32, 1000)...)
	m23 := f32([]int{2, 3}, 1, 2, 3, 4, 5, 6)
	m22 := f32([]int{2, 2}, 1, 2, 3, 4)
	v2 := f32([]int{2}, 1, 2)
	for _, c := range []struct {
		kind  string
		opset int64
		attrs attrs
		in    []*plan.Tensor
		want  string
	}{
		{"Add", 13, nil, []*plan.Tensor{m23, v2}, "shapes [2 3] and [2] do not broadcast"},
		{"Add", 13, nil, []*plan.Tensor{m23, i64([]int{1}, 1)}, "inputs are float32[2 3] and int64[1], want one type of numbers"},
		{"Add", 13, nil, []*plan.Tensor{m23}, "has 1 inputs, want 2"},
		{"Div", 13, nil, []*plan.Tensor{i64([]int{1}, 1), i64([]int{2}, 1, 0)}, "integer division by zero"},
		{"Tanh", 13, nil, []*plan.Tensor{i64([]int{1}, 1)}, "input 0 is int64[1], want float32"},
		{"Gemm", 9, nil, []*plan.Tensor{m23, m23}, "input C is left out, which opset 9 does not allow"},
		{"Gemm", 13, nil, []*plan.Tensor{m23, m23}, "B is [2 3], so A needs 2 in the summed dimension, got 3"},
		{"Gemm", 13, attrs{"transB": int64(1)}, []*plan.Tensor{m23, m23, f32([]int{2, 2, 1}, 1, 2, 3, 4)}, "C is [2 2 1], which does not broadcast to [2 2]"},
		{"Gemm", 13, attrs{"transA": int64(2)}, []*plan.Tensor{m23, m23}, "attribute transA is 2, want 0 or 1"},
		{"Gemm", 13, nil, []*plan.Tensor{v2, m23}, "inputs A [2] and B [2 3] are not both matrices"},
		{"MatMul", 13, nil, []*plan.Tensor{m23, v2}, "B is [2], so A needs 2 in its last dimension, got [2 3]"},
		{"MatMul", 13, nil, []*plan.Tensor{f32([]int{}, 1), v2}, "want rank 1 or more"},
		{"BatchNormalization", 9, nil, []*plan.Tensor{m23, v2, v2, v2, v2}, "scale is [2], but x is [2 3], so it needs [3]"},
		{"BatchNormalization", 9, nil, []*plan.Tensor{f32([]int{}, 1), v2, v2, v2, v2}, "x is a scalar, want rank 1 or more"},
		{"BatchNormalization", 9, nil, []*plan.Tensor{v2, v2, v2, v2, v2}, "scale is [2], but x is [2], so it needs [1]"},
		{"BatchNormalization", 7, attrs{"spatial": int64(0)}, []*plan.Tensor{m23, v2, v2, v2, v2}, "attribute spatial is 0"},
		{"BatchNormalization", 14, attrs{"training_mode": int64(1)}, []*plan.Tensor{m23, v2, v2, v2, v2}, "training mode"},
		{"BatchNormalization", 9, attrs{"spatial": int64(1)}, []*plan.Tensor{m23, v2, v2, v2, v2}, `attribute "spatial" is not known at opset 9`},
		{"Reshape", 13, nil, []*plan.Tensor{m23, i64([]int{2}, 4, -1)}, "shape is [4 -1], which does not fit float32[2 3]"},
		{"Reshape", 13, nil, []*plan.Tensor{m23, i64([]int{2}, -1, -1)}, "does not fit"},
		{"Reshape", 13, nil, []*plan.Tensor{m23, i64([]int{3}, 2, 3, 0)}, "does not fit"},
		{"Reshape", 13, nil, []*plan.Tensor{m23, i64([]int{2}, 1<<62, 4)}, "does not fit"},
		{"Reshape", 13, nil, []*plan.Tensor{m23, v2}, "shape is float32[2], want int64 of rank 1"},
		{"Reshape", 13, attrs{"allowzero": int64(1)}, []*plan.Tensor{m23, i64([]int{1}, 6)}, `attribute "allowzero" is not known at opset 13`},
		{"Flatten", 13, attrs{"axis": int64(3)}, []*plan.Tensor{m23}, "axis 3 is out of range for rank 2"},
		{"Squeeze", 11, attrs{"axes": []int64{0}}, []*plan.Tensor{m23}, "dimension 0 of [2 3] is not 1"},
		{"Squeeze", 11, nil, []*plan.Tensor{m23, i64([]int{1}, 0)}, "has its axes as an input, which begins with opset 13"},
		{"Squeeze", 13, attrs{"axes": []int64{0}}, []*plan.Tensor{m23}, `attribute "axes" is not known at opset 13`},
		{"Unsqueeze", 13, nil, []*plan.Tensor{m23}, "axes is left out"},
		{"Unsqueeze", 13, nil, []*plan.Tensor{m23, i64([]int{2}, 0, -4)}, "axis 0 is named twice"},
		{"Unsqueeze", 13, nil, []*plan.Tensor{m23, i64([]int{1}, 3)}, "axis 3 is out of range for rank 3"},
		{"Concat", 13, nil, []*plan.Tensor{m23}, "attribute axis is left out"},
		{"Concat", 13, attrs{"axis": int64(0)}, []*plan.Tensor{m23, v2}, "input 1 is float32[2], input 0 is float32[2 3]: they may differ in dimension 0 only"},
		{"Concat", 13, attrs{"axis": int64(0)}, []*plan.Tensor{m23, nil, m23}, "input 1 is left out"},
		{"ReduceMax", 13, attrs{"noop_with_empty_axes": int64(1)}, []*plan.Tensor{m23}, `attribute "noop_with_empty_axes" is not known`},
		{"ReduceMean", 13, nil, []*plan.Tensor{f32([]int{0})}, "averages over an empty dimension"},
		{"ReduceLogSum", 13, nil, []*plan.Tensor{i64([]int{1}, 1)}, "input 0 is int64[1], want numbers, floats for logarithms"},
		{"Constant", 13, attrs{"value_string": "x"}, nil, "has no numbers"},
		{"Constant", 11, attrs{"value_int": int64(1)}, nil, "has no numbers of this opset"},
		{"Transpose", 13, attrs{"perm": []int64{0, 0}}, []*plan.Tensor{m23}, "attribute perm is [0 0], which is no order of 2 dimensions"},
		{"Transpose", 13, attrs{"perm": []int64{}}, []*plan.Tensor{m23}, "attribute perm is [], which is no order of 2 dimensions"},
		{"Transpose", 13, attrs{"perm": []int64{1, math.MinInt64}}, []*plan.Tensor{m23}, "attribute perm is [1 -1]"},
		{"DepthToSpace", 13, nil, []*plan.Tensor{m23}, "attribute blocksize is 0"},
		{"DepthToSpace", 13, attrs{"blocksize": int64(1 << 20)}, []*plan.Tensor{f32([]int{1, 4, 1, 1}, 1, 2, 3, 4)}, "which does not divide into blocks of 1048576"},
		{"SpaceToDepth", 13, attrs{"blocksize": int64(2)}, []*plan.Tensor{m23}, "input is [2 3], which does not divide into blocks of 2"},
		{"Resize", 13, nil, []*plan.Tensor{f32([]int{1, 1, 2})}, "inputs scales and sizes are both left out"},
		{"Resize", 13, attrs{"mode": "area"}, []*plan.Tensor{f32([]int{1, 1, 2}), nil, f32([]int{3}, 1, 1, 2)}, `attribute mode is "area", want one of nearest, linear, bilinear, cubic`},
		{"Resize", 13, nil, []*plan.Tensor{f32([]int{1, 1, 2}), nil, f32([]int{3}, 1, 0.5, 2)}, "a dimension of 1 becomes 0, want both 1 to 16777216"},
		{"Resize", 13, nil, []*plan.Tensor{f32([]int{1, 1, 2}), nil, f32([]int{3}, 1, 1, float32(math.Inf(1)))}, "scales has +Inf in it"},
		{"Resize", 13, nil, []*plan.Tensor{f32([]int{1, 1, 2}), nil, f32([]int{2}, 1, 2)}, "has 2 scales, 0 sizes and a region of 0 for 3 dimensions"},
		{"Resize", 13, nil, []*plan.Tensor{f32([]int{1, 1, 2}), nil, nil, i64([]int{3}, 1, 1, math.MaxInt64)}, "sizes has 9223372036854775807 in it"},
		{"Resize", 9, nil, []*plan.Tensor{f32([]int{1, 1, 2}), f32([]int{3}, 1, 1, 2)}, "begins with opset 10"},
		{"Resize", 13, attrs{"coordinate_transformation_mode": "tf_crop_and_resize"}, []*plan.Tensor{f32([]int{1, 1, 2}), nil, f32([]int{3}, 1, 1, 2)}, "input roi is left out"},
		{"Resize", 18, attrs{"axes": []int64{3}}, []*plan.Tensor{f32([]int{1, 1, 2}), nil, f32([]int{1}, 2)}, "axis 3 is out of range for rank 3"},
		{"Pad", 13, attrs{"mode": "wrap"}, []*plan.Tensor{m23, i64([]int{4}, 0, 0, 0, 0)}, `attribute mode is "wrap"`},
		{"Pad", 13, nil, []*plan.Tensor{m23, i64([]int{2}, 0, 0)}, "has 2 pads for 2 dimensions"},
		{"Pad", 13, nil, []*plan.Tensor{m23, i64([]int{4}, math.MinInt64, 0, math.MaxInt64, 0)}, "pads has -9223372036854775808 and 9223372036854775807 in it"},
		{"Pad", 13, nil, []*plan.Tensor{m23, i64([]int{4}, -1, 0, -2, 0)}, "pads of -1 and -2 for a dimension of 2 leave nothing of it"},
		{"Pad", 13, attrs{"mode": "edge"}, []*plan.Tensor{f32([]int{0}), i64([]int{2}, 0, 1)}, "leave nothing of it"},
		{"AveragePool", 13, attrs{"kernel_shape": []int64{2}, "dilations": []int64{1}}, []*plan.Tensor{f32([]int{1, 1, 2})}, "attribute dilations begins with opset 19"},
		{"MaxPool", 13, nil, []*plan.Tensor{f32([]int{1, 1, 2})}, "attribute kernel_shape is left out"},
		{"MaxPool", 13, attrs{"kernel_shape": []int64{3}}, []*plan.Tensor{f32([]int{1, 1, 2})}, "a kernel that reaches over 3 does not fit into 2"},
		{"Pad", 18, nil, []*plan.Tensor{m23, i64([]int{4}, 1, 1, 1, 1), nil, i64([]int{2}, 1, -1)}, "axis 1 is named twice"},
		{"Resize", 18, attrs{"axes": []int64{0, -2}}, []*plan.Tensor{m23, nil, f32([]int{2}, 1, 2)}, "axis 0 is named twice"},
		{"GatherElements", 13, nil, []*plan.Tensor{m23, i64([]int{1, 4}, 0, 0, 0, 0)}, "indices are [1 4] for data of [2 3]"},
		{"GatherElements", 13, nil, []*plan.Tensor{m23, i64([]int{1, 1}, 2)}, "index 2 is out of range for a dimension of 2"},
		{"GatherND", 13, attrs{"batch_dims": int64(-1)}, []*plan.Tensor{m23, i64([]int{1, 1}, 0)}, "which do not fit"},
		{"ScatterND", 13, nil, []*plan.Tensor{m23, i64([]int{1, 2}, 0, 0), m23}, "updates are float32[2 3], want float32[1]"},
		{"OneHot", 13, nil, []*plan.Tensor{i64([]int{1}, 0), i64([]int{1}, 1<<40), v2}, "depth is 1099511627776, want 1 to 16777216"},
		{"TopK", 13, nil, []*plan.Tensor{v2, i64([]int{1}, 3)}, "K is [3], want one number up to dimension 0 of [2]"},
		{"Einsum", 11, attrs{"equation": "ij->ji"}, []*plan.Tensor{m23}, "begins with opset 12"},
		{"Einsum", 13, attrs{"equation": "ij,jk->il"}, []*plan.Tensor{m23, m23}, `which is no equation at 'l'`},
		{"Einsum", 13, attrs{"equation": "ij,jk->ik"}, []*plan.Tensor{m23, m23}, "operand 1 is [2 3], whose dimension 0 was 3 before"},
		{"Einsum", 13, attrs{"equation": "a,b,c,d->"}, []*plan.Tensor{long, long, long, long}, "steps, above the limit of 6.87e+10"},
		{"AveragePool", 13, attrs{"kernel_shape": []int64{1 << 20, 1}, "pads": []int64{1 << 19, 0, 1 << 19, 1 << 19}}, []*plan.Tensor{f32([]int{1, 1, 1000, 1})}, "steps, above the limit"},
		{"RandomNormal", 13, nil, nil, "attribute shape is left out"},
		{"RandomUniform", 13, attrs{"shape": []int64{1}, "dtype": int64(7)}, nil, "attribute dtype is 7"},
		{"Upsample", 10, nil, []*plan.Tensor{f32([]int{1, 1, 2}), f32([]int{3}, 1, 1, 2)}, "ended with opset 9"},
		{"Clip", 13, nil, []*plan.Tensor{v2, v2}, "min is float32[2], want one number of type float32"},
		{"PRelu", 9, nil, []*plan.Tensor{v2, m22}, "slope is [2 2], which does not broadcast to [2]"},
		{"Mod", 10, nil, []*plan.Tensor{i64([]int{1}, 1), i64([]int{1}, 0)}, "integer division by zero"},
		{"Pow", 11, nil, []*plan.Tensor{v2, i64([]int{}, 2)}, "inputs are float32[2] and int64[], want one type of numbers"},
		{"Max", 13, nil, []*plan.Tensor{v2, v2, f32([]int{3}, 1, 2, 3)}, "shapes [2] and [3] do not broadcast"},
		{"Clip", 12, nil, []*plan.Tensor{i64([]int{1}, 1), f32([]int{}, 1)}, "min is float32[], want one number of type int64"},
		{"Mish", 17, nil, []*plan.Tensor{m23}, "begins with opset 18"},
		{"Sqrt", 13, nil, []*plan.Tensor{i64([]int{1}, 1)}, "input 0 is int64[1], want float32"},
		{"Softmax", 13, attrs{"axis": int64(2)}, []*plan.Tensor{m23}, "axis 2 is out of range for rank 2"},
		{"LpNormalization", 13, attrs{"p": int64(3)}, []*plan.Tensor{m23}, "attribute p is 3, want 1 or 2"},
		{"GroupNormalization", 21, nil, []*plan.Tensor{m23, v2, v2}, "attribute num_groups is 0, want 1 or more"},
		{"GroupNormalization", 21, attrs{"num_groups": int64(3)}, []*plan.Tensor{f32([]int{1, 2, 1}, 1, 2), v2, v2}, "input is [1 2 1], whose channels do not divide into 3 groups"},
		{"InstanceNormalization", 7, nil, []*plan.Tensor{m23, v2, v2}, "input is [2 3], want rank 3 or more"},
		{"InstanceNormalization", 7, nil, []*plan.Tensor{f32([]int{1, 1, 1}, 1), v2, v2}, "scale is [2], but input is [1 1 1], so it needs [1]"},
		{"LayerNormalization", 17, nil, []*plan.Tensor{m23, v2}, "scale is [2], which does not broadcast to [2 3]"},
		{"LayerNormalization", 17, nil, []*plan.Tensor{f32([]int{2, 0}), f32([]int{1}, 1)}, "averages over an empty dimension"},
		{"ArgMax", 13, attrs{"axis": int64(1)}, []*plan.Tensor{f32([]int{2, 0})}, "input is [2 0], which has nothing along axis 1"},
		{"CumSum", 11, nil, []*plan.Tensor{m23, v2}, "axis is float32[2], want one int64 or int32"},
		{"CumSum", 11, nil, []*plan.Tensor{m23, i64([]int{}, 2)}, "axis 2 is out of range for rank 2"},
		{"Trilu", 14, nil, []*plan.Tensor{v2}, "input is [2], want rank 2 or more"},
		{"Celu", 13, attrs{"alpha": float32(0)}, []*plan.Tensor{m23}, "attribute alpha is 0, want above 0"},
		{"Gelu", 20, attrs{"approximate": "erf"}, []*plan.Tensor{m23}, `attribute approximate is "erf", want one of none, tanh`},
		{"GlobalAveragePool", 13, nil, []*plan.Tensor{f32([]int{1, 1, 0})}, "pools an empty dimension"},
		{"LSTM", 13, nil, nil, "operator LSTM of opset 13 is not supported"},
	} {
		if got, err := apply(c.kind, c.opset, c.attrs, c.in...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s at opset %d: got %v, %v, want %q", c.kind, c.opset, got, err, c.want)
		}
	}
}
