package dataset

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/image/bmp"
)

// paint returns the encoded form of an image whose pixels at gives.
func paint(t testing.TB, img interface {
	image.Image
	Set(x, y int, c color.Color)
}, at func(x, y int) color.Color) image.Image {
	t.Helper()
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			img.Set(x, y, at(x, y))
		}
	}
	return img
}

func encoded(t testing.TB, encode func(b *bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, img) })
}

func asJPEG(t testing.TB, img image.Image) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, img, &jpeg.Options{Quality: 100}) })
}

// folder writes files into a new directory.
func folder(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "faces")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// open opens a data set with a cache of its own, unless o names one.
func open(t testing.TB, ref string, o Options) (Dataset, error) {
	t.Helper()
	if o.CacheDir == "" {
		o.CacheDir = t.TempDir()
	}
	return Open(context.Background(), ref, o)
}

func mustOpen(t testing.TB, ref string, o Options) Dataset {
	t.Helper()
	d, err := open(t, ref, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// pixels returns image i as bytes, [C H W].
func pixels(t testing.TB, d Dataset, i int) []byte {
	t.Helper()
	s := d.Shape()
	x := make([]float32, s[0]*s[1]*s[2])
	if err := d.Read(x, []int{i}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, len(x))
	for k, v := range x {
		b[k] = byte(v*255 + 0.5)
	}
	return b
}

// TestFormats reads every kind of image that the encoders at hand make.
func TestFormats(t *testing.T) {
	const w, h = 20, 16
	r := image.Rect(0, 0, w, h)
	colour := func(x, y int) color.NRGBA64 {
		return color.NRGBA64{uint16(x * 3000), uint16(y * 4000), uint16(65535 - x*y*150), 65535}
	}
	opaque := func(x, y int) color.Color { return colour(x, y) }
	clear := func(x, y int) color.Color {
		c := colour(x, y)
		c.A = uint16(x * y * 200)
		return c
	}
	// 8-bit alpha must survive being premultiplied by Set.
	clear8 := func(x, y int) color.Color {
		c := colour(x, y)
		return color.NRGBA{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8), uint8(x * y)}
	}
	palette := color.Palette{color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 90, 7, 128}, color.NRGBA{1, 2, 3, 0}, color.Gray{200}}
	index := func(x, y int) color.Color { return palette[(x+y)%4] }
	images := map[string]image.Image{
		"gray":     paint(t, image.NewGray(r), opaque),
		"gray16":   paint(t, image.NewGray16(r), opaque),
		"nrgba":    paint(t, image.NewNRGBA(r), clear8),
		"rgba":     paint(t, image.NewRGBA(r), opaque),
		"nrgba64":  paint(t, image.NewNRGBA64(r), clear),
		"rgba64":   paint(t, image.NewRGBA64(r), opaque),
		"paletted": paint(t, image.NewPaletted(r, palette), index),
	}
	webp := func(name string) []byte {
		b, err := os.ReadFile("testdata/" + name + ".webp")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	shows := func(file []byte) func(x, y int) color.Color { // what a lossy file shows, the decoder says
		img, _, err := image.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		return img.At
	}
	for _, c := range []struct {
		name  string
		file  []byte
		at    func(x, y int) color.Color // what it shows, in its own coordinates
		w, h  int
		bound float64 // of a difference, in 8-bit steps
	}{
		{"gray.png", asPNG(t, images["gray"]), images["gray"].At, w, h, 0.5},
		{"gray16.png", asPNG(t, images["gray16"]), images["gray16"].At, w, h, 0.5},
		{"nrgba.png", asPNG(t, images["nrgba"]), images["nrgba"].At, w, h, 0.51},
		{"rgba.png", asPNG(t, images["rgba"]), images["rgba"].At, w, h, 0.5},
		{"nrgba64.png", asPNG(t, images["nrgba64"]), images["nrgba64"].At, w, h, 0.51},
		{"rgba64.png", asPNG(t, images["rgba64"]), opaque, w, h, 0.5},
		{"paletted.PNG", asPNG(t, images["paletted"]), images["paletted"].At, w, h, 0.51},
		{"colour.jpg", asJPEG(t, images["rgba"]), shows(asJPEG(t, images["rgba"])), w, h, 0.51},
		{"gray.jpeg", asJPEG(t, images["gray"]), shows(asJPEG(t, images["gray"])), w, h, 0.5},
		{"paletted.gif", encoded(t, func(b *bytes.Buffer) error {
			first := image.NewPaletted(r, color.Palette{palette[0], palette[3], color.NRGBA{}})
			paint(t, first, func(x, y int) color.Color { return first.Palette[(x+y)%3] })
			second := image.NewPaletted(r, first.Palette)
			return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{first, second}, Delay: []int{1, 1}})
		}), func(x, y int) color.Color { return color.Palette{palette[0], palette[3], color.NRGBA{}}[(x+y)%3] }, w, h, 0.5},
		{"offset.gif", encoded(t, func(b *bytes.Buffer) error { // an image of which the file has a part
			part := image.NewPaletted(image.Rect(3, 5, 12, 9), color.Palette{palette[0]})
			return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{part}, Delay: []int{1}, Config: image.Config{Width: w, Height: h}})
		}), func(x, y int) color.Color {
			if image.Pt(x, y).In(image.Rect(3, 5, 12, 9)) {
				return palette[0]
			}
			return color.White
		}, w, h, 0.5},
		{"gray.bmp", encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, images["gray"]) }), images["gray"].At, w, h, 0.5},
		{"rgba.bmp", encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, images["rgba"]) }), images["rgba"].At, w, h, 0.5},
		{"png.jpg", asPNG(t, images["rgba"]), images["rgba"].At, w, h, 0.5}, // the content counts
		{"alpha.webp", webp("alpha"), func(x, y int) color.Color {
			if x >= 8 {
				return color.Transparent
			}
			return color.NRGBA{uint8(x * 16), uint8(y * 20), uint8(255 - x*8), 255}
		}, 16, 12, 0.5},
		{"lossy.webp", webp("lossy"), shows(webp("lossy")), 16, 12, 0.51},
		{"lossyalpha.webp", webp("lossyalpha"), shows(webp("lossyalpha")), 16, 12, 0.51},
	} {
		t.Run(c.name, func(t *testing.T) {
			side := min(c.w, c.h)
			d := mustOpen(t, folder(t, map[string][]byte{c.name: c.file}), Options{Resize: side, Shape: []int{3, 0, 0}})
			got := pixels(t, d, 0)
			worst := 0.0
			for y := range side {
				for x := range side {
					r, g, b, a := c.at(x+(c.w-side)/2, y).RGBA()
					for p, v := range []uint32{r, g, b} {
						want := float64(v+0xffff-a) / 257
						worst = max(worst, math.Abs(float64(got[(p*side+y)*side+x])-want))
					}
				}
			}
			if worst > c.bound {
				t.Errorf("a pixel is off by %.3f, want at most %.3f", worst, c.bound)
			}
			if want := map[[2]int]int{{c.w, c.h}: 1}; fmt.Sprint(d.Report().Sizes) != fmt.Sprint(want) {
				t.Errorf("sizes %v, want %v", d.Report().Sizes, want)
			}
		})
	}
}

