package export

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gantry/internal/graph"
	"gantry/internal/onnx"
	"gantry/models"
)

// wild has batch norms between layers so wide that weights of variance 1 make
// huge activations.
const wild = `{"version": 1,
 "inputs": [{"name": "z", "size": 100, "distribution": "normal"}],
 "generator": [
  {"type": "linear", "units": 256}, {"type": "batch_norm"}, {"type": "relu"},
  {"type": "linear", "units": 256}, {"type": "batch_norm"}, {"type": "relu"},
  {"type": "linear", "units": 784}, {"type": "tanh"}
 ],
 "discriminator": [{"type": "linear", "units": 1}],
 "sample": {"shape": [784], "range": [-1, 1]}}`

// TestDifferenceError exports a model whose rounding a tanh near 0 blows up to
// more than the bound once batch norms are folded.
func TestDifferenceError(t *testing.T) {
	m, err := graph.NewModel(parse(t, wild))
	if err != nil {
		t.Fatal(err)
	}
	normal := models.Distribution{Type: models.Normal, Scale: 1}
	if err := m.Init(models.Init{G: normal, D: normal}, 1, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "g.onnx")
	_, err = WriteFile(path, m, testInfo, Options{Fold: true})
	var e *DifferenceError
	if !errors.As(err, &e) || e.Batch != 1 || !(e.Diff > 1e-5 && e.Diff < 1e-3) || e.Bound != 1e-5 {
		t.Errorf("got %v, want a DifferenceError of batch 1, a little above 1e-5", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is there, error %v", err)
	}
	m.G.Tensor("g.6.bias").Float32s()[3] = float32(math.NaN())
	if _, err := WriteFile(path, m, testInfo, Options{}); err == nil || errors.As(err, &e) {
		t.Errorf("NaN in a weight: got %v, want an error, and not a DifferenceError", err)
	}
}

// TestBound: a file that differs by three times the bound is refused, one that
// differs by half of it is not.
func TestBound(t *testing.T) {
	m := newModel(t, parse(t, everyLayer))
	file, _, err := Generator(m, testInfo, Options{})
	if err != nil {
		t.Fatal(err)
	}
	verify := func(slope float32) (*Report, error) { // of the leaky relu: the model's is 0.2
		var p onnx.ModelProto
		if err := p.Unmarshal(bytes.Clone(file)); err != nil {
			t.Fatal(err)
		}
		p.Graph.Node[2].Attribute[0].F = slope
		changed, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return Verify(changed, m)
	}
	var e *DifferenceError
	if _, err := verify(0.20005); !errors.As(err, &e) || !(e.Diff > 2e-5 && e.Diff < 4e-5) {
		t.Errorf("got %v, want a DifferenceError of about 3e-5", err)
	}
	if r, err := verify(0.200008); err != nil || !(r.MaxDiff > 3e-6 && r.MaxDiff < 8e-6) {
		t.Errorf("got %+v, %v, want a difference of about 5e-6 without an error", r, err)
	}
}
