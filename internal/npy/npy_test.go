package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// arrays are valid ones of every type and several shapes.
var arrays = []*Array{
	{DType: Float32, Shape: []int{2, 3}, F32: []float32{0, -1, 2.5, float32(math.Inf(1)), 1e-45, math.MaxFloat32}},
	{DType: Float64, Shape: []int{1}, F64: []float64{math.Pi}},
	{DType: Int64, Shape: []int{3, 1}, I64: []int64{math.MinInt64, -1, math.MaxInt64}},
	{DType: Uint8, Shape: []int{1, 1, 2, 2}, U8: []uint8{0, 1, 128, 255}},
	{DType: Float32, Shape: []int{}, F32: []float32{7}},
	{DType: Uint8, Shape: []int{0, 5}, U8: []uint8{}},
	{DType: Int32, Shape: []int{2}, I32: []int32{math.MinInt32, 7}},
	{DType: Bool, Shape: []int{2, 1}, U8: []uint8{0, 1}},
	{DType: Float32, Shape: []int{5, 0}, F32: []float32{}},
}

func encode(t testing.TB, a *Array) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, a); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	for _, a := range arrays {
		b := encode(t, a)
		got, err := Read(iotest.OneByteReader(bytes.NewReader(b)), int64(len(b)))
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("%v %v: got %+v, %v, want %+v", a.DType, a.Shape, got, err, a)
		}
	}
	big := &Array{DType: Float32, Shape: []int{100, 1000}, F32: make([]float32, 100_000)}
	for i := range big.F32 {
		big.F32[i] = float32(i)
	}
	b := encode(t, big)
	if got, err := Read(bytes.NewReader(b), int64(len(b))); err != nil || !reflect.DeepEqual(got, big) {
		t.Errorf("array of 400,000 bytes does not survive: %v", err)
	}
}

// TestBytes compares with what numpy.save wrote for
// np.array([[0, 1, 2]], dtype='<f4'), but for the padding: NumPy leaves room to
// rewrite the first dimension.
func TestBytes(t *testing.T) {
	got := encode(t, &Array{DType: Float32, Shape: []int{1, 3}, F32: []float32{0, 1, 2}})
	header := "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }"
	want := "\x93NUMPY\x01\x00\x76\x00" + header + strings.Repeat(" ", 0x76-1-len(header)) + "\n" +
		"\x00\x00\x00\x00\x00\x00\x80\x3f\x00\x00\x00\x40"
	if string(got) != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	for _, a := range arrays {
		b := encode(t, a)
		if end := 10 + int(binary.LittleEndian.Uint16(b[8:])); end%64 != 0 || b[end-1] != '\n' {
			t.Errorf("%v %v: header ends at %d with %q, want a multiple of 64 and a newline", a.DType, a.Shape, end, b[end-1])
		}
	}
}

func TestWriter(t *testing.T) {
	a := &Array{DType: Uint8, Shape: []int{3, 2}, U8: []uint8{1, 2, 3, 4, 5, 6}}
	var b bytes.Buffer
	w, err := NewWriter(&b, Uint8, []int{3, 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Uint8(a.U8[:1]), w.Uint8(nil), w.Uint8(a.U8[1:]), w.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), encode(t, a)) {
		t.Error("an array written in pieces differs from one written at once")
	}
	if err := w.Uint8(nil); err == nil {
		t.Error("no error for a write after Close")
	}

	for _, tt := range []struct {
		use  func(w *Writer) error
		want string
	}{
		{func(w *Writer) error { return w.Float32([]float32{1}) }, "npy: write: elements of type <f4 for an array of |u1"},
		{func(w *Writer) error { return w.Uint8(make([]uint8, 7)) }, "npy: write: 7 elements, but only 6 are left in the shape"},
		{func(w *Writer) error { w.Uint8(make([]uint8, 7)); return w.Close() }, "npy: write: 7 elements, but only 6 are left in the shape"},
		{func(w *Writer) error { w.Uint8(make([]uint8, 5)); return w.Close() }, "npy: write: 1 elements are missing"},
	} {
		w, err := NewWriter(new(bytes.Buffer), Uint8, []int{3, 2})
		if err != nil {
			t.Fatal(err)
		}
		if err := tt.use(w); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	for _, a := range []*Array{
		{DType: 0, Shape: []int{1}},
		{DType: 9, Shape: []int{1}},
		{DType: Uint8, Shape: []int{-1}},
		{DType: Uint8, Shape: []int{math.MaxInt32, math.MaxInt32}},
		{DType: Uint8, Shape: make([]int, 33)},
		{DType: Uint8, Shape: []int{2}, U8: []uint8{1}},
		{DType: Uint8, Shape: []int{2}, F32: []float32{1, 2}},
	} {
		if err := Write(new(bytes.Buffer), a); err == nil {
			t.Errorf("no error for %+v", a)
		}
	}
}

// TestFailingWriter: an error of the underlying writer stays.
func TestFailingWriter(t *testing.T) {
	closed, err := os.Create(filepath.Join(t.TempDir(), "closed"))
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	if _, err := NewWriter(closed, Uint8, []int{1}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v, want os.ErrClosed", err)
	}
	w := &Writer{w: closed, t: Uint8, left: 2, buf: make([]byte, 0, 8)}
	if err := w.Uint8([]uint8{1}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v, want os.ErrClosed", err)
	}
	if err := w.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v, want os.ErrClosed", err)
	}
}

