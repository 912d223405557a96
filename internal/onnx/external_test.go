package onnx_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// externalDir makes a directory of a model whose weight w0, 20 numbers, is at byte 64 of w.data, with what an attacker
// may put beside it, and returns it with the weight's bytes.
func externalDir(t testing.TB) (dir string, w0 []byte) {
	t.Helper()
	out := t.TempDir()
	dir = filepath.Join(out, "model")
	w0 = *onnxtest.Small().Graph.Initializer[0].RawData
	data := append(make([]byte, 64), w0...)
	for name, b := range map[string][]byte{"secret": bytes.Repeat([]byte{7}, len(data)), "model/w.data": data, "model/sub/w.data": data} {
		path := filepath.Join(out, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"inside": "sub/w.data", "outside": "../secret", "absolute": filepath.Join(out, "secret"), "up": "..", "self": "self"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	f, err := os.Create(filepath.Join(dir, "sparse"))
	if err == nil {
		err = f.Truncate(1 << 40)
		f.Close()
	}
	if err != nil {
		t.Skip(err)
	}
	return dir, w0
}

// externalModel is the small model with w0 in another file.
func externalModel(entries ...string) []byte {
	m := onnxtest.Small()
	m.Graph.Initializer[0].RawData = nil
	onnxtest.External(m.Graph.Initializer[0], entries...)
	return onnxtest.Bytes(m)
}

func TestExternal(t *testing.T) {
	dir, _ := externalDir(t)
	for _, c := range []struct {
		entries string // keys and values in turn
		want    string // of the error; "" for none
	}{
		{"location w.data offset 64 length 80", ""},
		{"offset 64 location w.data", ""}, // to the end
		{"location sub/w.data offset 64 length 80 checksum 00", ""},
		{"location inside offset 64 length 80", ""},
		{"location sub/../w.data offset 64 length 80", ""},
		{"location ../model/w.data offset 64 length 80", "in the model's directory"},
		{"location ../secret offset 64 length 80", "in the model's directory"},
		{"location " + filepath.Join(dir, "w.data") + " offset 64 length 80", "in the model's directory"},
		{"location /etc/passwd", "in the model's directory"},
		{"location outside offset 64 length 80", "in the model's directory"},
		{"location absolute offset 64 length 80", "in the model's directory"},
		{"location up/secret offset 64 length 80", "in the model's directory"},
		{"location self", "in the model's directory"},
		{"location sub", "is not a regular file"},
		{"location .", "is not a regular file"},
		{"location nothing", "in the model's directory"},
		{"location w.data/", ""}, // replaced below by what the system says
		{"location w.data", "144 bytes for the tensor, want 80 for FLOAT [5 4]"},
		{"location w.data offset 64 length 76", "76 bytes for the tensor, want 80"},
		{"location w.data offset 65 length 80", "144 bytes, want 80 from byte 65 on"},
		{"location w.data offset 145", "144 bytes, want 80 from byte 145 on"},
		{"location w.data offset 9223372036854775807 length 80", "144 bytes, want 80 from byte 9223372036854775807 on"},
		{"location w.data offset 64 length 9223372036854775807", "144 bytes, want 80 from byte 64 on"},
		{"location w.data offset -1", `offset is "-1", want a number, at least 0`},
		{"location w.data offset 0x40", `offset is "0x40"`},
		{"location w.data length 9223372036854775808", `length is "9223372036854775808"`},
		{"location w.data location w.data", `key "location" twice`},
		{"offset 64 length 80", "has no location"},
		{"location w\x00.data", "want UTF-8 without NUL"},
		{"location sparse length 80", ""}, // zeros: a valid file
	} {
		_, info, err := onnx.PrepareIn(dir, externalModel(strings.Fields(c.entries)...), onnx.Limits{})
		if strings.Contains(c.entries, "w.data/") {
			continue // systems differ, none may panic
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.entries, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", c.entries, err, c.want)
		case err == nil && !strings.Contains(c.entries, "sparse") && (len(info.Consts["w0"].F) != 20 || info.Consts["w0"].F[0] != -3.0/8):
			t.Errorf("%s: got %v", c.entries, info.Consts["w0"])
		case err != nil:
			checkError(t, c.entries, err)
		}
	}
	good := externalModel("location", "w.data", "offset", "64", "length", "80")
	if _, _, err := onnx.Prepare(good, onnx.Limits{}); err == nil || !strings.Contains(err.Error(), "load the model from its file") {
		t.Errorf("without a directory: got %v", err)
	}
	if _, _, err := onnx.PrepareIn(dir, good, onnx.Limits{FileBytes: int64(len(good)) + 79}); err == nil || !strings.Contains(err.Error(), "Limits.FileBytes") {
		t.Errorf("above the limit: got %v", err)
	}
	if _, _, err := onnx.PrepareIn(dir, good, onnx.Limits{FileBytes: int64(len(good)) + 80}); err != nil {
		t.Errorf("at the limit: %v", err)
	}
}

// TestExternalAgain reads one large file by many tensors: together they are within the limit or refused.
func TestExternalAgain(t *testing.T) {
	dir, _ := externalDir(t)
	m := onnxtest.Small()
	for i := range 1000 {
		w := &onnx.TensorProto{Name: fmt.Sprint("x", i), DataType: int32(onnx.Float32), Dims: []int64{1 << 20}}
		onnxtest.External(w, "location", "sparse", "offset", fmt.Sprint(i<<22), "length", fmt.Sprint(1<<22))
		m.Graph.Initializer = append(m.Graph.Initializer, w)
	}
	lim := onnx.Limits{FileBytes: 16 << 20}
	spent := allocated(func() {
		if _, _, err := onnx.PrepareIn(dir, onnxtest.Bytes(m), lim); err == nil || !strings.Contains(err.Error(), "Limits.FileBytes") {
			t.Errorf("got %v, want the limit", err)
		}
	})
	if spent > 32<<20 {
		t.Errorf("allocated %d MiB", spent>>20)
	}
}

func FuzzExternal(f *testing.F) {
	dir, w0 := externalDir(f)
	for _, s := range []string{"w.data", "../secret", "outside", "sub/../../secret", "up/secret", "sparse", "/etc/passwd", "self", ".", "inside"} {
		f.Add(s, "64", "80", int64(5), int64(4))
	}
	f.Add("w.data", "9223372036854775807", "-1", int64(1<<62), int64(4))
	f.Add("\n", "", "", int64(5), int64(4))
	f.Fuzz(func(t *testing.T, location, offset, length string, rows, columns int64) {
		m := onnxtest.Small()
		m.Graph.Initializer[0].RawData, m.Graph.Initializer[0].Dims = nil, []int64{rows, columns}
		onnxtest.External(m.Graph.Initializer[0], "location", location, "offset", offset, "length", length)
		var info *onnx.Info
		var err error
		if spent := allocated(func() {
			_, info, err = onnx.PrepareIn(dir, onnxtest.Bytes(m), onnx.Limits{FileBytes: 1 << 20, Memory: 1 << 20})
		}); spent > 3<<20 {
			t.Fatalf("allocated %d bytes", spent)
		}
		if err != nil {
			checkError(t, location, err)
			return
		}
		if location != "sparse" && rows*columns == 20 && offset == "64" { // any file that may be read holds it there
			m.Graph.Initializer[0] = onnxtest.Floats("w0", info.Consts["w0"].F, rows, columns)
			if !bytes.Equal(*m.Graph.Initializer[0].RawData, w0) {
				t.Fatalf("%q holds %v", location, info.Consts["w0"].F)
			}
		}
	})
}
