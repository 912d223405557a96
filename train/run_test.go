package train

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gantry/export"
	"gantry/infer"
	"gantry/internal/imaging"
	"gantry/internal/kernel"
	"gantry/models"
	"gantry/train/dataset"
)

// smallPreset has every kind of state: weights, running statistics, moments,
// dropout masks.
const smallPreset = `{
"name": "small", "description": "for tests",
"spec": {
  "version": 1,
  "inputs": [{"name": "z", "size": 3, "distribution": "normal"}],
  "generator": [
    {"type": "linear", "units": 8}, {"type": "batch_norm"}, {"type": "leaky_relu", "alpha": 0.2},
    {"type": "linear", "units": 16}, {"type": "tanh"}, {"type": "reshape", "shape": [1, 4, 4]}],
  "discriminator": [
    {"type": "flatten"}, {"type": "maxout", "units": 6, "pieces": 2}, {"type": "dropout", "keep": 0.5},
    {"type": "linear", "units": 1}],
  "sample": {"shape": [1, 4, 4], "range": [-1, 1]}},
"recipe": {
  "batch": 8, "k": 1, "shards": 1, "update": "alternating", "g_latents": "same",
  "g_loss": "non_saturating", "g_loss_scale": 1, "d_loss_scale": 1,
  "solver": {"type": "adam", "g_lr": 0.002, "d_lr": 0.002, "beta1": 0.5, "beta2": 0.999, "eps": 1e-8},
  "init": {"g": {"type": "fan_in_uniform"}, "d": {"type": "normal", "scale": 0.1}}}}`

// smallData is n grey images of 4x4.
func smallData(n int) dataset.Dataset {
	pixels := make([]byte, n*16)
	for i := range pixels {
		pixels[i] = byte(i * i / 7)
	}
	d, err := dataset.New("squares", []int{1, 4, 4}, pixels, nil)
	if err != nil {
		panic(err)
	}
	return d
}

func smallSettings(t testing.TB, steps int) Settings {
	t.Helper()
	p, err := models.ParsePreset([]byte(smallPreset))
	if err != nil {
		t.Fatal(err)
	}
	s := DefaultSettings(p)
	s.Data, s.Seed, s.Steps, s.Threads = "squares", 7, steps, 1
	s.CheckpointEvery, s.SampleEvery, s.LogEvery = 4, 6, 2
	return s
}

var smallHost = Host{Open: func(context.Context, string, dataset.Options) (dataset.Dataset, error) { return smallData(30), nil }}

// mustRun runs to the end.
func mustRun(t testing.TB, s Settings) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := Run(context.Background(), s, dir, smallHost); err != nil {
		t.Fatal(err)
	}
	return dir
}

// stopAfter ends a context when the line of the given step has been written
// (LogEvery must be 1), or at once if it is 0.
type stopAfter struct {
	step   int
	cancel func()
	text   strings.Builder
}

func (s *stopAfter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "Loss_D") {
		s.step--
	}
	if s.step <= 0 {
		s.cancel()
	}
	s.text.Write(p)
	return len(p), nil
}

// runUntil runs until the given step and expects to be interrupted there.
func runUntil(t *testing.T, s Settings, dir string, step int) {
	t.Helper()
	every := s.LogEvery
	s.LogEvery = 1
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h := smallHost
	h.Words = &stopAfter{step: step, cancel: cancel}
	_, err := Run(ctx, s, dir, h)
	var stop *Interrupted
	if !errors.As(err, &stop) || stop.Step != step || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want an interruption after step %d", err, step)
	}
	if want := fmt.Sprintf(checkpointForm, step); !exists(filepath.Join(dir, want)) {
		t.Fatalf("%s was not saved", want)
	}
	s.LogEvery = every // for what goes on with it
	if err := s.write(filepath.Join(dir, optionsName)); err != nil {
		t.Fatal(err)
	}
}

// mustResume resumes to the end and returns what was said.
func mustResume(t *testing.T, dir string, adjust func(*Settings) error) string {
	t.Helper()
	var words strings.Builder
	h := smallHost
	h.Words = &words
	if _, err := Resume(context.Background(), dir, adjust, h); err != nil {
		t.Fatal(err)
	}
	return words.String()
}

