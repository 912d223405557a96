package onnx_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

func TestPrepare(t *testing.T) {
	file := onnxtest.Bytes(onnxtest.Small())
	topology, info, err := onnx.Prepare(file, onnx.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if info.IR != 7 || info.Opset != 13 || info.Producer != "onnxtest" || info.Metadata["colour"] != "grey" {
		t.Errorf("header is %+v", info)
	}
	wantIn := []onnx.Value{{Name: "z", Type: onnx.Float32, Dims: []int64{-1, 4}, Sym: []string{"N", ""}}}
	wantOut := []onnx.Value{{Name: "image", Type: onnx.Float32, Dims: []int64{-1, 1, 2, 3}, Sym: []string{"N", "", "", ""}}}
	if !reflect.DeepEqual(info.Inputs, wantIn) || !reflect.DeepEqual(info.Outputs, wantOut) {
		t.Errorf("got inputs %+v, outputs %+v, want %+v and %+v", info.Inputs, info.Outputs, wantIn, wantOut)
	}
	if c := info.Consts["shape"]; !reflect.DeepEqual(c, onnx.Const{Shape: []int{4}, I: []int64{-1, 1, 2, 3}, Type: onnx.Int64, Initializer: true}) {
		t.Errorf("shape is %+v", c)
	}
	if c := info.Consts["w0"]; len(c.F) != 20 || c.F[0] != -3.0/8 || !reflect.DeepEqual(c.Shape, []int{5, 4}) {
		t.Errorf("w0 is %+v", c)
	}
	if len(info.Consts) != 5 || len(info.Nodes) != 6 || info.Nodes[1].String() != `node 1 "act0" (LeakyRelu)` || info.Nodes[5].String() != `output "image"` {
		t.Errorf("%d constants, nodes %v", len(info.Consts), info.Nodes)
	}
	var m onnx.ModelProto
	if err := m.Unmarshal(topology); err != nil {
		t.Fatal(err)
	}
	g := m.Graph
	if len(g.Initializer) != 0 || len(g.ValueInfo) != 0 || g.Input[0].Type != nil || g.Output[0].Type != nil || g.Output[0].Name != "\x00out0" {
		t.Errorf("topology is %v", &m)
	}
	if last := g.Node[len(g.Node)-1]; last.OpType != "Identity" || last.Input[0] != "image" || last.Output[0] != "\x00out0" {
		t.Errorf("last node is %v", last)
	}
}

// TestPrepareUnusual has valid files in forms that onnx-go alone gets wrong.
func TestPrepareUnusual(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m *onnx.ModelProto, g *onnx.GraphProto)
		check  func(info *onnx.Info) bool
	}{
		{"initializer listed as input, before the data", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Input = []*onnx.ValueInfoProto{onnxtest.Value("w0", 5, 4), g.Input[0]}
		}, func(info *onnx.Info) bool { return len(info.Inputs) == 1 && info.Inputs[0].Name == "z" }},
		{"input that is an output", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Output = append(g.Output, onnxtest.Value("z", "N", 4), onnxtest.Value("w0", 5, 4))
		}, func(info *onnx.Info) bool { return len(info.Outputs) == 3 && len(info.Nodes) == 8 }},
		{"output without type", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Output[0].Type = nil },
			func(info *onnx.Info) bool { return info.Outputs[0].Type == 0 && info.Outputs[0].Dims == nil }},
		{"absent inputs and outputs", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Node = append(g.Node, &onnx.NodeProto{OpType: "Dropout", Input: []string{"z", "", ""}, Output: []string{"d", ""}})
		}, func(info *onnx.Info) bool { return info.Nodes[5].String() == "node 5 (Dropout)" }},
		{"constants", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			for i, a := range []*onnx.AttributeProto{
				{Name: "value", Type: onnx.AttributeProto_TENSOR, T: onnxtest.Floats("", []float32{1, 2}, 2)},
				{Name: "value_float", Type: onnx.AttributeProto_FLOAT, F: 3},
				{Name: "value_floats", Type: onnx.AttributeProto_FLOATS, Floats: []float32{4, 5}},
				{Name: "value_int", Type: onnx.AttributeProto_INT, I: 6},
				{Name: "value_ints", Type: onnx.AttributeProto_INTS, Ints: []int64{7, 8}},
			} {
				g.Node = append(g.Node, &onnx.NodeProto{OpType: "Constant", Output: []string{fmt.Sprint("c", i)}, Attribute: []*onnx.AttributeProto{a}})
			}
		}, func(info *onnx.Info) bool {
			c := info.Consts
			return c["w0"].Initializer && !c["c0"].Initializer && len(info.Nodes) == 6 && c["c0"].F[1] == 2 && c["c1"].F[0] == 3 && len(c["c1"].Shape) == 0 && c["c2"].F[1] == 5 && c["c3"].I[0] == 6 && c["c4"].I[1] == 8
		}},
		{"initializer without elements", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Initializer = append(g.Initializer, &onnx.TensorProto{Name: "e", DataType: int32(onnx.Float32), Dims: []int64{2, 0, 3}})
		}, func(info *onnx.Info) bool {
			c := info.Consts["e"]
			return c.F != nil && len(c.F) == 0 && len(c.Shape) == 3
		}},
		{"foreign domain that nothing uses", func(m *onnx.ModelProto, _ *onnx.GraphProto) {
			m.OpsetImport = append(m.OpsetImport, &onnx.OperatorSetIdProto{Domain: "com.microsoft", Version: 1})
		}, func(info *onnx.Info) bool { return info.Opset == 13 }},
		{"own domain by name", func(m *onnx.ModelProto, g *onnx.GraphProto) {
			m.OpsetImport[0].Domain, g.Node[0].Domain = "ai.onnx", "ai.onnx"
		}, func(info *onnx.Info) bool { return info.Opset == 13 }},
	} {
		m := onnxtest.Small()
		test.change(m, m.Graph)
		_, info, err := onnx.Prepare(onnxtest.Bytes(m), onnx.Limits{})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if !test.check(info) {
			t.Errorf("%s: got %+v", test.name, info)
		}
	}
}

