package infer

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"gantry/infer/internal/pass"
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

// TestPasses shows the graph before and after each pass, and the plan, in testdata/passes.txt.
func TestPasses(t *testing.T) {
	const file = "testdata/passes.txt"
	g, _, err := decode(onnxtest.Bytes(layered()), onnx.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	budget := pass.NewBudget(g, Limits{}.plan())
	var b strings.Builder
	fmt.Fprintf(&b, "# as decoded\n%v", g)
	before := g.String()
	for _, p := range pass.All {
		if err := p.Run(g, budget); err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		after := g.String()
		if after == before {
			after = "(no change in the text)\n"
		} else {
			before = after
		}
		fmt.Fprintf(&b, "\n# %s\n%s", p.Name, after)
	}
	m, err := LoadBytes(onnxtest.Bytes(layered()), Options{})
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
