package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"gantry/internal/kernel"
	"gantry/models"
)

// TestMain lets the test binary be gantrain itself, so that a test can kill it.
func TestMain(m *testing.M) {
	if os.Getenv("GANTRAIN_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// call runs gantrain in this process.
func call(args ...string) (code int, stdout, stderr string) {
	var out, words bytes.Buffer
	code = run(args, nil, &out, &words)
	return code, out.String(), words.String()
}

const tinyPreset = `{"name": "tiny", "description": "for tests",
"spec": {"version": 1,
  "inputs": [{"name": "z", "size": 4, "distribution": "uniform", "bounds": [-1, 1]}],
  "generator": [{"type": "linear", "units": 24}, {"type": "batch_norm"}, {"type": "relu"},
    {"type": "linear", "units": 36}, {"type": "sigmoid"}, {"type": "reshape", "shape": [1, 6, 6]}],
  "discriminator": [{"type": "flatten"}, {"type": "linear", "units": 16}, {"type": "leaky_relu", "alpha": 0.2},
    {"type": "dropout", "keep": 0.8}, {"type": "linear", "units": 1}],
  "sample": {"shape": [1, 6, 6], "range": [0, 1]}},
"recipe": {"batch": 10, "k": 1, "shards": 1, "update": "alternating", "g_latents": "fresh",
  "g_loss": "non_saturating", "g_loss_scale": 1, "d_loss_scale": 1,
  "solver": {"type": "adam", "g_lr": 0.001, "d_lr": 0.001, "beta1": 0.5, "beta2": 0.999, "eps": 1e-8},
  "init": {"g": {"type": "normal", "scale": 0.1}, "d": {"type": "fan_in_uniform"}}, "ema": {"half_life_images": 400}}}`

// tiny writes a preset file and a data set of 55 images, and returns the flags
// that name them.
func tiny(t testing.TB) (preset, data string) {
	t.Helper()
	dir := t.TempDir()
	preset = filepath.Join(dir, "tiny.json")
	if err := os.WriteFile(preset, []byte(tinyPreset), 0o666); err != nil {
		t.Fatal(err)
	}
	idx := []byte{0, 0, 8, 3}
	for _, d := range []uint32{55, 6, 6} {
		idx = binary.BigEndian.AppendUint32(idx, d)
	}
	for i := range 55 * 36 {
		idx = append(idx, byte(i*i/11))
	}
	squares := filepath.Join(dir, "squares")
	if err := os.Mkdir(squares, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(squares, "train-images-idx3-ubyte"), idx, 0o666); err != nil {
		t.Fatal(err)
	}
	return "--preset=" + preset, "--data=idx:" + squares
}

func sum(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

func TestTrain(t *testing.T) {
	preset, data := tiny(t)
	t.Chdir(t.TempDir())
	code, stdout, stderr := call(preset, data, "--steps", "12", "--log-every=4", "--threads", "1")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	const dir = "runs/00000-squares-tiny"
	want := "generator: " + filepath.FromSlash(dir) + "/generator.onnx\n" +
		"samples: " + dir + "/fakes-000012.png\n" +
		"draw your own:\n  ganinfer sample --model " + dir + "/generator.onnx --seeds 0-63 --grid grid.png\n"
	if filepath.ToSlash(stdout) != want {
		t.Errorf("stdout: got\n%swant\n%s", stdout, want)
	}
	for _, w := range []string{"training tiny on squares for 12 steps", "results go to runs", "[2/3][1/6] Loss_D: ", "verified, largest difference"} {
		if !strings.Contains(stderr, w) {
			t.Errorf("%q is missing in\n%s", w, stderr)
		}
	}

	// A second one gets the next number; the same seed gives the same bytes.
	if code, _, stderr := call("train", preset, data, "--steps=12", "--threads=2", "--sample-every=3", "--keep=1"); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	const second = "runs/00001-squares-tiny"
	for _, n := range []string{"generator.onnx", "checkpoint-000012.safetensors"} {
		if sum(t, dir+"/"+n) != sum(t, second+"/"+n) {
			t.Errorf("%s differs between two runs", n)
		}
	}

	// Resume, of a complete run and longer; from another directory.
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if code, stdout, stderr := call("train", "--resume", abs); code != 0 || !strings.Contains(stderr, "nothing is missing") || !strings.Contains(stdout, "generator: ") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := call("--resume", abs, preset, "--batch=10", "--steps=15"); code != 0 || !strings.Contains(stderr, "going on with tiny on squares after step 12 of 15") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	if code, _, stderr := call("--init", abs, preset, data, "--steps=2", "--out=warm"); code != 0 {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	if sum(t, "warm/checkpoint-000000.safetensors") == sum(t, filepath.Join(abs, "checkpoint-000012.safetensors")) {
		t.Error("a run with --init began at the step of the other")
	}
}

func TestExport(t *testing.T) {
	preset, data := tiny(t)
	t.Chdir(t.TempDir())
	if code, _, stderr := call(preset, data, "--steps=6", "--checkpoint-every=3", "--out=r"); code != 0 {
		t.Fatal(stderr)
	}
	if code, stdout, stderr := call("export", "r", "-o", "a.onnx"); code != 0 || stdout != "generator: a.onnx\n" || !strings.Contains(stderr, "largest difference") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := call("export", "r", "--step=3", "--out=b.onnx"); code != 0 {
		t.Error(stderr)
	}
	if code, _, stderr := call("export", "r/checkpoint-000006.safetensors", "-o=c.onnx", "--fold=false"); code != 0 {
		t.Error(stderr)
	}
	if code, _, stderr := call("export", "r", "-o=d.onnx", "--ema=false"); code != 0 {
		t.Error(stderr)
	}
	a := sum(t, "a.onnx")
	if a != sum(t, "r/generator.onnx") || a == sum(t, "b.onnx") || a == sum(t, "c.onnx") || a == sum(t, "d.onnx") {
		t.Error("a.onnx should equal generator.onnx, and differ from b.onnx (step 3), c.onnx (not folded) and d.onnx (not averaged)")
	}
}

func TestBench(t *testing.T) {
	preset, _ := tiny(t)
	code, stdout, stderr := call("bench", preset, "--batch=5", "--threads=1", "--seconds=0.01", "--json")
	var got map[string]any
	if err := json.Unmarshal([]byte(stdout), &got); code != 0 || stderr != "" || err != nil || strings.Count(stdout, "\n") != 1 {
		t.Fatalf("exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if got["preset"] != "tiny" || got["batch"] != 5. || got["threads"] != 1. || !(got["seconds_per_step"].(float64) > 0) {
		t.Errorf("got %s", stdout)
	}
	if code, stdout, _ := call("bench", preset, "--seconds=0"); code != 0 || !strings.HasPrefix(stdout, "tiny, batch 10, ") {
		t.Errorf("exit %d\n%s", code, stdout)
	}
}

func TestMisuse(t *testing.T) {
	preset, data := tiny(t)
	dir := t.TempDir()
	t.Chdir(dir)
	if code, _, stderr := call(preset, data, "--steps=2", "--out=done"); code != 0 {
		t.Fatal(stderr)
	}
	if code, _, stderr := call(preset, data, "--steps=2", "--ema=off", "--out=plain"); code != 0 {
		t.Fatal(stderr)
	}
	before := sum(t, "done/checkpoint-000002.safetensors")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if err := os.Mkdir("empty", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("cut", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("cut/train-images-idx3-ubyte", []byte{0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 6, 0, 0, 0, 6, 1, 2, 3}, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("bad.json", []byte(`{"name": "bad", "colour": 1}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		want string // in the error or its hint
	}{
		{"--stpes 3", 2, "unknown flag --stpes"},
		{"--stpes 3", 2, "did you mean --steps?"},
		{"-z", 2, "unknown shorthand"},
		{"--steps", 2, "needs an argument"},
		{"--steps many", 2, "--steps many: must be an integer"},
		{"--steps 0", 2, "--steps 0: must be at least 1"},
		{"--seed -1", 2, "--seed -1: must be a non-negative integer"},
		{"--threads 0", 2, "--threads 0: must be at least 1"},
		{"--keep -1", 2, "--keep -1: must be at least 0"},
		{"--log-every 0", 2, "--log-every 0: must be at least 1"},
		{"--vm lua", 2, "--vm lua: must be gantry or tape"},
		{"trian", 2, `unknown command "trian"`},
		{"trian", 2, "did you mean train?"},
		{"train now", 2, `unknown argument "now"`},
		{"--preset mlp82", 2, `did you mean "mlp28"?`},
		{"--preset none.json", 2, "no such file"},
		{"--preset bad.json", 2, "colour"},
		{"--data mnits", 2, "did you mean mnist?"},
		{"--data idx:", 2, "--data takes mnist, ring, grid, folders"},
		{"--data idx:nowhere --out x", 1, "no such file"},
		{"--data idx:cut --out x PRESET", 1, "ends after 3 bytes of data, want 324"},
		{"--preset mlp28 --size 64", 2, "--size: the networks of preset mlp28 have no such size"},
		{"--preset mlp28 --ngf 64", 2, "hint: a DCGAN has one: --preset dcgan64 --ngf 64"},
		{"--preset dcgan64 --size 36", 2, "--size: 36, want 4, 5, 6 or 7 times a power of two"},
		{"--preset dcgan64 --nz 0", 2, "--nz: 0, want at least 1"},
		{"--preset dcgan64 --size x", 2, "--size x: must be an integer"},
		{"--preset dcgan64 --size 4096 --ngf 4096", 2, "hint: smaller --size, --ngf or --ndf"},
		{"--preset dcgan64 DATA --out x", 2, "samples of shape [1 64 64], but the images of squares have shape [1 6 6]"},
		{"--resume done --ndf 4", 2, "--ndf: the networks of preset tiny have no such size"},
		{"--k 0", 2, "--k 0: recipe.k: 0, want at least 1"},
		{"--batch 0", 2, "--batch 0: "},
		{"--batch x", 2, "--batch x: must be a whole number"},
		{"--lr x", 2, "--lr x: must be a number"},
		{"--ema 0", 2, "--ema 0: must be a half-life in images, such as 10000, or off"},
		{"--ema on", 2, "--ema on: must be a half-life"},
		{"--resume done --ema 5", 2, "another recipe: ema.half_life_images is 400, not 5"},
		{"--resume done --ema off", 2, "another recipe: ema.half_life_images is 400, not unset"},
		{"export plain -o x --ema", 2, "--ema: plain/checkpoint-000002.safetensors was trained without a moving average"},
		{"--g-init normal:x", 2, "such as normal:0.02"},
		{"--g-loss hinge", 2, "--g-loss hinge: "},
		{"--solver sgd --beta1 0.5 --lr 0.1", 2, "beta1"},
		{"PRESET DATA --batch 56 --out x", 2, "--batch 56: squares has only 55 images"},
		{"DATA --out x", 2, "samples of shape [1 28 28], but the images of squares have shape [1 6 6]"},
		{"DATA --dry-run", 2, "samples of shape [1 28 28]"},
		{"DATA --dry-run", 2, "hint: --resize 28 makes them fit"},
		{"PRESET DATA --out done", 2, "done already holds a run"},
		{"PRESET DATA --out done --dry-run", 2, "done already holds a run"},
		{"PRESET DATA --out .", 2, "is not empty"},
		{"PRESET DATA --out bad.json", 1, "not a directory"},
		{"PRESET DATA --out x --init nowhere", 2, "nowhere"},
		{"--data mnist --out x --init done", 2, "does not fit preset dcgan28"},
		{"--resume nowhere", 2, "nowhere is not a run: it has no options.json"},
		{"--resume cut", 2, "cut is not a run"},
		{"--resume done --out x", 2, "--resume and --out exclude each other"},
		{"--resume done --init done", 2, "exclude each other"},
		{"--resume done --dry-run", 2, "exclude each other"},
		{"--resume done --steps 1", 2, "has already done 2"},
		{"--resume done --preset mlp28", 2, "done trains preset tiny, which is not mlp28"},
		{"--resume done --batch 11", 2, "another recipe: batch is 10, not 11"},
		{"--resume done --seed 1", 2, "--seed 0, not 1"},
		{"--resume done --data mnist", 2, "samples of shape"},
		{"export", 2, "takes one run directory"},
		{"export done", 2, "-o FILE"},
		{"export done -o x --step 7", 2, "no checkpoint of step 7"},
		{"export done -o x --step 7", 2, "it has 2, 0"},
		{"export cut -o x", 2, "has no checkpoint"},
		{"export bad.json -o x", 1, "bad.json is no checkpoint"},
		{"export done -o nowhere/x", 1, "nowhere"},
		{"presets nono", 2, "nono"},
		{"data", 2, "data takes the word inspect and a data set"},
		{"data look x", 2, "data takes the word inspect"},
		{"data inspect", 2, "data inspect takes one data set, got 0"},
		{"data inspect a b", 2, "hint: gantrain data inspect faces"},
		{"data inspect nowhere", 2, "--data nowhere: no such data set"},
		{"data inspect bad.json", 1, "bad.json is no data set, want a folder of images"},
		{"data inspect done --resize 2000", 2, "--resize 2000: must be from 0 to 1024"},
		{"--data bad.json --out x", 1, "bad.json is no data set"},
		{"--data empty --out x", 1, "empty holds no images (.png"},
		{"--data done --out x", 2, "--batch 128: done has only"},
		{"--resize 1025", 2, "--resize 1025: must be at most 1024"},
		{"--resume done --resize 6", 2, "done has --resize 0, not 6"},
		{"--resume done --mirror", 2, "done has --mirror=false, not true"},
		{"version 2", 2, "takes no arguments"},
		{"bench mlp28", 2, "hint: gantrain bench --preset mlp28"},
		{"bench --preset mlp82", 2, `did you mean "mlp28"?`},
		{"bench --batch 0", 2, "--batch 0: recipe.batch: 0, want at least 1"},
		{"bench --threads 0", 2, "--threads 0: must be at least 1"},
		{"bench --seconds -1", 2, "--seconds -1: must be 0 to 1e6"},

		{"--outdir x", 2, "did you mean --out?"},
		{"--batch-size 3", 2, "did you mean --batch?"},
		{"--batchSize 3", 2, "did you mean --batch?"},
		{"--epochs 3", 2, "did you mean --steps?"},
		{"--niter 3", 2, "did you mean --steps?"},
		{"--data MNIST", 2, "did you mean mnist?"},
		{"--data cut", 2, "did you mean --data idx:cut?"},
		{"--preset MLP28", 2, "did you mean mlp28?"},
		{"--preset bad.json", 2, "gantrain presets mlp28 prints one"},
		{"--steps 3 export", 2, "the command stands first"},
		{"--steps 1000000000", 2, "hint: leave it out"},
		{"--batch 7 --shards 2", 2, "hint: leave out --batch or --shards"},
		{"--solver sgd --beta1 0.5", 2, "hint: leave out --solver or --beta1"},
		{"--resume done --steps 0", 2, "hint: leave it out for what the run has"},
		{"--resume done --lr-decay 1.5", 2, "solver.lr_decay is unset, not 1.5"},
		{"--resume done/checkpoint-000002.safetensors", 2, "hint: give its directory: --resume done"},
		{"-n --data idx:nowhere", 1, "hint: --data takes mnist, ring, grid, folders"},
		{"-n PRESET DATA --out bad.json", 1, "hint: give --out a directory that you may make"},
		{"-n PRESET DATA --out bad.json/x", 1, "hint: give --out a directory that you may make"},
		{"PRESET DATA --out LONG", 1, "hint: give --out a directory that you may make"},
		{"export done -o -", 2, "goes into a file, not to stdout"},
		{"export done -o cut", 1, "cut: is a directory, not a regular file"},
		{"export done -o cut", 1, "hint: -o takes a file"},
		{"export done -o nowhere/x", 1, "hint: -o takes a file"},
	} {
		t.Run(c.args, func(t *testing.T) {
			if runtime.GOOS == "windows" && strings.Contains(c.want, "no such file") {
				t.Skip("Windows words this in another way")
			}
			code, stdout, stderr := call(strings.Fields(strings.NewReplacer("PRESET", preset, "DATA", data, "LONG", strings.Repeat("x", 300)).Replace(c.args))...)
			if code != c.code || !strings.Contains(stderr, c.want) || stdout != "" {
				t.Errorf("exit %d, want %d\n%s%s", code, c.code, stdout, stderr)
			}
			// One line for the error and one for the hint, if there is one.
			if !regexp.MustCompile(`\Agantrain: error: .+\n(gantrain: hint: .+\n)?\z`).MatchString(stderr) {
				t.Errorf("got\n%s", stderr)
			}
			if _, hint, _ := strings.Cut(stderr, "\n"); len(hint) > 81 || hint == "" {
				t.Errorf("no hint, or one of %d columns: %s", len(hint)-1, stderr)
			}
		})
	}
	if exists := func(p string) bool { _, err := os.Stat(p); return err == nil }; exists("x") || exists("runs") {
		t.Error("a refused run left its directory")
	}
	if sum(t, "done/checkpoint-000002.safetensors") != before {
		t.Error("a refusal changed the run")
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"train", "-h"}, {"export", "--help"}, {"bench", "--help"}, {"presets", "--help"}, {"data", "--help"}, {"data", "inspect", "-h"}, {"version", "--help"},
		{"help"}, {"help", "export"}, {"train", "help"}} {
		code, stdout, stderr := call(args...)
		if code != 0 || stderr != "" || !strings.Contains(stdout, "gantrain ") {
			t.Errorf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
		for line := range strings.Lines(stdout) {
			if len(line) > 81 {
				t.Errorf("%d columns: %s", len(line)-1, line)
			}
		}
	}
	newTrainFlags().fs.VisitAll(func(f *pflag.Flag) {
		if !regexp.MustCompile(`--` + f.Name + `\b`).MatchString(usage) {
			t.Errorf("--%s is not in the help", f.Name)
		}
	})
	for _, name := range []string{"preset", "data", "steps", "seed", "vm", "checkpoint-every", "keep", "sample-every", "log-every"} {
		value := newTrainFlags().fs.Lookup(name).DefValue
		if !regexp.MustCompile(`--` + name + ` [^()]*\(` + value + `\)`).MatchString(usage) {
			t.Errorf("the help does not say that --%s is %s", name, value)
		}
	}
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if code, stdout, _ := call(args...); code != 0 || !strings.HasPrefix(stdout, "gantrain 0.") {
			t.Errorf("%v: exit %d, %s", args, code, stdout)
		}
	}
}

// TestDocs: the flags of each command that the documents show exist, and take
// the values that they have there.
func TestDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range regexp.MustCompile(`(?m)^    gantrain\b.*$`).FindAllString(string(text), -1) {
			command, _, _ := strings.Cut(line[4:], "  ") // a remark follows
			args := append(strings.Fields(command)[1:], "--help")
			if code, _, stderr := call(args...); code != 0 {
				t.Errorf("%s: %s: exit %d\n%s", page, command, code, stderr)
			}
			commands++
		}
	}
	if commands < 30 {
		t.Errorf("found %d commands", commands)
	}
}

// TestExamples carries out the three examples of the help, as they stand there.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("trains dcgan28 for 100 steps")
	}
	if kernel.Tier() == "go" {
		t.Skip("trains dcgan28 for 100 steps, which takes minutes without assembly kernels")
	}
	t.Chdir(t.TempDir())
	_, text, _ := strings.Cut(usage, "Examples\n")
	text, _, _ = strings.Cut(text, "\n\n")
	for line := range strings.Lines(text) {
		args := strings.Fields(line)
		if args[0] != "gantrain" {
			t.Fatalf("not an example: %s", line)
		}
		if code, _, stderr := call(args[1:]...); code != 0 {
			t.Errorf("%sexit %d\n%s", line, code, stderr)
		}
	}
}

func TestPresets(t *testing.T) {
	code, stdout, _ := call("presets")
	for _, p := range models.Presets() {
		if code != 0 || !strings.Contains(stdout, p.Name) {
			t.Errorf("exit %d, %s is missing in\n%s", code, p.Name, stdout)
		}
		code, text, stderr := call("presets", p.Name)
		if code != 0 {
			t.Fatal(stderr)
		}
		back, err := models.ParsePreset([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if back.Name != p.Name || back.Recipe != p.Recipe {
			t.Errorf("got %+v, want %+v", back.Recipe, p.Recipe)
		}
	}
	for line := range strings.Lines(stdout) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}

func TestDryRun(t *testing.T) {
	t.Chdir(t.TempDir())
	code, stdout, stderr := call("train", "--dry-run", "--preset=goodfellow-mnist")
	if code != 0 || stderr != "" || !strings.Contains(stdout, "parameters: generator 2503984, discriminator 1231441") { // as in the paper's code
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	if entries, _ := os.ReadDir("."); len(entries) > 0 {
		t.Errorf("a dry run wrote %v", entries)
	}
}

// TestRecipeFlags: every field of the recipe has a flag.
func TestRecipeFlags(t *testing.T) {
	p, err := models.LoadPreset("mlp28")
	if err != nil {
		t.Fatal(err)
	}
	set := func(args ...string) (models.Recipe, error) {
		f := newTrainFlags()
		if err := parse(f.fs, args, usage, io.Discard); err != nil {
			return models.Recipe{}, err
		}
		r := p.Recipe
		return r, applyRecipeFlags(f.fs, &r)
	}
	got, err := set("--batch=64", "--k=2", "--shards=4", "--update=alternating", "--g-latents=fresh", "--g-loss=minimax", "--g-loss-scale=0.5",
		"--d-loss-scale=2", "--lr=1", "--d-lr=0.25", "--beta1=0.1", "--beta2=0.9", "--eps=1e-6", "--lr-decay=1.5", "--lr-min=0.125",
		"--g-init=normal:0.02", "--d-init=uniform:0.05", "--g-output-bias=marginals", "--ema=500", "--gamma-std=0.02")
	want := models.Recipe{Batch: 64, K: 2, Shards: 4, Update: "alternating", GLatents: "fresh", GLoss: "minimax", GLossScale: 0.5, DLossScale: 2,
		Solver: models.Solver{Type: "adam", GLR: 1, DLR: 0.25, Beta1: 0.1, Beta2: 0.9, Eps: 1e-6, LRDecay: 1.5, LRMin: 0.125},
		Init:   models.Init{G: models.Distribution{Type: "normal", Scale: 0.02}, D: models.Distribution{Type: "uniform", Scale: 0.05}, GOutputBias: "marginals", GammaStd: 0.02},
		EMA:    models.EMA{HalfLifeImages: 500}}
	if err != nil || got != want {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	got, err = set("--solver=sgd", "--momentum=0.5", "--momentum-final=0.7", "--momentum-start=1", "--momentum-saturate=250",
		"--g-lr=0.5", "--update=simultaneous", "--g-loss=non-saturating", "--g-init=fan-in-uniform", "--g-output-bias=none", "--ema=off")
	want = p.Recipe
	want.Update, want.EMA = "simultaneous", models.EMA{}
	want.Solver = models.Solver{Type: "sgd", GLR: 0.5, DLR: p.Recipe.Solver.DLR, Momentum: 0.5, MomentumFinal: 0.7, MomentumStart: 1, MomentumSaturate: 250}
	if err != nil || got != want {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}
