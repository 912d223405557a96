package infer

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// layered is a generator in which every pass has something to do.
func layered() *onnx.ModelProto {
	node := func(op, in, out string, attrs ...*onnx.AttributeProto) *onnx.NodeProto {
		return &onnx.NodeProto{Name: out, OpType: op, Input: strings.Split(in, ","), Output: []string{out}, Attribute: attrs}
	}
	values := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i%5+1) / 4
		}
		return x
	}
	m := onnxtest.Small()
	m.Graph.Initializer = []*onnx.TensorProto{
		onnxtest.Floats("w0", values(20), 5, 4), onnxtest.Floats("scale", values(5), 5), onnxtest.Floats("shift", values(5), 5),
		onnxtest.Floats("mean", values(5), 5), onnxtest.Floats("var", values(5), 5),
		onnxtest.Floats("w1", values(30), 5, 6), onnxtest.Floats("b1", values(6), 6),
		onnxtest.Ints("batch", []int64{-1}, 1), onnxtest.Ints("chw", []int64{1, 2, 3}, 3),
	}
	m.Graph.Node = []*onnx.NodeProto{
		node("Gemm", "z,w0", "h0", onnxtest.Int("transB", 1), onnxtest.Float("alpha", 0.5)),
		node("BatchNormalization", "h0,scale,shift,mean,var", "n0"),
		node("LeakyRelu", "n0", "a0", onnxtest.Float("alpha", 0.2)),
		node("Identity", "a0", "i0"),
		node("MatMul", "i0,w1", "h1"),
		node("Sigmoid", "h0", "dead"),
		node("Add", "b1,h1", "s1"),
		node("Tanh", "s1", "t1"),
		node("Concat", "batch,chw", "shape", onnxtest.Int("axis", 0)),
		node("Reshape", "t1,shape", "image"),
	}
	return m
}

// convolved is a small DCGAN with a skip, in which layouts have to be chosen.
func convolved() *onnx.ModelProto {
	node := func(op, in, out string, attrs ...*onnx.AttributeProto) *onnx.NodeProto {
		return &onnx.NodeProto{Name: out, OpType: op, Input: strings.Split(in, ","), Output: []string{out}, Attribute: attrs}
	}
	ones := func(name string, dims ...int64) *onnx.TensorProto {
		return filled(name, func() float32 { return 1 }, dims...)
	}
	m := onnxtest.Small()
	m.Graph.Input = []*onnx.ValueInfoProto{onnxtest.Value("z", "N", 4), onnxtest.Value("noise", "N", 1, 8, 8)}
	m.Graph.Output = []*onnx.ValueInfoProto{{Name: "image"}, {Name: "c2"}}
	m.Graph.Initializer = []*onnx.TensorProto{
		ones("w0", 4, 6, 4, 4), ones("one", 6), ones("w1", 6, 6, 4, 4), ones("b1", 6), ones("w2", 6, 6, 3, 3), ones("w3", 3, 6, 1, 1), ones("b3", 1, 3, 1, 1),
		ones("half"), onnxtest.Ints("zshape", []int64{-1, 4, 1, 1}, 4),
	}
	up := []*onnx.AttributeProto{ints("strides", 2, 2), ints("pads", 1, 1, 1, 1)}
	m.Graph.Node = []*onnx.NodeProto{
		node("Reshape", "z,zshape", "z4"),
		node("ConvTranspose", "z4,w0", "c0"),
		node("BatchNormalization", "c0,one,one,one,one", "n0"),
		node("Relu", "n0", "a0"),
		node("ConvTranspose", "a0,w1,b1", "c1", up...),
		node("Relu", "c1", "a1"),
		node("Conv", "a1,w2", "c2", ints("pads", 1, 1, 1, 1)),
		node("Add", "a1,c2", "s"),
		node("BatchNormalization", "s,one,one,one,one", "n"),
		node("LeakyRelu", "n", "a", onnxtest.Float("alpha", 0.2)),
		node("Mul", "a,half", "h"),
		node("Add", "h,noise", "x"),
		node("Conv", "x,w3", "c3"),
		node("Add", "c3,b3", "s3"),
		node("Tanh", "s3", "image"),
	}
	return m
}

// TestPasses shows the graph before and after each pass, and the plan, in testdata.
func TestPasses(t *testing.T) {
	t.Run("linear", func(t *testing.T) { testPasses(t, layered(), "testdata/passes.txt") })
	t.Run("convolutions", func(t *testing.T) { testPasses(t, convolved(), "testdata/passes_conv.txt") })
}

