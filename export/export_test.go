package export

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"gantry/infer"
	"gantry/internal/graph"
	"gantry/internal/onnx"
	"gantry/internal/rng"
	"gantry/models"
)

// everyLayer has each type of layer that a generator may have, and a batch norm
// that cannot be folded (behind a maxout).
const everyLayer = `{"version": 1,
 "inputs": [{"name": "z", "size": 7, "distribution": "uniform", "bounds": [-1, 2]}],
 "generator": [
  {"type": "linear", "units": 24},
  {"type": "batch_norm", "eps": 0.001},
  {"type": "leaky_relu", "alpha": 0.2, "name": "trunk"},
  {"type": "maxout", "units": 10, "pieces": 3},
  {"type": "batch_norm"},
  {"type": "dropout", "keep": 0.5},
  {"type": "linear", "units": 24},
  {"type": "relu"},
  {"type": "reshape", "shape": [2, 3, 4]},
  {"type": "flatten"},
  {"type": "linear", "units": 18},
  {"type": "batch_norm"},
  {"type": "sigmoid"},
  {"type": "linear", "units": 18},
  {"type": "tanh"},
  {"type": "reshape", "shape": [2, 3, 3]}
 ],
 "discriminator": [{"type": "flatten"}, {"type": "linear", "units": 1}],
 "sample": {"shape": [2, 3, 3], "range": [-1, 1]}}`

// points makes vectors, not images.
const points = `{"version": 1,
 "inputs": [{"name": "z", "size": 3, "distribution": "normal"}],
 "generator": [{"type": "linear", "units": 8}, {"type": "batch_norm"}, {"type": "relu"}, {"type": "linear", "units": 2}],
 "discriminator": [{"type": "linear", "units": 1}],
 "sample": {"shape": [2], "range": [-4, 4]}}`

// convolutions has them with and without bias, and a batch norm in front of
// everything and one behind an activation, which cannot be folded.
const convolutions = `{"version": 1,
 "inputs": [{"name": "z", "size": 7, "distribution": "normal"}],
 "generator": [
  {"type": "linear", "units": 60},
  {"type": "reshape", "shape": [5, 4, 3]},
  {"type": "batch_norm"},
  {"type": "conv", "channels": 6, "kernel": 3, "pad": 1, "bias": false},
  {"type": "batch_norm", "eps": 0.001},
  {"type": "leaky_relu", "alpha": 0.2},
  {"type": "conv_transpose", "channels": 9, "kernel": 3, "stride": 2, "pad": 1, "output_pad": 1},
  {"type": "batch_norm"},
  {"type": "relu"},
  {"type": "batch_norm"},
  {"type": "conv", "channels": 2, "kernel": 2, "stride": 1},
  {"type": "sigmoid"}
 ],
 "discriminator": [{"type": "flatten"}, {"type": "linear", "units": 1}],
 "sample": {"shape": [2, 7, 5], "range": [0, 1]}}`

// resampling has the other layers of images.
const resampling = `{"version": 1,
 "inputs": [{"name": "z", "size": 7, "distribution": "normal"}],
 "generator": [
  {"type": "linear", "units": 60},
  {"type": "reshape", "shape": [5, 4, 3]},
  {"type": "upsample", "factor": 3},
  {"type": "conv", "channels": 6, "kernel": 3, "stride": 3},
  {"type": "tanh"},
  {"type": "upsample", "factor": 2},
  {"type": "batch_norm"},
  {"type": "global_avg_pool"},
  {"type": "conv_transpose", "channels": 2, "kernel": 5},
  {"type": "sigmoid"}
 ],
 "discriminator": [{"type": "flatten"}, {"type": "linear", "units": 1}],
 "sample": {"shape": [2, 5, 5], "range": [0, 1]}}`