// results are the digests of the files that must not depend on how a run went.
func results(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, e := range entries {
		n := e.Name()
		if ext := filepath.Ext(n); n != generatorName && ext != ".png" && ext != ".gif" && ext != ".safetensors" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		sums[n] = fmt.Sprintf("%x", sha256.Sum256(b))
	}
	return sums
}

// sameResults compares the files that both runs have, which must include the
// last checkpoint and the generator.
func sameResults(t *testing.T, got, want string, step int) {
	t.Helper()
	a, b := results(t, got), results(t, want)
	for _, n := range []string{generatorName, fmt.Sprintf(checkpointForm, step), fmt.Sprintf(fakesForm, step), realsName, lossesName, realFakeName, animationName} {
		if a[n] == "" || b[n] == "" {
			t.Errorf("%s is missing: %v, %v", n, slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b)))
		}
	}
	for n, sum := range a {
		if other, ok := b[n]; ok && other != sum {
			t.Errorf("%s differs: %.12s, want %.12s", n, sum, other)
		}
	}
}

// readStats returns the lines of stats.jsonl without the fields of time.
func readStats(t testing.TB, dir string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, statsName))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(b)) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		maps.DeleteFunc(m, func(k string, _ any) bool { return strings.HasPrefix(k, "time_") })
		b, _ := json.Marshal(m)
		lines = append(lines, string(b))
	}
	return lines
}

