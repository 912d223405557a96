package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

var sample = []Tensor{
	{"g.2.weight", []int{2, 3}, []float32{1, -2, 3.5, 4, 5, 6}},
	{"d.0.bias", []int{1}, []float32{-0.25}},
	{"scalar", []int{}, []float32{float32(math.Inf(-1))}},
	{"empty", []int{0, 7}, []float32{}},
}

func encode(t testing.TB, metadata map[string]string, tensors []Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// raw builds a file from a header's text.
func raw(header, data string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+data...)
}

func TestEncode(t *testing.T) {
	got := encode(t, map[string]string{"b": "<2>", "a": "1"}, sample[:2])
	want := string(raw(`{"__metadata__":{"a":"1","b":"<2>"},`+
		`"d.0.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},`+
		`"g.2.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]}}       `,
		"\x00\x00\x80\xbe"+"\x00\x00\x80\x3f\x00\x00\x00\xc0\x00\x00\x60\x40\x00\x00\x80\x40\x00\x00\xa0\x40\x00\x00\xc0\x40"))
	if string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if n := binary.LittleEndian.Uint64(got); n%8 != 0 {
		t.Errorf("header of %d bytes, want a multiple of 8", n)
	}
}

func TestRoundTrip(t *testing.T) {
	metadata := map[string]string{"spec": `{"x":"<&>"}`, "": "é\n"}
	b := encode(t, metadata, sample)
	f, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	want := []Tensor{sample[1], sample[3], sample[0], sample[2]}
	if !reflect.DeepEqual(f.Metadata, metadata) || !reflect.DeepEqual(f.Tensors, want) {
		t.Errorf("got  %v %v\nwant %v %v", f.Metadata, f.Tensors, metadata, want)
	}
	if again := encode(t, f.Metadata, f.Tensors); !bytes.Equal(again, b) {
		t.Error("decoding and encoding changed the bytes")
	}
	if f, err = Decode(encode(t, nil, nil)); err != nil || len(f.Tensors) != 0 || f.Metadata == nil {
		t.Errorf("no tensors: got %v, %v", f, err)
	}
}