func dcgan(t testing.TB, c models.DCGAN) *models.Spec {
	t.Helper()
	s, err := c.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newModel returns a model with random weights; its batch norms have statistics
// as of a trained network.
func newModel(t testing.TB, spec *models.Spec) *graph.Model {
	t.Helper()
	m, err := graph.NewModel(spec)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range m.G.Params() {
		x := m.G.Tensor(p.Name).Float32s()
		switch p.Role {
		case models.Gamma, models.RunningVar:
			rng.Uniform(x, 0.25, 3, 5, rng.Init, uint32(i), 0)
		case models.RunningMean:
			rng.Uniform(x, -1, 1, 5, rng.Init, uint32(i), 0)
		case models.Weight:
			scale := float32(1.5 / math.Sqrt(float64(p.FanIn)))
			rng.Uniform(x, -scale, scale, 5, rng.Init, uint32(i), 0)
		default:
			rng.Uniform(x, -0.2, 0.2, 5, rng.Init, uint32(i), 0)
		}
	}
	return m
}

func parse(t testing.TB, spec string) *models.Spec {
	t.Helper()
	s, err := models.ParseSpec([]byte(spec))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func preset(t testing.TB, name string) *models.Spec {
	t.Helper()
	p, err := models.LoadPreset(name)
	if err != nil {
		t.Fatal(err)
	}
	return &p.Spec
}

var testInfo = Info{DataName: "mnist", DataSHA256: strings.Repeat("ab", 32), Step: 3000}

func ops(t *testing.T, file []byte) []string {
	t.Helper()
	var m onnx.ModelProto
	if err := m.Unmarshal(file); err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, n := range m.Graph.Node {
		ops = append(ops, n.OpType)
	}
	return ops
}

func TestGenerator(t *testing.T) {
	for _, test := range []struct {
		name   string
		spec   *models.Spec
		o      Options
		ops    string
		folded int
	}{
		{"mlp28", preset(t, "mlp28"), Options{Fold: true}, "Gemm LeakyRelu Gemm LeakyRelu Gemm LeakyRelu Gemm Tanh Reshape", 0},
		{"goodfellow-mnist", preset(t, "goodfellow-mnist"), Options{}, "Gemm Relu Gemm Relu Gemm Sigmoid Reshape", 0},
		{"every layer, folded", parse(t, everyLayer), Options{Fold: true}, "Gemm LeakyRelu Gemm Reshape ReduceMax BatchNormalization Gemm Relu Reshape Flatten Gemm Sigmoid Gemm Tanh Reshape", 2},
		{"every layer", parse(t, everyLayer), Options{}, "Gemm BatchNormalization LeakyRelu Gemm Reshape ReduceMax BatchNormalization Gemm Relu Reshape Flatten Gemm BatchNormalization Sigmoid Gemm Tanh Reshape", 0},
		{"points", parse(t, points), Options{Fold: true}, "Gemm Relu Gemm", 1},
		{"convolutions, folded", parse(t, convolutions), Options{Fold: true}, "Gemm Reshape BatchNormalization Conv LeakyRelu ConvTranspose Relu BatchNormalization Conv Sigmoid", 2},
		{"convolutions", parse(t, convolutions), Options{}, "Gemm Reshape BatchNormalization Conv BatchNormalization LeakyRelu ConvTranspose BatchNormalization Relu BatchNormalization Conv Sigmoid", 0},
		{"resampling", parse(t, resampling), Options{Fold: true}, "Gemm Reshape Resize Conv Tanh Resize BatchNormalization GlobalAveragePool ConvTranspose Sigmoid", 0},
		{"dcgan of 28", dcgan(t, models.DCGAN{Size: 28, Channels: 1, Latent: 10, GWidth: 8, DWidth: 4}), Options{Fold: true}, "Reshape ConvTranspose Relu ConvTranspose Relu ConvTranspose Tanh", 2},
		{"dcgan of 48", dcgan(t, models.DCGAN{Size: 48, Channels: 3, Latent: 10, GWidth: 4, DWidth: 4}), Options{},
			"Reshape ConvTranspose BatchNormalization Relu ConvTranspose BatchNormalization Relu ConvTranspose BatchNormalization Relu ConvTranspose Tanh", 0},
	} {
		m := newModel(t, test.spec)
		file, r, err := Generator(m, testInfo, test.o)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := ops(t, file)
		if strings.Join(got, " ") != test.ops {
			t.Errorf("%s: got %v, want %s", test.name, got, test.ops)
		}
		if r.Nodes != len(got) || r.Folded != test.folded || r.Bytes != len(file) || r.Params == 0 || !(r.MaxDiff <= r.Bound) || r.Bound != 1e-5 {
			t.Errorf("%s: report is %+v", test.name, r)
		}
		t.Logf("%s: %+v", test.name, *r)
		again, _, err := Generator(newModel(t, test.spec), testInfo, test.o)
		if err != nil || !bytes.Equal(file, again) {
			t.Errorf("%s: a second export differs, error %v", test.name, err)
		}
	}
}

// TestText compares the text form of a small export, which a person can review.
func TestText(t *testing.T) {
	for name, o := range map[string]Options{"points-folded.txt": {Fold: true}, "points.txt": {}} {
		net, err := lower(newModel(t, parse(t, points)), o)
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(golden, []byte(net.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got := net.String(); got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", golden, got, want)
		}
	}
}

func TestMetadata(t *testing.T) {
	m := newModel(t, parse(t, points))
	file, _, err := Generator(m, testInfo, Options{Fold: true})
	if err != nil {
		t.Fatal(err)
	}
	_, info, err := onnx.Prepare(file, onnx.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	meta, err := onnx.ParseMetadata(info.Metadata)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := models.ParseSpec(meta.Spec)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := mustJSON(t, spec), mustJSON(t, m.Spec); a != b {
		t.Errorf("spec is %s, want %s", a, b)
	}
	if meta.Data.Name != "mnist" || meta.Data.SHA256 != testInfo.DataSHA256 || meta.Step != 3000 || meta.Range != [2]float32{-4, 4} || meta.Latent.Size != 3 {
		t.Errorf("metadata is %+v", meta)
	}
	g := meta.Golden
	if g == nil || !slices.Equal(g.Indices, []uint64{0, 1, 2, 3}) || !slices.Equal(g.Positions, []int{0, 1}) || len(g.Values) != 4 || g.Bound != 1e-5 {
		t.Errorf("golden is %+v", g)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestVerifyFlippedBit flips the lowest bit of the first, a middle and the last
// element of every weight of a file, one at a time.
func TestVerifyFlippedBit(t *testing.T) {
	for _, c := range []struct {
		spec string
		o    Options
	}{{everyLayer, Options{Fold: true}}, {everyLayer, Options{}}, {convolutions, Options{Fold: true}}, {resampling, Options{}}} {
		m, o := newModel(t, parse(t, c.spec)), c.o
		file, _, err := Generator(m, testInfo, o)
		if err != nil {
			t.Fatal(err)
		}
		var p onnx.ModelProto
		if err := p.Unmarshal(file); err != nil { // its raw_data is the file's own memory
			t.Fatal(err)
		}
		for _, w := range p.Graph.Initializer {
			raw := *w.RawData
			for _, at := range []int{0, len(raw) / 8 * 4, len(raw) - 4} {
				raw[at] ^= 1
				if _, err := Verify(file, m); err == nil || !strings.Contains(err.Error(), `"`+w.Name+`"`) {
					t.Errorf("bit 0 of byte %d of %q flipped: got %v, want an error that names the tensor", at, w.Name, err)
				}
				raw[at] ^= 1
			}
		}
		if _, err := Verify(file, m); err != nil {
			t.Errorf("nothing flipped: %v", err)
		}
	}
}

// TestVerifyRejects changes files so that all weights stay as they are.
func TestVerifyRejects(t *testing.T) {
	m := newModel(t, parse(t, everyLayer))
	file, _, err := Generator(m, testInfo, Options{Fold: true})
	if err != nil {
		t.Fatal(err)
	}
	prop := func(p *onnx.ModelProto, key string) *string {
		for _, e := range p.MetadataProps {
			if e.Key == key {
				return &e.Value
			}
		}
		t.Fatalf("no key %s", key)
		return nil
	}
	for _, test := range []struct {
		name, want string
		change     func(p *onnx.ModelProto)
	}{
		{"another slope", "differ by", func(p *onnx.ModelProto) { p.Graph.Node[1].Attribute[0].F = 0.21 }},
		{"another operator", "differ by", func(p *onnx.ModelProto) { p.Graph.Node[11].OpType = "Tanh" }},
		{"another opset", "opset 12", func(p *onnx.ModelProto) { p.OpsetImport[0].Version = 12 }},
		{"another output", `output is "picture"`, func(p *onnx.ModelProto) {
			p.Graph.Output[0].Name = "picture"
			p.Graph.Node[len(p.Graph.Node)-1].Output[0] = "picture"
		}},
		{"fixed batch", "want \"z\"", func(p *onnx.ModelProto) {
			p.Graph.Input[0].Type.TensorType.Shape.Dim[0].Value = &onnx.TensorShapeProto_Dimension_DimValue{DimValue: 1}
		}},
		{"weight too many", "tensors", func(p *onnx.ModelProto) {
			w := *p.Graph.Initializer[0]
			w.Name = "more"
			p.Graph.Initializer = append(p.Graph.Initializer, &w)
		}},
		{"no metadata", "no gantry metadata", func(p *onnx.ModelProto) { p.MetadataProps = nil }},
		{"another spec", "the spec is not the model's", func(p *onnx.ModelProto) { *prop(p, "gantry.spec") = "{}" }},
		{"another golden", "golden", func(p *onnx.ModelProto) {
			v := prop(p, "gantry.golden")
			*v = strings.Replace(*v, `"values":[[`, `"values":[[1`, 1)
		}},
	} {
		var p onnx.ModelProto
		if err := p.Unmarshal(bytes.Clone(file)); err != nil {
			t.Fatal(err)
		}
		test.change(&p)
		changed, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if r, err := Verify(changed, m); err == nil || r != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, %v, want an error with %q", test.name, r, err, test.want)
		}
	}
	if _, err := Verify(file, newModel(t, parse(t, points))); err == nil {
		t.Error("the file of another model: accepted")
	}
	if _, err := Verify(nil, m); err == nil {
		t.Error("no bytes: accepted")
	}
}

// TestNoForm walks a graph with an operation that does not say what it is in ONNX.
func TestNoForm(t *testing.T) {
	g := gorgonia.NewGraph()
	x := graph.Input(g, "z", 2, 3)
	y, err := gorgonia.Cube(x)
	if err != nil {
		t.Fatal(err)
	}
	w := &walker{net: &network{input: port{name: "z"}}, input: x, value: map[*gorgonia.Node]string{}, names: map[string]bool{}}
	if _, err := w.visit(y, "g.4"); err == nil || !strings.Contains(err.Error(), `layer "g.4": operation cube`) {
		t.Errorf("got %v, want an error that names layer and operation", err)
	}
}

func TestNotFinite(t *testing.T) {
	m := newModel(t, parse(t, points))
	m.G.Tensor("g.3.weight").Float32s()[5] = float32(math.NaN())
	if _, _, err := Generator(m, testInfo, Options{Fold: true}); err == nil || !strings.Contains(err.Error(), `"g.3.weight": element 5`) {
		t.Errorf("got %v, want an error that names tensor and element", err)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "generator.onnx")
	m := newModel(t, parse(t, points))
	if _, err := WriteFile(path, m, testInfo, Options{Fold: true}); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := Generator(m, testInfo, Options{Fold: true})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, want) {
		t.Error("WriteFile and Generator differ")
	}
	// What cannot be exported, or is not what was written, leaves the old file and nothing else.
	bad := bytes.Clone(want)
	var p onnx.ModelProto
	if err := p.Unmarshal(bad); err != nil {
		t.Fatal(err)
	}
	(*p.Graph.Initializer[0].RawData)[0] ^= 1
	if _, err := place(path, bad, m); err == nil {
		t.Error("a file with a flipped bit: accepted")
	}
	m.G.Tensor("g.0.bias").Float32s()[0] = float32(math.Inf(1))
	if _, err := WriteFile(path, m, testInfo, Options{Fold: true}); err == nil {
		t.Error("an infinite weight: accepted")
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(first, again) {
		t.Errorf("the old file changed, error %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := WriteFile(filepath.Join(dir, "none", "g.onnx"), newModel(t, parse(t, points)), testInfo, Options{}); err == nil {
		t.Error("a directory that is not there: accepted")
	}
}

// run returns what the sampling graph and infer make of the same latents.
func run(t *testing.T, m *graph.Model, file []byte, n int) (z, byGraph, byInfer []float32) {
	t.Helper()
	z = latents(m.Spec.Inputs[0], n)
	s, err := graph.NewSampler(m, n, nil)
	if err != nil {
		t.Fatal(err)
	}
	if byGraph, err = s.Run(z); err != nil {
		t.Fatal(err)
	}
	model, err := infer.LoadBytes(file, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := model.NewSession().Run(context.Background(), map[string]infer.Tensor{"z": {DType: infer.Float32, Shape: append([]int{n}, m.G.Input...), F32: z}})
	if err != nil {
		t.Fatal(err)
	}
	return z, byGraph, out[outputName(m)].F32
}

func BenchmarkGenerator(b *testing.B) {
	for _, name := range []string{"mlp28", "goodfellow-mnist"} {
		m := newModel(b, preset(b, name))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Generator(m, testInfo, Options{Fold: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
