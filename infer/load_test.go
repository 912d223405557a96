package infer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// tight are limits under which any file costs little.
var tight = Options{Threads: 1, Limits: Limits{FileBytes: 1 << 22, DecodeBytes: 1 << 22, Nodes: 200, Elements: 1 << 16, TensorElements: 1 << 14, ArenaBytes: 1 << 20}}

// tryRun loads b and, if that works, runs it on small inputs. It returns the first error.
func tryRun(b []byte, o Options) error {
	m, err := LoadBytes(b, o)
	if err != nil {
		return err
	}
	m.PlanText(2)
	m.Summary()
	if s, err := NewSampler(m, SamplerOptions{Batch: 2}); err == nil {
		s.Sample(context.Background(), Range(1, 2, 3), func(int, []float32) error { return nil })
	}
	Verify(context.Background(), m)
	inputs := map[string]Tensor{}
	for _, v := range m.Inputs() {
		t := Tensor{DType: v.DType, Shape: v.Shape}
		for i, d := range t.Shape {
			if d < 0 {
				t.Shape[i] = 2
			}
		}
		if err := m.limits.Check(plan.Type{DType: plan.DType(v.DType), Shape: t.Shape}); err != nil {
			return err
		}
		if n := plan.Count(t.Shape); v.DType.Integer() {
			t.I64 = make([]int64, n)
		} else {
			t.F32 = make([]float32, n)
		}
		inputs[v.Name] = t
	}
	_, err = m.NewSession().Run(context.Background(), inputs)
	return err
}

func TestHostileFiles(t *testing.T) {
	files := onnxtest.Hostile()
	if len(files) == 0 {
		t.Fatal("no hostile files")
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name, "bulk/") {
			continue // megabytes that onnx.Prepare refuses; internal/onnx tests them
		}
		t.Run(f.Name, func(t *testing.T) {
			data := f.Make()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := tryRun(data, Options{Threads: 1}); err == nil {
				t.Error("no error")
			}
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
				t.Errorf("took %d MiB in all, want at most 256", used>>20)
			}
		})
	}
}

// TestUnwantedResults: a node whose outputs have no names does nothing, whatever a pass would make of it.
func TestUnwantedResults(t *testing.T) {
	weights := []*onnx.TensorProto{onnxtest.Ints("w", []int64{1, 2}, 2)}
	for _, outs := range []string{"", ","} {
		for _, op := range []string{"Identity x", "Squeeze w", "Relu w", "Split w", "Shape x", "Relu x", "Dropout x"} {
			kind, in, _ := strings.Cut(op, " ")
			n := &onnx.NodeProto{OpType: kind, Input: []string{in}, Output: strings.Split(outs, ",")}
			if outs != "" && kind != "Split" && kind != "Dropout" {
				continue
			}
			m := load(t, onnxtest.Value("x", 2), []string{"y"}, weights, []*onnx.NodeProto{n, {OpType: "Relu", Input: []string{"x"}, Output: []string{"y"}}}, Options{})
			got, err := m.NewSession().Run(context.Background(), map[string]Tensor{"x": {DType: Float32, Shape: []int{2}, F32: []float32{-1, 2}}})
			if err != nil || !slices.Equal(got["y"].F32, []float32{0, 2}) {
				t.Errorf("%s with %d outputs: got %v, %v", op, len(n.Output), got, err)
			}
		}
	}
}

func TestTruncated(t *testing.T) {
	b := onnxtest.Bytes(onnxtest.Small())
	for n := range b {
		if err := tryRun(b[:n:n], tight); err == nil {
			// A cut between two fields leaves a valid message; what is missing then must not be
			// the graph.
			if m, err := LoadBytes(b[:n], tight); err != nil || len(m.Outputs()) != 1 || n < len(b)-64 {
				t.Errorf("cut after %d of %d bytes: no error", n, len(b))
			}
		}
	}
}

func FuzzLoadRun(f *testing.F) {
	f.Add(onnxtest.Bytes(onnxtest.Small()))
	for seed := range uint64(20) {
		f.Add(newRandomModel(seed).bytes())
	}
	for _, c := range hostileConvs {
		f.Add(c.bytes())
	}
	f.Add(onnxtest.Bytes(convolved()))
	for _, nodes := range bombs() {
		f.Add(bomb(nodes))
	}
	for _, h := range onnxtest.Hostile() {
		if strings.HasPrefix(h.Name, "bulk/") {
			continue // megabytes: no seeds
		}
		f.Add(h.Make())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tryRun(b, tight)
	})
}

