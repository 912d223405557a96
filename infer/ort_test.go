package infer

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"gantry/infer/internal/plan"
	"gantry/infer/internal/ref"
	"gantry/internal/atomicfile"
	"gantry/internal/npy"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// ortScript checks each model under a directory with onnx and runs it with ONNX Runtime:
// <n>.onnx and <n>.in<i>.npy give <n>.out<i>.npy, but where it has no kernel for a type. Its fusions are off: that of a Transpose with a MatMul by a vector gives other numbers.
const ortScript = `
import glob, sys
import numpy as np, onnx, onnxruntime as ort
ort.set_default_logger_severity(4)
options = ort.SessionOptions()
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
for path in glob.glob(sys.argv[1] + '/*.onnx'):
    onnx.checker.check_model(path, full_check=True)
    try:
        s = ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    except ort.capi.onnxruntime_pybind11_state.NotImplemented as e:
        print(path, e)
        continue
    stem = path[:-5]
    feeds = {x.name: np.load(f'{stem}.in{i}.npy') for i, x in enumerate(s.get_inputs())}
    for i, y in enumerate(s.run(None, feeds)):
        np.save(f'{stem}.out{i}.npy', y)
`

// ortSlack times the reference's bound is allowed: its Sigmoid and Tanh are polynomials that end several ulps away.
const ortSlack = 16

// ortRunner returns what runs ortScript on a directory, and skips the test where there is no ONNX Runtime.
func ortRunner(t *testing.T) func(dir string) {
	python := os.Getenv("GANTRY_PYTHON")
	if python == "" {
		t.Skip("GANTRY_PYTHON does not name a python with onnx and onnxruntime")
	}
	return func(dir string) {
		t.Helper()
		if out, err := exec.Command(python, "-c", ortScript, dir).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", python, err, out)
		} else {
			t.Logf("%s", out)
		}
	}
}

// noORT are operators that ONNX Runtime has not, or with other random numbers, and Constant, which random graphs have as initializers.
var noORT = []string{"Swish", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Constant"}

// TestORT compares random graphs, of all operators, with ONNX Runtime.
func TestORT(t *testing.T) {
	runORT := ortRunner(t)
	const models = 1000
	dir := t.TempDir()
	file := func(n uint64, what string) string { return filepath.Join(dir, fmt.Sprintf("%d.%s", n, what)) }
	var all []*randomModel
	for seed := uint64(1) << 32; len(all) < models; seed++ {
		r := newRandomModel(seed)
		if r.opset > 25 || slices.ContainsFunc(r.g.Node, func(n *onnx.NodeProto) bool { return slices.Contains(noORT, n.OpType) }) {
			continue // newer than the runtime may be
		}
		for i, v := range r.g.Output { // the checker wants a type with a rank
			u := r.values[slices.IndexFunc(r.values, func(u randomValue) bool { return u.name == v.Name })]
			dims := make([]any, len(u.shape))
			for k, d := range u.shape {
				dims[k] = d
			}
			r.g.Output[i] = onnxtest.Value(v.Name, dims...)
			r.g.Output[i].Type.TensorType.ElemType = declared[u.dtype]
		}
		if err := os.WriteFile(file(uint64(len(all)), "onnx"), r.bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		for i, v := range r.inputs {
			a := toArray(v.input(r.r))
			if err := atomicfile.WriteFileAtomic(file(uint64(len(all)), fmt.Sprintf("in%d.npy", i)), func(w io.Writer) error { return npy.Write(w, a) }); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, r)
	}
	runORT(dir)
	ref.SigmoidError = 0x1p-23 / ortSlack
	defer func() { ref.SigmoidError = 0 }()
	left, ran := 0, map[string]int{}
	for n, r := range all {
		if _, err := os.Stat(file(uint64(n), "out0.npy")); err != nil {
			left++
			continue
		}
		for _, node := range r.g.Node {
			ran[node.OpType]++
		}
		m, err := LoadBytes(r.bytes(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		raw, _, err := decode("", r.bytes(), onnx.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		inputs, args := map[string]Tensor{}, []*ref.Tensor{}
		for i, v := range r.inputs {
			a, err := npy.ReadFile(file(uint64(n), fmt.Sprintf("in%d.npy", i)), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			x := fromArray(a, v.dtype)
			inputs[v.name] = x
			args = append(args, ref.From(&plan.Tensor{Type: plan.Type{DType: v.dtype, Shape: v.shape}, F: x.F32, I: x.I64}))
		}
		got, err := m.NewSession().Run(context.Background(), inputs)
		if err != nil {
			t.Fatal(err)
		}
		bound, err := ref.Run(raw, args)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range m.outputs {
			a, err := npy.ReadFile(file(uint64(n), fmt.Sprintf("out%d.npy", i)), 1<<24)
			if err != nil {
				t.Fatal(err)
			}
			g := got[v.Name]
			if !plan.SameShape(g.Shape, a.Shape) || g.DType != v.DType || !slices.Equal(g.I64, fromArray(a, g.DType).I64) {
				t.Fatalf("model %d, output %s: %v %v %v, ONNX Runtime has %v %v\n%v", n, v.Name, g.DType, g.Shape, g.I64, a.Shape, fromArray(a, g.DType).I64, raw)
			}
			for k, want := range a.F32 {
				d, e := math.Abs(float64(g.F32[k])-float64(want)), ortSlack*bound[i].E[k]
				if !(d <= e) && !math.IsNaN(float64(want)) && !math.IsNaN(e) && math.Abs(float64(want)) < math.MaxFloat32 {
					t.Fatalf("model %d, output %s[%d]: %v, ONNX Runtime has %v, bound %g\n%v", n, v.Name, k, g.F32[k], want, e, raw)
				}
			}
		}
	}
	if t.Logf("%d of %d models have an operator or a type that ONNX Runtime does not run", left, models); left > models/20 {
		t.Error("these are too many")
	}
	for _, op := range plan.Operators() {
		if ran[op] == 0 && !slices.Contains(noORT, op) {
			t.Errorf("no model that ran has %s", op)
		}
	}
}

// toArray returns t as an array of numpy.
func toArray(t Tensor) *npy.Array {
	a := &npy.Array{DType: map[DType]npy.DType{Float32: npy.Float32, Int64: npy.Int64, Int32: npy.Int32, Uint8: npy.Uint8, Bool: npy.Bool}[t.DType], Shape: t.Shape, F32: t.F32, I64: t.I64}
	for _, v := range t.I64 {
		a.I32, a.U8 = append(a.I32, int32(v)), append(a.U8, uint8(v))
	}
	return a
}

// fromArray is its inverse.
func fromArray(a *npy.Array, dtype DType) Tensor {
	t := Tensor{DType: dtype, Shape: a.Shape, F32: a.F32, I64: a.I64}
	for _, v := range a.I32 {
		t.I64 = append(t.I64, int64(v))
	}
	for _, v := range a.U8 {
		t.I64 = append(t.I64, int64(v))
	}
	return t
}
