package imaging

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"math"

	"gantry/internal/atomicfile"
)

// WritePNG writes img to path through a temporary file and a rename, as [EncodePNG] does.
func WritePNG(path string, img image.Image) error {
	return atomicfile.WriteFileAtomic(path, func(w io.Writer) error {
		if err := EncodePNG(w, img); err != nil {
			return fmt.Errorf("imaging: %s: %w", path, err)
		}
		return nil
	})
}

// EncodePNG writes a PNG (third edition of the specification) of what [Grid] returns: an *image.Gray or an
// opaque *image.NRGBA, with 8 bits for each sample and no alpha. Any other image is an error. The bytes
// depend on img and on the release of Go alone. Package image/png would bring its decoder along.
func EncodePNG(w io.Writer, img image.Image) error {
	var pix []uint8
	var stride, pixel, channels int // bytes from row to row and from pixel to pixel; of these in the file
	switch m := img.(type) {
	case *image.Gray:
		pix, stride, pixel, channels = m.Pix, m.Stride, 1, 1
	case *image.NRGBA:
		if !m.Opaque() {
			return fmt.Errorf("png: an image with transparent pixels, want an opaque one")
		}
		pix, stride, pixel, channels = m.Pix, m.Stride, 4, 3
	default:
		return fmt.Errorf("png: an image of type %T, want *image.Gray or *image.NRGBA", img)
	}
	size := img.Bounds().Size()
	if size.X < 1 || size.Y < 1 || size.X > 1<<24 || size.Y > math.MaxInt32 {
		return fmt.Errorf("png: %d×%d pixels, want at least 1×1 and in a row at most 2^24", size.X, size.Y)
	}

	var data bytes.Buffer
	z := zlib.NewWriter(&data)
	f := newFilter(channels, size.X)
	for y := range size.Y {
		row := f.next()
		for x := range size.X {
			copy(row[x*channels:][:channels], pix[y*stride+x*pixel:])
		}
		if _, err := z.Write(f.best()); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	if data.Len() > math.MaxInt32 {
		return fmt.Errorf("png: %d bytes of pixels, want at most 2^31-1", data.Len())
	}

	header := [13]byte{8: 8, 9: byte(channels - 1)} // bits of a sample; colour type 0 grey or 2 RGB
	binary.BigEndian.PutUint32(header[0:], uint32(size.X))
	binary.BigEndian.PutUint32(header[4:], uint32(size.Y))
	file := appendChunk([]byte("\x89PNG\r\n\x1a\n"), "IHDR", header[:])
	file = appendChunk(file, "IDAT", data.Bytes())
	file = appendChunk(file, "IEND", nil)
	_, err := w.Write(file)
	return err
}

// appendChunk appends a chunk to a file (section 5.3).
func appendChunk(file []byte, name string, data []byte) []byte {
	file = binary.BigEndian.AppendUint32(file, uint32(len(data)))
	start := len(file)
	file = append(append(file, name...), data...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(file[start:]))
}

// A filter turns rows into differences from their neighbours, which compress
// better (section 9).
type filter struct {
	bpp       int       // bytes from a pixel to the next
	row, prev []byte    // bpp zeros, then the row and the one above it
	out       [5][]byte // the filter's number, then the row filtered: none, sub, up, average, Paeth
}

func newFilter(bpp, width int) *filter {
	n := bpp * width
	f := &filter{bpp: bpp, row: make([]byte, bpp+n), prev: make([]byte, bpp+n)}
	for i := range f.out {
		f.out[i] = make([]byte, 1+n)
		f.out[i][0] = byte(i)
	}
	return f
}

// next returns the next row, for the caller to fill.
func (f *filter) next() []byte {
	f.row, f.prev = f.prev, f.row
	return f.row[f.bpp:]
}

// best returns the row under the filter whose differences have the smallest sum
// of magnitudes, as section 12.7 recommends.
func (f *filter) best() []byte {
	var sums [5]int
	left, corner := f.row[:len(f.row)-f.bpp], f.prev[:len(f.row)-f.bpp]
	for i, x := range f.row[f.bpp:] {
		a, b, c := left[i], f.prev[f.bpp+i], corner[i]
		for k, predicted := range [5]byte{0, a, b, byte((int(a) + int(b)) / 2), paeth(int(a), int(b), int(c))} {
			d := x - predicted
			f.out[k][1+i] = d
			sums[k] += int(min(d, -d))
		}
	}
	best := 0
	for k, sum := range sums {
		if sum < sums[best] {
			best = k
		}
	}
	return f.out[best]
}

// paeth returns whichever of left, up and corner is nearest to left + up - corner, in this order.
func paeth(a, b, c int) byte {
	pa, pb, pc := b-c, a-c, a+b-2*c
	pa, pb, pc = max(pa, -pa), max(pb, -pb), max(pc, -pc)
	switch {
	case pa <= pb && pa <= pc:
		return byte(a)
	case pb <= pc:
		return byte(b)
	}
	return byte(c)
}