func TestLoadErrors(t *testing.T) {
	node := func(change func(n *onnx.NodeProto)) func(m *onnx.ModelProto) {
		return func(m *onnx.ModelProto) { change(m.Graph.Node[1]) } // act0, a LeakyRelu
	}
	for name, c := range map[string]struct {
		change func(m *onnx.ModelProto)
		want   string
	}{
		"operator": {node(func(n *onnx.NodeProto) { n.OpType, n.Attribute = "LSTM", nil }),
			`infer: node 1 "act0" (LSTM): operator LSTM of opset 13 is not supported`},
		"attribute": {node(func(n *onnx.NodeProto) { n.Attribute = append(n.Attribute, onnxtest.Int("beta", 1)) }),
			`infer: node 1 "act0" (LeakyRelu): attribute "beta" is not known at opset 13`},
		"attribute type": {node(func(n *onnx.NodeProto) { n.Attribute[0] = onnxtest.Int("alpha", 1) }),
			`infer: node 1 "act0" (LeakyRelu): attribute alpha is int64, want float32`},
		"inputs": {node(func(n *onnx.NodeProto) { n.Input = append(n.Input, "z") }),
			`infer: node 1 "act0" (LeakyRelu): has 2 inputs, want 1`},
		"outputs": {node(func(n *onnx.NodeProto) {
			n.OpType, n.Output, n.Attribute, n.Input = "BatchNormalization", []string{"a0", "mean"}, nil, []string{"h0", "b0", "b0", "b0", "b0"}
		}), `infer: node 1 "act0" (BatchNormalization): is in training mode`},
		"training": {node(func(n *onnx.NodeProto) {
			n.OpType, n.Attribute, n.Input = "BatchNormalization", []*onnx.AttributeProto{onnxtest.Int("training_mode", 1)}, []string{"h0", "b0", "b0", "b0", "b0"}
		}), `infer: node 1 "act0" (BatchNormalization): attribute "training_mode" is not known at opset 13`},
		"left out": {node(func(n *onnx.NodeProto) { n.OpType, n.Attribute, n.Input = "Add", nil, []string{"", "h0"} }),
			`infer: node 1 "act0" (Add): input 0 is left out`},
		"opset": {func(m *onnx.ModelProto) { m.OpsetImport[0].Version = 6 }, `infer: the model imports opset 6, want 7 to 28`},
		"input type": {func(m *onnx.ModelProto) { m.Graph.Input[0].Type.GetTensorType().ElemType = 14 },
			`infer: onnx: unsupported feature: input "z": element type COMPLEX64`},
		"data decides": {node(func(n *onnx.NodeProto) { n.OpType, n.Attribute = "NonZero", nil }),
			`infer: node 1 "act0" (NonZero): operator NonZero of opset 13 is not supported`},
		"escape": {node(func(n *onnx.NodeProto) { n.OpType, n.Name, n.Attribute = "\x1b[2J", "\x1b[31m", nil }),
			`infer: node 1 "\x1b[31m" (?[2J): operator ?[2J of opset 13 is not supported`},
	} {
		t.Run(name, func(t *testing.T) {
			m := onnxtest.Small()
			c.change(m)
			_, err := LoadBytes(onnxtest.Bytes(m), Options{})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			var u *UnsupportedError
			if name == "operator" && (!errors.As(err, &u) || u.Op != "LSTM" || u.Node != 1 || u.Opset != 13 || u.Hint == "") {
				t.Errorf("got %#v", u)
			}
			if name == "data decides" && (!errors.As(err, &u) || !strings.Contains(u.Hint, "torch.where")) {
				t.Errorf("got %#v, want the hint for PyTorch", u)
			}
		})
	}
}

