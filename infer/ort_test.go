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
	"strings"
	"testing"

	"gantry/infer/internal/plan"
	"gantry/infer/internal/ref"
	"gantry/internal/atomicfile"
	"gantry/internal/npy"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// ortScript checks each model under a directory with onnx and runs it with ONNX Runtime:
// <n>.onnx and <n>.in<i>.npy give <n>.out<i>.npy. Its fusions are off: that of a Transpose with a MatMul by a vector gives other numbers.
const ortScript = `
import glob, sys
import numpy as np, onnx, onnxruntime as ort
ort.set_default_logger_severity(4)
options = ort.SessionOptions()
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
for path in glob.glob(sys.argv[1] + '/*.onnx'):
    onnx.checker.check_model(path, full_check=True)
    s = ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])
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
		}
	}
}

// TestORT compares random graphs with ONNX Runtime.
func TestORT(t *testing.T) {
	runORT := ortRunner(t)
	const models = 300
	dir := t.TempDir()
	file := func(n uint64, what string) string { return filepath.Join(dir, fmt.Sprintf("%d.%s", n, what)) }
	var all []*randomModel
	for seed := uint64(1) << 32; len(all) < models; seed++ {
		r := newRandomModel(seed)
		if r.opset > 25 || slices.ContainsFunc(r.g.Node, func(n *onnx.NodeProto) bool { return n.OpType == "Swish" || strings.HasPrefix(n.OpType, "Random") }) {
			continue // newer than the runtime may be, or not in it, or with other random numbers
		}
		for i, v := range r.g.Output { // the checker wants a type with a rank
			shape := r.values[slices.IndexFunc(r.values, func(u randomValue) bool { return u.name == v.Name })].shape
			dims := make([]any, len(shape))
			for k, d := range shape {
				dims[k] = d
			}
			r.g.Output[i] = onnxtest.Value(v.Name, dims...)
		}
		if err := os.WriteFile(file(uint64(len(all)), "onnx"), r.bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		for i, v := range r.inputs {
			a := &npy.Array{DType: npy.Float32, Shape: v.shape, F32: r.floats(v.count())}
			if err := atomicfile.WriteFileAtomic(file(uint64(len(all)), fmt.Sprintf("in%d.npy", i)), func(w io.Writer) error { return npy.Write(w, a) }); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, r)
	}
	runORT(dir)
	for n, r := range all {
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
			inputs[v.name] = Tensor{DType: Float32, Shape: v.shape, F32: a.F32}
			args = append(args, ref.From(&plan.Tensor{Type: plan.Type{DType: plan.Float32, Shape: v.shape}, F: a.F32}))
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
			if !plan.SameShape(g.Shape, a.Shape) {
				t.Fatalf("model %d, output %s: shape %v, ONNX Runtime has %v\n%v", n, v.Name, g.Shape, a.Shape, raw)
			}
			for k, want := range a.F32 {
				d, e := math.Abs(float64(g.F32[k])-float64(want)), ortSlack*bound[i].E[k]
				if !(d <= e) && !math.IsNaN(float64(want)) && !math.IsNaN(e) && math.Abs(float64(want)) < math.MaxFloat32 {
					t.Fatalf("model %d, output %s[%d]: %v, ONNX Runtime has %v, bound %g\n%v", n, v.Name, k, g.F32[k], want, e, raw)
				}
			}
		}
	}
}
