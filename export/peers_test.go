package export

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gantry/models"
)

// TestPeers gives exported files to onnx's checker and to ONNX Runtime.
func TestPeers(t *testing.T) {
	python := os.Getenv("GANTRY_PYTHON")
	if python == "" {
		t.Skip("GANTRY_PYTHON is not set: it names a Python with numpy, onnx and onnxruntime")
	}
	tests := []struct {
		name string
		spec *models.Spec
		o    Options
	}{
		{"mlp28", preset(t, "mlp28"), Options{Fold: true}},
		{"goodfellow-mnist", preset(t, "goodfellow-mnist"), Options{Fold: true}},
		{"every-layer-folded", parse(t, everyLayer), Options{Fold: true}},
		{"every-layer", parse(t, everyLayer), Options{}},
		{"points", parse(t, points), Options{Fold: true}},
		{"convolutions-folded", parse(t, convolutions), Options{Fold: true}},
		{"convolutions", parse(t, convolutions), Options{}},
		{"resampling", parse(t, resampling), Options{Fold: true}},
		{"dcgan28", preset(t, "dcgan28"), Options{Fold: true}},
		{"dcgan32", preset(t, "dcgan32"), Options{Fold: true}},
		{"dcgan64", preset(t, "dcgan64"), Options{}},
		{"dcgan48", dcgan(t, models.DCGAN{Size: 48, Channels: 3, Latent: 50, GWidth: 16, DWidth: 16}), Options{Fold: true}},
	}
	batches := []int{1, 2, 17, 64}
	var dirs []string
	between := make([]map[int]float64, len(tests)) // infer and the graph, by batch
	for i, test := range tests {
		m := newModel(t, test.spec)
		file, _, err := Generator(m, testInfo, test.o)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		dir := t.TempDir()
		save := func(name string, data []byte) {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		save("model.onnx", file)
		between[i] = map[int]float64{}
		for _, n := range batches {
			z, byGraph, byInfer := run(t, m, file, n)
			between[i][n] = spread(byGraph, byInfer)
			for name, x := range map[string][]float32{"z": z, "graph": byGraph, "infer": byInfer} {
				b, err := binary.Append(nil, binary.LittleEndian, x)
				if err != nil {
					t.Fatal(err)
				}
				save(name+"-"+strconv.Itoa(n), b)
			}
		}
		dirs = append(dirs, dir)
	}
	cmd := exec.Command(python, append([]string{filepath.Join("testdata", "peers.py")}, dirs...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("peers.py: %v\n%s", err, stderr.String())
	}
	d := json.NewDecoder(bytes.NewReader(out))
	for i, test := range tests {
		var got struct {
			Opset         [][2]any
			IR            int
			Input, Output [3]any
			Ops           []string
			Metadata      []string
			Batches       map[string]struct{ Graph, Infer float64 }
		}
		if err := d.Decode(&got); err != nil {
			t.Fatalf("%s: %v\n%s", test.name, err, out)
		}
		dims := func(shape []int) []any {
			s := []any{"N"}
			for _, n := range shape {
				s = append(s, float64(n))
			}
			return s
		}
		shape := test.spec.Sample.Shape
		name := map[int]string{1: "sample", 3: "image"}[len(shape)]
		for _, c := range []struct {
			what      string
			got, want any
		}{
			{"opsets", got.Opset, [][2]any{{"", 13}}},
			{"IR version", got.IR, 7},
			{"input", got.Input, []any{"z", "tensor(float)", dims([]int{test.spec.Inputs[0].Size})}},
			{"output", got.Output, []any{name, "tensor(float)", dims(shape)}},
			{"batches", len(got.Batches), len(batches)},
			{"metadata", got.Metadata, []string{"gantry.data", "gantry.golden", "gantry.latent", "gantry.numerics", "gantry.range", "gantry.spec", "gantry.step", "gantry.version"}},
		} {
			if a, b := mustJSON(t, c.got), mustJSON(t, c.want); a != b {
				t.Errorf("%s: %s: got %s, want %s", test.name, c.what, a, b)
			}
		}
		width := float64(test.spec.Sample.Range[1]) - float64(test.spec.Sample.Range[0])
		for _, n := range batches {
			b := got.Batches[strconv.Itoa(n)]
			t.Logf("%s, batch %d: graph-ORT %.2g, infer-ORT %.2g, graph-infer %.2g of the range", test.name, n, b.Graph/width, b.Infer/width, between[i][n]/width)
			if most := max(b.Graph, b.Infer, between[i][n]) / width; !(most <= bound) {
				t.Errorf("%s, batch %d: largest difference is %g of the range, want at most %g", test.name, n, most, bound)
			}
		}
	}
}
