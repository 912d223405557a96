package infer

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"gantry/infer/internal/exec"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
	"gantry/models"
)

// TestMultiplyAdds compares the operations of plans with what package models counts for the same networks.
func TestMultiplyAdds(t *testing.T) {
	const batch = 3
	for pixels, preset := range map[int]string{28: "dcgan28", 64: "dcgan64"} {
		p, err := models.LoadPreset(preset)
		if err != nil {
			t.Fatal(err)
		}
		g, _, err := p.Spec.Networks()
		if err != nil {
			t.Fatal(err)
		}
		want := int64(0)
		for i := range g.Nodes {
			want += batch * g.Nodes[i].MultiplyAdds()
		}
		m, err := LoadBytes(dcgan(pixels, g.Nodes[0].In[0], 64, p.Spec.Sample.Shape[0]), Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		pl, err := m.openPlan(batch)
		if err != nil {
			t.Fatal(err)
		}
		if got := exec.MultiplyAdds(pl); got != want {
			t.Errorf("%s: %d multiply-adds, want %d", preset, got, want)
		}
	}
}

func TestBench(t *testing.T) {
	byHand := onnxtest.Small() // latents [N nz 1 1], as PyTorch's tutorial has them, a label, no metadata
	byHand.MetadataProps = nil
	byHand.Graph.Input[0] = onnxtest.Value("z", "N", 4, 1, 1)
	byHand.Graph.Node = append([]*onnx.NodeProto{{OpType: "Flatten", Input: []string{"z"}, Output: []string{"flat"}}}, byHand.Graph.Node...)
	byHand.Graph.Node[1].Input[0] = "flat"
	label := onnxtest.Value("label", "N")
	label.Type.TensorType.ElemType = int32(onnx.Int64)
	byHand.Graph.Input = append(byHand.Graph.Input, label)
	for _, p := range []*onnx.ModelProto{onnxtest.Small(), byHand} {
		r, err := Bench(context.Background(), func() (*Model, error) { return LoadBytes(onnxtest.Bytes(p), Options{Threads: 2}) }, 7, 0)
		if err != nil {
			t.Fatal(err)
		}
		near := func(got, want float64) bool { return math.Abs(got-want) <= 1e-9*want }
		if r.Batch != 7 || r.Threads != 2 || r.P50 <= 0 || r.P99 < r.P50 || r.Load <= 0 || !near(r.ImagesPerS, 7000/r.P50) ||
			!near(r.GFLOPS, 2*7*(4*5+5*6)*1e-6/r.P50) || r.PeakGFLOPS > 0 && !near(r.Share, r.GFLOPS/r.PeakGFLOPS) {
			t.Errorf("got %+v", r)
		}
		b := r.JSON()
		var fields map[string]float64
		if err := json.Unmarshal([]byte(b), &fields); err != nil {
			t.Fatal(err)
		}
		for f, want := range map[string]float64{
			"batch": 7, "threads": 2, "p50_ms": r.P50, "p99_ms": r.P99, "images_per_s": r.ImagesPerS, "gflops": r.GFLOPS,
			"peak_gflops": r.PeakGFLOPS, "share": r.Share, "load_ms": r.Load, "peak_rss_bytes": float64(r.PeakRSS),
		} {
			if got, ok := fields[f]; !ok || got != want {
				t.Errorf("field %s is %v, want %v", f, got, want)
			}
			delete(fields, f)
		}
		if len(fields) > 0 {
			t.Errorf("fields %v are too many", fields)
		}
	}
	fixed := onnxtest.Small()
	fixed.Graph.Input[0] = onnxtest.Value("z", 3, 4)
	if _, err := Bench(context.Background(), func() (*Model, error) { return LoadBytes(onnxtest.Bytes(fixed), Options{}) }, 7, 0); err == nil || !strings.Contains(err.Error(), `input "z" has shape [3 4], so a batch of 7`) {
		t.Errorf("a fixed batch: got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Bench(ctx, func() (*Model, error) { return small(t, Options{}), nil }, 1, 0); err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
