package dataset

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// chunk is one of a PNG file.
func chunk(kind string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, kind...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// bomb is a small PNG file that declares w×h pixels of 8-bit grey, and has lines
// of them.
func bomb(w, h uint32, lines int) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	var data bytes.Buffer
	z := zlib.NewWriter(&data)
	for range lines {
		z.Write(make([]byte, w+1))
	}
	z.Close()
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(head, 8, 0, 0, 0, 0)), chunk("IDAT", data.Bytes()), chunk("IEND", nil))
}

// TestFaults: each fault is skipped with the words given here, and memory for
// it is never allocated.
func TestFaults(t *testing.T) {
	good := flat(t, 5, 5, color.NRGBA{200, 100, 50, 255})
	jpg := asJPEG(t, image.NewGray(image.Rect(0, 0, 64, 64)))
	webp, err := os.ReadFile("testdata/lossy.webp")
	if err != nil {
		t.Fatal(err)
	}
	long := slices.Clone(webp) // whose chunk goes on for 2 GB
	binary.LittleEndian.PutUint32(long[4:], 1<<31-8)
	binary.LittleEndian.PutUint32(long[16:], 1<<31-100)
	sof := bytes.Index(jpg, []byte{0xff, 0xc0})
	giant := slices.Clone(jpg) // 65,535 x 65,535
	copy(giant[sof+5:], "\xff\xff\xff\xff")
	// Progressive, 8,192 x 8,192 with three planes.
	slow := asJPEG(t, image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio444))
	sof = bytes.Index(slow, []byte{0xff, 0xc0})
	copy(slow[sof:], "\xff\xc2")
	copy(slow[sof+5:], "\x20\x00\x20\x00")
	gif := slices.Concat([]byte("GIF89a"), []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0})
	for _, c := range []struct {
		name string
		file []byte
		want string // "": it is used
	}{
		{"wide.png", bomb(30_000, 2, 2), ""},
		{"wide square.png", bomb(30_000, 30_000, 1), "is 30000 x 30000 pixels, want at most 67108864 in all"},
		{"bomb.png", bomb(100_000, 100_000, 1), "is 100000 x 100000 pixels, want at most 67108864 in all"},
		{"most.png", bomb(1<<31-1, 1<<31-1, 0), "png: unsupported feature: dimension overflow"},
		{"no lines.png", bomb(8000, 8000, 0), "png: invalid format: not enough pixel data"},
		{"zero.png", bomb(0, 5, 0), "png: invalid format: non-positive dimension"},
		{"giant.jpg", giant, "is 65535 x 65535 pixels"},
		{"slow.jpg", slow, "is 8192 x 8192 pixels, which take 1006633"},
		{"cut.jpg", jpg[:len(jpg)-30], "invalid JPEG format: short Huffman data"},
		{"header.jpg", jpg[:10], "ends too early"},
		{"giant.gif", gif, "is 65535 x 65535 pixels"},
		{"long.webp", long, "declares 2147483648 bytes, the file has 118"},
		{"cut.webp", webp[:60], "declares 118 bytes, the file has 60"},
		{"empty.png", nil, "is no PNG, JPEG, GIF, BMP or WebP image"},
		{"text.bmp", []byte("BMW"), "is no PNG, JPEG, GIF, BMP or WebP image"},
		{"text.jpg", []byte("hello"), "is no PNG, JPEG, GIF, BMP or WebP image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, map[string][]byte{"a good one.png": good, c.name: c.file})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d := mustOpen(t, dir, Options{Resize: 8})
			runtime.ReadMemStats(&after)
			r := d.Report()
			if c.want == "" {
				if d.Len() != 2 || len(r.Skipped) > 0 {
					t.Errorf("skipped %v", r.Skipped)
				}
			} else if len(r.Skipped) != 1 || r.Skipped[0].Name != c.name || !strings.HasPrefix(r.Skipped[0].Reason, c.want) {
				t.Errorf("skipped %v, want %s: %s", r.Skipped, c.name, c.want)
			}
			limit := uint64(20 << 20)
			if c.name == "no lines.png" { // allowed, and so allocated
				limit += 64_000_000
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > limit {
				t.Errorf("%d bytes were allocated, want at most %d", n, limit)
			}
		})
	}
}

// TestLargeFile: a file's size alone is a reason.
func TestLargeFile(t *testing.T) {
	f := file{name: "a.png", size: decodeBytes + 1, open: func() (io.ReadCloser, error) { t.Fatal("opened"); return nil, nil }}
	d := decoder{side: 4, memory: newBudget(decodeBytes)}
	if _, _, err := d.decode(make([]byte, 48), &f); err == nil || !strings.Contains(err.Error(), "the file has 536870913 bytes, want at most 536870912") {
		t.Errorf("got %v", err)
	}
}

