package exec

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gantry/infer/internal/plan"
)

func of(dtype plan.DType, shape []int, v ...int64) *plan.Tensor {
	return &plan.Tensor{Type: plan.Type{DType: dtype, Shape: shape}, I: v}
}

func bits(shape []int, v ...int64) *plan.Tensor  { return of(plan.Bool, shape, v...) }
func bytes(shape []int, v ...int64) *plan.Tensor { return of(plan.Uint8, shape, v...) }

// TestSelection covers what random graphs do not have: ends of ranges, NaN, empty tensors, forms of older opsets.
func TestSelection(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	n := func(v int64) *plan.Tensor { return i64([]int{}, v) }
	list := func(v ...int64) *plan.Tensor { return i64([]int{len(v)}, v...) }
	m23, i23 := f32([]int{2, 3}, 1, 2, 3, 4, 5, 6), i32([]int{2, 3}, 1, 2, 3, 4, 5, 6)
	floats := f32([]int{9}, nan, inf, -inf, -1.9, 1.9, 300.7, 3e9, -3e9, 1e19)
	to := func(v int64) attrs { return attrs{"to": v} }
	deep := append(slices.Repeat([]int{1}, plan.MaxRank-1), 2)
	deeper := f32(append(slices.Repeat([]int{1, 2}, plan.MaxRank/2-1), 1, 4), slices.Repeat([]float32{1, 2}, 1<<(plan.MaxRank/2))...)
	for _, c := range []struct {
		kind  string
		opset int64
		attrs attrs
		in    []*plan.Tensor
		want  *plan.Tensor
	}{
		{"Cast", 13, to(7), []*plan.Tensor{floats}, i64([]int{9}, 0, math.MaxInt64, math.MinInt64, -1, 1, 300, 3e9, -3e9, math.MaxInt64)},
		{"Cast", 13, to(6), []*plan.Tensor{floats}, i32([]int{9}, 0, math.MaxInt32, math.MinInt32, -1, 1, 300, math.MaxInt32, math.MinInt32, math.MaxInt32)},
		{"Cast", 9, to(2), []*plan.Tensor{floats}, bytes([]int{9}, 0, 255, 0, 0, 1, 255, 255, 0, 255)},
		{"Cast", 9, to(3), []*plan.Tensor{floats}, i32([]int{9}, 0, 127, -128, -1, 1, 127, 127, -128, 127)},
		{"Cast", 9, to(12), []*plan.Tensor{floats}, i64([]int{9}, 0, math.MaxUint32, 0, 0, 1, 300, 3e9, 0, math.MaxUint32)},
		{"Cast", 7, to(9), []*plan.Tensor{f32([]int{4}, nan, 0, -0.1, float32(math.Copysign(0, -1)))}, bits([]int{4}, 1, 0, 1, 0)},
		{"Cast", 13, to(2), []*plan.Tensor{list(-1, 256, 511, 7)}, bytes([]int{4}, 255, 0, 255, 7)},
		{"Cast", 13, to(3), []*plan.Tensor{list(-1, 128, 255, -129)}, i32([]int{4}, -1, -128, -1, 127)},
		{"Cast", 13, to(5), []*plan.Tensor{i32([]int{2}, 32768, -32769)}, i32([]int{2}, -32768, 32767)},
		{"Cast", 13, to(6), []*plan.Tensor{list(1<<31, -1<<31-1, math.MinInt64)}, i32([]int{3}, -1<<31, 1<<31-1, 0)},
		{"Cast", 13, to(12), []*plan.Tensor{list(-1, 1<<32)}, list(1<<32-1, 0)},
		{"Cast", 13, to(9), []*plan.Tensor{list(0, 2, math.MinInt64)}, bits([]int{3}, 0, 1, 1)},
		{"Cast", 13, to(7), []*plan.Tensor{bits([]int{2}, 0, 1)}, list(0, 1)},
		{"Cast", 19, attrs{"to": int64(1), "saturate": int64(0)}, []*plan.Tensor{list(16777217, math.MaxInt64)}, f32([]int{2}, 16777216, 0x1p63)},
		{"Cast", 13, to(10), []*plan.Tensor{f32([]int{1}, 0.1)}, f32([]int{1}, 0.1)},
		{"CastLike", 15, nil, []*plan.Tensor{f32([]int{2}, 1.5, -1), bytes([]int{1}, 0)}, bytes([]int{2}, 1, 0)},
		{"Shape", 13, nil, []*plan.Tensor{m23}, list(2, 3)},
		{"Shape", 15, attrs{"start": int64(-1)}, []*plan.Tensor{m23}, list(3)},
		{"Shape", 15, attrs{"start": int64(-9), "end": int64(-1)}, []*plan.Tensor{m23}, list(2)},
		{"Shape", 15, attrs{"start": int64(2), "end": int64(1)}, []*plan.Tensor{m23}, list()},
		{"Shape", 13, nil, []*plan.Tensor{f32([]int{}, 1)}, list()},
		{"Size", 13, nil, []*plan.Tensor{f32([]int{0, 3})}, n(0)},
		{"ConstantOfShape", 9, nil, []*plan.Tensor{list(2)}, f32([]int{2}, 0, 0)},
		{"ConstantOfShape", 9, attrs{"value": bits([]int{1}, 1)}, []*plan.Tensor{list(1, 2)}, bits([]int{1, 2}, 1, 1)},
		{"ConstantOfShape", 9, attrs{"value": n(7)}, []*plan.Tensor{list()}, n(7)},
		{"ConstantOfShape", 9, nil, []*plan.Tensor{list(0, 3)}, f32([]int{0, 3})},
		{"Range", 11, nil, []*plan.Tensor{n(3), n(-4), n(-3)}, list(3, 0, -3)},
		{"Range", 11, nil, []*plan.Tensor{n(3), n(3), n(1)}, list()},
		{"Range", 11, nil, []*plan.Tensor{n(math.MinInt64), n(math.MaxInt64), n(math.MaxInt64)}, list(math.MinInt64, -1, math.MaxInt64-1)},
		{"Range", 11, nil, []*plan.Tensor{n(math.MaxInt64), n(0), n(math.MinInt64)}, list(math.MaxInt64)},
		{"Range", 11, nil, []*plan.Tensor{f32([]int{}, 1), f32([]int{}, 2), f32([]int{1}, 0.4)}, f32([]int{3}, 1, 1.4, 1.8)},
		{"Range", 27, attrs{"stash_type": int64(1)}, []*plan.Tensor{n(3), n(5), n(1)}, list(3, 4)},
		{"Less", 9, nil, []*plan.Tensor{f32([]int{3}, nan, -inf, 2), f32([]int{}, 2)}, bits([]int{3}, 0, 1, 0)},
		{"LessOrEqual", 12, nil, []*plan.Tensor{f32([]int{3}, nan, inf, 2), f32([]int{}, 2)}, bits([]int{3}, 0, 0, 1)},
		{"Equal", 11, nil, []*plan.Tensor{f32([]int{2}, nan, 0), f32([]int{2}, nan, float32(math.Copysign(0, -1)))}, bits([]int{2}, 0, 1)},
		{"Equal", 7, nil, []*plan.Tensor{bits([]int{2}, 1, 0), bits([]int{2, 1}, 1, 0)}, bits([]int{2, 2}, 1, 0, 0, 1)},
		{"Greater", 9, nil, []*plan.Tensor{list(math.MaxInt64), list(math.MaxInt64 - 1)}, bits([]int{1}, 1)},
		{"GreaterOrEqual", 16, nil, []*plan.Tensor{bytes([]int{0}), bytes([]int{1}, 3)}, bits([]int{0})},
		{"And", 7, nil, []*plan.Tensor{bits([]int{4}, 0, 0, 1, 1), bits([]int{4}, 0, 1, 0, 1)}, bits([]int{4}, 0, 0, 0, 1)},
		{"Or", 7, nil, []*plan.Tensor{bits([]int{4}, 0, 0, 1, 1), bits([]int{4}, 0, 1, 0, 1)}, bits([]int{4}, 0, 1, 1, 1)},
		{"Xor", 7, nil, []*plan.Tensor{bits([]int{4}, 0, 0, 1, 1), bits([]int{4}, 0, 1, 0, 1)}, bits([]int{4}, 0, 1, 1, 0)},
		{"Not", 1, nil, []*plan.Tensor{bits([]int{2}, 0, 1)}, bits([]int{2}, 1, 0)},
		{"Where", 9, nil, []*plan.Tensor{bits([]int{2, 1}, 1, 0), m23, f32([]int{}, nan)}, f32([]int{2, 3}, 1, 2, 3, nan, nan, nan)},
		{"Where", 16, nil, []*plan.Tensor{bits([]int{3}, 1, 0, 1), i32([]int{}, 9), i23}, i32([]int{2, 3}, 9, 2, 9, 9, 5, 9)},
		{"Where", 16, nil, []*plan.Tensor{bits([]int{0}), m23.View([]int{6, 1}), f32([]int{1}, 1)}, f32([]int{6, 0})},
		{"Gather", 13, attrs{"axis": int64(-1)}, []*plan.Tensor{m23, i32([]int{1, 2}, -1, 0)}, f32([]int{2, 1, 2}, 3, 1, 6, 4)},
		{"Gather", 1, nil, []*plan.Tensor{i23, n(1)}, i32([]int{3}, 4, 5, 6)},
		{"Gather", 13, nil, []*plan.Tensor{m23, list()}, f32([]int{0, 3})},
		{"Slice", 9, attrs{"starts": []int64{0, -2}, "ends": []int64{1, math.MaxInt64}}, []*plan.Tensor{m23}, f32([]int{1, 2}, 2, 3)},
		{"Slice", 9, attrs{"starts": []int64{1}, "ends": []int64{2}, "axes": []int64{1}}, []*plan.Tensor{i23}, i32([]int{2, 1}, 2, 5)},
		{"Slice", 10, nil, []*plan.Tensor{m23, list(math.MaxInt64), list(math.MinInt64), list(-1), list(-2)}, f32([]int{2, 2}, 3, 1, 6, 4)},
		{"Slice", 13, nil, []*plan.Tensor{m23, list(-1), list(0), list(1), list(-1)}, f32([]int{2, 2}, 3, 2, 6, 5)},
		{"Slice", 13, nil, []*plan.Tensor{m23, list(2), list(1), list(1)}, f32([]int{2, 0})},
		{"Slice", 13, nil, []*plan.Tensor{m23, list(0), list(3), list(1), list(math.MaxInt64)}, f32([]int{2, 1}, 1, 4)},
		{"Slice", 13, nil, []*plan.Tensor{m23, list(2), list(math.MinInt64), list(1), list(math.MinInt64)}, f32([]int{2, 1}, 3, 6)},
		{"Slice", 13, nil, []*plan.Tensor{f32([]int{0, 3}), list(-1), list(-5), list(0), list(-1)}, f32([]int{0, 3})},
		{"Slice", 13, nil, []*plan.Tensor{m23, i32([]int{1}, 1), i32([]int{1}, 2)}, f32([]int{1, 3}, 4, 5, 6)},
		{"Expand", 8, nil, []*plan.Tensor{f32([]int{2, 1}, 1, 2), list(3, 1, 2)}, f32([]int{3, 2, 2}, 1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2)},
		{"Expand", 13, nil, []*plan.Tensor{m23, list(1)}, m23},
		{"Expand", 13, nil, []*plan.Tensor{bits([]int{}, 1), list(2, 0)}, bits([]int{2, 0})},
		{"Tile", 13, nil, []*plan.Tensor{f32([]int{1, 2}, 1, 2), list(2, 2)}, f32([]int{2, 4}, 1, 2, 1, 2, 1, 2, 1, 2)},
		{"Tile", 6, nil, []*plan.Tensor{i23, list(0, 1)}, i32([]int{0, 3})},
		{"Tile", 13, nil, []*plan.Tensor{f32([]int{}, 7), list()}, f32([]int{}, 7)},
		{"Tile", 13, nil, []*plan.Tensor{f32(deep, 1, 2), list(slices.Repeat([]int64{1, 2}, plan.MaxRank/2)...)}, deeper},
		{"Dropout", 13, nil, []*plan.Tensor{m23, f32([]int{}, 0.5), bits([]int{}, 0)}, m23},
		{"Dropout", 7, attrs{"ratio": float32(0.1)}, []*plan.Tensor{m23}, m23},
	} {
		got, err := apply(c.kind, c.opset, c.attrs, c.in...)
		if err != nil {
			t.Errorf("%s of %v: %v", c.kind, c.in, err)
		} else if !sameTensor(got, c.want) {
			t.Errorf("%s %v: got %v %v %v, want %v %v %v", c.kind, c.attrs, got.Type, got.F, got.I, c.want.Type, c.want.F, c.want.I)
		}
	}
}

