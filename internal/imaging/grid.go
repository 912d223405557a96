package imaging

import (
	"fmt"
	"image"
	"math"
)

// Gap is the number of black pixels between two images of a grid.
const Gap = 2

// Grid lays out n images, pix [n c h w] with c 1 (grey) or 3 (RGB), row by row
// in cols columns, with black gaps of [Gap] pixels between them and none
// around. cols 0 stands for ceil(√n); cols above n for n. The result is an
// *image.Gray or an opaque *image.NRGBA and does not share memory with pix.
func Grid(pix []uint8, n, c, h, w, cols int) (image.Image, error) {
	if n < 1 || h < 1 || w < 1 {
		return nil, fmt.Errorf("imaging: grid: %d images of %d×%d pixels, want at least 1 of 1×1", n, w, h)
	}
	if c != 1 && c != 3 {
		return nil, fmt.Errorf("imaging: grid: %d channels, want 1 or 3", c)
	}
	if cols < 0 {
		return nil, fmt.Errorf("imaging: grid: %d columns, want at least 0", cols)
	}
	if !holds(len(pix), n, c, h, w) {
		return nil, fmt.Errorf("imaging: grid: %d values, want %d×%d×%d×%d", len(pix), n, c, h, w)
	}
	if cols == 0 {
		cols = int(math.Ceil(math.Sqrt(float64(n))))
	}
	cols = min(cols, n)
	rows := (n + cols - 1) / cols
	size := image.Rect(0, 0, cols*(w+Gap)-Gap, rows*(h+Gap)-Gap)

	var out image.Image
	var canvas []uint8
	var stride, pixel int // bytes from row to row and from pixel to pixel
	if c == 1 {
		m := image.NewGray(size)
		out, canvas, stride, pixel = m, m.Pix, m.Stride, 1
	} else {
		m := image.NewNRGBA(size)
		for i := 3; i < len(m.Pix); i += 4 {
			m.Pix[i] = 255
		}
		out, canvas, stride, pixel = m, m.Pix, m.Stride, 4
	}
	for i := range n {
		at := i/cols*(h+Gap)*stride + i%cols*(w+Gap)*pixel
		for ch := range c {
			for y := range h {
				row := pix[((i*c+ch)*h+y)*w:][:w]
				dst := canvas[at+y*stride+ch:]
				for x, v := range row {
					dst[x*pixel] = v
				}
			}
		}
	}
	return out, nil
}

// holds reports whether n is the product of dims, which are at least 1, without
// computing a product that could overflow.
func holds(n int, dims ...int) bool {
	for _, d := range dims {
		if n%d != 0 {
			return false
		}
		n /= d
	}
	return n == 1
}