// TestLinks: links to files count; those that lead in circles or to directories
// do not.
func TestLinks(t *testing.T) {
	dir := folder(t, map[string][]byte{"a/1.png": flat(t, 3, 3, color.White)})
	for name, target := range map[string]string{
		"2.png": "a/1.png", "loop.png": "loop.png", "gone.png": "nowhere.png", "a/up": "..", "dir.png": "a", "notes": "nowhere"} {
		if err := os.Symlink(filepath.FromSlash(target), filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, link, Options{Resize: 3})
	var got []string
	for _, s := range d.Report().Skipped {
		got = append(got, s.Name+" "+s.Reason)
	}
	want := []string{"a/up is a link to a directory, which is not followed", "dir.png is a link to a directory, which is not followed",
		"gone.png no such file or directory", "loop.png too many levels of symbolic links"}
	if d.Len() != 2 || d.Report().Ignored != 1 || runtime.GOOS == "linux" && !slices.Equal(got, want) {
		t.Errorf("%d images, %d ignored, skipped %q", d.Len(), d.Report().Ignored, got)
	}
}

// TestUnreadable: a file that cannot be opened is tried again the next time, and
// only if it can be opened then are images decoded again.
func TestUnreadable(t *testing.T) {
	dir := folder(t, map[string][]byte{"1.png": flat(t, 3, 3, color.White), "2.png": flat(t, 3, 3, color.Black)})
	l, err := listFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Resize: 3, CacheDir: t.TempDir(), Threads: 1}
	open := l.files[0].open
	l.files[0].open = func() (io.ReadCloser, error) { return nil, &os.PathError{Op: "open", Path: "x", Err: os.ErrPermission} }
	d, err := openImages(t.Context(), dir, "folder", l, o)
	if err != nil || d.Len() != 1 || d.Report().Skipped[0] != (Skipped{"1.png", "permission denied"}) {
		t.Fatalf("got %v, %v", d, err)
	}
	decoded := false
	o.Progress = func(int, int) { decoded = true }
	if d, err := openImages(t.Context(), dir, "folder", l, o); err != nil || d.Len() != 1 || decoded {
		t.Errorf("still unreadable: got %v, %v, images decoded again: %t", d, err, decoded)
	}
	l.files[0].open = open
	if d, err := openImages(t.Context(), dir, "folder", l, o); err != nil || d.Len() != 2 || len(d.Report().Skipped) > 0 {
		t.Errorf("got %v, %v", d, err)
	}
}

// TestZipFaults: entries that are not what they should be.
func TestZipFaults(t *testing.T) {
	good := flat(t, 5, 5, color.White)
	name := filepath.Join(t.TempDir(), "x.zip")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	add := func(h *zip.FileHeader, body []byte) {
		t.Helper()
		e, err := w.CreateHeader(h)
		if err == nil {
			_, err = e.Write(body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []string{"good.png", "../../climbs.png", "/root.png", "a//b.png", "__MACOSX/x.png", ".hidden/x.png", "twice.png", "twice.png"} {
		add(&zip.FileHeader{Name: n, Method: zip.Deflate}, good)
	}
	link := &zip.FileHeader{Name: "link.png"}
	link.SetMode(os.ModeSymlink | 0o777)
	add(link, []byte("/etc/passwd"))
	add(&zip.FileHeader{Name: "text.png", Method: zip.Deflate}, make([]byte, 10<<20)) // 10 MB of nothing in 10 kB
	lying, err := w.CreateRaw(&zip.FileHeader{Name: "lying.png", Method: zip.Store, CompressedSize64: uint64(len(good)), UncompressedSize64: 1 << 40})
	if err == nil {
		_, err = lying.Write(good)
	}
	if err != nil {
		t.Fatal(err)
	}
	raw, err := w.CreateRaw(&zip.FileHeader{Name: "secret.png", Flags: 1, Method: zip.Store, CompressedSize64: 3, UncompressedSize64: 3})
	if err == nil {
		_, err = raw.Write([]byte("xyz"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, name, Options{Resize: 3})
	want := []Skipped{
		{"../../climbs.png", "is no path inside the archive"},
		{"/root.png", "is no path inside the archive"},
		{"a//b.png", "is no path inside the archive"},
		{"link.png", "is no regular file"},
		{"lying.png", "the file has 1099511627776 bytes, want at most 536870912"},
		{"secret.png", "is encrypted"},
		{"text.png", "is no PNG, JPEG, GIF, BMP or WebP image"},
		{"twice.png", "is in the archive twice; the first one counts"},
	}
	if d.Len() != 2 || d.Report().Ignored != 2 || !slices.Equal(d.Report().Skipped, want) {
		t.Errorf("%d images, %d ignored, skipped %q", d.Len(), d.Report().Ignored, d.Report().Skipped)
	}
}

// TestCacheUnusable: what is said of a cache that cannot be read or written
// names it, and the images are used all the same.
func TestCacheUnusable(t *testing.T) {
	dir := folder(t, map[string][]byte{"1.png": slope(t, 1)})
	o := Options{Resize: 2, CacheDir: t.TempDir()}
	path := mustOpen(t, dir, o).Report().Cache
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	notes := mustOpen(t, dir, o).Report().Notes
	if len(notes) != 2 || !strings.HasPrefix(notes[0], "the cache ") || !strings.HasSuffix(notes[0], "; it is built again") ||
		!strings.HasPrefix(notes[1], "decoded images are not kept: "+path) || !strings.Contains(notes[0], path) {
		t.Errorf("got %q", notes)
	}
}
