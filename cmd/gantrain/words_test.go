package main

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestEmpty: an empty value is a shell variable that is not set, not a wish.
func TestEmpty(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, flag := range []string{"out", "resume", "init", "g-output-bias", "preset", "data", "vm"} {
		code, stdout, stderr := call("--" + flag + "=")
		if code != 2 || stdout != "" || !strings.HasPrefix(stderr, "gantrain: error: --"+flag+" is empty\ngantrain: hint: ") {
			t.Errorf("--%s: exit %d\n%s%s", flag, code, stdout, stderr)
		}
	}
	if code, _, stderr := call("export", "x", "-o", ""); code != 2 || !strings.Contains(stderr, "--out is empty") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	if entries, _ := os.ReadDir("."); len(entries) > 0 {
		t.Errorf("left: %v", entries)
	}
}

// TestVectors: samples that are no images are drawn as an array.
func TestVectors(t *testing.T) {
	preset, data := tiny(t)
	path := strings.TrimPrefix(preset, "--preset=")
	text := strings.NewReplacer(`, {"type": "reshape", "shape": [1, 6, 6]}`, "", `{"type": "flatten"}, `, "", `"shape": [1, 6, 6]`, `"shape": [36]`).Replace(tinyPreset)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "my run")
	code, stdout, stderr := call(preset, data, "--steps=2", "--out", dir)
	if want := "ganinfer sample --model '" + filepath.Join(dir, "generator.onnx") + "' --seeds 0-63 --out samples.npy\n"; code != 0 || !strings.HasSuffix(stdout, want) {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// full is a stdout on a full disk.
type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "stdout", Err: syscall.ENOSPC}
}

func TestStdoutFull(t *testing.T) {
	preset, data := tiny(t)
	for _, args := range [][]string{{preset, data, "--steps=2", "--out", filepath.Join(t.TempDir(), "run")}, {"--help"}, {"presets"}, {"version"}, {"export", "--help"}} {
		var words strings.Builder
		if code := run(args, nil, full{}, &words); code != 1 || !strings.Contains(words.String(), "gantrain: hint: the disk is full") {
			t.Errorf("%v: exit %d\n%s", args, code, words.String())
		}
	}
}

// TestSpecialFiles: an export does not replace what is no file.
func TestSpecialFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such files")
	}
	preset, data := tiny(t)
	t.Chdir(t.TempDir())
	if code, _, stderr := call(preset, data, "--steps=2", "--out=r"); code != 0 {
		t.Fatal(stderr)
	}
	l, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Symlink("far.onnx", "near.onnx"); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call("export", "r", "-o", "socket"); code != 1 || !strings.Contains(stderr, "socket: is a socket, not a regular file\n") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	if code, _, stderr := call("export", "r", "-o", "near.onnx"); code != 0 || sum(t, "far.onnx") != sum(t, "r/generator.onnx") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}

// TestDataMoved: where the data lie does not enter the bytes.
func TestDataMoved(t *testing.T) {
	preset, data := tiny(t)
	here := strings.TrimPrefix(data, "--data=idx:")
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		if code, _, stderr := call(args...); code != 0 {
			t.Fatal(stderr)
		}
	}
	whole, moved := filepath.Join(dir, "whole"), filepath.Join(dir, "moved")
	run(preset, data, "--steps=6", "--out", whole)
	run(preset, data, "--steps=3", "--out", moved)
	there := filepath.Join(dir, "elsewhere")
	if err := os.Rename(here, there); err != nil {
		t.Fatal(err)
	}
	run("--resume", moved, "--data=idx:"+there, "--steps=6")
	for _, n := range []string{"generator.onnx", "checkpoint-000006.safetensors"} {
		if sum(t, filepath.Join(moved, n)) != sum(t, filepath.Join(whole, n)) {
			t.Errorf("%s differs", n)
		}
	}
}