// TestBits covers tensors longer than one write, and bits that are no number.
func TestBits(t *testing.T) {
	data := make([]float32, 200_003)
	for i := range data {
		data[i] = math.Float32frombits(uint32(i) * 2654435761)
	}
	f, err := Decode(encode(t, nil, []Tensor{{"x", []int{len(data)}, data}}))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range f.Tensors[0].Data {
		if math.Float32bits(v) != uint32(i)*2654435761 {
			t.Fatalf("element %d: got %#x, want %#x", i, math.Float32bits(v), uint32(i)*2654435761)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	one := []float32{1}
	for _, c := range []struct {
		tensors []Tensor
		want    string
	}{
		{[]Tensor{{"", []int{1}, one}}, "cannot be the name"},
		{[]Tensor{{"__metadata__", []int{1}, one}}, "cannot be the name"},
		{[]Tensor{{"\xff", []int{1}, one}}, "cannot be the name"},
		{[]Tensor{{"a", []int{1}, one}, {"a", []int{1}, one}}, "two tensors"},
		{[]Tensor{{"a", []int{2}, one}}, "1 elements, shape [2]"},
		{[]Tensor{{"a", []int{-1, -1}, one}}, "1 elements, shape [-1 -1]"},
		{[]Tensor{{"a", []int{math.MaxInt, math.MaxInt, 4}, nil}}, "0 elements"},
	} {
		var b bytes.Buffer
		if err := Encode(&b, nil, c.tensors); err == nil || !strings.Contains(err.Error(), c.want) || b.Len() > 0 {
			t.Errorf("got %v after %d bytes, want %q", err, b.Len(), c.want)
		}
	}
	if err := Encode(&bytes.Buffer{}, map[string]string{"a": "\xff"}, nil); err == nil {
		t.Error("metadata that is not UTF-8: no error")
	}
	b := encode(t, nil, sample)
	for n := range b {
		if err := Encode(&full{n}, nil, sample); !errors.Is(err, errFull) {
			t.Fatalf("disk full after %d bytes: got %v", n, err)
		}
	}
}

var errFull = errors.New("full")

type full struct{ left int }

func (w *full) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestDecodeErrors(t *testing.T) {
	const a = `"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"short", []byte("1234567"), "7 bytes, want at least 8"},
		{"giant header", []byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "header of 18446744073709551615 bytes, want at most 2"},
		{"no header", raw("", ""), "want a JSON object"},
		{"array", raw("[]", ""), "want a JSON object"},
		{"cut", raw(`{`+a, "1234"), "EOF"},
		{"rest", raw(`{`+a+`}x`, "1234"), "1 bytes after the JSON object"},
		{"twice", raw(`{`+a+`,`+a+`}`, "1234"), `key "a" stands twice`},
		{"metadata", raw(`{"__metadata__":{"a":1}}`, ""), "metadata"},
		{"unknown field", raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`, "1234"), "unknown field"},
		{"type", raw(`{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}`, "1234"), `type "F16", want F32`},
		{"no offsets", raw(`{"a":{"dtype":"F32","shape":[0]}}`, ""), "begins at byte -1, want 0"},
		{"too few data", raw(`{`+a+`}`, "123"), "ends at byte 4 of 3"},
		{"too many data", raw(`{`+a+`}`, "12345"), "5 bytes after the header, want 4"},
		{"gap", raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, "12345678"), "begins at byte 4, want 0"},
		{"overlap", raw(`{`+a+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "1234"), "begins at byte 0, want 4"},
		{"backwards", raw(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,-4]}}`, ""), "bytes 0 to -4"},
		{"shape", raw(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, "1234"), "want 4 for each element of [2]"},
		{"negative", raw(`{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, "1234"), "want 4 for each element of [-1 -1]"},
		{"product", raw(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, ""), "want 4 for each"},
		{"giant", raw(`{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}`, "1234"), "ends at byte 4000000000000 of 4"},
		{"offset overflow", raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775808]}}`, "1234"), "tensor"},
		{"fraction", raw(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}`, "1234"), "tensor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f, err := Decode(c.file)
			runtime.ReadMemStats(&after)
			if err == nil || f != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want an error with %q", f, err, c.want)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
				t.Errorf("%d bytes were allocated for a file of %d", n, len(c.file))
			}
		})
	}
	b := encode(t, map[string]string{"k": "v"}, sample)
	for n := range b {
		if _, err := Decode(b[:n]); err == nil {
			t.Errorf("a file cut after %d bytes was accepted", n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, map[string]string{"k": "v"}, sample))
	f.Add(encode(f, nil, nil))
	f.Add(raw(`{"a":{"dtype":"F32","shape":[2,0],"data_offsets":[0,0]}}`, ""))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Decode(b)
		if err != nil {
			if file != nil {
				t.Errorf("a file came with the error %v", err)
			}
			return
		}
		for _, x := range file.Tensors {
			if x.Name == "" { // JSON allows what Encode refuses
				return
			}
		}
		again, err := Decode(encode(t, file.Metadata, file.Tensors))
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Tensors) != len(file.Tensors) || !reflect.DeepEqual(again.Metadata, file.Metadata) {
			t.Errorf("got %v, want %v", again, file)
		}
	})
}

// TestPython has the reference implementation read what Encode writes, and
// Decode what the reference implementation writes.
func TestPython(t *testing.T) {
	python := os.Getenv("GANTRY_PYTHON")
	if python == "" {
		t.Skip("GANTRY_PYTHON names no Python with the safetensors package")
	}
	dir := t.TempDir()
	ours, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
	if err := os.WriteFile(ours, encode(t, map[string]string{"k": "v <&> é"}, sample), 0o666); err != nil {
		t.Fatal(err)
	}
	script := `
import sys
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
x = load_file(sys.argv[1])
with safe_open(sys.argv[1], 'numpy') as f: m = f.metadata()
assert m == {'k': 'v <&> é'}, m
assert sorted((k, v.shape, v.dtype.name) for k, v in x.items()) == [
    ('d.0.bias', (1,), 'float32'), ('empty', (0, 7), 'float32'),
    ('g.2.weight', (2, 3), 'float32'), ('scalar', (), 'float32')], x
assert x['g.2.weight'].tolist() == [[1, -2, 3.5], [4, 5, 6]], x
save_file(x, sys.argv[2], metadata=m)
`
	if out, err := exec.Command(python, "-c", script, ours, theirs).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(theirs)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	want := []Tensor{sample[1], sample[3], sample[0], sample[2]}
	if !reflect.DeepEqual(f.Tensors, want) || f.Metadata["k"] != "v <&> é" {
		t.Errorf("got %v %v, want %v", f.Metadata, f.Tensors, want)
	}
}
