package animation

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"slices"
	"testing"
)

// photo is an image of all kinds of colours in smooth transitions.
func photo(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(255 * x / w), uint8(255 * y / h), uint8(128 + 127*(x-y)/(w+h)), 255})
		}
	}
	return img
}

// TestPalettedGrey: greys are kept exactly, of the part that was asked for.
func TestPalettedGrey(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 20, 20))
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	r := image.Rect(3, 2, 15, 30) // beyond the image below
	got := Paletted(img, r)
	if got.Bounds() != image.Rect(0, 0, 12, 18) {
		t.Fatalf("got bounds %v", got.Bounds())
	}
	for y := range 18 {
		for x := range 12 {
			if want := img.GrayAt(x+3, y+2); color.GrayModel.Convert(got.At(x, y)) != want {
				t.Fatalf("at %d, %d: got %v, want %v", x, y, got.At(x, y), want)
			}
		}
	}
}

// TestPalettedColour: few colours are kept within their cell, many within what
// 256 of them allow.
func TestPalettedColour(t *testing.T) {
	few := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		few.SetNRGBA(i%16, i/16, color.NRGBA{uint8(i % 8 * 32), uint8(i / 8 % 8 * 32), uint8(i / 64 * 64), 255})
	}
	for name, c := range map[string]struct {
		img image.Image
		far int // the largest difference in a channel
	}{"256 colours": {few, 0}, "photo": {photo(120, 90), 24}, "one colour": {image.NewNRGBA(image.Rect(0, 0, 1, 1)), 0}} {
		if name == "one colour" {
			c.img.(*image.NRGBA).SetNRGBA(0, 0, color.NRGBA{1, 2, 3, 255})
		}
		got := Paletted(c.img, c.img.Bounds())
		if len(got.Palette) > 256 {
			t.Fatalf("%s: %d colours", name, len(got.Palette))
		}
		worst := 0
		for y := range got.Rect.Dy() {
			for x := range got.Rect.Dx() {
				r1, g1, b1, _ := got.At(x, y).RGBA()
				r2, g2, b2, _ := c.img.At(x, y).RGBA()
				for _, d := range []int{int(r1>>8) - int(r2>>8), int(g1>>8) - int(g2>>8), int(b1>>8) - int(b2>>8)} {
					worst = max(worst, d, -d)
				}
			}
		}
		if worst > c.far {
			t.Errorf("%s: off by %d, want at most %d", name, worst, c.far)
		}
	}
}

func TestEncode(t *testing.T) {
	a, b := Paletted(photo(30, 20), image.Rect(0, 0, 30, 20)), Paletted(image.NewGray(image.Rect(0, 0, 30, 20)), image.Rect(0, 0, 30, 20))
	var first, second bytes.Buffer
	for _, w := range []*bytes.Buffer{&first, &second} {
		if err := Encode(w, []*image.Paletted{a, b, a}, 20, 200); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two encodings differ")
	}
	small := &image.Paletted{Pix: make([]uint8, 30*20), Stride: 30, Rect: a.Rect, Palette: a.Palette[:1]}
	part := Paletted(photo(40, 20), image.Rect(0, 0, 40, 20))
	part = part.SubImage(image.Rect(0, 0, 30, 20)).(*image.Paletted)
	for name, frames := range map[string][]*image.Paletted{"three": {a, b, a}, "one": {a}, "one colour, and bytes between rows": {small, part}} {
		want, got := &bytes.Buffer{}, &bytes.Buffer{}
		delays := append(slices.Repeat([]int{20}, len(frames)-1), 200)
		if err := gif.EncodeAll(want, &gif.GIF{Image: frames, Delay: delays}); err != nil {
			t.Fatal(err)
		}
		if err := Encode(got, frames, 20, 200); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%s: %v, %d bytes that are not the %d of image/gif", name, err, got.Len(), want.Len())
		}
	}
	g, err := gif.DecodeAll(&first)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Image) != 3 || g.LoopCount != 0 || g.Delay[0] != 20 || g.Delay[2] != 200 || g.Config.Width != 30 || g.Config.Height != 20 {
		t.Errorf("got %d frames, loop %d, delays %v, %+v", len(g.Image), g.LoopCount, g.Delay, g.Config)
	}
	for i := range a.Pix {
		if a.At(i%30, i/30) != g.Image[2].At(i%30, i/30) {
			t.Fatalf("pixel %d differs", i)
		}
	}
	if Encode(&second, nil, 1, 1) == nil || Encode(&second, []*image.Paletted{a, Paletted(photo(2, 2), image.Rect(0, 0, 2, 2))}, 1, 1) == nil {
		t.Error("no frames, or frames of two sizes: no error")
	}
}
