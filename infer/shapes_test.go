package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// node is an operator with attributes.
func node(op, in, out string, attrs ...*onnx.AttributeProto) *onnx.NodeProto {
	return &onnx.NodeProto{OpType: op, Input: strings.Split(in, ","), Output: strings.Split(out, ","), Attribute: attrs}
}

// TestComputedShapes runs what PyTorch exports for x.view(x.size(0), -1), behind a convolution: the shapes are known while planning, so the plan
// is that of a constant shape, and images as large as they like may pass.
func TestComputedShapes(t *testing.T) {
	weights := []*onnx.TensorProto{onnxtest.Floats("w", []float32{1, -2}, 2, 1, 1, 1), onnxtest.Ints("zero", []int64{0}), onnxtest.Ints("axis", []int64{0}, 1), onnxtest.Ints("rest", []int64{-1}, 1)}
	m := load(t, onnxtest.Value("x", "N", 1, "H", "W"), []string{"y"}, weights, []*onnx.NodeProto{
		node("Conv", "x,w", "images"), node("Relu", "images", "r"), node("Shape", "r", "shape"), node("Gather", "shape,zero", "n"),
		node("Unsqueeze", "n,axis", "n1"), node("Concat", "n1,rest", "want", onnxtest.Int("axis", 0)), node("Reshape", "r,want", "y"),
	}, Options{})
	for _, n := range []int{1, 3, 200} {
		x := Tensor{DType: Float32, Shape: []int{n, 1, 8, 9}, F32: make([]float32, n*72)}
		for i := range x.F32 {
			x.F32[i] = float32(i)
		}
		got, err := m.NewSession().Run(context.Background(), map[string]Tensor{"x": x})
		if err != nil {
			t.Fatal(err)
		}
		if y := got["y"]; fmt.Sprint(y.Shape) != fmt.Sprint([]int{n, 144}) || y.F32[71] != 71 || y.F32[72] != 0 {
			t.Errorf("batch %d: got %v %v", n, y.Shape, y.F32[70:74])
		}
	}
	text, err := m.PlanText(2)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "Shape") || strings.Contains(text, "Concat") || strings.Count(text, "from_hwnc") > 1 {
		t.Errorf("the plan computes shapes:\n%s", text)
	}
}

// TestUnplannable: a shape that depends on data has no plan, and the error says where.
func TestUnplannable(t *testing.T) {
	m := load(t, onnxtest.Value("x", 3), []string{"y"}, []*onnx.TensorProto{onnxtest.Ints("one", []int64{1})}, []*onnx.NodeProto{
		node("ReduceMax", "x", "most", onnxtest.Int("keepdims", 0)), node("Cast", "most", "n", onnxtest.Int("to", 7)), node("Range", "one,n,one", "y"),
	}, Options{})
	// The shape of y depends on x, whose elements are therefore part of the plan's key.
	got, err := m.NewSession().Run(context.Background(), map[string]Tensor{"x": {DType: Float32, Shape: []int{3}, F32: []float32{1, 4.5, 2}}})
	if err != nil || fmt.Sprint(got["y"].I64) != "[1 2 3]" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := m.PlanText(1); err == nil || !strings.Contains(err.Error(), `input "x" decides shapes`) {
		t.Errorf("got %v", err)
	}
	large := load(t, onnxtest.Value("x", 5000), []string{"y"}, []*onnx.TensorProto{onnxtest.Ints("one", []int64{1})}, []*onnx.NodeProto{
		node("ReduceMax", "x", "most", onnxtest.Int("keepdims", 0)), node("Cast", "most", "n", onnxtest.Int("to", 7)), node("Range", "one,n,one", "y"),
	}, Options{})
	if _, err := large.NewSession().Run(context.Background(), map[string]Tensor{"x": {DType: Float32, Shape: []int{5000}, F32: make([]float32, 5000)}}); err == nil || !strings.Contains(err.Error(), "decides shapes") {
		t.Errorf("got %v", err)
	}
}

// bombs are small files that ask for much memory by numbers that they compute or hold.
func bombs() map[string][]*onnx.NodeProto {
	giant := onnxtest.Int("value_int", 1<<40)
	most := onnxtest.Int("value_int", math.MaxInt64)
	return map[string][]*onnx.NodeProto{
		"range":             {{OpType: "Constant", Output: []string{"n"}, Attribute: []*onnx.AttributeProto{giant}}, node("Range", "zero,n,one", "y")},
		"endless range":     {{OpType: "Constant", Output: []string{"n"}, Attribute: []*onnx.AttributeProto{most}}, node("Range", "least,n,one", "y")},
		"constant of shape": {node("Mul", "many,many", "n"), node("ConstantOfShape", "n", "y")},
		"expand":            {node("Shape", "x", "s"), node("Mul", "s,many", "n"), node("Expand", "one1,n", "y")},
		"tile":              {node("Tile", "many,many", "t"), node("Tile", "t,many", "y")},
		"tile of tile":      {node("Tile", "x,k", "a"), node("Tile", "a,k", "b"), node("Tile", "b,k", "c"), node("Tile", "c,k", "d"), node("Tile", "d,k", "y")},
		"tile of nothing":   {node("Slice", "x,zero1,zero1", "e"), node("Tile", "e,many", "y")},
		"gather":            {node("Expand", "zero1,k", "i"), node("Unsqueeze", "i,zero1", "u"), node("Gather", "u,i", "y")},
		"where":             {node("ConstantOfShape", "k", "a"), node("Unsqueeze", "a,one1", "b"), node("Equal", "a,b", "c"), node("Unsqueeze", "c,zero1", "d"), node("Unsqueeze", "c,two1", "e"), node("And", "d,e", "y")},
		"negative":          {node("Neg", "many", "n"), node("ConstantOfShape", "n", "y")},
	}
}

