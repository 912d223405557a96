package dataset

import (
	"bytes"
	"image"
	"math"
	"testing"

	"golang.org/x/image/draw"
)

// noise is an image of side×side pixels that no filter finds easy.
func noise(side int) []byte {
	b := make([]byte, side*side)
	for i := range b {
		x := uint32(i)*2654435761 + 12345
		b[i] = byte(x >> 13)
		if i/side%7 < 3 { // and edges
			b[i] = byte(255 * (i % 2))
		}
	}
	return b
}

// scaled resizes one plane.
func scaled(src []byte, from, side int) []byte {
	var r resizer
	dst := make([]byte, side*side)
	r.resize(dst, 1, side, from, func(row []uint8, y int) { copy(row, src[y*from:][:from]) })
	return dst
}

var resizeSizes = [][2]int{{1, 1}, {1, 5}, {2, 3}, {5, 1}, {7, 3}, {10, 10}, {16, 8}, {17, 16}, {16, 17}, {33, 64}, {100, 9}, {181, 64}, {640, 3}}

// TestResize compares with the definition: each output pixel is the weighted
// mean of all pixels, with the Catmull-Rom spline of their distance in units of
// the coarser of both grids.
func TestResize(t *testing.T) {
	cubic := func(x float64) float64 { // Keys 1981, a = -1/2
		const a = -0.5
		switch x = math.Abs(x); {
		case x < 1:
			return (a+2)*math.Pow(x, 3) - (a+3)*x*x + 1
		case x < 2:
			return a*math.Pow(x, 3) - 5*a*x*x + 8*a*x - 4*a
		}
		return 0
	}
	for _, s := range resizeSizes {
		from, side := s[0], s[1]
		src := noise(from)
		got := scaled(src, from, side)
		step := float64(from) / float64(side)
		scale := math.Max(step, 1)
		weights := make([][]float64, side) // normalised
		worst := 0.0                       // the largest sum of their magnitudes
		for i := range weights {
			sum, size := 0.0, 0.0
			for j := range from {
				w := cubic((float64(j) + 0.5 - (float64(i)+0.5)*step) / scale)
				weights[i] = append(weights[i], w)
				sum += w
			}
			for j := range weights[i] {
				weights[i][j] /= sum
				size += math.Abs(weights[i][j])
			}
			worst = math.Max(worst, size)
		}
		// A weight is off by at most one unit of its precision.
		off := math.Min(float64(from), 4*scale+1) / (1 << weightBits)
		bound := 0.5 + 255*(2*worst*off+off*off) + 1e-9
		for y := range side {
			for x := range side {
				want := 0.0
				for j, wy := range weights[y] {
					for i, wx := range weights[x] {
						want += wy * wx * float64(src[j*from+i])
					}
				}
				want = math.Min(math.Max(want, 0), 255)
				if d := math.Abs(float64(got[y*side+x]) - want); d > bound {
					t.Fatalf("%d to %d, pixel (%d, %d): got %d, want %.4f to within %.4f", from, side, x, y, got[y*side+x], want, bound)
				}
			}
		}
		if from == side && !bytes.Equal(got, src) {
			t.Errorf("%d to %d: the image has changed", from, side)
		}
	}
}

// TestResizeDraw compares with x/image's Catmull-Rom, which computes in
// floating point and truncates 16 bits to 8.
func TestResizeDraw(t *testing.T) {
	for _, s := range resizeSizes {
		from, side := s[0], s[1]
		src := &image.Gray{Pix: noise(from), Stride: from, Rect: image.Rect(0, 0, from, from)}
		want := image.NewRGBA(image.Rect(0, 0, side, side))
		draw.CatmullRom.Scale(want, want.Rect, src, src.Rect, draw.Src, nil)
		for i, v := range scaled(src.Pix, from, side) {
			if d := int(v) - int(want.Pix[4*i]); d < -1 || d > 1 {
				t.Fatalf("%d to %d, pixel %d: got %d, x/image has %d", from, side, i, v, want.Pix[4*i])
			}
		}
	}
}

// TestTaps: a flat image stays as it is, whatever its size.
func TestTaps(t *testing.T) {
	for from := 1; from < 70; from++ {
		for to := 1; to < 70; to++ {
			for i, w := range newTaps(from, to) {
				sum := int32(0)
				for _, v := range w.weights {
					sum += v
				}
				if sum != 1<<weightBits || w.first < 0 || w.first+len(w.weights) > from {
					t.Fatalf("%d to %d: weights of %d are from %d, %v, sum %d", from, to, i, w.first, w.weights, sum)
				}
			}
		}
	}
}

func BenchmarkResize(b *testing.B) {
	src := noise(178)
	var r resizer
	dst := make([]byte, 3*64*64)
	for b.Loop() {
		r.resize(dst, 3, 64, 178, func(row []uint8, y int) {
			for p := range 3 {
				copy(row[p*178:][:178], src[y*178:])
			}
		})
	}
}
