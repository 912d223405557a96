package main

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/internal/npy"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// brokenWriter is standard output on a full disk.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestStdoutErrors(t *testing.T) {
	dirWithModels(t)
	for _, line := range []string{"run g.onnx --input z=z.npy", "inspect g.onnx", "--help", "sample --help", "--version"} {
		var stderr bytes.Buffer
		if code := run(strings.Fields(line), brokenWriter{}, &stderr); code != 1 || !strings.Contains(stderr.String(), "no space") {
			t.Errorf("ganinfer %s: exit code %d, %q, want 1 and the error", line, code, &stderr)
		}
	}
}

// TestLastImage draws the image with the largest number.
func TestLastImage(t *testing.T) {
	dirWithModels(t)
	mustRun(t, "sample --model g.onnx --seed 3 --first 18446744073709551615 --count 1 --out images")
	if _, err := os.Stat("images/seed0003-18446744073709551615.png"); err != nil {
		t.Error(err)
	}
	mustRun(t, "sample --model g.onnx --seed 3 --first 18446744073709551614 --count 2 --out two.npy")
}

// TestModelByPosition names the model without its flag.
func TestModelByPosition(t *testing.T) {
	dirWithModels(t)
	mustRun(t, "sample g.onnx --seeds 0-3 --out a.npy")
	mustRun(t, "sample --model g.onnx --seeds 0-3 --out b.npy")
	if !slices.Equal(read(t, "a.npy").U8, read(t, "b.npy").U8) {
		t.Error("other bytes")
	}
	if mustRun(t, "run g.onnx --input z=z.npy") != mustRun(t, "run --model g.onnx --input z=z.npy") {
		t.Error("run prints something else")
	}
	if mustRun(t, "inspect g.onnx") != mustRun(t, "inspect --model g.onnx") {
		t.Error("inspect prints something else")
	}
}

// TestRepeatedSeeds: an array and a grid take a seed twice, a directory cannot.
func TestRepeatedSeeds(t *testing.T) {
	dirWithModels(t)
	mustRun(t, "sample g.onnx --seeds 1,1 --out a.npy --grid x.png")
	if a := read(t, "a.npy").U8; len(a) != 12 || !slices.Equal(a[:6], a[6:]) {
		t.Errorf("got %v, want the same image twice", a)
	}
}

// TestTargetsFirst: that a file cannot be made is found before anything is drawn, so nothing else is
// written either. The file of 10^9 images would take hours.
func TestTargetsFirst(t *testing.T) {
	dirWithModels(t)
	if err := os.Mkdir("dir.npy", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("dir.png", 0o777); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"--count 1000000000 --out no/y.npy": "no/y.npy",
		"--grid no/x.png --out images":      "no/x.png",
		"--grid dir.png --out images":       "dir.png",
		"--grid x.png --out dir.npy":        "dir.npy",
		"--grid x.png --out no/y.npy":       "no/y.npy",
	} {
		code, _, stderr := ganinfer("sample g.onnx --seed 1 " + line)
		if code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, %s", line, code, stderr)
		}
		for _, left := range []string{"images", "x.png", "y.npy"} {
			if _, err := os.Stat(left); err == nil {
				t.Errorf("%s: left %s behind", line, left)
			}
		}
		if left, _ := filepath.Glob(".*.tmp"); len(left) > 0 {
			t.Errorf("%s: left %v behind", line, left)
		}
	}
}

// TestEqualSigns: names of a model and of files may hold a =.
func TestEqualSigns(t *testing.T) {
	dirWithModels(t)
	if err := os.MkdirAll("k=v", 0o777); err != nil {
		t.Fatal(err)
	}
	save(t, "k=v/z=1.npy", read(t, "z.npy"))
	save(t, "zero.npy", &npy.Array{DType: npy.Float32, Shape: []int{3, 4}, F32: make([]float32, 12)})
	mustRun(t, "run g.onnx --input z=z.npy --output image=want.npy")
	mustRun(t, "run g.onnx --input z=k=v/z=1.npy --output image=k=v/out=1.npy")
	mustRun(t, "run odd.onnx --input a=k=v/z=1.npy --input a=b=zero.npy --output image=got.npy")
	want := read(t, "want.npy").F32
	for _, name := range []string{"k=v/out=1.npy", "got.npy"} {
		for i, v := range read(t, name).F32 {
			if math.Float32bits(v) != math.Float32bits(want[i]) {
				t.Fatalf("%s: element %d is %v, want %v", name, i, v, want[i])
			}
		}
	}
}

// TestNoEscapes puts a terminal's commands wherever a file holds text, and looks for them in what
// people see.
func TestNoEscapes(t *testing.T) {
	dirWithModels(t)
	const evil = "x\x1b[2J\u202ey\u009bz"
	write := func(name string, change func(g *onnx.GraphProto, m *onnx.ModelProto)) {
		m := onnxtest.Small()
		change(m.Graph, m)
		if err := os.WriteFile(name, onnxtest.Bytes(m), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("names.onnx", func(g *onnx.GraphProto, m *onnx.ModelProto) {
		g.Input[0] = onnxtest.Value(evil, evil, 4)
		g.Node[0].Input[0], g.Node[0].Name = evil, evil
		g.Node[4].Output[0], g.Output[0].Name = evil+"o", evil+"o"
		m.ProducerName = evil
		m.MetadataProps = []*onnx.StringStringEntryProto{{Key: evil, Value: evil}}
	})
	write("op.onnx", func(g *onnx.GraphProto, _ *onnx.ModelProto) { g.Node[1].OpType = evil })
	write("domain.onnx", func(g *onnx.GraphProto, _ *onnx.ModelProto) { g.Node[1].Domain = evil })
	write("attribute.onnx", func(g *onnx.GraphProto, _ *onnx.ModelProto) { g.Node[1].Attribute[0].Name = evil })
	write("latent.onnx", func(_ *onnx.GraphProto, m *onnx.ModelProto) {
		m.MetadataProps = []*onnx.StringStringEntryProto{{Key: "gantry.latent", Value: evil}, {Key: "gantry." + evil, Value: evil}}
	})
	var out, stderr bytes.Buffer
	for _, line := range [][]string{
		{"inspect", "names.onnx"}, {"run", "names.onnx", "--input", evil + "=z.npy"}, {"run", "names.onnx", "--input", evil + "=z5.npy"}, {"run", "names.onnx"},
		{"inspect", "op.onnx"}, {"inspect", "domain.onnx"}, {"inspect", "attribute.onnx"}, {"sample", "latent.onnx", "--seeds", "1", "--out", "x.npy"}, {"verify", "latent.onnx"},
	} {
		out.Reset()
		stderr.Reset()
		code := run(line, &out, &stderr)
		text := out.String() + stderr.String()
		if strings.ContainsAny(text, "\x1b\u202e\u009b") {
			t.Errorf("ganinfer %q: %q", line, text)
		}
		if want := line[0] == "inspect" && line[1] == "names.onnx" || len(line) == 4 && strings.HasSuffix(line[3], "=z.npy"); (code == 0) != want {
			t.Errorf("ganinfer %q: exit code %d, %q", line, code, text)
		}
	}
}
