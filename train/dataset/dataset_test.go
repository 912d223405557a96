package dataset

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// idx builds an IDX file.
func idx(magic uint32, data []byte, dims ...uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, magic)
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, data...)
}

func gzipped(b []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(b)
	w.Close()
	return buf.Bytes()
}

// ramp is n bytes 0 1 2 ...
func ramp(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// write makes a directory with the given files.
func write(t *testing.T, name string, files map[string][]byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for n, b := range files {
		if err := os.WriteFile(filepath.Join(dir, n), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenIDX(t *testing.T) {
	images := idx(magicImages, ramp(3*2*4), 3, 2, 4)
	labels := idx(magicLabels, []byte{7, 0, 9}, 3)
	h := sha256.New()
	for _, d := range []uint32{3, 1, 2, 4} {
		h.Write(binary.BigEndian.AppendUint32(nil, d))
	}
	h.Write(ramp(24))
	digest := hex.EncodeToString(h.Sum(nil))

	for _, c := range []struct {
		name  string
		split string
		files map[string][]byte
		label int
	}{
		{"plain", "train", map[string][]byte{"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels}, 9},
		{"gz", "train", map[string][]byte{"train-images-idx3-ubyte.gz": gzipped(images), "train-labels-idx1-ubyte.gz": gzipped(labels)}, 9},
		{"test", "test", map[string][]byte{"t10k-images-idx3-ubyte": images, "t10k-labels-idx1-ubyte": labels}, 9},
		{"emnist", "test", map[string][]byte{"emnist-test-images-idx3-ubyte.gz": gzipped(images)}, -1},
		{"dotted", "train", map[string][]byte{"train-images.idx3-ubyte": images}, -1},
		{"both", "train", map[string][]byte{"train-images-idx3-ubyte": images, "train-images-idx3-ubyte.gz": []byte("not read")}, -1},
		{"gz by content", "train", map[string][]byte{"train-images-idx3-ubyte": gzipped(images)}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := OpenIDX(write(t, "My Data.v1", c.files), c.split)
			if err != nil {
				t.Fatal(err)
			}
			if RefName("idx:"+filepath.Join("a", "My Data.v1")) != d.Name() || RefName("mnist") != "mnist" {
				t.Errorf("RefName does not agree with Name, %s", d.Name())
			}
			if d.Name() != "my-data.v1" || d.Len() != 3 || d.Label(2) != c.label || d.Digest() != digest {
				t.Errorf("got %s, %d images, label %d, digest %s; want my-data.v1, 3, %d, %s", d.Name(), d.Len(), d.Label(2), d.Digest(), c.label, digest)
			}
			if s := d.Shape(); len(s) != 3 || s[0] != 1 || s[1] != 2 || s[2] != 4 {
				t.Errorf("got shape %v, want [1 2 4]", s)
			}
			dst := make([]float32, 2*8)
			if err := d.Read(dst, []int{2, 0}); err != nil {
				t.Fatal(err)
			}
			for i, got := range dst {
				want := float32((i + 16) % 24) // images 2 and 0 of 0..23
				if i >= 8 {
					want = float32(i - 8)
				}
				if math.Float32bits(got) != math.Float32bits(want/255) {
					t.Errorf("element %d: got %v, want %v/255", i, got, want)
				}
			}
		})
	}
}

func TestOpen(t *testing.T) {
	dir := write(t, "x", map[string][]byte{"train-images-idx3-ubyte": idx(magicImages, ramp(4), 1, 2, 2)})
	if d, err := Open(t.Context(), "idx:"+dir, Options{}); err != nil || d.Len() != 1 {
		t.Errorf("got %v, %v", d, err)
	}
	for ref, want := range map[string]string{
		"kmnist":                            `unknown data set "kmnist", want idx:DIR`,
		"zip:a.zip":                         `unknown data set "zip:a.zip"`,
		"idx:":                              "names no directory",
		"idx:" + filepath.Join(dir, "none"): "no such file",
	} {
		if runtime.GOOS == "windows" && strings.HasPrefix(want, "no such") {
			want = "cannot find"
		}
		if d, err := Open(t.Context(), ref, Options{}); err == nil || d != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q): got %v, %v; want an error with %q", ref, d, err, want)
		}
	}
}

// TestRefName: names are fit for file names.
func TestRefName(t *testing.T) {
	long := strings.Repeat("x", 99)
	for ref, want := range map[string]string{
		"a/My Data.v1": "my-data.v1", "faces.ZIP": "faces", "idx:a/b": "b", "-日本\n.": "data",
		long + "- yz": long, strings.Repeat("-", 99) + "xyz" + long: "xyz" + long[:97],
	} {
		if got := RefName(filepath.FromSlash(ref)); got != want {
			t.Errorf("%q: got %q, want %q", ref, got, want)
		}
	}
}

func TestOpenIDXErrors(t *testing.T) {
	images := idx(magicImages, ramp(12), 3, 2, 2)
	const im, la = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
	for _, c := range []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"empty dir", nil, "no file train-images-idx3-ubyte or train-images-idx3-ubyte.gz"},
		{"two", map[string][]byte{"a-" + im: images, "b-" + im: images}, "both a-train-images-idx3-ubyte and b-train-images-idx3-ubyte"},
		{"magic", map[string][]byte{im: idx(magicLabels, ramp(12), 12)}, "magic number is 0x00000801, want 0x00000803"},
		{"floats", map[string][]byte{im: idx(0x0d03, ramp(12), 3, 2, 2)}, "magic number is 0x00000d03"},
		{"no header", map[string][]byte{im: images[:15]}, "ends after 15 bytes, want an IDX header of 16"},
		{"nothing", map[string][]byte{im: {}}, "ends after 0 bytes"},
		{"truncated", map[string][]byte{im: images[:27]}, "ends after 11 bytes of data, want 12 for [3 2 2]"},
		{"long", map[string][]byte{im: append(bytes.Clone(images), 0)}, "more than 12 bytes of data"},
		{"truncated gz", map[string][]byte{im: gzipped(images)[:30]}, "file ends after"},
		{"gz checksum", map[string][]byte{im: flip(gzipped(images), -5)}, "checksum"},
		{"zero", map[string][]byte{im: idx(magicImages, nil, 0, 2, 2)}, "dimension 0 is 0"},
		{"giant", map[string][]byte{im: idx(magicImages, nil, 1<<31, 1<<31, 1<<31)}, "declares more than"},
		{"giant gz", map[string][]byte{im: gzipped(idx(magicImages, nil, 1<<31, 1, 1))}, "ends after 0 bytes of data, want 2147483648"},
		{"labels", map[string][]byte{im: images, la: idx(magicLabels, ramp(2), 2)}, "header says 2 labels, want 3"},
		{"labels short", map[string][]byte{im: images, la: idx(magicLabels, ramp(2), 3)}, "ends after 2 bytes of data, want 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d, err := OpenIDX(write(t, "d", c.files), "train")
			runtime.ReadMemStats(&after)
			if err == nil || d != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want an error with %q", d, err, c.want)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
				t.Errorf("%d bytes were allocated for a file of less than 100", n)
			}
		})
	}
}

