package imaging

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestPixels(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	const most = math.MaxFloat32
	for _, tt := range []struct {
		lo, hi float32
		x      []float32
		want   []uint8
	}{
		{-1, 1, []float32{-1, 0, 1, -1.5, 1.5, nan, inf, -inf, most, -most}, []uint8{0, 128, 255, 0, 255, 0, 255, 0, 255, 0}},
		{0, 1, []float32{0, 1, 0.5, 1e-9, -1e-9, nan, inf, -inf}, []uint8{0, 255, 128, 0, 0, 0, 255, 0}},
		// Halves go up, in either direction from zero.
		{0, 255, []float32{0.5, 1.5, 2.5, 253.5, 254.5, 0.49999997, 254.49998, -0.5, -0.50001}, []uint8{1, 2, 3, 254, 255, 1, 254, 0, 0}},
	} {
		dst := slices.Repeat([]uint8{99}, len(tt.x)+1)
		Pixels(dst, tt.x, tt.lo, tt.hi)
		if !slices.Equal(dst[:len(tt.x)], tt.want) || dst[len(tt.x)] != 99 {
			t.Errorf("[%v, %v]: %v -> %v, want %v", tt.lo, tt.hi, tt.x, dst[:len(tt.x)], tt.want)
		}
	}
}

// TestPixelsRounding compares with a second, exact computation in which every
// operation is rounded to float32 by package big.
func TestPixelsRounding(t *testing.T) {
	round := func(f *big.Float) *big.Float { return f.SetPrec(24) }
	float := func(x float32) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(float64(x)) }
	exact := func(x, lo, hi float32) uint8 {
		v := round(float(0).Sub(float(x), float(lo)))
		v = round(float(0).Mul(v, float(255)))
		width := round(float(0).Sub(float(hi), float(lo)))
		v = round(float(0).Quo(v, width))
		v = round(float(0).Add(v, float(0.5)))
		f, _ := v.Float64()
		return uint8(min(max(math.Floor(f), 0), 255))
	}
	for _, r := range [][2]float32{{-1, 1}, {0, 1}, {-0.3, 0.7}} {
		var x []float32
		for i := range 256 { // around each boundary between two pixels
			edge := r[0] + (r[1]-r[0])*(float32(i)+0.5)/255
			x = append(x, math.Nextafter32(edge, -9), edge, math.Nextafter32(edge, 9))
		}
		dst := make([]uint8, len(x))
		Pixels(dst, x, r[0], r[1])
		for i, v := range x {
			if want := exact(v, r[0], r[1]); dst[i] != want {
				t.Errorf("%v in %v: %d, want %d", v, r, dst[i], want)
			}
		}
	}
}

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

func TestWritePNG(t *testing.T) {
	for _, c := range []int{1, 3} {
		pix := make([]uint8, 4*c*8*8)
		for i := range pix {
			pix[i] = uint8(i * 7)
		}
		m, err := Grid(pix, 4, c, 8, 8, 0)
		if err != nil {
			t.Fatal(err)
		}
		var files [2][]byte
		for i := range files {
			path := filepath.Join(t.TempDir(), "grid.png")
			if err := WritePNG(path, m); err != nil {
				t.Fatal(err)
			}
			if files[i], err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(files[0], files[1]) {
			t.Error("two files of one image differ")
		}
		back, err := png.Decode(bytes.NewReader(files[0]))
		if err != nil {
			t.Fatal(err)
		}
		if back.Bounds() != m.Bounds() {
			t.Fatalf("bounds %v, want %v", back.Bounds(), m.Bounds())
		}
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				r, g, b, a := back.At(x, y).RGBA()
				wr, wg, wb, wa := m.At(x, y).RGBA()
				if r != wr || g != wg || b != wb || a != wa {
					t.Fatalf("%d channels: pixel %d,%d is %v, want %v", c, x, y, back.At(x, y), m.At(x, y))
				}
			}
		}
		// Colour type: 0 grey, 2 RGB without alpha.
		if want := byte(c - 1); files[0][25] != want {
			t.Errorf("PNG colour type %d, want %d", files[0][25], want)
		}
	}
	if err := WritePNG(filepath.Join(t.TempDir(), "no", "dir.png"), image.NewGray(image.Rect(0, 0, 1, 1))); err == nil {
		t.Error("no error for a directory that does not exist")
	}
}
