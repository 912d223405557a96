//go:build linux

package main

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// called runs a program that is this test binary, perhaps with a model behind it, as ganinfer.
func called(program, line string, env ...string) (code int, stdout, stderr string) {
	cmd := exec.Command(program, strings.Fields(line)...)
	cmd.Env = append(append(os.Environ(), "GANINFER_TEST_MAIN=1"), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// TestPack makes a program that holds a model and uses it as one would.
func TestPack(t *testing.T) {
	dirWithModels(t)
	must := func(program, line string) string {
		t.Helper()
		code, stdout, stderr := called(program, line)
		if code != 0 || stderr != "" && !strings.Contains(line, "pack") {
			t.Fatalf("%s %s: exit code %d, %s", program, line, code, stderr)
		}
		return stdout
	}
	code, _, stderr := called(os.Args[0], "pack --model g.onnx -o mygan")
	if warned := strings.Contains(stderr, "mygan will need this system's C library"); code != 0 || warned != isDynamic(t, os.Args[0]) {
		t.Fatalf("pack: exit code %d, %q; is the program dynamic: %v", code, stderr, !warned)
	}
	must("./mygan", "--seeds 0-9 --grid x.png")
	must("./mygan", "sample --seeds 0-9 --out x.npy")
	must("./mygan", "run --input z=z.npy --output image=out.npy")
	mustRun(t, "sample g.onnx --seeds 0-9 --grid want.png --out want.npy")
	mustRun(t, "run g.onnx --input z=z.npy --output image=wantout.npy")
	for got, want := range map[string]string{"x.png": "want.png", "x.npy": "want.npy", "out.npy": "wantout.npy"} {
		a, errA := os.ReadFile(got)
		b, errB := os.ReadFile(want)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s and %s differ: %v, %v", got, want, errA, errB)
		}
	}
	if must("./mygan", "inspect") != mustRun(t, "inspect g.onnx") {
		t.Error("inspect shows something else")
	}
	must("./mygan", "inspect points.onnx")
	must("./mygan", "--help")
	if code, _, stderr := called("./mygan", ""); code != 2 || !strings.Contains(stderr, "no output") {
		t.Errorf("without flags: %d, %s", code, stderr)
	}
	// A packed program packs another model, not both.
	must("./mygan", "pack points.onnx -o points")
	must("./points", "--seeds 1 --out p.npy")
	size := func(name string) int64 {
		st, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return st.Size()
	}
	if a, b := size("mygan")-size("g.onnx"), size("points")-size("points.onnx"); a != b || a != size(os.Args[0])+48 {
		t.Errorf("beside their models, the programs have %d and %d bytes, want %d", a, b, size(os.Args[0])+48)
	}
}

// isDynamic reports whether another program loads this one.
func isDynamic(t *testing.T, program string) bool {
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

// TestPackDamage: a packed program that was cut off or changed says so.
func TestPackDamage(t *testing.T) {
	dirWithModels(t)
	if code, _, stderr := called(os.Args[0], "pack --model g.onnx -o mygan"); code != 0 {
		t.Fatal(stderr)
	}
	whole, err := os.ReadFile("mygan")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		"cut off":      {func(b []byte) []byte { return b[:len(b)-100] }, "bytes begins there, but only"},
		"no record":    {func(b []byte) []byte { return b[:len(b)-24] }, "and no record is at the end"},
		"another sum":  {func(b []byte) []byte { b[len(b)-5]++; return b }, "the record at the end is damaged"},
		"another byte": {func(b []byte) []byte { b[len(b)-100]++; return b }, "the checksum of the file is"},
		"longer":       {func(b []byte) []byte { return append(b, "\n"...) }, "and no record is at the end"},
	} {
		if err := os.WriteFile(name, c.change(bytes.Clone(whole)), 0o777); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := called("./"+name, "--seeds 1 --grid x.png")
		if code != 1 || !strings.Contains(stderr, c.want) || !strings.Contains(stderr, "hint: copy the program again") {
			t.Errorf("%s: exit code %d, %s, want 1 and %q", name, code, stderr, c.want)
		}
		if code, _, again := called("./"+name, "sample --seeds 1 --grid x.png"); code != 1 || again != stderr {
			t.Errorf("%s sample: exit code %d, %s", name, code, again)
		}
	}
}

// TestPackRefuses: programs for other platforms that are not there.
func TestPackRefuses(t *testing.T) {
	dirWithModels(t)
	other := map[string]string{"amd64": "arm64"}[runtime.GOARCH]
	if other == "" {
		other = "amd64"
	}
	if err := os.Link(os.Args[0], "ganinfer"); err != nil {
		b, err := os.ReadFile(os.Args[0])
		if err == nil {
			err = os.WriteFile("ganinfer", b, 0o777)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line string
		code int
		want string
	}{
		{"pack g.onnx", 2, "--out is missing"},
		{"pack -o x", 2, "--model is missing"},
		{"pack g.onnx -o x --os ../x", 2, "there is no such platform"},
		{"pack none.onnx -o x", 1, "none.onnx: no such file"},
		{"pack loop.onnx -o x", 1, "operator Loop"},
		{"pack --max-nodes 1 g.onnx -o x", 1, "(Limits.Nodes)"},
		{"pack g.onnx -o x --arch " + other, 1, "there is no " + filepath.Join(dir, "ganinfer-linux-"+other) + ", and building it failed: there is no Go in PATH"},
	} {
		code, _, stderr := called("./ganinfer", c.line, "PATH=")
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit code %d, %s, want %d and %q", c.line, code, stderr, c.code, c.want)
		}
	}
	if err := os.WriteFile("ganinfer-linux-"+other, []byte("#!/bin/sh"), 0o777); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := called("./ganinfer", "pack g.onnx -o x --arch "+other); code != 1 || !strings.Contains(stderr, "is no ganinfer that can hold a model") {
		t.Errorf("%d, %s", code, stderr)
	}
}
