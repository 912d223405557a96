package mnistnet

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gantry/infer"
	"gantry/train/dataset/mnist"
)

func TestAccuracy(t *testing.T) {
	m, err := infer.LoadBytes(ONNX, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	test, err := mnist.Test()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Accuracy(m, test)
	if err != nil {
		t.Fatal(err)
	}
	if got < 0.985 || fmt.Sprintf("%.4f", got) != m.Metadata()["test_accuracy"] {
		t.Errorf("accuracy is %v, the file says %s, want at least 0.985", got, m.Metadata()["test_accuracy"])
	}
	if len(ONNX) > 200_000 {
		t.Errorf("the file has %d bytes, want at most 200,000", len(ONNX))
	}
	if m.Inputs()[0].String() != "image float32 [N 1 28 28]" || m.Outputs()[0].String() != "features float32 [N 64]" || m.Outputs()[1].String() != "logits float32 [N 10]" {
		t.Errorf("inputs and outputs are %v and %v", m.Inputs(), m.Outputs())
	}
}

// TestPeers gives the file to onnx's checker and to ONNX Runtime.
func TestPeers(t *testing.T) {
	python := os.Getenv("GANTRY_PYTHON")
	if python == "" {
		t.Skip("GANTRY_PYTHON is not set: it names a Python with numpy, onnx and onnxruntime")
	}
	const n = 50
	test, err := mnist.Test()
	if err != nil {
		t.Fatal(err)
	}
	x, indices := make([]float32, n*784), make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	if err := test.Read(x, indices); err != nil {
		t.Fatal(err)
	}
	images, err := binary.Append(nil, binary.LittleEndian, x)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{"net.onnx": ONNX, "x": images} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(python, "-c", `import json, numpy, onnx, onnxruntime
onnx.checker.check_model(onnx.load("net.onnx"), full_check=True)
y = onnxruntime.InferenceSession("net.onnx").run(["features", "logits"], {"image": numpy.fromfile("x", "<f4").reshape(-1, 1, 28, 28)})
print(json.dumps([v.ravel().tolist() for v in y]))`)
	cmd.Dir = dir
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, words.String())
	}
	var want [][]float64
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	m, err := infer.LoadBytes(ONNX, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.NewSession().Run(context.Background(), map[string]infer.Tensor{"image": {DType: infer.Float32, Shape: []int{n, 1, 28, 28}, F32: x}})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"features", "logits"} {
		most, worst := 0.0, 0.0
		for j, v := range got[name].F32 {
			most = max(most, math.Abs(want[i][j]))
			worst = max(worst, math.Abs(float64(v)-want[i][j]))
		}
		if worst > 1e-5*most {
			t.Errorf("%s differ by %.2g of %.3g, want at most 1e-5 of it", name, worst, most)
		}
	}
}