func TestNoCopyOfWeights(t *testing.T) {
	file := large(64 << 20)
	var took time.Duration
	spent := allocated(func() {
		start := time.Now()
		_, info, err := onnx.Prepare(file, onnx.Limits{})
		took = time.Since(start)
		if err != nil {
			t.Fatal(err)
		}
		if c := info.Consts["w0"]; len(c.F) != 16<<20 || c.F[1] != 0.5 || c.F[16<<20-1] != -2 {
			t.Errorf("w0 has %d elements", len(c.F))
		}
	})
	t.Logf("64 MiB of weights: %v, %d bytes allocated", took, spent)
	if spent > 64<<10 {
		t.Errorf("allocated %d bytes, want at most 64 KiB", spent)
	}
	if took > 100*time.Millisecond {
		t.Errorf("took %v, want under 100 ms", took)
	}
}

func TestLimits(t *testing.T) {
	file := onnxtest.Bytes(onnxtest.Small())
	for _, test := range []struct {
		name string
		lim  onnx.Limits
	}{
		{"FileBytes", onnx.Limits{FileBytes: int64(len(file)) - 1}},
		{"Memory", onnx.Limits{Memory: 1000}},
		{"Messages", onnx.Limits{Messages: 20}},
		{"Nodes", onnx.Limits{Nodes: 4}},
		{"NodeValues", onnx.Limits{NodeValues: 3}},
		{"Edges", onnx.Limits{Edges: 10}},
		{"Values", onnx.Limits{Values: 1}},
		{"Elements", onnx.Limits{Elements: 60}},
	} {
		_, _, err := onnx.Prepare(file, test.lim)
		if err == nil || !strings.Contains(err.Error(), "Limits."+test.name) {
			t.Errorf("%s: got %v, want an error that names it", test.name, err)
		}
	}
	if _, _, err := onnx.Prepare(file, onnx.Limits{Elements: 65, Nodes: 5, NodeValues: 4, Values: 2}); err != nil {
		t.Errorf("limits that just suffice: %v", err)
	}
}

