package train

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/models"
	"gantry/train/dataset"
)

// folderOf makes a folder of n images in two classes, one more that is broken,
// and a note.
func folderOf(t testing.TB, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "faces")
	write := func(name string, b []byte) *os.File {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err == nil {
			_, err = f.Write(b)
		}
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for i := range n {
		img := image.NewGray(image.Rect(0, 0, 9, 7))
		for k := range img.Pix {
			img.SetGray(k%9, k/9, color.Gray{uint8(k * (i + 3))})
		}
		f := write(fmt.Sprintf("class%d/%03d.png", i%2, i), nil)
		if err := png.Encode(f, img); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	write("class0/bro\nken.png", []byte("no")).Close()
	write("note.txt", nil).Close()
	return dir
}

// cacheIn has decoded images cached in a directory.
func cacheIn(dir string) Host {
	return Host{Open: func(ctx context.Context, ref string, o dataset.Options) (dataset.Dataset, error) {
		o.CacheDir = dir
		return dataset.Open(ctx, ref, o)
	}}
}

// TestFolderRun: the images of a folder get the shape of the samples, and
// neither threads, nor the cache, nor an interruption change the result.
func TestFolderRun(t *testing.T) {
	s := smallSettings(t, 9)
	s.LogEvery = 1
	s.Data, s.Mirror = folderOf(t, 6), true // 12 with their mirror images; the batch is 8
	cache, whole := t.TempDir(), filepath.Join(t.TempDir(), "whole")
	var words strings.Builder
	h := cacheIn(cache)
	h.Words = &words
	if _, err := Run(t.Context(), s, whole, h); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"training small on faces for 9 steps\n", "12 images of shape [1 4 4]",
		`"1 file skipped: class0/bro\nken.png is no PNG, JPEG, GIF, BMP or WebP image"` + "\n", "1 file ignored, by their names no images\n"} {
		if log, _ := os.ReadFile(filepath.Join(whole, logName)); !strings.Contains(words.String(), want) || !strings.Contains(string(log), want) {
			t.Errorf("%q is missing in\n%s", want, words.String())
		}
	}
	dir := filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	half := s
	half.Threads = 3
	h.Words = &stopAfter{step: 5, cancel: cancel}
	if _, err := Run(ctx, half, dir, h); !errors.As(err, new(*Interrupted)) {
		t.Fatalf("got %v", err)
	}
	if _, err := Resume(t.Context(), dir, nil, cacheIn(t.TempDir())); err != nil { // without the cache
		t.Fatal(err)
	}
	sameResults(t, dir, whole, 9)

	for want, change := range map[string]func(*Settings){
		"has --resize 0, not 4":              func(s *Settings) { s.Resize = 4 },
		"has --mirror=true, not false":       func(s *Settings) { s.Mirror = false },
		"--resize -1: must be at least 0":    func(s *Settings) { s.Resize = -1 },
		"--resize 1025: must be at most 102": func(s *Settings) { s.Resize = 1025 },
	} {
		if _, err := Resume(t.Context(), dir, func(s *Settings) error { change(s); return nil }, cacheIn(cache)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}

	s.Resize = 5
	var e *Error
	if _, err := Run(t.Context(), s, filepath.Join(t.TempDir(), "x"), cacheIn(cache)); !errors.As(err, &e) || !e.Misuse ||
		!strings.Contains(e.Error(), "samples of shape [1 4 4], but the images of faces have shape [1 5 5]") || !strings.Contains(e.Hint, "--resize 4 makes them fit") {
		t.Errorf("another size: got %v", err)
	}
}

func TestInspectData(t *testing.T) {
	dir := folderOf(t, 5)
	h := cacheIn(t.TempDir())
	var b strings.Builder
	if err := InspectData(t.Context(), &b, dir, 0, true, h); err != nil {
		t.Fatal(err)
	}
	data, err := h.open(t.Context(), dir, dataset.Options{Resize: 64})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"data faces: 10 images of [1 64 64]\n  kind: folder, 5 images, and each mirrored, all grey\n  sizes: 9 x 7 (5)\n",
		"  classes: 2\n    class0: 3\n    class1: 2\n  ignored: 1 file, by their names no images\n  skipped: 1\n",
		`    "class0/bro\nken.png": is no PNG, JPEG, GIF, BMP or WebP image` + "\n  memory: 20.5 kB; disk: ", " in " + data.Report().Cache + "\ndigest: " + dataset.Mirror(data).Digest() + "\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	if err := InspectData(t.Context(), &b, dir, 2000, false, h); err == nil || !strings.Contains(err.Error(), "--resize 2000: must be from 0 to 1024") {
		t.Errorf("got %v", err)
	}
	b.Reset()
	h.Open = func(context.Context, string, dataset.Options) (dataset.Dataset, error) {
		return dataset.New("two", []int{1, 2, 2}, make([]byte, 12), []byte{2, 0, 2})
	}
	if err := InspectData(t.Context(), &b, "two", 0, false, h); err != nil || !strings.Contains(b.String(), "classes: 3\n    0: 1\n    1: 0\n    2: 2\n  memory: 12 B\n") {
		t.Errorf("got %v\n%s", err, b.String())
	}
}

