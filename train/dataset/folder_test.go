package dataset

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/color"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// flat is a PNG file of one colour.
func flat(t testing.TB, w, h int, c color.Color) []byte {
	return asPNG(t, paint(t, image.NewNRGBA(image.Rect(0, 0, w, h)), func(x, y int) color.Color { return c }))
}

// slope is a PNG file that differs from its mirror image.
func slope(t testing.TB, seed int) []byte {
	return asPNG(t, paint(t, image.NewNRGBA(image.Rect(0, 0, 9+seed%5, 9)), func(x, y int) color.Color {
		return color.NRGBA{uint8(x * 20), uint8(seed * 31), uint8(x * y), 255}
	}))
}

// zipped packs files, in the order of their names.
func zipped(t testing.TB, files map[string][]byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "faces.zip")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	for _, n := range slices.Sorted(maps.Keys(files)) {
		e, err := w.Create(n)
		if err == nil {
			_, err = e.Write(files[n])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestFolder: order, labels, what is skipped and ignored, in a folder and an
// archive.
func TestFolder(t *testing.T) {
	gray := func(v uint8) []byte { return flat(t, 4, 4, color.Gray{v}) }
	files := map[string][]byte{
		"b/1.png": gray(20), "a/2.png": gray(10), "a/1.png/deep.PNG": gray(5), "a-/0.png": gray(1), "c.png": gray(30),
		"a/broken.png": []byte("not a png"), "a/cut.png": gray(1)[:40], "b/notes.txt": []byte("x"), "labels": nil, "b/._1.png": []byte("x"),
	}
	for _, ref := range []string{folder(t, files), zipped(t, files)} {
		d := mustOpen(t, ref, Options{Resize: 2})
		if s := fmt.Sprint(d.Name(), d.Len(), d.Shape()); s != "faces5 [1 2 2]" {
			t.Errorf("got %s", s)
		}
		// "a-/" sorts before "a/", as the bytes of paths do.
		for i, want := range []struct {
			pixel byte
			label int
		}{{1, 1}, {5, 0}, {10, 0}, {20, 2}, {30, -1}} {
			if got := pixels(t, d, i); got[0] != want.pixel || d.Label(i) != want.label {
				t.Errorf("%s: image %d is %v, label %d; want %v", ref, i, got, d.Label(i), want)
			}
		}
		r := d.Report()
		if fmt.Sprint(r.Classes) != "[a a- b]" || r.Ignored != 3 || r.Images != 5 || !r.Grey || r.Mirror {
			t.Errorf("%s: got %+v", ref, r)
		}
		want := []Skipped{{"a/broken.png", "is no PNG, JPEG, GIF, BMP or WebP image"}, {"a/cut.png", "ends too early"}}
		if !slices.Equal(r.Skipped, want) {
			t.Errorf("%s: skipped %v, want %v", ref, r.Skipped, want)
		}
	}
}

// TestClasses: directories that all files lie in are no classes.
func TestClasses(t *testing.T) {
	for _, c := range []struct {
		files  string
		names  string
		labels string
	}{
		{"1 2", "[]", "[-1 -1]"},
		{"a/1 a/2", "[]", "[-1 -1]"},
		{"a/1 b/2", "[a b]", "[0 1]"},
		{"set/a/1 set/b/x/2 set/b/y/2", "[a b]", "[0 1 1]"},
		{"set/a/1 set/b/2 set/c", "[a b]", "[0 1 -1]"},
		{"a/1 b", "[]", "[-1 -1]"},
	} {
		var l listing
		for _, f := range strings.Fields(c.files) {
			l.files = append(l.files, file{name: f})
		}
		names, labels := l.classes()
		if fmt.Sprint(names) != c.names || fmt.Sprint(labels) != c.labels {
			t.Errorf("%s: got %v, %v; want %s, %s", c.files, names, labels, c.names, c.labels)
		}
	}
}

// TestChannels: networks decide, or else the data.
func TestChannels(t *testing.T) {
	grey := map[string][]byte{"1.png": flat(t, 2, 2, color.Gray{7}), "2.jpg": asJPEG(t, image.NewGray(image.Rect(0, 0, 3, 3)))}
	mixed := maps.Clone(grey)
	mixed["3.png"] = flat(t, 2, 2, color.NRGBA{255, 0, 0, 255})
	for _, c := range []struct {
		files map[string][]byte
		shape []int
		want  string
		first byte // of the last image
	}{
		{grey, nil, "[1 2 2]", 0},
		{grey, []int{3, 9, 9}, "[3 2 2]", 0},
		{mixed, nil, "[3 2 2]", 255},
		{mixed, []int{1, 9, 9}, "[1 2 2]", 76}, // 0.299·255
		{mixed, []int{2, 9, 9}, "[3 2 2]", 255},
	} {
		d := mustOpen(t, folder(t, c.files), Options{Resize: 2, Shape: c.shape})
		if got := pixels(t, d, d.Len()-1)[0]; fmt.Sprint(d.Shape()) != c.want || got != c.first {
			t.Errorf("%v: got %v, pixel %d; want %s, %d", c.shape, d.Shape(), got, c.want, c.first)
		}
	}
}

func TestMirror(t *testing.T) {
	dir := folder(t, map[string][]byte{"a/1.png": slope(t, 1), "b/2.png": slope(t, 2)})
	plain := mustOpen(t, dir, Options{Resize: 6})
	d := mustOpen(t, dir, Options{Resize: 6, Mirror: true})
	if d.Len() != 4 || d.Label(3) != 1 || d.Digest() != fmt.Sprintf("%x", sha256.Sum256([]byte("mirror"+plain.Digest()))) || d.Name() != "faces" || !d.Report().Mirror || d.Report().Images != 2 {
		t.Errorf("got %d images, label %d, digest %s, %+v", d.Len(), d.Label(3), d.Digest(), d.Report())
	}
	x, all := make([]float32, 2*108), make([]float32, 5*108)
	if err := plain.Read(x, []int{0, 1}); err != nil {
		t.Fatal(err)
	}
	order := []int{3, 0, 2, 1, 3}
	if err := d.Read(all, order); err != nil {
		t.Fatal(err)
	}
	for k, i := range order {
		for j, v := range all[k*108:][:108] {
			at := j
			if i >= 2 {
				at = j - j%6 + 5 - j%6
			}
			if v != x[i%2*108+at] {
				t.Fatalf("image %d, element %d: got %v, want %v", i, j, v, x[i%2*108+at])
			}
		}
	}
	for _, i := range []int{-1, 4} {
		if err := d.Read(x, []int{0, i}); err == nil {
			t.Errorf("image %d: no error", i)
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		if err := d.Read(all, order); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("reading allocates %v times", n)
	}
}

// TestFolderErrors: what cannot be a data set, and what is said of it.
func TestFolderErrors(t *testing.T) {
	dir := t.TempDir()
	txt := filepath.Join(dir, "x.txt")
	if err := os.WriteFile(txt, []byte("PK"), 0o666); err != nil {
		t.Fatal(err)
	}
	notZip := filepath.Join(dir, "x.zip")
	if err := os.WriteFile(notZip, []byte("PK\x03\x04 and no more"), 0o666); err != nil {
		t.Fatal(err)
	}
	one := map[string][]byte{"1.png": flat(t, 3, 3, color.White)}
	for _, c := range []struct {
		ref  string
		o    Options
		want string
	}{
		{folder(t, nil), Options{Resize: 4}, "holds no images (.png .jpg .jpeg .gif .bmp .webp)"},
		{folder(t, map[string][]byte{"a.tiff": nil, "b": nil}), Options{Resize: 4}, "holds no images (.png .jpg .jpeg .gif .bmp .webp), but 2 other files"},
		{folder(t, map[string][]byte{"a.png": []byte("x"), "b.jpg": nil}), Options{Resize: 4}, "faces: none of 2 images can be used: a.png is no PNG"},
		{zipped(t, nil), Options{Resize: 4}, "holds no images"},
		{zipped(t, map[string][]byte{"../a.png": one["1.png"]}), Options{Resize: 4}, "holds no images (.png .jpg .jpeg .gif .bmp .webp); ../a.png is no path inside the archive"},
		{notZip, Options{Resize: 4}, "x.zip: zip: not a valid zip file"},
		{txt, Options{Resize: 4}, "x.txt is no data set, want a folder of images"},
		{folder(t, one), Options{}, "need a size: --resize N"},
		{folder(t, one), Options{Resize: -1}, "images of -1 x -1 pixels, want 1 to 1024"},
		{folder(t, one), Options{Resize: 1025}, "images of 1025 x 1025 pixels, want 1 to 1024"},
	} {
		d, err := open(t, c.ref, c.o)
		if err == nil || d != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, %v; want an error with %q", d, err, c.want)
		}
	}
	if d := mustOpen(t, folder(t, one), Options{Shape: []int{1, 5, 5}}); d.Len() != 1 || fmt.Sprint(d.Shape()) != "[1 5 5]" {
		t.Errorf("one image: got %d of %v", d.Len(), d.Shape())
	}
}

// TestCancel: a context that ends stops decoding, and nothing is left.
func TestCancel(t *testing.T) {
	files := map[string][]byte{}
	for i := range 40 {
		files[fmt.Sprintf("%d.png", i)] = slope(t, i)
	}
	dir, cache := folder(t, files), t.TempDir()
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	d, err := Open(ctx, dir, Options{Resize: 64, CacheDir: cache, Threads: 1, Progress: func(done, total int) {
		if done != 1 || total != 40 {
			t.Errorf("%d of %d images decoded, want 1 of 40", done, total)
		}
		cancel(stop)
	}})
	if d != nil || !errors.Is(err, stop) {
		t.Errorf("got %v, %v; want the context's cause", d, err)
	}
	if entries, _ := os.ReadDir(cache); len(entries) > 0 {
		t.Errorf("left in the cache: %v", entries)
	}
	if _, err := Open(ctx, dir, Options{Resize: 4, CacheDir: cache}); !errors.Is(err, context.Canceled) && !errors.Is(err, stop) {
		t.Errorf("ended before: got %v", err)
	}
}

// TestSameBits: neither threads, nor cache, nor archive, nor place change a bit.
func TestSameBits(t *testing.T) {
	files := map[string][]byte{}
	for i := range 50 {
		files[fmt.Sprintf("%c/%d.png", 'a'+i%3, i)] = slope(t, i)
	}
	files["a/bad.png"] = []byte("bad")
	dir := folder(t, files)
	o := Options{Resize: 12, CacheDir: t.TempDir(), Threads: 1}
	want := mustOpen(t, dir, o)
	all := func(d Dataset) []byte {
		var b []byte
		for i := range d.Len() {
			b = append(append(b, byte(d.Label(i))), pixels(t, d, i)...)
		}
		return b
	}
	bits := all(want)
	same := func(name string, d Dataset) {
		t.Helper()
		if d.Digest() != want.Digest() || !bytes.Equal(all(d), bits) {
			t.Errorf("%s: other bits", name)
		}
		if fmt.Sprint(d.Report().Skipped, d.Report().Sizes) != fmt.Sprint(want.Report().Skipped, want.Report().Sizes) {
			t.Errorf("%s: another report: %v", name, d.Report())
		}
	}
	var flatPixels []byte
	for i := range want.Len() {
		flatPixels = append(flatPixels, pixels(t, want, i)...)
	}
	if m, err := New("m", want.Shape(), flatPixels, nil); err != nil || m.Digest() != want.Digest() {
		t.Errorf("the digest is not that of shape and pixels: %v", err)
	}
	cached := o
	cached.Progress = func(int, int) { t.Error("decoded although there is a cache") }
	same("cache", mustOpen(t, dir, cached))
	for _, threads := range []int{2, 7, 100} {
		same(fmt.Sprint(threads, " threads"), mustOpen(t, dir, Options{Resize: 12, Threads: threads}))
	}
	same("archive", mustOpen(t, zipped(t, files), o))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	without := mustOpen(t, dir, Options{Resize: 12, CacheDir: filepath.Join(file, "x")})
	same("no cache", without)
	if n := fmt.Sprint(without.Report().Notes); !strings.Contains(n, "decoded images are not kept: ") {
		t.Errorf("notes %s", n)
	}
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	same("moved", mustOpen(t, moved, cached))

	// From the file, image by image.
	defer func(n int64) { memoryBytes = n }(memoryBytes)
	memoryBytes = 1000
	d := mustOpen(t, moved, cached)
	if _, ok := d.(*stored); !ok || d.Report().Memory != 0 {
		t.Errorf("got %T, which takes %d bytes of memory", d, d.Report().Memory)
	}
	same("from the file", d)
	if _, err := open(t, moved, Options{Resize: 12, CacheDir: filepath.Join(file, "x")}); err == nil || !strings.Contains(err.Error(), "the cache for them cannot be written") {
		t.Errorf("large without a cache: got %v", err)
	}
	one := mustOpen(t, moved, Options{Resize: 12, CacheDir: o.CacheDir, Shape: []int{1, 12, 12}})
	memoryBytes = 1 << 20
	if again := mustOpen(t, moved, Options{Resize: 12, CacheDir: o.CacheDir, Shape: []int{1, 12, 12}}); again.Digest() != one.Digest() || !bytes.Equal(all(again), all(one)) {
		t.Error("grey: other bits from the file than from memory")
	}

	// A change of a file is seen; so is another size.
	if err := os.WriteFile(filepath.Join(moved, "a", "0.png"), slope(t, 77), 0o666); err != nil {
		t.Fatal(err)
	}
	if d := mustOpen(t, moved, o); d.Digest() == want.Digest() {
		t.Error("a file has changed, but not the data")
	}
}
