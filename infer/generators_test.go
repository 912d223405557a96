package infer

import (
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/internal/npy"
)

// refusedGenerators are files that the newest exporter writes with an operator that does not exist here.
var refusedGenerators = map[string]string{"transformer-sdpa/dynamo-25.onnx": "Attention"}

// TestTorchGenerators runs what both of PyTorch's exporters make of generators as people write them, and compares with PyTorch.
func TestTorchGenerators(t *testing.T) {
	python, dir := os.Getenv("GANTRY_PYTHON"), t.TempDir()
	if python == "" {
		t.Skip("GANTRY_PYTHON does not name a python with torch, onnx and onnxscript")
	}
	out, err := exec.Command(python, "../bench/generators_torch.py", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.onnx"))
	fixed, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*.onnx"))
	for _, file := range append(files, fixed...) {
		name, _ := filepath.Rel(dir, file)
		m, err := LoadFile(file, Options{})
		if op := refusedGenerators[name]; op != "" {
			var u *UnsupportedError
			if !errors.As(err, &u) || u.Op != op {
				t.Errorf("%s: %v, want operator %s to be unsupported", name, err, op)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		batches := []string{filepath.Dir(file)}
		if strings.Count(name, string(filepath.Separator)) == 1 {
			batches, _ = filepath.Glob(filepath.Join(batches[0], "[0-9]*"))
		}
		if len(batches) == 0 {
			t.Errorf("%s: no batches", name)
		}
		worst, s := 0.0, m.NewSession()
		for _, b := range batches {
			inputs := map[string]Tensor{}
			for _, v := range m.Inputs() {
				inputs[v.Name] = readArray(t, filepath.Join(b, v.Name+".npy"))
			}
			got, err := s.Run(context.Background(), inputs)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				worst = math.NaN()
				break
			}
			worst = max(worst, share(t, got["image"], readArray(t, filepath.Join(b, "image.npy"))))
		}
		if t.Logf("%s: %.2g of the range", name, worst); !(worst <= 1e-5) {
			t.Errorf("%s differs from PyTorch by %.3g of the range, want at most 1e-5", name, worst)
		}
	}
	if n := len(files) + len(fixed); n < 180 {
		t.Errorf("%d files, want at least 180", n)
	}
}

// share returns the largest difference between got and want as a share of want's range.
func share(t *testing.T, got, want Tensor) float64 {
	if len(got.F32) != len(want.F32) || !slices.Equal(got.Shape, want.Shape) {
		t.Errorf("shape %v, want %v", got.Shape, want.Shape)
		return math.NaN()
	}
	largest, lo, hi := 0.0, math.Inf(1), math.Inf(-1)
	for i, w := range want.F32 {
		largest = max(largest, math.Abs(float64(got.F32[i])-float64(w)))
		lo, hi = min(lo, float64(w)), max(hi, float64(w))
	}
	return largest / (hi - lo)
}

func readArray(t *testing.T, file string) Tensor {
	a, err := npy.ReadFile(file, 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	if a.DType == npy.Int64 {
		return Tensor{DType: Int64, Shape: a.Shape, I64: a.I64}
	}
	return Tensor{DType: Float32, Shape: a.Shape, F32: a.F32}
}
