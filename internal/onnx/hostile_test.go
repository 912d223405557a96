package onnx_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// TestHostile loads every hostile file: an error of the two documented types, the
// same as in testdata/hostile/errors.txt, and little memory.
func TestHostile(t *testing.T) {
	var texts strings.Builder
	texts.WriteString("# What internal/onnx says of each hostile file of onnxtest. UPDATE_GOLDEN=1 go test ./internal/onnx rewrites this.\n")
	for _, f := range onnxtest.Hostile() {
		data := f.Make()
		start := time.Now()
		var err error
		spent := allocated(func() { err = prepareErr(t, data) })
		if err == nil {
			t.Errorf("%s: accepted", f.Name)
			continue
		}
		checkError(t, f.Name, err)
		if spent > 200<<20 {
			t.Errorf("%s: allocated %d MiB for a file of %d MiB, want at most 200", f.Name, spent>>20, len(data)>>20)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: took %v", f.Name, d)
		}
		fmt.Fprintf(&texts, "%s: %v\n", f.Name, err)
	}
	golden := filepath.Join("..", "..", "testdata", "hostile", "errors.txt")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(texts.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(texts.String(), "\n"), strings.Split(string(want), "\n")
	for i, line := range gotLines {
		if i >= len(wantLines) || line != wantLines[i] {
			t.Errorf("%s line %d: got %q", golden, i+1, line)
			break
		}
	}
	if len(gotLines) != len(wantLines) {
		t.Errorf("%s: got %d lines, want %d", golden, len(gotLines), len(wantLines))
	}
}

// TestHostileResident loads bulky files, those that get past the scan and one
// that does not, in a process of their own and looks at the memory that it ever
// had, the runtime's own included.
func TestHostileResident(t *testing.T) {
	if path := os.Getenv("GANTRY_HOSTILE_FILE"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := onnx.Prepare(data, onnx.Limits{}); err == nil {
			t.Fatal("accepted")
		}
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		fmt.Printf("HWM %s\n", strings.Fields(rest)[0])
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc/self/status, which Linux alone has")
	}
	resident := []string{
		"bulk/300k nested subgraphs", "bulk/a million empty dimensions", "bulk/a million empty opset_imports", "bulk/a million empty initializers",
		"bulk/booleans that widen to 480 MB", "bulk/60k inputs, 60k initializers", "bulk/a thousand nodes of 500 inputs and 500 outputs",
	}
	ran := 0
	for _, f := range onnxtest.Hostile() {
		if !slices.Contains(resident, f.Name) {
			continue
		}
		ran++
		data := f.Make()
		path := filepath.Join(t.TempDir(), "model.onnx")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestHostileResident$")
		cmd.Env = append(os.Environ(), "GANTRY_HOSTILE_FILE="+path)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", f.Name, err, out)
			continue
		}
		_, rest, _ := strings.Cut(string(out), "HWM ")
		kib, err := strconv.Atoi(strings.Fields(rest + " ?")[0])
		if err != nil {
			t.Errorf("%s: no figure in %q", f.Name, out)
			continue
		}
		beyond := kib>>10 - len(data)>>20
		t.Logf("%-50s file %3d MiB, %3d MiB beyond it", f.Name, len(data)>>20, beyond)
		if beyond > 256 {
			t.Errorf("%s: %d MiB beyond the file, want at most 256", f.Name, beyond)
		}
	}
	if ran != len(resident) {
		t.Errorf("ran %d files, want %d", ran, len(resident))
	}
}

// TestTruncated cuts the small model at every byte, and TestBitFlips flips every
// bit of it.
func TestTruncated(t *testing.T) {
	file := onnxtest.Bytes(onnxtest.Small())
	for n := range file {
		err := prepareErr(t, file[:n])
		// A cut between fields leaves a shorter valid message: here, one without the metadata.
		if err == nil && n != len(file)-len("\x72\x0e\x0a\x06colour\x12\x04grey") {
			t.Errorf("accepted when cut at byte %d of %d", n, len(file))
		} else if err != nil {
			checkError(t, fmt.Sprint("cut at ", n), err)
		}
	}
}

