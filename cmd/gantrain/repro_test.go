package main

import (
	"encoding/json"
	"image/color"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"gantry/train/repro"
)

// TestRepro: tables go to stdout, as text or as JSON, and pictures where --out
// says.
func TestRepro(t *testing.T) {
	preset, data := tiny(t)
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if code, _, stderr := call(preset, data, "--steps=2", "--out=r"); code != 0 {
		t.Fatal(stderr)
	}
	code, stdout, stderr := call("repro", "figure1", "--steps=6", "--json")
	if code != 0 || stderr != "" {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	var r repro.Figure1
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || len(r.Moments) != 6 || r.Picture != "repro/figure1/figure1.png" {
		t.Errorf("%v: %s", err, stdout)
	}
	writeImages(t, "faces", func(v uint8) color.Color { return color.Gray{v} })
	for _, c := range []struct{ args, want, file string }{
		{"figure1 --steps 6 --out f --threads 1", "figure: f/figure1.png\nanimation: f/figure1.gif\n", "f/figure1.gif"},
		{"figure2 r --out f DATA", "figure: f/figure2.png\n", "f/figure2.png"},
		{"figure2 r --data faces --out of-a-folder", "nearest one of faces, by Euclidean distance of pixels from 0 to 1\nfigure: of-a-folder/figure2.png\n", "of-a-folder/figure2.png"},
		{"figure2 r --data mnist:0-9 --out resized", "figure: resized/figure2.png\n", "resized/figure2.png"},
		{"figure3 r/generator.onnx --seed 2", "figure: repro/figure3/figure3.png\n", "repro/figure3/figure3.png"},
	} {
		args := strings.Fields(strings.Replace(c.args, "DATA", data, 1))
		code, stdout, stderr := call(append([]string{"repro"}, args...)...)
		if code != 0 || stderr != "" || !strings.HasSuffix(stdout, c.want) {
			t.Errorf("%s: exit %d\n%s%s", c.args, code, stdout, stderr)
		}
		if _, err := os.Stat(c.file); err != nil {
			t.Error(err)
		}
	}
}

func TestReproMisuse(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("file", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"", 2, "repro takes the name of the experiment first"},
		{"figure4", 2, "did you mean figure1?"},
		{"--json", 2, "unknown flag --json"},
		{"figure1 r", 2, "repro figure1 takes flags alone, got \"r\""},
		{"figure2", 2, "repro figure2 takes one run directory or ONNX file, got 0"},
		{"figure3 r --steps 5", 2, "unknown flag --steps"},
		{"figure3 nowhere", 2, "nowhere: no such file"},
		{"figure2 r --data nowhere", 2, "no such data set"},
		{"figure1 --steps 0", 2, "--steps 0: must be at least 6"},
		{"figure1 --threads 0", 2, "--threads 0: must be at least 1"},
		{"figure1 --out file", 1, "cannot make the directory of the results"},
		{"algorithm1 --steps 50", 2, "--steps 50: must be a multiple of 100"},
		{"modes --trials 0", 2, "--trials 0: must be from 1 to 1000"},
		{"modes --steps 0", 2, "--steps 0: must be at least 1"},
		{"parzen-mnist --seeds 0", 2, "--seeds 0: must be from 1 to 1000"},
		{"parzen-mnist --every 0", 2, "--every 0: must be at least 1"},
		{"parzen-mnist --steps 300 --every 200", 2, "--steps 300: --every 200 does not divide it"},
	} {
		code, stdout, stderr := call(append([]string{"repro"}, strings.Fields(c.args)...)...)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.want) || !strings.Contains(stderr, "\ngantrain: hint: ") {
			t.Errorf("%s: exit %d\n%s%s", c.args, code, stdout, stderr)
		}
	}
	if _, err := os.Stat("repro"); err == nil {
		t.Error("a refused experiment left its directory")
	}
}

func TestReproHelp(t *testing.T) {
	if len(experiments) != len(experimentNames) {
		t.Errorf("%d experiments, %d names", len(experiments), len(experimentNames))
	}
	checkHelp(t, "repro", reproUsage, experimentNames, func(name string) (string, *pflag.FlagSet) {
		return experiments[name].usage, newReproFlags(name).fs
	})
}