// withExif puts EXIF data with an orientation into a JPEG file.
func withExif(file []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	mark := map[string]string{"LittleEndian": "II", "BigEndian": "MM"}[order.String()]
	tiff := order.AppendUint32(order.AppendUint16([]byte(mark), 42), 8)
	tiff = order.AppendUint16(tiff, 2)
	tiff = append(tiff, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0) // another entry
	tiff = order.AppendUint16(order.AppendUint16(tiff, 0x0112), 3)
	tiff = order.AppendUint16(order.AppendUint32(tiff, 1), orientation)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	body := append([]byte("Exif\x00\x00"), tiff...)
	segment := append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(body))), body...)
	return slices.Concat(file[:2], segment, file[2:])
}

// TestOrientation: an image is turned as its EXIF data ask, before it is cropped.
func TestOrientation(t *testing.T) {
	const w, h = 19, 8
	img := paint(t, image.NewGray(image.Rect(0, 0, w, h)), func(x, y int) color.Color { return color.Gray{uint8(x*12 + y)} })
	file := asJPEG(t, img)
	stored, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	// Exif 2.3, table 6: on which side of what is seen row 0 and column 0 lie.
	rotate := func(a [][]byte) [][]byte { // clockwise
		out := make([][]byte, len(a[0]))
		for i := range out {
			for j := range a {
				out[i] = append(out[i], a[len(a)-1-j][i])
			}
		}
		return out
	}
	flip := func(a [][]byte) [][]byte { // left and right
		out := make([][]byte, len(a))
		for i := range a {
			out[i] = slices.Clone(a[i])
			slices.Reverse(out[i])
		}
		return out
	}
	plain := make([][]byte, h)
	for y := range plain {
		for x := range w {
			plain[y] = append(plain[y], stored.(*image.Gray).GrayAt(x, y).Y)
		}
	}
	once := rotate(plain)
	twice := rotate(once)
	thrice := rotate(twice)
	wants := [][][]byte{plain, plain, flip(plain), twice, flip(twice), flip(once), once, flip(thrice), thrice, plain}
	for o, want := range wants {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			f := withExif(file, order, uint16(o))
			got := pixels(t, mustOpen(t, folder(t, map[string][]byte{"a.jpg": f}), Options{Resize: h}), 0)
			var cropped []byte
			x0, y0 := (len(want[0])-h)/2, (len(want)-h)/2
			for y := range h {
				cropped = append(cropped, want[y0+y][x0:x0+h]...)
			}
			if !bytes.Equal(got, cropped) {
				t.Errorf("orientation %d, %v: got\n%v\nwant\n%v", o, order, got, cropped)
			}
		}
	}
}

func FuzzScanJPEG(f *testing.F) {
	file := asJPEG(f, image.NewGray(image.Rect(0, 0, 8, 8)))
	f.Add(file)
	f.Add(withExif(file, binary.LittleEndian, 6))
	f.Add(withExif(file, binary.BigEndian, 3))
	f.Add(withExif(file, binary.BigEndian, 3)[:30])
	f.Add([]byte{0xff, 0xd8, 0xff, 0xff, 0xff, 0xc2, 0, 2})
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x12Exif\x00\x00II*\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, _ := scanJPEG(b); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
		if o := exifOrientation(b); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}