func TestRunErrors(t *testing.T) {
	f := func(shape ...int) Tensor {
		return Tensor{DType: Float32, Shape: shape, F32: make([]float32, plan.Count(shape))}
	}
	m := small(t, Options{})
	for name, c := range map[string]struct {
		in   map[string]Tensor
		want string
	}{
		"missing":  {map[string]Tensor{}, `infer: input "z" is missing; the model's inputs are ["z"]`},
		"extra":    {map[string]Tensor{"z": f(1, 4), "y": f(1)}, `infer: the model has no input "y"; its inputs are ["z"]`},
		"dtype":    {map[string]Tensor{"z": {DType: Int64, Shape: []int{1, 4}, I64: make([]int64, 4)}}, `infer: input "z" is int64, want float32`},
		"no dtype": {map[string]Tensor{"z": {}}, `infer: input "z" is no dtype, want float32`},
		"rank":     {map[string]Tensor{"z": f(4)}, `infer: input "z" has shape [4], want [N 4]`},
		"shape":    {map[string]Tensor{"z": f(2, 5)}, `infer: input "z" has shape [2 5], want [N=2 4]`},
		"elements": {map[string]Tensor{"z": {DType: Float32, Shape: []int{2, 4}, F32: make([]float32, 7)}}, `infer: input "z" has 7 float32 elements, want 8 for shape [2 4]`},
		"both":     {map[string]Tensor{"z": {DType: Float32, Shape: []int{1, 4}, F32: make([]float32, 4), I64: make([]int64, 4)}}, `infer: input "z" is float32, but has elements of the other type too`},
		"negative": {map[string]Tensor{"z": {DType: Float32, Shape: []int{-1, 4}}}, `infer: input "z": shape [-1 4] has a negative dimension`},
		"large":    {map[string]Tensor{"z": {DType: Float32, Shape: []int{1 << 40, 4}}}, `infer: input "z": a tensor of shape [1099511627776 4] is above the limit`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := m.NewSession().Run(context.Background(), c.in)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := m.NewSession().Run(ctx, map[string]Tensor{"z": f(1, 4)}); err != context.Canceled {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
	t.Run("arena", func(t *testing.T) {
		m := small(t, Options{Limits: Limits{ArenaBytes: 1 << 10}})
		if _, err := m.NewSession().Run(context.Background(), map[string]Tensor{"z": f(100, 4)}); !errors.Is(err, ErrLimit) {
			t.Errorf("got %v, want %v", err, ErrLimit)
		}
	})
	t.Run("empty batch", func(t *testing.T) {
		out, err := m.NewSession().Run(context.Background(), map[string]Tensor{"z": f(0, 4)})
		if err != nil || !plan.SameShape(out["image"].Shape, []int{0, 1, 2, 3}) {
			t.Errorf("got %v, %v", out, err)
		}
	})
}

// TestDeclaredTypes loads models whose input, weight and output have any type that has numbers: they are held in the nearest type
// that there is, and elements out of its range are refused.
func TestDeclaredTypes(t *testing.T) {
	for _, c := range []struct {
		declared onnx.DataType
		held     DType
		bad      int64 // 0 = none
	}{
		{onnx.Float32, Float32, 0}, {onnx.Float16, Float32, 0}, {onnx.Bfloat16, Float32, 0}, {onnx.Float64, Float32, 0},
		{onnx.Int64, Int64, 0}, {onnx.Uint64, Int64, 0}, {onnx.Uint32, Int64, 0},
		{onnx.Int32, Int32, 1 << 31}, {onnx.Int16, Int32, -1<<31 - 1}, {onnx.Int8, Int32, 1 << 40}, {onnx.Uint16, Int32, 1 << 62},
		{onnx.Uint8, Uint8, 256}, {onnx.Bool, Bool, 2},
	} {
		value := func(name string) *onnx.ValueInfoProto {
			v := onnxtest.Value(name, 1)
			v.Type.TensorType.ElemType = int32(c.declared)
			return v
		}
		w := &onnx.TensorProto{Name: "w", DataType: int32(c.declared), Dims: []int64{1}}
		switch c.declared {
		case onnx.Float32:
			w.FloatData = []float32{1}
		case onnx.Float64:
			w.DoubleData = []float64{1}
		case onnx.Int64:
			w.Int64Data = []int64{1}
		case onnx.Uint32, onnx.Uint64:
			w.Uint64Data = []uint64{1}
		case onnx.Float16:
			w.Int32Data = []int32{0x3c00}
		case onnx.Bfloat16:
			w.Int32Data = []int32{0x3f80}
		default:
			w.Int32Data = []int32{1}
		}
		m, err := LoadBytes(onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 13}}, Graph: &onnx.GraphProto{Name: "g",
			Input: []*onnx.ValueInfoProto{value("x")}, Output: []*onnx.ValueInfoProto{value("y")}, Initializer: []*onnx.TensorProto{w},
			Node: []*onnx.NodeProto{{OpType: "Concat", Input: []string{"x", "w"}, Output: []string{"y"}, Attribute: []*onnx.AttributeProto{onnxtest.Int("axis", 0)}}},
		}}), Options{})
		if err != nil {
			t.Errorf("%v: %v", c.declared, err)
			continue
		}
		if in, out := m.Inputs()[0].DType, m.Outputs()[0].DType; in != c.held || out != c.held {
			t.Errorf("%v: input is %v, output %v, want %v", c.declared, in, out, c.held)
		}
		x, want := Tensor{DType: c.held, Shape: []int{1}, I64: []int64{1}}, Tensor{DType: c.held, Shape: []int{2}, I64: []int64{1, 1}}
		if c.held == Float32 {
			x.F32, x.I64, want.F32, want.I64 = []float32{2}, nil, []float32{2, 1}, nil
		}
		got, err := m.NewSession().Run(context.Background(), map[string]Tensor{"x": x})
		if err == nil {
			err = equalTensors(got, map[string]Tensor{"y": want})
		}
		if err != nil {
			t.Errorf("%v: %v", c.declared, err)
		}
		if c.bad != 0 {
			x.I64 = []int64{c.bad}
			if _, err := m.NewSession().Run(context.Background(), map[string]Tensor{"x": x}); err == nil || !strings.Contains(err.Error(), "but its element 0 is") {
				t.Errorf("%v of %d: got %v", c.declared, c.bad, err)
			}
		}
	}
}