func bomb(nodes []*onnx.NodeProto) []byte {
	one := func(name string, v int64) *onnx.TensorProto { return onnxtest.Ints(name, []int64{v}, 1) }
	g := &onnx.GraphProto{Name: "g", Input: []*onnx.ValueInfoProto{onnxtest.Value("x", 4)}, Output: []*onnx.ValueInfoProto{{Name: "y"}}, Node: nodes, Initializer: []*onnx.TensorProto{
		onnxtest.Ints("zero", []int64{0}), onnxtest.Ints("one", []int64{1}), onnxtest.Ints("least", []int64{math.MinInt64}),
		one("zero1", 0), one("one1", 1), one("two1", 2), one("many", 1<<31), one("k", 2000),
	}}
	return onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 13}}, Graph: g})
}

// TestBombs: sizes that are computed are bounded before anything is allocated.
func TestBombs(t *testing.T) {
	for name, nodes := range bombs() {
		var err error
		spent := allocated(func() { err = tryRun(bomb(nodes), tight) })
		if err == nil || !errors.Is(err, ErrLimit) && name != "negative" {
			t.Errorf("%s: got %v, want %v", name, err, ErrLimit)
		}
		if spent > 8<<20 {
			t.Errorf("%s: took %d bytes", name, spent)
		}
	}
}

// TestTypedAttributes: the value of a ConstantOfShape keeps its type on the way through onnx-go.
func TestTypedAttributes(t *testing.T) {
	for _, c := range []struct {
		value onnx.TensorProto
		want  Tensor
	}{
		{onnx.TensorProto{DataType: int32(onnx.Float32), FloatData: []float32{1.5}}, Tensor{DType: Float32, F32: []float32{1.5, 1.5}}},
		{onnx.TensorProto{DataType: int32(onnx.Float64), DoubleData: []float64{1.5}}, Tensor{DType: Float32, F32: []float32{1.5, 1.5}}},
		{onnx.TensorProto{DataType: int32(onnx.Float16), Int32Data: []int32{0x3e00}}, Tensor{DType: Float32, F32: []float32{1.5, 1.5}}},
		{onnx.TensorProto{DataType: int32(onnx.Int64), Int64Data: []int64{-7}}, Tensor{DType: Int64, I64: []int64{-7, -7}}},
		{onnx.TensorProto{DataType: int32(onnx.Uint32), Uint64Data: []uint64{1 << 31}}, Tensor{DType: Int64, I64: []int64{1 << 31, 1 << 31}}},
		{onnx.TensorProto{DataType: int32(onnx.Int32), Int32Data: []int32{-7}}, Tensor{DType: Int32, I64: []int64{-7, -7}}},
		{onnx.TensorProto{DataType: int32(onnx.Int8), Int32Data: []int32{-7}}, Tensor{DType: Int32, I64: []int64{-7, -7}}},
		{onnx.TensorProto{DataType: int32(onnx.Uint8), Int32Data: []int32{200}}, Tensor{DType: Uint8, I64: []int64{200, 200}}},
		{onnx.TensorProto{DataType: int32(onnx.Bool), RawData: &onnx.Raw{1}}, Tensor{DType: Bool, I64: []int64{1, 1}}},
	} {
		for _, dims := range [][]int64{{1}, {}} {
			value := c.value
			value.Dims = dims
			b := onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 13}}, Graph: &onnx.GraphProto{
				Name: "g", Input: []*onnx.ValueInfoProto{onnxtest.Value("x", 2)}, Output: []*onnx.ValueInfoProto{{Name: "y"}},
				Node: []*onnx.NodeProto{node("Shape", "x", "s"), node("ConstantOfShape", "s", "y", &onnx.AttributeProto{Name: "value", Type: onnx.AttributeProto_TENSOR, T: &value})},
			}})
			m, err := LoadBytes(b, Options{})
			if err != nil {
				t.Errorf("%v: %v", onnx.DataType(value.DataType), err)
				continue
			}
			c.want.Shape = []int{2}
			got, err := m.NewSession().Run(context.Background(), map[string]Tensor{"x": {DType: Float32, Shape: []int{2}, F32: []float32{0, 0}}})
			if err == nil {
				err = equalTensors(got, map[string]Tensor{"y": c.want})
			}
			if err != nil {
				t.Errorf("%v %v: %v", onnx.DataType(value.DataType), dims, err)
			}
		}
	}
}