func TestCounter(t *testing.T) {
	var b strings.Builder
	d := NewCounter(&b, "images decoded")
	d.Step(1, 3)
	d.last = d.last.Add(-counterPause)
	d.Step(2, 3)
	d.Step(3, 3)
	d.End()
	if b.String() != "2 of 3 images decoded\n" {
		t.Errorf("got %q", b.String())
	}
}

func TestSizes(t *testing.T) {
	got := sizes(map[[2]int]int{{3, 4}: 1, {4, 3}: 9, {1, 1}: 1, {2, 2}: 1, {9, 9}: 1, {8, 8}: 2})
	if want := "4 x 3 (9), 8 x 8 (2), 1 x 1 (1), 2 x 2 (1), 2 more"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestFitChannels: a DCGAN gets the one channel of grey images, also in a run
// that was killed while they were read, and in one with another's weights.
func TestFitChannels(t *testing.T) {
	s := smallSettings(t, 2)
	spec, err := models.DCGAN{Size: 8, Channels: 3, Latent: 4, GWidth: 2, DWidth: 2}.Spec()
	if err != nil {
		t.Fatal(err)
	}
	s.Spec, s.Data, s.FitChannels = spec, folderOf(t, 8), true
	h, whole := cacheIn(t.TempDir()), filepath.Join(t.TempDir(), "whole")
	r, err := Run(t.Context(), s, whole, h)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Shape, []int{1, 8, 8}) || s.Spec != spec || spec.Sample.Shape[0] != 3 {
		t.Errorf("samples of shape %v, of the caller's networks %v", r.Shape, spec.Sample.Shape)
	}
	if left, err := readSettings(filepath.Join(whole, optionsName)); err != nil || left.FitChannels || left.Spec.Sample.Shape[0] != 1 {
		t.Errorf("options.json has %+v, %v", left, err)
	}
	killed := t.TempDir()
	if err := s.write(filepath.Join(killed, optionsName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(t.Context(), killed, func(s *Settings) error { s.FitChannels = false; return nil }, h); err == nil || !strings.Contains(err.Error(), "takes the channels of its images") {
		t.Errorf("resumed with other channels: %v", err)
	}
	if _, err := Resume(t.Context(), killed, nil, h); err != nil {
		t.Fatal(err)
	}
	sameResults(t, killed, whole, 2)
	if s.Init, err = NewOrigin(whole); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), s, filepath.Join(t.TempDir(), "from"), h); err != nil {
		t.Error(err)
	}
	s.Spec = smallSettings(t, 2).Spec
	if _, err := Run(t.Context(), s, filepath.Join(t.TempDir(), "other"), h); err == nil || !strings.Contains(err.Error(), "no DCGAN's") {
		t.Errorf("networks that cannot: %v", err)
	}
}

// TestRunAmongImages: a run in the folder of its images is refused and leaves
// nothing, since its pictures would be images of the resumed run.
func TestRunAmongImages(t *testing.T) {
	s := smallSettings(t, 2)
	s.Data = folderOf(t, 8)
	h := cacheIn(t.TempDir())
	for _, out := range []string{"class0/run", ".", "", "../faces/run/"} {
		if t.Chdir(s.Data); out == "" {
			t.Chdir("class1") // where runs/ would be made
		}
		var e *Error
		if _, err := Run(t.Context(), s, out, h); !errors.As(err, &e) || !e.Misuse && out != "." || !strings.Contains(e.Hint, "--out") {
			t.Errorf("--out %q: got %v", out, err)
		}
		if err := DryRun(t.Context(), io.Discard, s, out, h); !errors.As(err, &e) || !strings.Contains(e.Hint, "--out") {
			t.Errorf("--out %q, dry: got %v", out, err)
		}
		for _, left := range []string{"run", "class0/run", "class1/runs"} {
			if exists(filepath.Join(s.Data, left)) {
				t.Errorf("--out %q: %s is left", out, left)
			}
		}
	}
	beside := filepath.Join(filepath.Dir(s.Data), "faces2")
	if _, err := Run(t.Context(), s, beside, h); err != nil {
		t.Error(err)
	}
	d, err := h.Open(t.Context(), s.Data, s.dataOptions())
	if err == nil {
		err = apart(beside, s.Data+"gone", d)
	}
	if err != nil {
		t.Errorf("a folder that is gone: %v", err)
	}
}

// TestPointsForImages: a preset of images refuses points, which have no channels
// to take.
func TestPointsForImages(t *testing.T) {
	dcgan, err := models.LoadPreset("dcgan28")
	if err != nil {
		t.Fatal(err)
	}
	s := DefaultSettings(dcgan)
	s.FitChannels = true
	for data, hint := range map[string]string{"ring": "--preset pacgan2d", "normal": "--preset FILE.json"} {
		s.Data = data
		err := DryRun(t.Context(), io.Discard, s, "", Host{})
		want := "samples of shape [1 28 28], but the points of " + data
		if e := (*Error)(nil); !errors.As(err, &e) || !e.Misuse || !strings.Contains(err.Error(), want) || !strings.Contains(e.Hint, hint) {
			t.Errorf("%s: got %+v, want %q and the hint %q", data, err, want, hint)
		}
	}
}