func flip(b []byte, i int) []byte {
	b[len(b)+i] ^= 1
	return b
}

func TestNewErrors(t *testing.T) {
	for _, c := range []struct {
		shape          []int
		pixels, labels int
		want           string
	}{
		{[]int{2, 2}, 4, 0, "want [C H W]"},
		{[]int{1, 0, 2}, 4, 0, "at least 1"},
		{[]int{1 << 20, 1 << 20, 1 << 20}, 4, 0, "at most"},
		{[]int{1, 2, 2}, 0, 0, "0 bytes of pixels"},
		{[]int{1, 2, 2}, 5, 0, "5 bytes of pixels"},
		{[]int{1, 2, 2}, 8, 1, "1 labels, want 2"},
	} {
		var labels []byte
		if c.labels > 0 {
			labels = make([]byte, c.labels)
		}
		if _, err := New("x", c.shape, make([]byte, c.pixels), labels); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%v, %d pixels, %d labels): got %v, want %q", c.shape, c.pixels, c.labels, err, c.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	m, err := New("x", []int{1, 1, 2}, ramp(6), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		n       int
		indices []int
	}{{2, []int{3}}, {2, []int{-1}}, {3, []int{0}}, {2, []int{0, 1}}} {
		if err := m.Read(make([]float32, c.n), c.indices); err == nil {
			t.Errorf("Read of %v into %d elements: no error", c.indices, c.n)
		}
	}
}

func FuzzReadIDX(f *testing.F) {
	images := idx(magicImages, ramp(12), 3, 2, 2)
	labels := idx(magicLabels, ramp(3), 3)
	f.Add(images, labels)
	f.Add(gzipped(images), gzipped(labels))
	f.Add(images[:20], labels)
	f.Add(idx(magicImages, nil, 1<<31, 1<<31, 4), []byte{})
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		d, err := ReadIDX("fuzz", bytes.NewReader(images), bytes.NewReader(labels))
		if err != nil {
			if d != nil {
				t.Errorf("a data set came with the error %v", err)
			}
			return
		}
		s := d.Shape()
		dst := make([]float32, s[0]*s[1]*s[2])
		if err := d.Read(dst, []int{d.Len() - 1}); err != nil {
			t.Error(err)
		}
		if d.Label(d.Len()-1) < 0 || len(d.Digest()) != 64 {
			t.Errorf("label %d, digest %q", d.Label(d.Len()-1), d.Digest())
		}
	})
}