// TestTypes widens every element type, from raw_data and from the typed lists.
func TestTypes(t *testing.T) {
	raw := func(b ...byte) *onnx.Raw { r := onnx.Raw(b); return &r }
	for _, test := range []struct {
		t *onnx.TensorProto
		f []float32
		i []int64
	}{
		{t: &onnx.TensorProto{DataType: 1, RawData: raw(0, 0, 192, 63, 0, 0, 0, 192)}, f: []float32{1.5, -2}},
		{t: &onnx.TensorProto{DataType: 1, FloatData: []float32{1.5, -2}}, f: []float32{1.5, -2}},
		{t: &onnx.TensorProto{DataType: 2, RawData: raw(1, 255)}, i: []int64{1, 255}},
		{t: &onnx.TensorProto{DataType: 3, RawData: raw(1, 255)}, i: []int64{1, -1}},
		{t: &onnx.TensorProto{DataType: 3, Int32Data: []int32{1, -1}}, i: []int64{1, -1}},
		{t: &onnx.TensorProto{DataType: 4, RawData: raw(1, 0, 255, 255)}, i: []int64{1, 65535}},
		{t: &onnx.TensorProto{DataType: 5, RawData: raw(1, 0, 255, 255)}, i: []int64{1, -1}},
		{t: &onnx.TensorProto{DataType: 6, RawData: raw(1, 0, 0, 0, 255, 255, 255, 255)}, i: []int64{1, -1}},
		{t: &onnx.TensorProto{DataType: 6, Int32Data: []int32{1, -1}}, i: []int64{1, -1}},
		{t: &onnx.TensorProto{DataType: 7, RawData: raw(1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255)}, i: []int64{1, -1}},
		{t: &onnx.TensorProto{DataType: 7, Int64Data: []int64{1, -1}}, i: []int64{1, -1}},
		{t: &onnx.TensorProto{DataType: 9, RawData: raw(1, 0)}, i: []int64{1, 0}},
		{t: &onnx.TensorProto{DataType: 9, Int32Data: []int32{1, 0}}, i: []int64{1, 0}},
		{t: &onnx.TensorProto{DataType: 10, RawData: raw(0, 62, 0, 192)}, f: []float32{1.5, -2}},
		{t: &onnx.TensorProto{DataType: 10, Int32Data: []int32{0x3e00, 0x0001}}, f: []float32{1.5, 0x1p-24}},
		{t: &onnx.TensorProto{DataType: 10, RawData: raw(0, 0x80, 0, 0x7c)}, f: []float32{float32(math.Copysign(0, -1)), float32(math.Inf(1))}},
		{t: &onnx.TensorProto{DataType: 11, DoubleData: []float64{1.5, -2}}, f: []float32{1.5, -2}},
		{t: &onnx.TensorProto{DataType: 11, RawData: raw(0, 0, 0, 0, 0, 0, 248, 63, 0, 0, 0, 0, 0, 0, 0, 192)}, f: []float32{1.5, -2}},
		{t: &onnx.TensorProto{DataType: 12, Uint64Data: []uint64{1, 1<<32 - 1}}, i: []int64{1, 1<<32 - 1}},
		{t: &onnx.TensorProto{DataType: 12, RawData: raw(1, 0, 0, 0, 255, 255, 255, 255)}, i: []int64{1, 1<<32 - 1}},
		{t: &onnx.TensorProto{DataType: 13, Uint64Data: []uint64{1, 2}}, i: []int64{1, 2}},
		{t: &onnx.TensorProto{DataType: 16, RawData: raw(192, 63, 0, 192)}, f: []float32{1.5, -2}},
	} {
		m := onnxtest.Small()
		test.t.Name, test.t.Dims = "c", []int64{2}
		m.Graph.Initializer = append(m.Graph.Initializer, test.t)
		_, info, err := onnx.Prepare(onnxtest.Bytes(m), onnx.Limits{})
		if err != nil {
			t.Errorf("%v: %v", test.t, err)
			continue
		}
		want := onnx.Const{Shape: []int{2}, F: test.f, I: test.i, Type: onnx.DataType(test.t.DataType), Initializer: true}
		if got := info.Consts["c"]; !reflect.DeepEqual(got, want) || len(test.f) > 0 && math.Signbit(float64(got.F[0])) != math.Signbit(float64(test.f[0])) {
			t.Errorf("%v: got %+v, want %+v", test.t, got, want)
		}
	}
}

func BenchmarkPrepare(b *testing.B) {
	for _, size := range []int{64 << 10, 64 << 20} {
		file := large(size)
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := onnx.Prepare(file, onnx.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// large returns a file with about size bytes of weights, at an odd address.
func large(size int) []byte {
	m := onnxtest.Small()
	x := make([]float32, size/4)
	x[1], x[len(x)-1] = 0.5, -2
	m.Graph.Initializer[0] = onnxtest.Floats("w0", x, int64(len(x)))
	return onnxtest.Bytes(m)
}
