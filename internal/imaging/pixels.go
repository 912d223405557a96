// Package imaging turns generated samples into 8-bit pixels, grids and PNG files.
package imaging

import "gantry/internal/kernel"

// Pixels maps samples to 8-bit pixels: dst[i] = floor((x[i]-lo)·255/(hi-lo) + 0.5)
// in float32, clamped to 0..255. NaN gives 0.
//
// dst must be at least as long as x, and lo < hi finite. It is safe for
// concurrent use with distinct dst.
func Pixels(dst []uint8, x []float32, lo, hi float32) {
	kernel.ToBytes(nil, dst[:len(x)], x, lo, hi)
}