func testPasses(t *testing.T, model *onnx.ModelProto, file string) {
	var b strings.Builder
	before := ""
	m, err := LoadBytes(onnxtest.Bytes(model), Options{Trace: func(pass, graph string) {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if graph == before {
			graph = "(no change in the text)\n"
		} else {
			before = graph
		}
		fmt.Fprintf(&b, "# %s\n%s", pass, graph)
	}})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := m.PlanText(64)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "\n# plan for open dimensions of 64\n%s", plan)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("got\n%s\nwant (UPDATE_GOLDEN=1 go test rewrites it)\n%s", got, want)
	}
}

// TestShapeInputs runs a model whose shape is an input: a plan for each of its values.
func TestShapeInputs(t *testing.T) {
	shapeInput := &onnx.ValueInfoProto{Name: "shape", Type: &onnx.TypeProto{TensorType: &onnx.TypeProto_Tensor{ElemType: int32(onnx.Int64)}}}
	g := &onnx.GraphProto{Name: "g", Input: []*onnx.ValueInfoProto{onnxtest.Value("x", 2, 6), shapeInput}, Output: []*onnx.ValueInfoProto{{Name: "y"}},
		Initializer: []*onnx.TensorProto{onnxtest.Ints("one", []int64{1}, 1)},
		Node: []*onnx.NodeProto{
			{OpType: "Concat", Input: []string{"one", "shape"}, Output: []string{"s"}, Attribute: []*onnx.AttributeProto{onnxtest.Int("axis", 0)}},
			{OpType: "Reshape", Input: []string{"x", "s"}, Output: []string{"y"}},
		}}
	m, err := LoadBytes(onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 13}}, Graph: g}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := m.NewSession()
	run := func(shape ...int64) (string, error) {
		x := Tensor{DType: Float32, Shape: []int{2, 6}, F32: make([]float32, 12)}
		y, err := s.Run(context.Background(), map[string]Tensor{"x": x, "shape": {DType: Int64, Shape: []int{len(shape)}, I64: shape}})
		return fmt.Sprint(y["y"].Shape), err
	}
	for range 2 {
		for _, c := range []struct {
			shape []int64
			want  string
		}{{[]int64{3, 4}, "[1 3 4]"}, {[]int64{4, 3}, "[1 4 3]"}, {[]int64{-1}, "[1 12]"}, {[]int64{0, 2, -1}, "[1 6 2 1]"}} {
			if got, err := run(c.shape...); err != nil || got != c.want {
				t.Errorf("shape %v: got %s, %v, want %s", c.shape, got, err, c.want)
			}
		}
	}
	for _, shape := range [][]int64{{5}, {-1, -1}, {-2}, {1 << 62, 4}, {0, 0, 0, 0}, make([]int64, 17), make([]int64, 5000)} {
		if got, err := run(shape...); err == nil {
			t.Errorf("shape %v: got %s, want an error", shape, got)
		}
	}
}

// TestImagesOfTwoRanks adds rows [C,W] of signals to images [N,C,H,W]: each is a
// result of a convolution, but in HWNC they would not be broadcast alike.
func TestImagesOfTwoRanks(t *testing.T) {
	one := []float32{1, 0, 0, 1} // what every convolution here multiplies channels by
	g := &onnx.GraphProto{Name: "g", Output: []*onnx.ValueInfoProto{{Name: "y"}},
		Input:       []*onnx.ValueInfoProto{onnxtest.Value("signals", 2, 2, 2), onnxtest.Value("images", 2, 2, 2, 2)},
		Initializer: []*onnx.TensorProto{onnxtest.Floats("w1", one, 2, 2, 1), onnxtest.Floats("w2", one, 2, 2, 1, 1)},
		Node: []*onnx.NodeProto{
			{OpType: "Conv", Input: []string{"signals", "w1"}, Output: []string{"a"}},
			{OpType: "Conv", Input: []string{"images", "w2"}, Output: []string{"b"}},
			{OpType: "Add", Input: []string{"a", "b"}, Output: []string{"y"}},
		}}
	m, err := LoadBytes(onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 13}}, Graph: g}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	signals, images, want := make([]float32, 8), make([]float32, 16), make([]float32, 16)
	for i := range images {
		signals[i%8], images[i] = float32(i%8), float32(100*i)
		want[i] = images[i] + float32(i%8)
	}
	y, err := m.NewSession().Run(context.Background(), map[string]Tensor{
		"signals": {DType: Float32, Shape: []int{2, 2, 2}, F32: signals}, "images": {DType: Float32, Shape: []int{2, 2, 2, 2}, F32: images},
	})
	if err != nil || !slices.Equal(y["y"].F32, want) {
		t.Errorf("got %v, %v, want %v", y["y"].F32, err, want)
	}
}
