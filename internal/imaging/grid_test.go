package imaging

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"testing"
)

func TestGrid(t *testing.T) {
	// Three grey images of 2×1 pixels, two columns.
	got, err := Grid([]uint8{1, 2, 3, 4, 5, 6}, 3, 1, 1, 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	gray, ok := got.(*image.Gray)
	want := []uint8{
		1, 2, 0, 0, 3, 4,
		0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0,
		5, 6, 0, 0, 0, 0,
	}
	if !ok || gray.Bounds() != image.Rect(0, 0, 6, 4) || !bytes.Equal(gray.Pix, want) {
		t.Errorf("got %T %v %v, want 6×4 %v", got, got.Bounds(), gray.Pix, want)
	}

	// Two RGB images of 1×2 pixels side by side: planes become pixels.
	got, err = Grid([]uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 2, 3, 2, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	black := color.NRGBA{A: 255}
	for y, row := range [][]color.NRGBA{
		{{1, 3, 5, 255}, black, black, {7, 9, 11, 255}},
		{{2, 4, 6, 255}, black, black, {8, 10, 12, 255}},
	} {
		for x, c := range row {
			if got.At(x, y) != c {
				t.Errorf("pixel %d,%d is %v, want %v", x, y, got.At(x, y), c)
			}
		}
	}
	if got.Bounds() != image.Rect(0, 0, 4, 2) {
		t.Errorf("bounds %v, want 4×2", got.Bounds())
	}

	for _, tt := range []struct {
		n, cols       int
		width, height int
	}{{1, 0, 1, 1}, {2, 0, 4, 1}, {4, 0, 4, 4}, {5, 0, 7, 4}, {64, 0, 22, 22}, {5, 1, 1, 13}, {5, 5, 13, 1}, {5, 100, 13, 1}} {
		m, err := Grid(make([]uint8, tt.n), tt.n, 1, 1, 1, tt.cols)
		if err != nil || m.Bounds() != image.Rect(0, 0, tt.width, tt.height) {
			t.Errorf("%d images in %d columns: %v, %v, want %d×%d", tt.n, tt.cols, m.Bounds(), err, tt.width, tt.height)
		}
	}
}

func TestGridErrors(t *testing.T) {
	big := math.MaxInt/2 + 1
	for _, tt := range []struct {
		len, n, c, h, w, cols int
		want                  string
	}{
		{0, 0, 1, 1, 1, 0, "imaging: grid: 0 images of 1×1 pixels, want at least 1 of 1×1"},
		{1, 1, 1, -1, 1, 0, "imaging: grid: 1 images of 1×-1 pixels, want at least 1 of 1×1"},
		{2, 1, 2, 1, 1, 0, "imaging: grid: 2 channels, want 1 or 3"},
		{1, 1, 1, 1, 1, -1, "imaging: grid: -1 columns, want at least 0"},
		{5, 2, 1, 1, 3, 0, "imaging: grid: 5 values, want 2×1×1×3"},
		{12, 2, 1, 1, 3, 0, "imaging: grid: 12 values, want 2×1×1×3"},
		{0, big, 1, 2, 2, 0, ""}, // the product overflows to 0
	} {
		m, err := Grid(make([]uint8, tt.len), tt.n, tt.c, tt.h, tt.w, tt.cols)
		if m != nil || err == nil || tt.want != "" && err.Error() != tt.want {
			t.Errorf("%+v: got %v, %v", tt, m, err)
		}
	}
}
