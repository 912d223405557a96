// Package imaging turns generated samples into 8-bit pixels, grids and PNG
// files.
package imaging

// Pixels maps samples to 8-bit pixels: dst[i] = floor((x[i]-lo)·255/(hi-lo) + 0.5)
// in float32, clamped to 0..255. NaN gives 0.
//
// dst must be at least as long as x, and lo < hi finite. It is safe for
// concurrent use with distinct dst.
func Pixels(dst []uint8, x []float32, lo, hi float32) {
	dst = dst[:len(x)]
	width := hi - lo
	for i, v := range x {
		v = float32((v-lo)*255/width) + 0.5 // float32(...) also where width is a constant power of two: else it could be fused
		switch {
		case v >= 255:
			dst[i] = 255
		case v >= 0:
			dst[i] = uint8(v)
		default: // NaN too
			dst[i] = 0
		}
	}
}
