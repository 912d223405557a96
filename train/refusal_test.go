package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gantry/internal/kernel"
	"gantry/internal/memory"
	"gantry/models"
	"gantry/train/dataset"
)

// TestRefusals: requests that cannot be met fail before anything is written.
func TestRefusals(t *testing.T) {
	dir := mustRun(t, smallSettings(t, 8))
	before := results(t, dir)
	used := t.TempDir()
	if err := os.WriteFile(filepath.Join(used, "thesis.tex"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	noRun := t.TempDir()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	rgb, _ := dataset.New("rgb", []int{3, 4, 4}, make([]byte, 48*30), nil)
	host := func(d dataset.Dataset, err error) Host {
		return Host{Open: func(context.Context, string, dataset.Options) (dataset.Dataset, error) { return d, err }}
	}
	start := func(out string, h Host, change func(*Settings)) error {
		s := smallSettings(t, 8)
		if change != nil {
			change(&s)
		}
		_, err := Run(context.Background(), s, out, h)
		return err
	}
	resume := func(dir string, h Host, change func(*Settings)) error {
		_, err := Resume(context.Background(), dir, func(s *Settings) error {
			if change != nil {
				change(s)
			}
			return nil
		}, h)
		return err
	}
	other, err := models.LoadPreset("mlp28")
	if err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(t.TempDir(), "fresh")
	for _, c := range []struct {
		name   string
		err    error
		misuse bool
		want   string
	}{
		{"a run", start(dir, smallHost, nil), true, "already holds a run"},
		{"in use by someone", start(used, smallHost, nil), true, "it holds thesis.tex"},
		{"no directory", start(file, smallHost, nil), false, "not a directory"},
		{"below a file", start(filepath.Join(file, "x"), smallHost, nil), false, "cannot make the run directory"},
		{"k 0", start(fresh, smallHost, func(s *Settings) { s.Recipe.K = 0 }), true, "k: 0, want at least 1"},
		{"steps 0", start(fresh, smallHost, func(s *Settings) { s.Steps = 0 }), true, "--steps 0: must be at least 1"},
		{"steps too many", start(fresh, smallHost, func(s *Settings) { s.Steps = 1e9 }), true, "--steps 1000000000: must be at most"},
		{"threads", start(fresh, smallHost, func(s *Settings) { s.Threads = 0 }), true, "--threads 0"},
		{"vm", start(fresh, smallHost, func(s *Settings) { s.VM = "lua" }), true, "--vm lua: must be gantry or tape"},
		{"batch", start(fresh, smallHost, func(s *Settings) { s.Recipe.Batch = 31 }), true, "--batch 31: squares has only 30 images"},
		{"shape", start(fresh, host(rgb, nil), nil), true, "samples of shape [1 4 4], but the images of rgb have shape [3 4 4]"},
		{"data", start(fresh, host(nil, errors.New("dataset: x: ends early")), nil), false, "dataset: x: ends early"},
		{"init of other networks", start(fresh, smallHost, func(s *Settings) {
			s.Spec = &other.Spec
			s.Init, _ = NewOrigin(dir)
		}), true, "does not fit preset small"},
		{"init changed", start(fresh, smallHost, func(s *Settings) {
			s.Init, _ = NewOrigin(dir)
			s.Init.SHA256 = "0"
		}), false, "is not what it was"},
		{"space", start(fresh, smallHost, func(s *Settings) { s.Steps, s.SampleEvery = 900_000_000, 1 }), false, "the run needs up to"},

		{"no run", resume(noRun, smallHost, nil), true, "is not a run: it has no options.json"},
		{"nothing", resume(filepath.Join(noRun, "x"), smallHost, nil), true, "is not a run"},
		{"a file", resume(file, smallHost, nil), true, "is not a run, but a file"},
		{"a checkpoint", resume(filepath.Join(dir, "checkpoint-000008.safetensors"), smallHost, nil), true, "is not a run, but a file"},
		{"recipe of more", resume(dir, smallHost, func(s *Settings) { s.Recipe.Solver.LRDecay = 1.5 }), true, "solver.lr_decay is unset, not 1.5"},
		{"other spec", resume(dir, smallHost, func(s *Settings) { s.Spec, s.Preset = &other.Spec, "mlp28" }), true, "trains preset small, which is not mlp28"},
		{"other recipe", resume(dir, smallHost, func(s *Settings) { s.Recipe.Solver.Beta1 = 0.25 }), true, "another recipe: solver.beta1 is 0.5, not 0.25"},
		{"other seed", resume(dir, smallHost, func(s *Settings) { s.Seed = 8 }), true, "has --seed 7, not 8"},
		{"other init", resume(dir, smallHost, func(s *Settings) { s.Init = &Origin{} }), true, "began with other weights"},
		{"other data", resume(dir, host(smallData(31), nil), nil), true, "was trained on squares with SHA-256"},
		{"fewer steps", resume(dir, smallHost, func(s *Settings) { s.Steps = 7 }), true, "--steps 7: " + dir + " has already done 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e *Error
			if !errors.As(c.err, &e) || e.Misuse != c.misuse || !strings.Contains(c.err.Error(), c.want) {
				t.Errorf("got %v (%+v), want misuse %v and %q", c.err, e, c.misuse, c.want)
			}
			if c.err != nil && strings.Contains(c.err.Error(), "\n") {
				t.Errorf("more than one line: %v", c.err)
			}
		})
	}
	if exists(fresh) {
		entries, _ := os.ReadDir(fresh)
		t.Errorf("a refused run left its directory: %v", entries)
	}
	if after := results(t, dir); !maps.Equal(after, before) {
		t.Error("a refusal changed the run")
	}
	for _, d := range []string{used, noRun} {
		if entries, _ := os.ReadDir(d); len(entries) > 1 || len(entries) == 1 && entries[0].Name() != "thesis.tex" {
			t.Errorf("a refusal left something in %s: %v", d, entries)
		}
	}
}

// TestBrokenRuns: what a run lacks is named, with what to do.
func TestBrokenRuns(t *testing.T) {
	first := filepath.Join(mustRun(t, smallSettings(t, 4)), "checkpoint-000004.safetensors")
	for _, c := range []struct {
		name       string
		spoil      func(dir string) error
		want, hint string
	}{
		{"empty options", func(dir string) error { return os.WriteFile(filepath.Join(dir, optionsName), nil, 0o666) }, "options.json is empty", "as gantrain wrote it"},
		{"options is a directory", func(dir string) error {
			name := filepath.Join(dir, optionsName)
			return errors.Join(os.Remove(name), os.Mkdir(name, 0o777))
		}, "is a directory", "as gantrain wrote it"},
		{"checkpoint is a directory", func(dir string) error { return os.Mkdir(filepath.Join(dir, "checkpoint-000009.safetensors"), 0o777) }, "is a directory", "move it away"},
		{"other recipe", func(dir string) error {
			s, err := readSettings(filepath.Join(dir, optionsName))
			if err != nil {
				return err
			}
			s.Recipe.Batch = 4
			return s.write(filepath.Join(dir, optionsName))
		}, "do not belong to one run", "options.json"},
		{"no origin", func(dir string) error {
			return errors.Join(os.Remove(first), os.Remove(filepath.Join(dir, "checkpoint-000000.safetensors")), os.Remove(filepath.Join(dir, "checkpoint-000004.safetensors")))
		}, "the run begins with the weights of " + first, "put it back"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := smallSettings(t, 4)
			var err error
			if s.Init, err = NewOrigin(first); err != nil {
				t.Fatal(err)
			}
			dir := mustRun(t, s)
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			_, err = Resume(context.Background(), dir, nil, smallHost)
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || !strings.Contains(e.Hint, c.hint) {
				t.Errorf("got %v, want %q; hint %q", err, c.want, c.hint)
			}
		})
	}
}