func TestSeveralResults(t *testing.T) {
	x := f32([]int{5}, 1, 2, 3, 4, 5)
	for _, c := range []struct {
		kind  string
		opset int64
		attrs attrs
		in    []*plan.Tensor
		want  []*plan.Tensor
	}{
		{"Split", 11, attrs{"split": []int64{2, 0, 3}}, []*plan.Tensor{x}, []*plan.Tensor{f32([]int{2}, 1, 2), f32([]int{0}), f32([]int{3}, 3, 4, 5)}},
		{"Split", 13, attrs{"axis": int64(-1)}, []*plan.Tensor{x, i64([]int{2}, 1, 4)}, []*plan.Tensor{f32([]int{1}, 1), f32([]int{4}, 2, 3, 4, 5)}},
		{"Split", 7, attrs{"axis": int64(1)}, []*plan.Tensor{i32([]int{2, 2}, 1, 2, 3, 4)}, []*plan.Tensor{i32([]int{2, 1}, 1, 3), i32([]int{2, 1}, 2, 4)}},
		{"Split", 18, attrs{"num_outputs": int64(3)}, []*plan.Tensor{x}, []*plan.Tensor{f32([]int{2}, 1, 2), f32([]int{2}, 3, 4), f32([]int{1}, 5)}},
		{"Split", 13, nil, []*plan.Tensor{x}, []*plan.Tensor{x}},
		{"LayerNormalization", 17, attrs{"epsilon": float32(0)}, []*plan.Tensor{f32([]int{2, 2}, 1, 5, 0, 1), f32([]int{1}, 1)},
			[]*plan.Tensor{f32([]int{2, 2}, -1, 1, -1, 1), f32([]int{2, 1}, 3, 0.5), f32([]int{2, 1}, 0.5, 2)}},
		{"Dropout", 13, nil, []*plan.Tensor{x}, []*plan.Tensor{x, bits([]int{5}, 1, 1, 1, 1, 1)}},
		{"Dropout", 7, nil, []*plan.Tensor{x}, []*plan.Tensor{x, f32([]int{5}, 1, 1, 1, 1, 1)}},
	} {
		got, err := applyAll(c.kind, c.opset, len(c.want), c.attrs, c.in...)
		for k := range got {
			if err == nil && !sameTensor(got[k], c.want[k]) {
				t.Errorf("%s at opset %d: result %d is %v %v %v, want %v", c.kind, c.opset, k, got[k].Type, got[k].F, got[k].I, c.want[k])
			}
		}
		if err != nil {
			t.Errorf("%s at opset %d: %v", c.kind, c.opset, err)
		}
	}
}