func TestRun(t *testing.T) {
	var words strings.Builder
	h := smallHost
	h.Words = &words
	dir := filepath.Join(t.TempDir(), "a", "run")
	res, err := Run(context.Background(), smallSettings(t, 14), dir, h)
	if err != nil {
		t.Fatal(err)
	}
	if res.Dir != dir || res.Step != 14 || res.Generator != filepath.Join(dir, "generator.onnx") || res.Fakes != filepath.Join(dir, "fakes-000014.png") || res.Export == nil {
		t.Errorf("got %+v", res)
	}
	var names []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{".lock", "checkpoint-000008.safetensors", "checkpoint-000012.safetensors", "checkpoint-000014.safetensors",
		"fakes-000000.png", "fakes-000006.png", "fakes-000012.png", "fakes-000014.png",
		"fakes.gif", "generator.onnx", "log.txt", "losses.png", "options.json", "real-fake.png", "reals.png", "stats.jsonl"}
	if !slices.Equal(names, want) {
		t.Errorf("got  %v\nwant %v", names, want)
	}
	form := regexp.MustCompile(`(?m)^\[(\d+)/(\d+)\]\[(\d+)/(\d+)\] Loss_D: \d+\.\d{4} Loss_G: \d+\.\d{4} D\(x\): 0\.\d{4} D\(G\(z\)\): 0\.\d{4} / 0\.\d{4} \d+ images/s ETA \d+s$`)
	if n := len(form.FindAllString(words.String(), -1)); n != 8 { // steps 1 2 4 6 8 10 12 14
		t.Errorf("%d lines of the form, want 8:\n%s", n, words.String())
	}
	for line := range strings.Lines(words.String()) {
		if len(line) > 81 && !strings.Contains(line, dir) && !form.MatchString(line) {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	if log, _ := os.ReadFile(filepath.Join(dir, logName)); string(log) != words.String() {
		t.Errorf("log.txt is\n%s\nthe words were\n%s", log, words.String())
	}
	stats := readStats(t, dir)
	if len(stats) != 8 || !strings.Contains(stats[7], `"epoch":3,"images":112`) || !strings.Contains(stats[0], `"step":1}`) {
		t.Errorf("stats.jsonl: %d lines: %v", len(stats), stats)
	}
	c, err := ReadCheckpoint(filepath.Join(dir, "checkpoint-000014.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Step != 14 || c.Seed != 7 || c.DataName != "squares" || c.DataSHA256 != smallData(30).Digest() || c.Numerics != kernel.Numerics || c.Recipe.Batch != 8 || len(c.Spec.Generator) != 6 {
		t.Errorf("checkpoint: got %+v", c)
	}
}

func TestInit(t *testing.T) {
	first := mustRun(t, smallSettings(t, 6))
	s := smallSettings(t, 5)
	var err error
	if s.Init, err = NewOrigin(first); err != nil {
		t.Fatal(err)
	}
	dir := mustRun(t, s)
	from, _ := ReadCheckpoint(filepath.Join(first, "checkpoint-000006.safetensors"))
	start, err := ReadCheckpoint(filepath.Join(dir, "checkpoint-000000.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range start.Tensors {
		solver := strings.HasPrefix(got.Name, "solver.")
		zero := !slices.ContainsFunc(got.Data, func(v float32) bool { return v != 0 })
		if solver && !zero || !solver && !slices.Equal(got.Data, from.Tensors[i].Data) {
			t.Errorf("%s at the start: got %v, origin has %v", got.Name, got.Data, from.Tensors[i].Data)
		}
	}
	if start.Init != s.Init.SHA256 {
		t.Errorf("the checkpoint names origin %q, want %q", start.Init, s.Init.SHA256)
	}
	// Resumed before and after its first checkpoint.
	early := filepath.Join(t.TempDir(), "early")
	d, err := createRunDir(early, "squares", "small")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.write(d.file(optionsName)); err != nil {
		t.Fatal(err)
	}
	d.close()
	mustResume(t, early, nil)
	sameResults(t, early, dir, 5)
	late := filepath.Join(t.TempDir(), "late")
	runUntil(t, s, late, 3)
	if err := os.RemoveAll(first); err != nil { // no longer needed
		t.Fatal(err)
	}
	mustResume(t, late, nil)
	sameResults(t, late, dir, 5)
}

// TestLastGrid: the last grid is what anyone draws from generator.onnx with
// seeds 0 to 63.
func TestLastGrid(t *testing.T) {
	dir := mustRun(t, smallSettings(t, 5))
	m, err := infer.LoadFile(filepath.Join(dir, generatorName), infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sampler, err := infer.NewSampler(m, infer.SamplerOptions{Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	seeds := make([]uint64, 64)
	for i := range seeds {
		seeds[i] = uint64(i)
	}
	pix := make([]uint8, 64*16)
	err = sampler.Sample(context.Background(), infer.Seeds(seeds), func(i int, x []float32) error {
		imaging.Pixels(pix[i*16:][:16], x, -1, 1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	img, err := imaging.Grid(pix, 64, 1, 4, 4, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := imaging.EncodePNG(&want, img); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "fakes-000005.png")); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("the grid differs from the samples (%v)", err)
	}
}

func TestKeep(t *testing.T) {
	for keep, want := range map[int]string{0: "9, 8, 6, 4, 2, 0", 1: "9", 4: "9, 8, 6, 4"} {
		s := smallSettings(t, 9)
		s.Keep, s.CheckpointEvery = keep, 2
		steps, err := checkpointSteps(mustRun(t, s))
		if got := joinSteps(steps); err != nil || got != want {
			t.Errorf("keep %d: got %s, %v; want %s", keep, got, err, want)
		}
	}
	dir := mustRun(t, smallSettings(t, 9))
	mustResume(t, dir, func(s *Settings) error { s.Keep = 1; return nil })
	if steps, err := checkpointSteps(dir); err != nil || !slices.Equal(steps, []int{9}) {
		t.Errorf("resumed with keep 1, a complete run has checkpoints %v, %v", steps, err)
	}
}

func TestExportCheckpoint(t *testing.T) {
	dir := mustRun(t, smallSettings(t, 8))
	want, _ := os.ReadFile(filepath.Join(dir, generatorName))
	for _, c := range []struct {
		path string
		step int
		same bool
	}{{dir, -1, true}, {dir, 8, true}, {dir, 4, false}, {filepath.Join(dir, "checkpoint-000008.safetensors"), -1, true}} {
		out := filepath.Join(t.TempDir(), "g.onnx")
		if _, err := ExportCheckpoint(c.path, c.step, out, EMAIfAny, export.Options{Fold: true}); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(out); bytes.Equal(got, want) != c.same {
			t.Errorf("%s, step %d: equal to generator.onnx is %v, want %v", c.path, c.step, !c.same, c.same)
		}
	}
	for path, step := range map[string]int{dir: 5, t.TempDir(): -1, "none": -1, os.DevNull: -1, filepath.Join(dir, "checkpoint-000008.safetensors"): 3} {
		var e *Error
		if _, err := ExportCheckpoint(path, step, "x", EMAIfAny, export.Options{}); !errors.As(err, &e) || !e.Misuse {
			t.Errorf("%s, step %d: got %v, want a misuse", path, step, err)
		}
	}
}
