package infer

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// caseOperators are the operators whose cases must run, beside those that exist here: a case counts if it has no others.
var caseOperators = strings.Fields(`
	Gemm MatMul Einsum Add Sub Mul Div Pow Mod Sqrt Neg Exp Log Abs Erf Reciprocal Floor Ceil Sign Sin Cos Min Max Sum Mean Clip
	Relu LeakyRelu PRelu Elu Selu Celu Gelu Mish Sigmoid HardSigmoid HardSwish Tanh Softplus Softmax LogSoftmax
	BatchNormalization InstanceNormalization LayerNormalization GroupNormalization LpNormalization
	Conv ConvTranspose Resize Upsample DepthToSpace SpaceToDepth Pad AveragePool MaxPool GlobalAveragePool
	ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceSumSquare ReduceL2 ArgMax CumSum TopK Trilu
	Reshape Flatten Transpose Squeeze Unsqueeze Slice Split Concat Expand Tile Gather GatherElements ScatterND OneHot
	Where Equal Less Greater LessOrEqual GreaterOrEqual Not And Or
	Cast Shape Size Range Constant ConstantOfShape Identity Dropout RandomNormalLike RandomUniformLike`)

// excludedCases says, for patterns of names, why such cases cannot pass. One that passes is an error, but for other opsets, where ONNX Runtime says
// what is right.
var excludedCases = map[string]string{
	"test_training_dropout*":                                    "training, which is refused: its mask is random",
	"test_batchnorm_*_training_mode":                            "training, which is refused: statistics of the batch",
	"test_resize_downsample_scales_*_align_corners":             "stretches the output by its size before rounding; ONNX Runtime and PyTorch by that after",
	"test_bernoulli*_expanded":                                  "random numbers other than ours",
	"test_attention_*_causal_bf16_expanded":                     halfSteps,
	"test_attention_4d_*padded_kv_bf16_expanded":                halfSteps,
	"test_attention_4d_gqa_with_past_and_present_fp16_expanded": halfSteps,
}

const halfSteps = "rounds to half precision between its steps; here Cast to it keeps float32"

// onnxCase is one case of ONNX's test data: a directory with a model, its inputs and its outputs.
type onnxCase struct {
	name    string
	model   *onnx.ModelProto
	in, out []*onnx.TensorProto
}

