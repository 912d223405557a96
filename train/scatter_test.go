package train

import (
	"bytes"
	"context"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gantry/internal/figure"
	"gantry/models"
	"gantry/train/dataset"
)

// pointSettings are those of a run on the ring whose D judges two at once.
func pointSettings(t *testing.T, steps int) Settings {
	t.Helper()
	spec, recipe := parse(t, pointSpec, `{"batch": 8, "k": 1, "shards": 1, "update": "simultaneous", "g_latents": "same", "g_loss": "non_saturating",
	  "g_loss_scale": 1, "d_loss_scale": 1, `+adamSolver+`, `+fanIn+`}`)
	s := DefaultSettings(&models.Preset{Name: "points", Spec: *spec.WithPack(2), Recipe: *recipe})
	s.Data, s.Seed, s.Steps, s.Threads = "ring:5", 7, steps, 1
	s.CheckpointEvery, s.SampleEvery, s.LogEvery = 4, 6, 2
	return s
}

// TestRunOfPoints: a run on points has scatter plots where others have grids, and
// the same bytes in all its files if it is resumed.
func TestRunOfPoints(t *testing.T) {
	whole, parts := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
	if _, err := Run(context.Background(), pointSettings(t, 12), whole, Host{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), pointSettings(t, 5), parts, Host{}); err != nil {
		t.Fatal(err)
	}
	longer := func(s *Settings) error { s.Steps = 12; return nil }
	if _, err := Resume(context.Background(), parts, longer, Host{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"checkpoint-000012.safetensors", generatorName, realsName, fakesName(12), lossesName, realFakeName, animationName} {
		a, err := os.ReadFile(filepath.Join(whole, name))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(parts, name)); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs in the run that was resumed: %v", name, err)
		}
	}
	count := func(name string, want color.RGBA) (n int) {
		img := decodePNG(t, filepath.Join(whole, name))
		for y := range scatterSide {
			for x := range scatterSide {
				if color.RGBAModel.Convert(img.At(x, y)) == want {
					n++
				}
			}
		}
		return n
	}
	for _, c := range []struct {
		name  string
		color color.RGBA
	}{{realsName, figure.Blue}, {fakesName(12), figure.Grey}, {fakesName(12), figure.Orange}} {
		if count(c.name, c.color) < 100 {
			t.Errorf("%s: hardly any points of %v", c.name, c.color)
		}
	}
	if len(readAnimation(t, whole).Image) != 3 {
		t.Error("the animation does not have the frames of steps 0, 6 and 12")
	}
}

// TestScatterPlot: the axes are of the data, whatever is generated.
func TestScatterPlot(t *testing.T) {
	data, err := dataset.NewPoints("grid", 0)
	if err != nil {
		t.Fatal(err)
	}
	far := []float32{-1e30, 0.5, 2, 2, float32(math.NaN()), 0, 0, float32(math.Inf(1))}
	for _, fakes := range [][]float32{nil, far} {
		p, err := ScatterPlot("", data, fakes)
		if err != nil {
			t.Fatal(err)
		}
		for _, end := range []float64{-p.X.Min, p.X.Max, -p.Y.Min, p.Y.Max} {
			if end < 6 || end > 6.5 {
				t.Errorf("the axes are [%v %v] and [%v %v]", p.X.Min, p.X.Max, p.Y.Min, p.Y.Max)
				break
			}
		}
	}
}
