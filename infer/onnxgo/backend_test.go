package onnxgo

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	onnxlib "github.com/owulveryck/onnx-go"
	"gorgonia.org/tensor"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

func model(in, out []string, weights []*onnx.TensorProto, nodes ...*onnx.NodeProto) []byte {
	g := &onnx.GraphProto{Name: "g", Initializer: weights, Node: nodes}
	for _, n := range in {
		g.Input = append(g.Input, onnxtest.Value(n, 1, 2))
	}
	for _, n := range out {
		g.Output = append(g.Output, onnxtest.Value(n, 1, 2))
	}
	return onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 13}}, Graph: g})
}

func op(kind string, in, out string) *onnx.NodeProto {
	return &onnx.NodeProto{OpType: kind, Input: strings.Split(in, ","), Output: strings.Split(out, ",")}
}

func row(v ...float32) tensor.Tensor {
	return tensor.New(tensor.WithShape(1, len(v)), tensor.WithBacking(v))
}

// evaluate runs a model whose inputs are set by name, twice, and returns the outputs.
func evaluate(t *testing.T, file []byte, in map[string]tensor.Tensor) ([]tensor.Tensor, error) {
	t.Helper()
	b := New()
	m := onnxlib.NewModel(b)
	if err := m.UnmarshalBinary(file); err != nil {
		return nil, err
	}
	for name, x := range in {
		n, ok := m.GetNodeByName(name)
		if !ok {
			t.Fatalf("no node %q", name)
		}
		if err := n.(onnxlib.DataCarrier).SetTensor(x); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Run(); err != nil {
		return nil, err
	}
	first, err := m.GetOutputTensors()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Run(); err != nil {
		return nil, err
	}
	second, err := m.GetOutputTensors()
	if err != nil {
		t.Fatal(err)
	}
	for i := range first {
		if first[i] != nil && !reflect.DeepEqual(first[i].Data(), second[i].Data()) {
			t.Errorf("output %d: the second Run gives %v, the first %v", i, second[i], first[i])
		}
	}
	return first, nil
}

// TestQuirks runs valid models that onnx-go's own backend, or its decoder, gets wrong.
func TestQuirks(t *testing.T) {
	bias := []*onnx.TensorProto{onnxtest.Floats("w", []float32{1, 2, 3, 4}, 2, 2), onnxtest.Floats("c", []float32{10, 20}, 2)}
	x := func() map[string]tensor.Tensor { return map[string]tensor.Tensor{"x": row(-3, 2)} }
	for name, c := range map[string]struct {
		file []byte
		want [][]float32
	}{
		"one value as both arguments": {model([]string{"x"}, []string{"y"}, nil, op("Mul", "x,x", "y")), [][]float32{{9, 4}}},
		"bias of the output's size":   {model([]string{"x"}, []string{"y"}, bias, op("Gemm", "x,w,c", "y")), [][]float32{{13, 22}}},
		"argument used again":         {model([]string{"x"}, []string{"y"}, nil, op("LeakyRelu", "x", "h"), op("Add", "h,x", "y")), [][]float32{{-3.03, 4}}},
		"input is an output":          {model([]string{"x"}, []string{"x", "y"}, nil, op("Relu", "x", "y")), [][]float32{{-3, 2}, {0, 2}}},
		"output read inside":          {model([]string{"x"}, []string{"h", "y"}, nil, op("Relu", "x", "h"), op("Mul", "h,h", "y")), [][]float32{{0, 2}, {0, 4}}},
		"weight is an output":         {model([]string{"x"}, []string{"y", "c"}, bias, op("Add", "x,c", "y")), [][]float32{{7, 22}, {10, 20}}},
		"output that nobody computes": {model([]string{"x"}, []string{"y", "lost"}, nil, op("Relu", "x", "y")), [][]float32{{0, 2}, nil}},
		"unwanted output":             {model([]string{"x"}, []string{"y"}, nil, op("Relu", "x", ""), op("Tanh", "x", ""), op("Relu", "x", "y")), [][]float32{{0, 2}}},
		"inputs left out at the end":  {model([]string{"x"}, []string{"y"}, nil, &onnx.NodeProto{OpType: "Concat", Input: []string{"x", "x", "", ""}, Output: []string{"y"}, Attribute: []*onnx.AttributeProto{onnxtest.Int("axis", 0)}}), [][]float32{{-3, 2, -3, 2}}},
		"input without type":          {withoutType(model([]string{"x"}, []string{"y"}, nil, op("Relu", "x", "y"))), [][]float32{{0, 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			in := x()
			got, err := evaluate(t, c.file, in)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range c.want {
				switch {
				case want == nil:
					if got[i] != nil {
						t.Errorf("output %d is %v, want none", i, got[i])
					}
				case !slices.Equal(got[i].Data().([]float32), want):
					t.Errorf("output %d is %v, want %v", i, got[i].Data(), want)
				}
			}
			if v := in["x"].Data().([]float32); !slices.Equal(v, []float32{-3, 2}) {
				t.Errorf("the input is %v after Run", v)
			}
		})
	}
}

func withoutType(b []byte) []byte {
	var m onnx.ModelProto
	if err := m.Unmarshal(b); err != nil {
		panic(err)
	}
	m.Graph.Input[0].Type = nil
	return onnxtest.Bytes(&m)
}

// TestErrors runs models and uses that must give an error where onnx-go's own backend panics, hangs
// or computes with the wrong numbers.
func TestErrors(t *testing.T) {
	x := map[string]tensor.Tensor{"x": row(-3, 2)}
	for name, c := range map[string]struct {
		file []byte
		in   map[string]tensor.Tensor
		want string
	}{
		"operator":           {model([]string{"x"}, []string{"y"}, nil, op("Loop", "x", "y")), x, "operator Loop not implemented"},
		"attribute":          {model([]string{"x"}, []string{"y"}, nil, op("LeakyRelu", "x", "y"), &onnx.NodeProto{OpType: "Relu", Input: []string{"x"}, Output: []string{"z"}, Attribute: []*onnx.AttributeProto{onnxtest.Int("axis", 1)}}), x, `operation 1 (Relu): attribute "axis" is not known`},
		"feeds itself":       {model([]string{"x"}, []string{"y"}, nil, op("Add", "x,y", "y")), x, `value "y" feeds itself`},
		"cycle":              {model([]string{"x"}, []string{"y"}, nil, op("Add", "x,b", "a"), op("Relu", "a", "b"), op("Relu", "b", "y")), x, `input "b" is not computed before it`},
		"defined twice":      {model([]string{"x"}, []string{"y"}, nil, op("Relu", "x", "y"), op("Tanh", "x", "y")), x, `value "y" is defined twice`},
		"twice in one node":  {model([]string{"x"}, []string{"y"}, nil, op("Relu", "x", "y,y")), x, `value "y" is defined twice`},
		"missing input":      {model([]string{"x"}, []string{"y"}, nil, op("Add", "x,nowhere", "y")), x, `input "nowhere" was never set`},
		"input not set":      {model([]string{"x"}, []string{"y"}, nil, op("Relu", "x", "y")), nil, `input "x" was never set`},
		"integers":           {model([]string{"x"}, []string{"y"}, nil, op("Sigmoid", "x", "y")), map[string]tensor.Tensor{"x": tensor.New(tensor.WithShape(2), tensor.WithBacking([]int64{1, 2}))}, "input 0 is int64[2], want float32"},
		"element type":       {model([]string{"x"}, []string{"y"}, nil, op("Relu", "x", "y")), map[string]tensor.Tensor{"x": tensor.New(tensor.WithShape(2), tensor.WithBacking([]complex64{1, 2}))}, "elements of type complex64"},
		"invented input":     {model([]string{"n/input"}, []string{"y"}, nil, &onnx.NodeProto{Name: "n", OpType: "Constant", Output: []string{"k"}, Attribute: []*onnx.AttributeProto{onnxtest.Float("value_float", 1)}}, op("Add", "n/input,k", "y")), nil, `input "n/input" was never set`},
		"input left out":     {model([]string{"x"}, []string{"y"}, nil, &onnx.NodeProto{OpType: "Concat", Input: []string{"x", "", "x"}, Output: []string{"y"}, Attribute: []*onnx.AttributeProto{onnxtest.Int("axis", 0)}}), x, "input 1 is left out"},
		"weights come first": {weightsFirst(), nil, "was never set"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := evaluate(t, c.file, c.in); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

// TestTypes feeds every element type and a scalar of each, and gets them back.
func TestTypes(t *testing.T) {
	file := model([]string{"x"}, []string{"y"}, nil, op("Identity", "x", "y"))
	for _, x := range []any{[]float32{1, 2}, []float64{1, 2}, []int64{1, -2}, []int32{1, -2}, []uint8{1, 255}, []bool{true, false}, []float32{3}, []int32{3}, []bool{true}} {
		for _, scalar := range []bool{false, true} {
			in := tensor.New(tensor.WithBacking(x))
			if scalar {
				in = tensor.New(tensor.FromScalar(reflect.ValueOf(x).Index(0).Interface()))
			}
			got, err := evaluate(t, file, map[string]tensor.Tensor{"x": in})
			if err != nil {
				t.Errorf("%T: %v", x, err)
				continue
			}
			want := fmt.Sprint(in.Data())
			if have := fmt.Sprint(got[0].Data()); strings.Trim(have, "[]") != strings.Trim(want, "[]") || !got[0].Shape().Eq(in.Shape()) ||
				in.Dtype() != tensor.Float64 && got[0].Dtype() != in.Dtype() {
				t.Errorf("%T %v: got %v %s, want %s", x, in.Shape(), got[0].Dtype(), have, want)
			}
		}
	}
}

// weightsFirst returns a model of IR 3 style that lists its weight before its data input.
func weightsFirst() []byte {
	return model([]string{"w", "x"}, []string{"y"}, []*onnx.TensorProto{onnxtest.Floats("w", []float32{5, 6}, 1, 2)}, op("Sub", "x,w", "y"))
}

func TestWeightsFirst(t *testing.T) {
	b := New()
	m := onnxlib.NewModel(b)
	if err := m.UnmarshalBinary(weightsFirst()); err != nil {
		t.Fatal(err)
	}
	if err := m.SetInput(0, row(1, 2)); err != nil { // sets w: onnx-go means node 0
		t.Fatal(err)
	}
	if err := b.Run(); err == nil || !strings.Contains(err.Error(), `input "x" was never set`) {
		t.Errorf("got %v, want an error instead of numbers from a wrong weight", err)
	}
	got, err := evaluate(t, weightsFirst(), map[string]tensor.Tensor{"x": row(1, 2)})
	if err != nil || !slices.Equal(got[0].Data().([]float32), []float32{-4, -4}) {
		t.Errorf("by name: got %v, %v", got, err)
	}
}

func TestViews(t *testing.T) {
	file := model([]string{"x"}, []string{"y"}, nil, op("Relu", "x", "y"))
	turned := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{1, 2, 3, 4, 5, 6}))
	if err := turned.T(); err != nil {
		t.Fatal(err)
	}
	got, err := evaluate(t, file, map[string]tensor.Tensor{"x": turned})
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{1, 4, 2, 5, 3, 6}; !slices.Equal(got[0].Data().([]float32), want) || !got[0].Shape().Eq(tensor.Shape{3, 2}) {
		t.Errorf("got %v of shape %v, want %v", got[0].Data(), got[0].Shape(), want)
	}
	columns := tensor.New(tensor.WithShape(2, 2), tensor.AsFortran([]float32{1, 2, 3, 4}))
	if _, err := evaluate(t, file, map[string]tensor.Tensor{"x": columns}); err == nil || !strings.Contains(err.Error(), "column-major") {
		t.Errorf("got %v, want an error about column-major order", err)
	}
}

func TestNode(t *testing.T) {
	b := New(WithThreads(2))
	defer b.Close()
	if n := b.Node(0); n != nil {
		t.Errorf("node 0 of an empty backend is %v", n)
	}
	n := b.NewNode()
	if b.Node(n.ID()) != n || b.Node(-1) != nil {
		t.Error("Node does not find what NewNode made")
	}
}

// TestOutputsAreBounded makes views, which share memory until they are copied.
func TestOutputsAreBounded(t *testing.T) {
	old := limits
	defer func() { limits = old }()
	limits.ArenaBytes = 256
	file := model([]string{"x"}, []string{"a", "b", "c", "d", "e"}, []*onnx.TensorProto{onnxtest.Ints("shape", []int64{-1}, 1)},
		op("Add", "x,x", "a"), op("Reshape", "a,shape", "b"), op("Reshape", "a,shape", "c"), op("Reshape", "a,shape", "d"), op("Reshape", "a,shape", "e"))
	if _, err := evaluate(t, file, map[string]tensor.Tensor{"x": row(make([]float32, 12)...)}); err != nil {
		t.Error(err)
	}
	_, err := evaluate(t, file, map[string]tensor.Tensor{"x": row(make([]float32, 13)...)})
	if err == nil || !strings.Contains(err.Error(), "above the limit") {
		t.Errorf("five outputs of 52 bytes with a limit of 256: got %v", err)
	}
}
