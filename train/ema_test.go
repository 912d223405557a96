package train

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/export"
	"gantry/models"
)

// withEMA adds a moving average to a recipe.
func withEMA(recipe, halfLife string) string {
	return strings.TrimSuffix(recipe, "}") + `, "ema": {"half_life_images": ` + halfLife + `}}`
}

// emaSettings are smallSettings with a moving average.
func emaSettings(t testing.TB, steps int) Settings {
	s := smallSettings(t, steps)
	s.Recipe.EMA.HalfLifeImages = 3
	return s
}

func TestHalved(t *testing.T) {
	for _, x := range []float64{0, 1e-9, 0.001, 0.128, 0.5, 0.999, 1, 1.5, 20, 1000.25, 1074, 1080, 1e300} {
		if got, want := halved(x), math.Pow(0.5, x); math.Abs(got-want) > 4e-16*want {
			t.Errorf("0.5^%v: got %v, want %v", x, got, want)
		}
	}
}

// TestEMAGain: images count, not steps; the first update copies, and the
// half-life grows until it is what was asked for.
func TestEMAGain(t *testing.T) {
	for _, c := range []struct {
		life, batch, n int
		want           float64
	}{
		{10000, 128, 0, 1},
		{10000, 128, 1, 1 - math.Pow(0.5, 20)},            // half-life 6.4 images
		{10000, 128, 100, 1 - math.Pow(0.5, 0.2)},         // 640
		{10000, 128, 1562, 1 - math.Pow(0.5, 20./1562)},   // 9996.8
		{10000, 128, 1563, 1 - math.Pow(0.5, 128./10000)}, // all
		{10000, 128, 1 << 30, 1 - math.Pow(0.5, 128./10000)},
		{10000, 256, 1 << 30, 1 - math.Pow(0.5, 256./10000)},
		{1 << 30, 1, 1 << 40, 1 - math.Pow(0.5, 0x1p-30)},
	} {
		if got := float64(emaGain(c.life, c.batch, c.n)); math.Abs(got-c.want) > 0x1p-23*c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
	// What is left of the weights before the first update, after a few steps.
	left := 1.0
	for n := range 3 {
		left *= 1 - float64(emaGain(1<<30, 128, n))
	}
	if left != 0 {
		t.Errorf("%v of the initial weights are left after 3 steps", left)
	}
}

// TestEMALeavesTraining: with a moving average, all other tensors are what they
// are without, and it is not what G is.
func TestEMALeavesTraining(t *testing.T) {
	for _, c := range trainings {
		if strings.Contains(c.recipe, `"ema"`) {
			continue
		}
		with, without := newTrainer(t, c.spec, withEMA(c.recipe, "5"), Options{}), newTrainer(t, c.spec, c.recipe, Options{})
		steps(t, with, 5)
		steps(t, without, 5)
		plain, averaged := without.State(), with.State()
		if want := len(plain) + len(with.Model().G.Params()); len(averaged) != want {
			t.Fatalf("%s: %d tensors, want %d", c.name, len(averaged), want)
		}
		for i, x := range plain {
			if x.Name != averaged[i].Name || !slices.Equal(x.Data, averaged[i].Data) {
				t.Errorf("%s: %s differs", c.name, x.Name)
			}
		}
		for _, x := range averaged[len(plain):] {
			name, ok := strings.CutPrefix(x.Name, "ema.")
			if !ok || slices.Equal(x.Data, with.Model().G.Tensor(name).Float32s()) {
				t.Errorf("%s: %s is no average, or that of one value", c.name, x.Name)
			}
		}
		first := with.Model().G.Params()[0].Name
		if with.Averaged().G.Tensor(first) == with.Model().G.Tensor(first) || without.Averaged() != without.Model() {
			t.Errorf("%s: Averaged is the wrong model", c.name)
		}
	}
}

// TestEMAAllocates: a step does not allocate for the average.
func TestEMAAllocates(t *testing.T) {
	x := newTrainer(t, plainSpec, withEMA(trainings[0].recipe, "5"), Options{})
	n := 0
	if got := testing.AllocsPerRun(5, func() { x.ema.update(n); n++ }); got != 0 {
		t.Errorf("an update allocates %v times, want 0", got)
	}
}

// TestEMASameBytes: the average is part of exact resume, wherever a run stops.
func TestEMASameBytes(t *testing.T) {
	whole := mustRun(t, emaSettings(t, 9))
	for _, n := range []int{1, 4, 7} {
		dir := filepath.Join(t.TempDir(), "run")
		runUntil(t, emaSettings(t, 9), dir, n)
		mustResume(t, dir, func(s *Settings) error { s.Threads, s.LogEvery = 2, 2; return nil })
		sameResults(t, dir, whole, 9)
	}
}

// TestEMAShips: grids and the generator are those of the average; the trained
// weights can be had as well.
func TestEMAShips(t *testing.T) {
	with, without := mustRun(t, emaSettings(t, 8)), mustRun(t, smallSettings(t, 8))
	a, b := results(t, with), results(t, without)
	for _, n := range []string{generatorName, "fakes-000006.png", "fakes-000008.png"} {
		if a[n] == b[n] {
			t.Errorf("%s is the same with and without", n)
		}
	}
	if a["fakes-000000.png"] != b["fakes-000000.png"] {
		t.Error("the grid of step 0 is not that of the initial weights")
	}
	read := func(path string) string {
		x, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(x)
	}
	for _, c := range []struct {
		dir  string
		ema  EMA
		want string // the run whose generator it is
	}{
		{with, EMAIfAny, with}, {with, EMAOnly, with}, {with, EMANone, without},
		{without, EMAIfAny, without}, {without, EMANone, without},
	} {
		out := filepath.Join(t.TempDir(), "g.onnx")
		if _, err := ExportCheckpoint(c.dir, -1, out, c.ema, export.Options{Fold: true}); err != nil {
			t.Fatal(err)
		}
		if read(out) != read(filepath.Join(c.want, generatorName)) {
			t.Errorf("%+v: another generator", c)
		}
	}
	var e *Error
	if _, err := ExportCheckpoint(without, -1, "x", EMAOnly, export.Options{}); !errors.As(err, &e) || !e.Misuse || !strings.Contains(err.Error(), "trained without a moving average") {
		t.Errorf("got %v", err)
	}
}

// TestEMAOrigin: a run begins with the trained weights of another, not with
// their average, whether either of them has one; and resuming does not change
// what a run has.
func TestEMAOrigin(t *testing.T) {
	first, old := mustRun(t, emaSettings(t, 6)), mustRun(t, smallSettings(t, 6))
	from, err := ReadCheckpoint(filepath.Join(first, "checkpoint-000006.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	weights := map[string][]float32{}
	for _, x := range from.Tensors {
		weights[x.Name] = x.Data
	}
	for _, origin := range []string{first, old} {
		for _, s := range []Settings{emaSettings(t, 3), smallSettings(t, 3)} {
			if s.Init, err = NewOrigin(origin); err != nil {
				t.Fatal(err)
			}
			c, err := ReadCheckpoint(filepath.Join(mustRun(t, s), "checkpoint-000000.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range c.Tensors {
				if name := strings.TrimPrefix(x.Name, "ema."); !strings.HasPrefix(name, "solver.") && !slices.Equal(x.Data, weights[name]) {
					t.Errorf("%s is not the origin's %s", x.Name, name)
				}
			}
		}
	}
	for dir, want := range map[string]string{first: "ema.half_life_images is 3, not unset", old: "ema.half_life_images is unset, not 3"} {
		_, err := Resume(context.Background(), dir, func(s *Settings) error {
			s.Recipe.EMA = models.EMA{}
			if dir == old {
				s.Recipe.EMA.HalfLifeImages = 3
			}
			return nil
		}, smallHost)
		if e := (*Error)(nil); !errors.As(err, &e) || !e.Misuse || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