// file returns the bytes of a version 1.0 file.
func file(header, data string) string {
	return "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(header)))) + header + data
}

func TestReadVariants(t *testing.T) {
	want := &Array{DType: Uint8, Shape: []int{2}, U8: []uint8{65, 66}}
	header := "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n"
	for _, f := range []string{
		file(header, "AB"),
		"\x93NUMPY\x02\x00" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(header)))) + header + "AB",
		file(`{"shape":(2,),"fortran_order":False,"descr":"|u1"}`, "AB"),
		file("{ 'shape' : ( 2 , ) ,\n 'descr' : '|u1' , 'fortran_order' : False }   ", "AB"),
		file("{'descr': '|u1', 'fortran_order': False, 'shape': (2)}", "AB"),
	} {
		if got, err := Read(strings.NewReader(f), int64(len(f))); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v", f, got, err)
		}
	}
}

func TestReadErrors(t *testing.T) {
	header := func(descr, order, shape string) string {
		return fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }", descr, order, shape)
	}
	for _, tt := range []struct{ file, want string }{
		{"", "npy: file ends within its header"},
		{"\x93NUMPY\x01", "npy: file ends within its header"},
		{"PK\x03\x04 this is an npz", `npy: file begins with "PK\x03\x04 t", want "\x93NUMPY": not an .npy file`},
		{"\x93NUMPY\x03\x00\x00\x00\x00\x00", "npy: version 3.0, want 1.0 or 2.0"},
		{"\x93NUMPY\x01\x01\x00\x00", "npy: version 1.1, want 1.0 or 2.0"},
		{"\x93NUMPY\x02\x00\x00\x00", "npy: file ends within its header"},
		{"\x93NUMPY\x02\x00\xff\xff\xff\xff", "npy: header: 4294967295 bytes, want at most 65536"},
		{"\x93NUMPY\x02\x00\x00\x01\x00\x00{}", "npy: header: 256 bytes, but only 2 are left in the file"},
		{file("", ""), `npy: header: found "", want "{"`},
		{file("{", ""), `npy: header: found "", want a string`},
		{file("{}", ""), `npy: header: key "descr" is missing`},
		{file("{'descr' '|u1'}", ""), `npy: header: found "'|u1'}", want ":"`},
		{file("{'descr': '|u1' 'x'", ""), `npy: header: found "'x'", want "," or "}"`},
		{file("{'descr': '|u1', 'descr': '|u1'}", ""), `npy: header: key "descr" stands twice`},
		{file("{'descr': '|u1', 'x': 1}", ""), `npy: header: unknown key "x", want descr, fortran_order and shape`},
		{file(header("'<f2'", "False", "(1,)"), "ab"), `npy: header: element type "<f2", want <f4, <f8, <i8, <i4, |u1 or |b1`},
		{file(header("'>f4'", "False", "(1,)"), "abcd"), `npy: header: element type ">f4", want <f4, <f8, <i8, <i4, |u1 or |b1`},
		{file(header("''", "False", "(1,)"), ""), `npy: header: element type "", want <f4, <f8, <i8, <i4, |u1 or |b1`},
		{file(header("'|O'", "False", "(1,)"), ""), `npy: header: element type "|O", want <f4, <f8, <i8, <i4, |u1 or |b1`},
		{file(header("'|b1'", "False", "(2,)"), "\x01\x02"), `npy: data: element 1 of type |b1 is 2, want 0 or 1`},
		{file(header("[('x', '<f4')]", "False", "(1,)"), ""), `npy: header: the array has fields, want <f4, <f8, <i8, <i4, |u1 or |b1`},
		{file(header("'|u1'", "True", "(1,)"), "a"), `npy: header: array is in Fortran order, want C order (numpy.ascontiguousarray)`},
		{file(header("'|u1'", "0", "(1,)"), "a"), `npy: header: found "0, 'shape': (1,), }", want True or False`},
		{file(header("'|u1'", "False", "[1]"), "a"), `npy: header: found "[1], }", want "("`},
		{file(header("'|u1'", "False", "(-1,)"), "a"), `npy: header: found "-1,), }", want a dimension, 0..2147483647`},
		{file(header("'|u1'", "False", "(2147483648,)"), "a"), `npy: header: found "2147483648,), }", want a dimension, 0..2147483647`},
		{file(header("'|u1'", "False", "(1 1)"), "a"), `npy: header: found "1), }", want "," or ")"`},
		{file(header("'|u1'", "False", "("+strings.Repeat("1,", 33)+")"), "a"), `npy: header: more than 32 dimensions`},
		{file(header("'|u1'", "False", "(1,)")+"x", "a"), `npy: header: found "x", want nothing`},
		{file(header("'|u1'", "False", "(2,)"), "a"), `npy: shape [2]: want at most 1 elements of type |u1 in 1 bytes of data`},
		{file(header("'|u1'", "False", "(2,)"), "abc"), `npy: data: 3 bytes, want 2 for |u1 [2]`},
		{file(header("'<f4'", "False", "(1,)"), "abcde"), `npy: data: 5 bytes, want 4 for <f4 [1]`},
		{file(header("'<f4'", "False", "()"), ""), `npy: data: 0 bytes, want 4 for <f4 []`},
		{file(header("'<f8'", "False", "(2147483647, 2147483647, 2147483647)"), "abcdefgh"), `npy: shape [2147483647 2147483647 2147483647]: want at most 1 elements of type <f8 in 8 bytes of data`},
	} {
		a, err := Read(strings.NewReader(tt.file), int64(len(tt.file)))
		if a != nil || err == nil || err.Error() != tt.want {
			t.Errorf("%q:\n got %v, %v,\nwant %s", tt.file, a, err, tt.want)
		}
	}
	// A file that grows shorter than it said while it is read.
	for _, a := range arrays[:4] {
		b := encode(t, a)
		for n := range b {
			if got, err := Read(bytes.NewReader(b[:n]), int64(len(b))); got != nil || err == nil {
				t.Fatalf("%v: first %d bytes: got %v, %v", a.DType, n, got, err)
			}
		}
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	b := encode(t, arrays[0])
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadFile(path, int64(len(b))); err != nil || !reflect.DeepEqual(got, arrays[0]) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, tt := range []struct {
		path  string
		limit int64
		want  string
	}{
		{path, 100, "npy: " + path + ": 152 bytes, want at most 100"},
		{filepath.Dir(path), 100, "npy: " + filepath.Dir(path) + ": not a regular file"},
		{path + "x", 100, "npy: open " + path + "x: "},
	} {
		if _, err := ReadFile(tt.path, tt.limit); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	if err := os.WriteFile(path, b[:20], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path, 100); err == nil || !strings.HasPrefix(err.Error(), path+": npy: header: ") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

// TestNumPy checks that NumPy reads what Write writes, and Read what
// numpy.save writes.
func TestNumPy(t *testing.T) {
	python := os.Getenv("GANTRY_PYTHON")
	if python == "" {
		t.Skip("GANTRY_PYTHON is not set to a Python with numpy")
	}
	dir := t.TempDir()
	for i, a := range arrays {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.npy", i)), encode(t, a), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const script = `
import sys, numpy as np
for i in range(int(sys.argv[2])):
    a = np.load(f"{sys.argv[1]}/{i}.npy")
    print(a.dtype.str, list(a.shape), a.tobytes().hex())
    np.save(f"{sys.argv[1]}/{i}-back.npy", a)
    with open(f"{sys.argv[1]}/{i}-v2.npy", "wb") as f:
        np.lib.format.write_array(f, a, version=(2, 0))
`
	out, err := exec.Command(python, "-c", script, dir, fmt.Sprint(len(arrays))).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i, a := range arrays {
		b := encode(t, a)
		data := b[10+int(binary.LittleEndian.Uint16(b[8:])):]
		shape := strings.ReplaceAll(fmt.Sprint(a.Shape), " ", ", ")
		if want := strings.TrimSpace(fmt.Sprintf("%v %s %x", a.DType, shape, data)); strings.TrimSpace(lines[i]) != want {
			t.Errorf("NumPy reads %s, want %s", lines[i], want)
		}
		for _, suffix := range []string{"back", "v2"} {
			got, err := ReadFile(filepath.Join(dir, fmt.Sprintf("%d-%s.npy", i, suffix)), 1<<20)
			if err != nil || !reflect.DeepEqual(got, a) {
				t.Errorf("%s: got %+v, %v, want %+v", suffix, got, err, a)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, a := range arrays {
		f.Add(encode(f, a))
	}
	f.Add([]byte(file(`{"shape":(2,),"fortran_order":False,"descr":"|u1"}`, "AB")))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Read(bytes.NewReader(data), int64(len(data)))
		if (a == nil) != (err != nil) {
			t.Fatalf("got %v, %v", a, err)
		}
		if err != nil {
			return
		}
		b := encode(t, a)
		again, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil || !bytes.Equal(encode(t, again), b) {
			t.Fatalf("%+v does not survive a round trip: %v", a, err)
		}
	})
}
