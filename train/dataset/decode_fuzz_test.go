package dataset

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"io"
	"os"
	"runtime"
	"testing"

	"golang.org/x/image/bmp"
)

// FuzzDecode: whatever a file holds, decoding it takes no more memory than its
// header was charged for (and garbage: less than as much again three times).
func FuzzDecode(f *testing.F) {
	r := image.Rect(0, 0, 9, 6)
	img := paint(f, image.NewNRGBA(r), func(x, y int) color.Color { return color.NRGBA{uint8(x * 28), uint8(y * 40), 9, uint8(x * 20)} })
	f.Add(asPNG(f, img))
	f.Add(asPNG(f, image.NewGray16(r)))
	f.Add(asJPEG(f, img))
	f.Add(asJPEG(f, image.NewGray(r)))
	f.Add(encoded(f, func(b *bytes.Buffer) error { return gif.Encode(b, img, nil) }))
	f.Add(encoded(f, func(b *bytes.Buffer) error { return bmp.Encode(b, img) }))
	for _, name := range []string{"alpha", "lossy", "lossyalpha"} {
		b, err := os.ReadFile("testdata/" + name + ".webp")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(bomb(4000, 4000, 3))
	d := decoder{side: 4, memory: newBudget(decodeBytes)}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := file{name: "x", size: int64(len(b)), open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
		limit := int64(4 << 20)
		if h, err := readImageHeader(&in); err == nil {
			limit += 4 * h.bytes
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w, h, err := d.decode(make([]byte, 48), &in)
		runtime.ReadMemStats(&after)
		if err != nil && (w != 0 || h != 0) {
			t.Errorf("%d x %d came with the error %v", w, h, err)
		}
		if n := int64(after.TotalAlloc - before.TotalAlloc); n > limit {
			t.Errorf("%d bytes were allocated, want at most %d", n, limit)
		}
	})
}
