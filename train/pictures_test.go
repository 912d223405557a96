package train

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func decodePNG(t *testing.T, path string) image.Image {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func readAnimation(t *testing.T, dir string) *gif.GIF {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, animationName))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// sameAt reports whether the pixels of part stand in img with their corner at p.
func sameAt(img, part image.Image, p image.Point) bool {
	for y := range part.Bounds().Dy() {
		for x := range part.Bounds().Dx() {
			if color.RGBAModel.Convert(img.At(p.X+x, p.Y+y)) != color.RGBAModel.Convert(part.At(x, y)) {
				return false
			}
		}
	}
	return true
}

// TestPictures: the pictures show the grids as they are, in order.
func TestPictures(t *testing.T) {
	dir := mustRun(t, smallSettings(t, 14))
	g := readAnimation(t, dir)
	if len(g.Image) != 4 || g.Delay[2] != frameDelay || g.Delay[3] != lastDelay {
		t.Fatalf("%d frames of %v", len(g.Image), g.Delay)
	}
	for i, n := range []int{0, 6, 12, 14} {
		if !sameAt(g.Image[i], decodePNG(t, filepath.Join(dir, fakesName(n))), image.Point{}) {
			t.Errorf("frame %d is not the grid of step %d", i, n)
		}
	}
	pair := decodePNG(t, filepath.Join(dir, realFakeName))
	real, fake := decodePNG(t, filepath.Join(dir, realsName)), decodePNG(t, filepath.Join(dir, fakesName(14)))
	const heading = 11 * 7 // the left one is wider than the grid
	if !sameAt(pair, real, image.Pt(pairMargin, headingHeight)) || !sameAt(pair, fake, image.Pt(pairMargin+heading+pairGap, headingHeight)) {
		t.Errorf("%s does not have both grids", realFakeName)
	}
	if size := decodePNG(t, filepath.Join(dir, lossesName)).Bounds().Size(); size != image.Pt(960, 720) {
		t.Errorf("%s has %v pixels", lossesName, size)
	}
}

// TestPicturesProlonged: grids and lines that the run's cadence does not ask for
// are left out: a run that was prolonged has the pictures of one that was not.
func TestPicturesProlonged(t *testing.T) {
	whole := mustRun(t, smallSettings(t, 12))
	dir := mustRun(t, smallSettings(t, 7)) // leaves fakes-000007.png
	mustResume(t, dir, func(s *Settings) error { s.Steps = 12; return nil })
	sameResults(t, dir, whole, 12)
}

// TestPicturesDamaged: a grid that cannot be read is left out, with a word; one
// that is missing, without; a run without stats.jsonl has no curves.
func TestPicturesDamaged(t *testing.T) {
	dir := mustRun(t, smallSettings(t, 14))
	var large bytes.Buffer
	if err := png.Encode(&large, image.NewGray(image.Rect(0, 0, 3000, 1))); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{fakesName(0): []byte("no image"), fakesName(6): large.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{fakesName(12), statsName, lossesName, animationName} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	said := mustResume(t, dir, nil)
	for _, want := range []string{"fakes-000000.png is left out of the pictures: png: ", "fakes-000006.png is left out of the pictures: it has 3000×1 pixels", "pictures of the run: fakes.gif"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in\n%s", want, said)
		}
	}
	if g := readAnimation(t, dir); len(g.Image) != 1 {
		t.Errorf("%d frames, want 1", len(g.Image))
	}
	if exists(filepath.Join(dir, lossesName)) {
		t.Error("curves of nothing")
	}
	before := results(t, dir)
	if mustResume(t, dir, nil); !maps.Equal(results(t, dir), before) {
		t.Error("resumed again, it changed")
	}
}

func TestAnimationSize(t *testing.T) {
	for _, c := range []struct {
		shape []int
		grids int
		want  animationSize
	}{
		{[]int{1, 28, 28}, 17, animationSize{17, 238, 238}},
		{[]int{1, 28, 28}, 1000, animationSize{50, 238, 238}},
		{[]int{3, 64, 64}, 1000, animationSize{50, 526, 526}},
		{[]int{3, 128, 128}, 1000, animationSize{15, 1038, 1038}},
		{[]int{3, 256, 256}, 1000, animationSize{15, 1030, 1030}}, // 4 of 8 images
		{[]int{3, 5000, 2}, 1000, animationSize{50, 30, 5000}},
		{[]int{3, 8192, 8192}, 1000, animationSize{2, 8192, 8192}},
		{[]int{1, 28, 28}, 0, animationSize{0, 238, 238}},
	} {
		if got := newAnimationSize(c.shape, c.grids); got != c.want {
			t.Errorf("%v, %d grids: got %+v, want %+v", c.shape, c.grids, got, c.want)
		}
	}
}