// TestNodeCases runs the official cases of the operators above: those of the onnx package that GANTRY_PYTHON has, and those under
// GANTRY_ONNX_TESTS, a directory as the Debian package libonnx-testdata has it. Other opsets of a case (<case>@<opset>) are
// counted apart.
func TestNodeCases(t *testing.T) {
	matched, sources := map[string]bool{}, 0
	run := func(name string, least int, cases func(t *testing.T) string) {
		t.Run(name, func(t *testing.T) {
			dir := cases(t)
			sources++
			counts := map[string]int{}
			for _, c := range readCases(t, dir) {
				kind := "official"
				if strings.Contains(c.name, "@") {
					kind = "at other opsets"
				}
				err := c.check()
				switch pattern := c.excluded(); {
				case pattern == "" && err != nil:
					t.Errorf("%s: %v", c.name, err)
					counts[kind+": failed"]++
				case err == nil && (pattern == "" || kind != "official"):
					counts[kind+": passed"]++
				case err == nil:
					t.Errorf("%s passes, but is excluded by %q: %s", c.name, pattern, excludedCases[pattern])
				default:
					matched[pattern] = true
					counts[kind+": excluded"]++
				}
			}
			for _, k := range slices.Sorted(maps.Keys(counts)) {
				t.Logf("%s: %d", k, counts[k])
			}
			if n := counts["official: passed"]; n < least {
				t.Errorf("%d official cases passed, want at least %d", n, least)
			}
		})
	}
	run("package", 1000, func(t *testing.T) string {
		python, dir := os.Getenv("GANTRY_PYTHON"), t.TempDir()
		if python == "" {
			t.Skip("GANTRY_PYTHON does not name a python with onnx and onnxruntime")
		}
		out, err := exec.Command(python, "../bench/node_cases.py", dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Logf("%s", out)
		return dir
	})
	run("directory", 600, func(t *testing.T) string {
		dir := os.Getenv("GANTRY_ONNX_TESTS")
		if dir == "" {
			t.Skip("GANTRY_ONNX_TESTS does not name a directory of ONNX's test data, such as that of the package libonnx-testdata")
		}
		return dir
	})
	for pattern := range excludedCases {
		if sources == 2 && !matched[pattern] {
			t.Errorf("no case is excluded by %q", pattern)
		}
	}
}

// readCases returns the cases under dir that count, in the order of their names.
func readCases(t *testing.T, dir string) []*onnxCase {
	var models []string
	for _, pattern := range []string{"*/model.onnx", "*/*/model.onnx"} {
		more, _ := filepath.Glob(filepath.Join(dir, pattern))
		models = append(models, more...)
	}
	if len(models) == 0 {
		t.Fatalf("%s: no cases", dir)
	}
	var cases []*onnxCase
	for _, file := range models {
		c := &onnxCase{name: filepath.Base(filepath.Dir(file)), model: &onnx.ModelProto{}}
		if err := readProto(file, c.model); err != nil {
			t.Fatal(err)
		}
		if !c.counts() {
			continue
		}
		whole := true // onnx 1.12 has bfloat16, not rounded but cut off, as uint16
		for _, v := range []struct {
			to   *[]*onnx.TensorProto
			what string
			of   []*onnx.ValueInfoProto
		}{{&c.in, "input", c.model.Graph.Input}, {&c.out, "output", c.model.Graph.Output}} {
			for i := range v.of {
				x := &onnx.TensorProto{}
				if err := readProto(filepath.Join(filepath.Dir(file), "test_data_set_0", fmt.Sprintf("%s_%d.pb", v.what, i)), x); err != nil {
					t.Fatal(err)
				}
				whole = whole && onnx.DataType(x.DataType) == elementType(v.of[i])
				*v.to = append(*v.to, x)
			}
		}
		if whole {
			cases = append(cases, c)
		}
	}
	return cases
}

func readProto(file string, m interface{ Unmarshal([]byte) error }) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := m.Unmarshal(b); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// dtypes says as what elements of a type are computed.
var dtypes = map[onnx.DataType]DType{
	onnx.Float32: Float32, onnx.Int64: Int64, onnx.Int32: Int32, onnx.Uint8: Uint8, onnx.Bool: Bool,
	onnx.Float16: Float32, onnx.Bfloat16: Float32, onnx.Float64: Float32,
}

// counts reports whether a case must run: operators, element types and opset are among those that exist here.
func (c *onnxCase) counts() bool {
	for _, o := range c.model.OpsetImport {
		if o.Domain == "" && o.Version < plan.MinOpset {
			return false
		}
	}
	for _, n := range c.model.Graph.Node {
		if n.Domain != "" || !slices.Contains(caseOperators, n.OpType) && !slices.Contains(plan.Operators(), n.OpType) {
			return false
		}
	}
	for _, v := range slices.Concat(c.model.Graph.Input, c.model.Graph.Output) {
		if dtypes[elementType(v)] == 0 {
			return false
		}
	}
	return true
}

// elementType returns the type of a value's elements, 0 if it is no tensor.
func elementType(v *onnx.ValueInfoProto) onnx.DataType {
	if tensor := v.Type.GetTensorType(); tensor != nil {
		return onnx.DataType(tensor.ElemType)
	}
	return 0
}

// excluded returns the pattern that excludes a case, "" if there is none.
func (c *onnxCase) excluded() string {
	name, _, _ := strings.Cut(c.name, "@")
	for pattern := range excludedCases {
		if ok, _ := path.Match(pattern, name); ok {
			return pattern
		}
	}
	return ""
}

// check runs a case three times: with all inputs given to Run; with the integers among them, and then all of them, as weights, which is
// how models have shapes and axes, and what constant folding sees.
func (c *onnxCase) check() error {
	want := map[string]Tensor{}
	for i, v := range c.model.Graph.Output {
		x, err := caseTensor(c.out[i])
		if err != nil {
			return err
		}
		want[v.Name] = x
	}
	for _, how := range []struct {
		name   string
		weight func(DType) bool
	}{
		{"inputs", func(DType) bool { return false }},
		{"integers as weights", DType.Integer},
		{"weights", func(DType) bool { return true }},
	} {
		m, g := *c.model, *c.model.Graph
		m.Graph, g.Input = &g, nil
		inputs := map[string]Tensor{}
		for i, v := range c.model.Graph.Input {
			x, err := caseTensor(c.in[i])
			if err != nil {
				return err
			}
			if how.weight(x.DType) {
				w := *c.in[i]
				w.Name = v.Name
				g.Initializer = append(slices.Clone(g.Initializer), &w)
				continue
			}
			inputs[v.Name] = x
			g.Input = append(g.Input, v)
		}
		got, err := loadAndRun(onnxtest.Bytes(&m), inputs)
		for i, p := range c.out {
			if onnx.DataType(p.DataType) == onnx.Bfloat16 { // whose 8 bits are fewer than the tolerance has
				roundBfloat16(got[c.model.Graph.Output[i].Name].F32)
			}
		}
		if err == nil {
			err = closeTo(got, want)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", how.name, err)
		}
	}
	return nil
}

// loadAndRun returns what a model makes of inputs, with stale memory and with fresh.
func loadAndRun(file []byte, inputs map[string]Tensor) (map[string]Tensor, error) {
	m, err := LoadBytes(file, Options{Threads: 1})
	if err != nil {
		return nil, err
	}
	s := m.NewSession()
	first, err := s.Run(context.Background(), inputs)
	if err != nil {
		return nil, err
	}
	second, err := s.Run(context.Background(), inputs)
	if err == nil {
		if err = equalTensors(second, first); err != nil {
			err = fmt.Errorf("second run: %w", err)
		}
	}
	return second, err
}

// closeTo returns an error unless got is want within the tolerance of ONNX's own runner.
func closeTo(got, want map[string]Tensor) error {
	const relative, absolute = 1e-3, 1e-7
	for name, w := range want {
		g, ok := got[name]
		if !ok || g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) {
			return fmt.Errorf("%s is %v %v, want %v %v", name, g.DType, g.Shape, w.DType, w.Shape)
		}
		if !slices.Equal(g.I64, w.I64) {
			return fmt.Errorf("%s is %v, want %v", name, g.I64, w.I64)
		}
		for i, x := range w.F32 {
			a, b := float64(g.F32[i]), float64(x)
			if a == b || a != a && b != b {
				continue
			}
			if !(math.Abs(a-b) <= absolute+relative*math.Abs(b)) || math.IsInf(b, 0) {
				return fmt.Errorf("%s[%d] is %v, want %v", name, i, a, b)
			}
		}
	}
	return nil
}