// TestMemory asks for more memory than any machine has.
func TestMemory(t *testing.T) {
	if _, ok := memory.Free(); !ok {
		t.Skip("this system does not say how much memory is free")
	}
	p, err := models.ParsePreset([]byte(strings.Replace(smallPreset, `"units": 8`, `"units": 1048576`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	s := smallSettings(t, 4)
	s.Spec, s.Recipe.Batch = &p.Spec, 1<<20
	var e *Error
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := Run(context.Background(), s, dir, smallHost); !errors.As(err, &e) || e.Misuse || !strings.Contains(err.Error(), "of memory are free, the run needs about") || !strings.Contains(e.Hint, "--batch") || exists(dir) {
		t.Errorf("got %v", err)
	}
}

// TestVanished removes the run directory under the run.
func TestVanished(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	h := smallHost
	h.Words = &stopAfter{step: 3, cancel: func() { os.RemoveAll(dir) }}
	var e *Error
	if _, err := Run(context.Background(), smallSettings(t, 9), dir, h); !errors.As(err, &e) || !strings.Contains(e.Hint, "the run directory is gone") {
		t.Errorf("got %v", err)
	}
}

func TestOtherNumerics(t *testing.T) {
	dir := mustRun(t, smallSettings(t, 4))
	path := filepath.Join(dir, "checkpoint-000004.safetensors")
	c, err := ReadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Numerics++
	if err := c.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	var e *Error
	_, err = Resume(context.Background(), dir, nil, smallHost)
	if want := fmt.Sprintf("made with numerics version %d, this program has %d", kernel.Numerics+1, kernel.Numerics); !errors.As(err, &e) || e.Misuse || !strings.Contains(err.Error(), want) || !strings.Contains(e.Hint, "--init") {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestForeignCheckpoint(t *testing.T) {
	dir := mustRun(t, smallSettings(t, 4))
	s := smallSettings(t, 4)
	s.Seed = 8
	from := mustRun(t, s)
	b, _ := os.ReadFile(filepath.Join(from, "checkpoint-000004.safetensors"))
	if err := os.WriteFile(filepath.Join(dir, "checkpoint-000004.safetensors"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), dir, nil, smallHost); err == nil || !strings.Contains(err.Error(), "do not belong to one run") {
		t.Errorf("got %v", err)
	}
	if err := os.Rename(filepath.Join(from, "checkpoint-000004.safetensors"), filepath.Join(from, "checkpoint-000003.safetensors")); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), from, nil, smallHost); err == nil || !strings.Contains(err.Error(), "holds step 4") {
		t.Errorf("got %v", err)
	}
}

// TestDiskFull has the log on a device that is always full.
func TestDiskFull(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /dev/full")
	}
	dir := mustRun(t, smallSettings(t, 4))
	before := results(t, dir)
	log := filepath.Join(dir, logName)
	if err := errors.Join(os.Remove(log), os.Symlink("/dev/full", log)); err != nil {
		t.Fatal(err)
	}
	var e *Error
	_, err := Resume(context.Background(), dir, func(s *Settings) error { s.Steps = 9; return nil }, smallHost)
	if !errors.As(err, &e) || e.Misuse || !strings.Contains(err.Error(), "no space left") || !strings.Contains(e.Hint, "disk full") {
		t.Errorf("got %v", err)
	}
	if after := results(t, dir); !maps.Equal(after, before) {
		t.Error("earlier results have changed")
	}
}