func TestBitFlips(t *testing.T) {
	file := onnxtest.Bytes(onnxtest.Small())
	accepted := 0
	for i := range file {
		for bit := range 8 {
			b := bytes.Clone(file)
			b[i] ^= 1 << bit
			if err := prepareErr(t, b); err != nil {
				checkError(t, fmt.Sprintf("byte %d, bit %d", i, bit), err)
			} else {
				accepted++ // a weight, a letter of a name, an unknown field...
			}
		}
	}
	t.Logf("%d of %d files with one flipped bit are valid", accepted, 8*len(file))
}

// FuzzPrepare checks that a file is either refused with zero results, or that
// its topology is itself a valid graph over the constants, within a memory limit.
func FuzzPrepare(f *testing.F) {
	f.Add(onnxtest.Bytes(onnxtest.Small()))
	seeds := 0
	for _, h := range onnxtest.Hostile() {
		if strings.HasPrefix(h.Name, "bulk/") {
			continue
		}
		if data := h.Make(); len(data) < 4<<10 { // long ones only slow the fuzzer down
			f.Add(data)
			seeds++
		}
	}
	if seeds == 0 {
		f.Fatal("no hostile seeds")
	}
	lim := onnx.Limits{Memory: 1 << 20}
	f.Fuzz(func(t *testing.T, file []byte) {
		before := bytes.Clone(file)
		var (
			topology []byte
			info     *onnx.Info
			err      error
		)
		if spent := allocated(func() { topology, info, err = onnx.Prepare(file, lim) }); spent > 2<<20 {
			t.Fatalf("allocated %d bytes, want at most 2 MiB", spent)
		}
		if !bytes.Equal(file, before) {
			t.Fatal("changed the file")
		}
		if err != nil {
			checkError(t, "file", err)
			if topology != nil || info != nil {
				t.Fatalf("results with error %v", err)
			}
			return
		}
		again, info2, err := onnx.Prepare(file, lim)
		if err != nil || !bytes.Equal(topology, again) || fmt.Sprint(info) != fmt.Sprint(info2) {
			t.Fatalf("a second Prepare differs, error %v", err)
		}
		var m onnx.ModelProto
		if err := m.Unmarshal(topology); err != nil {
			t.Fatalf("topology: %v", err)
		}
		if len(m.Graph.Node) != len(info.Nodes) || len(m.Graph.Input) != len(info.Inputs) || len(m.Graph.Output) != len(info.Outputs) {
			t.Fatalf("topology has %d nodes, %d inputs, %d outputs; info has %d, %d, %d", len(m.Graph.Node), len(m.Graph.Input), len(m.Graph.Output), len(info.Nodes), len(info.Inputs), len(info.Outputs))
		}
		known := map[string]bool{"": true}
		for _, v := range m.Graph.Input {
			known[v.Name] = true
		}
		for k, n := range m.Graph.Node {
			for _, x := range n.Input {
				if _, isConst := info.Consts[x]; !known[x] && !isConst {
					t.Fatalf("node %d reads %q before it is there", k, x)
				}
			}
			for _, y := range n.Output {
				if _, isConst := info.Consts[y]; known[y] || isConst {
					t.Fatalf("node %d defines %q again", k, y)
				}
				known[y] = true
			}
		}
		for name, c := range info.Consts {
			n := 1
			for _, d := range c.Shape {
				n *= d
			}
			if n != c.Len() || (c.F == nil) == (c.I == nil) {
				t.Fatalf("constant %q has shape %v and %d elements", name, c.Shape, c.Len())
			}
		}
		if m, err := onnx.ParseMetadata(info.Metadata); err != nil && m != nil {
			t.Fatalf("metadata with error %v", err)
		}
	})
}

func prepareErr(t *testing.T, file []byte) error {
	t.Helper()
	topology, info, err := onnx.Prepare(file, onnx.Limits{})
	if err != nil && (topology != nil || info != nil) {
		t.Errorf("results with error %v", err)
	}
	return err
}

// checkError checks that err is of a documented type, in one short line.
func checkError(t *testing.T, what string, err error) {
	t.Helper()
	var f *onnx.FormatError
	var u *onnx.UnsupportedError
	if !errors.As(err, &f) && !errors.As(err, &u) {
		t.Errorf("%s: got a %T, want a FormatError or an UnsupportedError: %v", what, err, err)
	}
	if s := err.Error(); !strings.HasPrefix(s, "onnx: ") || len(s) > 1000 || strings.ContainsAny(s, "\n\x00") {
		t.Errorf("%s: got message %.2000q", what, s)
	}
}

// allocated returns the bytes that f allocates on the heap, garbage included.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