// caseTensor decodes a tensor of a case.
func caseTensor(p *onnx.TensorProto) (Tensor, error) {
	t := Tensor{DType: dtypes[onnx.DataType(p.DataType)], Shape: []int{}}
	for _, d := range p.Dims {
		t.Shape = append(t.Shape, int(d))
	}
	n := plan.Count(t.Shape)
	var raw []byte
	switch typ := onnx.DataType(p.DataType); {
	case p.RawData != nil:
		raw = *p.RawData
	case typ == onnx.Bfloat16 || typ == onnx.Float16:
		for _, v := range p.Int32Data {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
		}
	case typ == onnx.Float32:
		for _, v := range p.FloatData {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
	}
	if n == 0 {
		return t, nil
	}
	size := len(raw) / n
	if size == 0 || size*n != len(raw) {
		return t, fmt.Errorf("%d bytes of data for shape %v", len(raw), t.Shape)
	}
	for ; len(raw) > 0; raw = raw[size:] {
		var bits uint64
		for i := range size {
			bits |= uint64(raw[i]) << (8 * i)
		}
		switch onnx.DataType(p.DataType) {
		case onnx.Float32:
			t.F32 = append(t.F32, math.Float32frombits(uint32(bits)))
		case onnx.Float64:
			t.F32 = append(t.F32, float32(math.Float64frombits(bits)))
		case onnx.Bfloat16:
			t.F32 = append(t.F32, math.Float32frombits(uint32(bits)<<16))
		case onnx.Float16:
			t.F32 = append(t.F32, half(uint16(bits)))
		case onnx.Int32:
			t.I64 = append(t.I64, int64(int32(bits)))
		default:
			t.I64 = append(t.I64, int64(bits))
		}
	}
	return t, nil
}

// roundBfloat16 rounds numbers to bfloat16, to nearest, ties to even.
func roundBfloat16(x []float32) {
	for i, v := range x {
		b := math.Float32bits(v)
		x[i] = math.Float32frombits((b + 0x7fff + b>>16&1) &^ 0xffff)
	}
}

// half returns the value of an IEEE 754 binary16.
func half(h uint16) float32 {
	sign, exponent, fraction := 1-2*float64(h>>15), int(h>>10&31), float64(h&1023)
	switch exponent {
	case 31:
		if fraction != 0 {
			return float32(math.NaN())
		}
		return float32(math.Inf(int(sign)))
	case 0:
		return float32(math.Ldexp(sign*fraction, -24))
	}
	return float32(math.Ldexp(sign*(1024+fraction), exponent-25))
}