func TestSelectionErrors(t *testing.T) {
	m23, one := f32([]int{2, 3}, 1, 2, 3, 4, 5, 6), i64([]int{1}, 1)
	for _, c := range []struct {
		kind  string
		opset int64
		outs  int
		attrs attrs
		in    []*plan.Tensor
		want  string
	}{
		{"Cast", 13, 1, nil, []*plan.Tensor{m23}, "attribute to is 0"},
		{"Cast", 13, 1, attrs{"to": int64(8)}, []*plan.Tensor{m23}, "attribute to is 8"},
		{"Cast", 13, 1, attrs{"to": int64(-1 << 63)}, []*plan.Tensor{m23}, "attribute to is"},
		{"Cast", 13, 1, attrs{"to": int64(7), "saturate": int64(1)}, []*plan.Tensor{m23}, `"saturate" is not known`},
		{"Shape", 13, 1, attrs{"start": int64(1)}, []*plan.Tensor{m23}, `"start" is not known`},
		{"ConstantOfShape", 9, 1, attrs{"value": m23}, []*plan.Tensor{one}, "attribute value is float32[2 3], want one element"},
		{"ConstantOfShape", 9, 1, nil, []*plan.Tensor{m23}, "input is float32[2 3], want int64 of rank 1"},
		{"ConstantOfShape", 9, 1, nil, []*plan.Tensor{i64([]int{17}, make([]int64, 17)...)}, "input has 17 elements, want at most 16"},
		{"Range", 11, 1, nil, []*plan.Tensor{one, one, i64([]int{}, 0)}, "delta is 0"},
		{"Range", 11, 1, nil, []*plan.Tensor{one, one, f32([]int{}, 1)}, "want numbers of one type"},
		{"Range", 11, 1, nil, []*plan.Tensor{f32([]int{}, 1), f32([]int{}, 1), f32([]int{}, 0)}, "delta is 0"},
		{"Range", 10, 1, nil, []*plan.Tensor{one, one, one}, "begins with opset 11"},
		{"Less", 9, 1, nil, []*plan.Tensor{m23, one}, "inputs are float32[2 3] and int64[1], want one type"},
		{"LessOrEqual", 11, 1, nil, []*plan.Tensor{m23, m23}, "begins with opset 12"},
		{"And", 7, 1, nil, []*plan.Tensor{one, one}, "inputs are int64[1] and int64[1]"},
		{"Not", 7, 1, nil, []*plan.Tensor{one}, "input 0 is int64[1], want bool"},
		{"Where", 9, 1, nil, []*plan.Tensor{one, m23, m23}, "input 0 is int64[1], want bool"},
		{"Where", 9, 1, nil, []*plan.Tensor{bits([]int{1}, 1), m23, one}, "inputs 1 and 2 are"},
		{"Where", 9, 1, nil, []*plan.Tensor{bits([]int{2}, 1, 0), m23, m23}, "do not broadcast"},
		{"Gather", 13, 1, nil, []*plan.Tensor{m23, i64([]int{1}, 2)}, "index 2 is out of range for a dimension of 2"},
		{"Gather", 13, 1, nil, []*plan.Tensor{m23, i64([]int{1}, -1<<63)}, "out of range"},
		{"Gather", 13, 1, nil, []*plan.Tensor{m23, m23}, "indices are float32[2 3], want int64 or int32"},
		{"Gather", 13, 1, nil, []*plan.Tensor{f32([]int{}, 1), one}, "axis 0 is out of range for rank 0"},
		{"Slice", 9, 1, nil, []*plan.Tensor{m23, one, one}, "begins with opset 10"},
		{"Slice", 10, 1, nil, []*plan.Tensor{m23}, "starts or ends is left out"},
		{"Slice", 10, 1, nil, []*plan.Tensor{m23, one, one, one, i64([]int{1}, 0)}, "step 0 of [0] is 0"},
		{"Slice", 10, 1, nil, []*plan.Tensor{m23, i64([]int{2}, 0, 0), i64([]int{2}, 1, 1), i64([]int{2}, 1, -1)}, "axis 1 is named twice"},
		{"Slice", 10, 1, nil, []*plan.Tensor{m23, one, i64([]int{2}, 0, 0)}, "has 1 starts, 2 ends"},
		{"Slice", 10, 1, nil, []*plan.Tensor{f32([]int{}, 1), one, one}, "for an input of rank 0"},
		{"Split", 13, 2, nil, []*plan.Tensor{m23, i64([]int{2}, 1, 2)}, "sizes are [1 2] for 2 outputs"},
		{"Split", 13, 3, nil, []*plan.Tensor{m23, i64([]int{3}, 3, -2, 1)}, "sizes are [3 -2 1]"},
		{"Split", 13, 2, nil, []*plan.Tensor{m23, i64([]int{2}, 1<<62, 1<<62)}, "sizes are"},
		{"Split", 13, 2, attrs{"axis": int64(1)}, []*plan.Tensor{m23}, "does not divide into 2 equal parts"},
		{"Split", 18, 2, attrs{"num_outputs": int64(3)}, []*plan.Tensor{m23}, "num_outputs is 3 for 2 outputs"},
		{"Split", 18, 3, attrs{"num_outputs": int64(3), "axis": int64(1)}, []*plan.Tensor{f32([]int{1, 1}, 1)}, "sizes are [1 1 -1]"},
		{"Split", 11, 1, nil, []*plan.Tensor{m23, one}, "begins with opset 13"},
		{"GatherND", 10, 1, nil, []*plan.Tensor{m23, one}, "begins with opset 11"},
		{"ScatterElements", 10, 1, nil, []*plan.Tensor{m23, one, m23}, "begins with opset 11"},
		{"OneHot", 8, 1, nil, []*plan.Tensor{one, one, one}, "begins with opset 9"},
		{"Expand", 7, 1, nil, []*plan.Tensor{m23, one}, "begins with opset 8"},
		{"Expand", 8, 1, nil, []*plan.Tensor{m23, i64([]int{1}, -1)}, "number below zero"},
		{"Expand", 8, 1, nil, []*plan.Tensor{m23, i64([]int{1}, 2)}, "do not broadcast"},
		{"Tile", 13, 1, nil, []*plan.Tensor{m23, one}, "has 1 repeats for an input of rank 2"},
		{"Tile", 13, 1, nil, []*plan.Tensor{m23, i64([]int{2}, 1, -1)}, "number below zero"},
		{"Dropout", 13, 1, nil, []*plan.Tensor{m23, f32([]int{}, 1), bits([]int{}, 1)}, "training mode"},
		{"Dropout", 11, 1, nil, []*plan.Tensor{m23, f32([]int{}, 1)}, "begins with opset 12"},
	} {
		if got, err := applyAll(c.kind, c.opset, c.outs, c.attrs, c.in...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s at opset %d: got %v, %v, want %q", c.kind, c.opset, got, err, c.want)
		}
	}
}
