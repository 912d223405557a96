package dataset

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cacheFile returns the one file in a cache directory.
func cacheFile(t testing.TB, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.pixels"))
	if err != nil || len(found) != 1 {
		t.Fatalf("cache files: %v, %v", found, err)
	}
	return found[0]
}

// TestCacheDamage: a cache that is not as it was written is not believed.
func TestCacheDamage(t *testing.T) {
	dir := folder(t, map[string][]byte{"1.png": slope(t, 1), "2.png": slope(t, 2), "3.png": []byte("bad")})
	o := Options{Resize: 2, CacheDir: t.TempDir()}
	want := mustOpen(t, dir, o)
	path := cacheFile(t, o.CacheDir)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(name string, b []byte, words string) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		d := mustOpen(t, dir, o)
		if d.Digest() != want.Digest() || d.Len() != 2 {
			t.Errorf("%s: other data", name)
		}
		if n := strings.Join(d.Report().Notes, "; "); !strings.Contains(n, words) || !strings.HasPrefix(n, "the cache "+path) || !strings.HasSuffix(n, "; it is built again") {
			t.Errorf("%s: notes %q, want %q", name, n, words)
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, whole) {
			t.Errorf("%s: the cache built again is another one: %v", name, err)
		}
	}
	for i := 0; i < len(whole); i += 5 { // any byte
		b := bytes.Clone(whole)
		b[i] ^= 0x10
		try("changed", b, "")
	}
	for _, n := range []int{0, 7, 40, len(whole) / 2, len(whole) - 1} {
		try("cut off", whole[:n], "no whole cache: was it cut off?")
	}
	b := bytes.Clone(whole)
	b[20] ^= 1
	try("pixel", b, "has changed since it was written: SHA-256 is ")
	try("longer", append(bytes.Clone(whole), 0), "")
	try("magic", append([]byte("x"), whole[1:]...), `begins with "xantry\x00\x01", want "gantry\x00\x01"`)

	// The cache of other images, in this one's place.
	other := mustOpen(t, folder(t, map[string][]byte{"1.png": slope(t, 3)}), Options{Resize: 2, CacheDir: filepath.Join(o.CacheDir, "x")})
	b, err = os.ReadFile(other.Report().Cache)
	if err != nil {
		t.Fatal(err)
	}
	try("other", b, "is of other images")
}

// TestCacheCut: a cache that shrinks while it is read is an error.
func TestCacheCut(t *testing.T) {
	defer func(n int64) { memoryBytes = n }(memoryBytes)
	memoryBytes = 0
	d := mustOpen(t, folder(t, map[string][]byte{"1.png": slope(t, 1), "2.png": slope(t, 2)}), Options{Resize: 2})
	x := make([]float32, 12)
	if err := d.Read(x, []int{1}); err != nil {
		t.Fatal(err)
	}
	last := []int{1}
	if n := testing.AllocsPerRun(100, func() {
		if err := d.Read(x, last); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("reading allocates %v times", n)
	}
	if err := os.Truncate(d.Report().Cache, 25); err != nil {
		t.Fatal(err)
	}
	if err := d.Read(x, []int{0}); err != nil {
		t.Errorf("an image that is still there: %v", err)
	}
	err := d.Read(x, []int{1})
	if err == nil || !strings.Contains(err.Error(), "image 1 of 2 cannot be read from the cache "+d.Report().Cache+", which was whole when the run began: EOF") {
		t.Errorf("got %v", err)
	}
	for _, bad := range [][]int{{2}, {-1}, {0, 1}} {
		if err := d.Read(x, bad); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
}

// cacheBytes is a cache of two grey images of one pixel.
func cacheBytes(t testing.TB) []byte {
	var b bytes.Buffer
	w, err := newCacheWriter(&b)
	if err == nil {
		_, err = w.Write([]byte{1, 1, 1, 2, 2, 2})
	}
	if err == nil {
		err = w.finish(&cacheFooter{Key: "k", Side: 1, Count: 2, Grey: true, Skipped: []cacheSkip{{1, "bad", false}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzCache(f *testing.F) {
	whole := cacheBytes(f)
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add([]byte(cacheMagic))
	m := &images{name: "fuzz", side: 1, listing: &listing{files: []file{{name: "a"}, {name: "b"}, {name: "c"}}}}
	read := func(b []byte) (Dataset, error) {
		return m.read(context.Background(), bytes.NewReader(b), int64(len(b)), "x", "k", true)
	}
	if d, err := read(whole); err != nil || d.Len() != 2 {
		f.Fatal(d, err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, want, err := readFooter(bytes.NewReader(b), int64(len(b))); err != nil && (c != nil || want != nil) {
			t.Errorf("a footer came with the error %v", err)
		}
		d, err := read(b)
		if err != nil {
			if d != nil {
				t.Errorf("a data set came with the error %v", err)
			}
			return
		}
		if err := d.Read(make([]float32, d.Shape()[0]), []int{d.Len() - 1}); err != nil {
			t.Error(err)
		}
	})
}