// TestExternalData loads a model whose weights lie beside it.
func TestExternalData(t *testing.T) {
	dir := t.TempDir()
	p := onnxtest.Small()
	var data []byte
	for _, w := range p.Graph.Initializer {
		n := len(*w.RawData)
		offset := len(data)
		data = append(data, *w.RawData...)
		w.RawData = nil
		onnxtest.External(w, "location", "g.data", "offset", fmt.Sprint(offset), "length", fmt.Sprint(n))
	}
	for name, b := range map[string][]byte{"g.onnx": onnxtest.Bytes(p), "g.data": data} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	m, err := LoadFile(filepath.Join(dir, "g.onnx"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]Tensor{"z": {DType: Float32, Shape: []int{1, 4}, F32: []float32{1, 2, 3, 4}}}
	got, err := m.NewSession().Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	want, err := small(t, Options{}).NewSession().Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if err := equalTensors(got, want); err != nil {
		t.Error(err)
	}
	if _, err := LoadBytes(onnxtest.Bytes(p), Options{}); err == nil || !strings.Contains(err.Error(), "load the model from its file") {
		t.Errorf("from bytes: got %v", err)
	}
	lim := Limits{FileBytes: int64(len(onnxtest.Bytes(p)) + len(data) - 1)}
	if _, err := LoadFile(filepath.Join(dir, "g.onnx"), Options{Limits: lim}); err == nil || !strings.Contains(err.Error(), "FileBytes") {
		t.Errorf("above the limit: got %v", err)
	}
}

// TestParameters counts weights, wherever they stand, and not the numbers of Constant nodes.
func TestParameters(t *testing.T) {
	p := onnxtest.Small()
	p.Graph.Node = append([]*onnx.NodeProto{{OpType: "Constant", Output: []string{"half"}, Attribute: []*onnx.AttributeProto{onnxtest.Float("value_float", 0.5)}}}, p.Graph.Node...)
	p.Graph.Node = append(p.Graph.Node, &onnx.NodeProto{OpType: "Mul", Input: []string{"image", "half"}, Output: []string{"dark"}})
	p.Graph.Initializer = append(p.Graph.Initializer, onnxtest.Floats("nobody reads it", make([]float32, 9), 9))
	p.Graph.Output[0].Name = "dark"
	m, err := LoadBytes(onnxtest.Bytes(p), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := m.Summary(); s.Parameters != 61 || s.Nodes != 6 {
		t.Errorf("summary is %+v, want 61 parameters and 6 nodes", s)
	}
}

func TestLoadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "g.onnx")
	if _, err := LoadFile(path, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	b := onnxtest.Bytes(onnxtest.Small())
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	m, err := LoadFile(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := Summary{IR: 7, Opset: 13, Producer: "onnxtest", Nodes: 5, Parameters: 61}
	if s := m.Summary(); s != want {
		t.Errorf("summary is %+v, want %+v", s, want)
	}
	if v := m.Inputs()[0].String(); v != "z float32 [N 4]" {
		t.Errorf("input is %q", v)
	}
	if meta := m.Metadata(); meta["colour"] != "grey" {
		t.Errorf("metadata is %v", meta)
	}
	if _, err := LoadFile(path, Options{Limits: Limits{FileBytes: int64(len(b) - 1)}}); err == nil || !strings.Contains(err.Error(), "FileBytes") {
		t.Errorf("got %v, want the limit", err)
	}
	if !bytes.Equal(b, onnxtest.Bytes(onnxtest.Small())) {
		t.Error("loading changed the file's bytes")
	}
}
