package imaging

import (
	"bytes"
	"compress/zlib"
	"errors"
	"image"
	"image/png"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEncodePNG holds what image/png decodes against the image, and asks that every filter was in use.
func TestEncodePNG(t *testing.T) {
	var used [5]int
	for seed, c := range []struct{ w, h, roughness, slant int }{
		{1, 1, 255, 0}, {1, 9, 40, 0}, {9, 1, 40, 0}, {33, 21, 255, 0}, {33, 21, 1, 3}, {64, 64, 9, 1}, {31, 64, 30, 0}, {300, 2, 2, 0},
	} {
		r := rand.New(rand.NewSource(int64(seed)))
		grey, colour := image.NewGray(image.Rect(0, 0, c.w+3, c.h+2)), image.NewNRGBA(image.Rect(0, 0, c.w+3, c.h+2))
		for i := range colour.Pix {
			x, y := i/4%(c.w+3), i/4/(c.w+3)
			colour.Pix[i] = uint8(x*c.slant + y*i%4 + r.Intn(c.roughness+1))
			if i%4 == 3 {
				grey.Pix[i/4], colour.Pix[i] = colour.Pix[i-1], 255
			}
		}
		part := image.Rect(2, 1, c.w+2, c.h+1)
		for _, img := range []image.Image{grey.SubImage(part), colour.SubImage(part)} {
			var file bytes.Buffer
			if err := EncodePNG(&file, img); err != nil {
				t.Fatal(err)
			}
			for _, f := range filters(t, file.Bytes(), c.h) {
				used[f]++
			}
			back, err := png.Decode(&file)
			if err != nil {
				t.Fatal(err)
			}
			for y := range c.h {
				for x := range c.w {
					r, g, b, a := back.At(x, y).RGBA()
					wr, wg, wb, wa := img.At(x+2, y+1).RGBA()
					if r != wr || g != wg || b != wb || a != wa {
						t.Fatalf("%T %v: pixel %d,%d is %v, want %v", img, c, x, y, back.At(x, y), img.At(x+2, y+1))
					}
				}
			}
		}
	}
	for f, n := range used {
		if n == 0 {
			t.Errorf("no row had filter %d: %v", f, used)
		}
	}
}

// filters returns the filter of each row of a file of one IDAT chunk, which is
// the second of three.
func filters(t *testing.T, file []byte, rows int) []byte {
	z, err := zlib.NewReader(bytes.NewReader(file[8+25+8:]))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil || len(data)%rows != 0 {
		t.Fatalf("%d bytes for %d rows, %v", len(data), rows, err)
	}
	var list []byte
	for i := 0; i < len(data); i += len(data) / rows {
		list = append(list, data[i])
	}
	return list
}

func TestEncodePNGErrors(t *testing.T) {
	one := image.Rect(0, 0, 1, 1)
	for want, img := range map[string]image.Image{
		"of type *image.RGBA":       image.NewRGBA(one),
		"transparent":               image.NewNRGBA(one),
		"0×1 pixels, want at least": image.NewGray(image.Rect(0, 0, 0, 1)),
		"in a row at most 2^24":     &image.Gray{Rect: image.Rect(0, 0, 1<<24+1, 1)},
	} {
		var file bytes.Buffer
		if err := EncodePNG(&file, img); err == nil || !strings.Contains(err.Error(), want) || file.Len() != 0 {
			t.Errorf("got %v and %d bytes, want …%s…", err, file.Len(), want)
		}
	}
}

// TestWritePNG asks for the file that EncodePNG makes, and for its colour type: grey, or RGB without alpha.
func TestWritePNG(t *testing.T) {
	for _, c := range []int{1, 3} {
		m, err := Grid(make([]uint8, 4*c*8*8), 4, c, 8, 8, 0)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "grid.png")
		var want bytes.Buffer
		if err := errors.Join(WritePNG(path, m), EncodePNG(&want, m)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%d channels: %d bytes, %v, want the %d of EncodePNG", c, len(got), err, want.Len())
		}
		if want.Bytes()[25] != byte(c-1) {
			t.Errorf("colour type is %d, want %d", want.Bytes()[25], c-1)
		}
	}
	if err := WritePNG(filepath.Join(t.TempDir(), "no", "dir.png"), image.NewGray(image.Rect(0, 0, 1, 1))); err == nil {
		t.Error("no error for a directory that does not exist")
	}
}
