package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/export"
	"gantry/internal/kernel"
	"gantry/models"
)

func TestNonFiniteStops(t *testing.T) {
	s := smallSettings(t, 200)
	s.Recipe.Solver = models.Solver{Type: models.SGD, GLR: 1000, DLR: 1000, Momentum: 0.99}
	s.CheckpointEvery = 1
	dir := filepath.Join(t.TempDir(), "run")
	_, err := Run(context.Background(), s, dir, smallHost)
	var nan *NonFiniteError
	var e *Error
	if !errors.As(err, &nan) || !errors.As(err, &e) || e.Misuse {
		t.Fatalf("got %v, want a NonFiniteError", err)
	}
	if nan.Step < 2 || nan.Tensor == "" || !strings.Contains(err.Error(), fmt.Sprint("step ", nan.Step)) || !strings.Contains(err.Error(), nan.Tensor) {
		t.Errorf("got %v for step %d, %s", err, nan.Step, nan.Tensor)
	}
	c, err := ReadCheckpoint(filepath.Join(dir, fmt.Sprintf(checkpointForm, nan.Step-1)))
	if err != nil {
		t.Fatalf("the last good checkpoint is gone: %v", err)
	}
	for _, x := range c.Tensors {
		if i := kernel.FirstNonFinite(x.Data); i >= 0 {
			t.Errorf("%s[%d] is %v", x.Name, i, x.Data[i])
		}
	}
	if exists(filepath.Join(dir, generatorName)) {
		t.Error("a generator was exported")
	}
}

// TestOverflowStops: gradients whose squares overflow are finite, as the losses
// are, but Adam's moments are not, and would stop their weights for ever.
func TestOverflowStops(t *testing.T) {
	// Maxouts of 1e21, of which the next layer takes 1e-21.
	c := smallCheckpoint(t)
	for name, scale := range map[string]float32{"d.1.weight": 1e22, "d.3.weight": 1e-21} {
		for i := range tensor(t, c, name) {
			tensor(t, c, name)[i] *= scale
		}
	}
	from := filepath.Join(t.TempDir(), "from")
	if err := c.WriteFile(from); err != nil {
		t.Fatal(err)
	}
	s := smallSettings(t, 20)
	var err error
	if s.Init, err = NewOrigin(from); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	_, err = Run(context.Background(), s, dir, smallHost)
	var nan *NonFiniteError
	var e *Error
	if !errors.As(err, &nan) || !errors.As(err, &e) || e.Misuse {
		t.Fatalf("got %v, want a NonFiniteError", err)
	}
	if !strings.HasPrefix(nan.Tensor, "solver.d.") || !strings.HasSuffix(nan.Tensor, ".v") || !strings.HasSuffix(e.Hint, "the checkpoint of step 0 is good") {
		t.Errorf("got %v in %s, hint %q", err, nan.Tensor, e.Hint)
	}
	if steps, err := checkpointSteps(dir); err != nil || !slices.Equal(steps, []int{0}) {
		t.Errorf("checkpoints are %v, %v, want that of step 0", steps, err)
	}
	// And weights that are not finite to begin with.
	tensor(t, c, "g.0.weight")[3] = float32(math.Inf(1))
	bad := filepath.Join(t.TempDir(), "bad")
	if err := c.WriteFile(bad); err != nil {
		t.Fatal(err)
	}
	s = smallSettings(t, 20)
	if s.Init, err = NewOrigin(bad); err != nil {
		t.Fatal(err)
	}
	_, err = Run(context.Background(), s, filepath.Join(t.TempDir(), "run"), smallHost)
	if !errors.As(err, &nan) || nan.Tensor != "g.0.weight" || !errors.As(err, &e) || !strings.Contains(e.Hint, "--init") {
		t.Errorf("got %v", err)
	}
}

// tensor returns the elements of a checkpoint's tensor.
func tensor(t testing.TB, c *Checkpoint, name string) []float32 {
	t.Helper()
	i := slices.IndexFunc(c.Tensors, func(x NamedTensor) bool { return x.Name == name })
	if i < 0 {
		t.Fatalf("no tensor %s", name)
	}
	return c.Tensors[i].Data
}

// TestDifference: values far from zero, whose mean the batch norm takes away,
// are rounded so coarsely that an export cannot be held against the trained
// generator. A grid is left out then; the end of the run says what is wrong.
func TestDifference(t *testing.T) {
	c := smallCheckpoint(t)
	for i := range 8 {
		tensor(t, c, "g.0.bias")[i] = 1e4
		tensor(t, c, "g.1.running_mean")[i] = 1e4
	}
	from := filepath.Join(t.TempDir(), "from")
	if err := c.WriteFile(from); err != nil {
		t.Fatal(err)
	}
	s := smallSettings(t, 7)
	var err error
	if s.Init, err = NewOrigin(from); err != nil {
		t.Fatal(err)
	}
	var words strings.Builder
	h := smallHost
	h.Words = &words
	dir := filepath.Join(t.TempDir(), "run")
	_, err = Run(context.Background(), s, dir, h)
	var d *export.DifferenceError
	var e *Error
	if !errors.As(err, &d) || !errors.As(err, &e) || e.Misuse || !strings.Contains(e.Hint, "the checkpoint of step 7 is good") {
		t.Errorf("got %v", err)
	}
	for _, n := range []int{0, 6, 7} {
		if want := fmt.Sprintf("no grid of step %d: exporting changes samples by ", n); !strings.Contains(words.String(), want) || exists(filepath.Join(dir, fmt.Sprintf(fakesForm, n))) {
			t.Errorf("%q is missing in\n%s", want, words.String())
		}
	}
	if !exists(filepath.Join(dir, "checkpoint-000007.safetensors")) || exists(filepath.Join(dir, generatorName)) {
		t.Error("want the last checkpoint, and no generator")
	}
	out := filepath.Join(t.TempDir(), "g.onnx")
	if _, err := ExportCheckpoint(dir, -1, out, EMAIfAny, export.Options{Fold: true}); !errors.As(err, &d) || !errors.As(err, &e) || e.Hint == "" || exists(out) {
		t.Errorf("got %v", err)
	}
}
