package train

import (
	"encoding/json"
	"math"
	"runtime"
	"strings"
	"testing"

	"gantry/internal/kernel"
	"gantry/internal/memory"
	"gantry/models"
)

func TestBench(t *testing.T) {
	p, err := models.ParsePreset([]byte(smallPreset))
	if err != nil {
		t.Fatal(err)
	}
	p.Recipe.Batch = 16
	r, err := Bench(p, 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	// G 24 + 128 multiply-adds, 128 of them behind weights; D 192 + 6.
	const flop = 2 * 16 * (2*(3*198-192) + 152 + 2*198 + 152 + 128)
	if r.Preset != "small" || r.Batch != 16 || r.Threads != 2 || r.Tier != kernel.Tier() || r.Steps < 3 || r.NeededGFLOP != flop/1e9 {
		t.Errorf("got %+v", r)
	}
	for what, ratio := range map[string]float64{
		"images/s": r.ImagesPerSec * r.SecondsPerStep / 16,
		"GFLOP/s":  r.GFLOPS * r.SecondsPerStep / r.NeededGFLOP,
	} {
		if math.Abs(ratio-1) > 1e-9 {
			t.Errorf("%s: %+v", what, r)
		}
	}
	if fast := kernel.Tier() != "go"; fast != (r.PeakGFLOPS > 0) || fast && math.Abs(r.Share*r.PeakGFLOPS/r.GFLOPS-1) > 1e-9 {
		t.Errorf("peak: %+v", r)
	}
	if (runtime.GOOS == "linux") != (r.PeakRSSBytes > 1<<20) {
		t.Errorf("memory: %+v", r)
	}
	if text := r.String(); !strings.HasPrefix(text, "small, batch 16, 2 threads (") {
		t.Errorf("got %s", text)
	}
	b, err := json.Marshal(&BenchResult{})
	want := `{"preset":"","batch":0,"threads":0,"tier":"","steps":0,"seconds_per_step":0,"images_per_s":0,"needed_gflop":0,"gflops":0}`
	if err != nil || string(b) != want {
		t.Errorf("got %s, %v; what is not known is left out", b, err)
	}
}

// TestBenchVectors: samples of rank 1, and a batch above the usual number of images.
func TestBenchVectors(t *testing.T) {
	text := strings.NewReplacer(`, {"type": "reshape", "shape": [1, 4, 4]}`, "", `{"type": "flatten"}, `, "", `"shape": [1, 4, 4]`, `"shape": [16]`, `"batch": 8`, `"batch": 1500`).Replace(smallPreset)
	p, err := models.ParsePreset([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Bench(p, 1, 0); err != nil || r.Batch != 1500 {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := Bench(p, 0, 0); err == nil || !strings.Contains(err.Error(), "--threads 0") {
		t.Errorf("no threads: got %v", err)
	}
}

// TestBenchMemory: what memory has no room for is refused before its images are made.
func TestBenchMemory(t *testing.T) {
	p, err := models.LoadPreset("dcgan64")
	if err != nil {
		t.Fatal(err)
	}
	p.Recipe.Batch = 1 << 20 // 12.9 GB of images, 5 TB in all
	if free, ok := memory.Free(); !ok || free > 1e12 {
		t.Skip("memory is not known here, or has room for it")
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = Bench(p, 1, 0)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "memory are free") {
		t.Errorf("got %v", err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<30 {
		t.Errorf("%d bytes were allocated first", n)
	}
}
