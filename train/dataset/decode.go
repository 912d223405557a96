package dataset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // decoders make themselves known to package image
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"runtime"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/webp"
)

// Limits of decoding. What an image will take is known from its header, and an
// image that would take more than all is refused; together, those that are
// decoded at one time do not take more. As the garbage collector lets a heap
// double, the program takes at most about 1 GiB while it decodes.
const (
	decodeBytes = 512 << 20 // of all images being decoded
	headerBytes = 4 << 20   // of a file, in which the header must lie
	maxPixels   = 1 << 26   // of an image
)

// decoder turns files into images of one size. It is not safe for concurrent
// use; decoders share a budget.
type decoder struct {
	side   int
	memory *budget
	resize resizer
}

// decode stores the square in the middle of an image, scaled, in dst,
// [3 side side]. It returns the image's width and height.
func (d *decoder) decode(dst []uint8, f *file) (w, h int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("its decoder failed: %v", r)
		}
	}()
	head, err := readImageHeader(f)
	if err != nil {
		return 0, 0, err
	}
	d.memory.take(head.bytes)
	defer d.memory.give(head.bytes)
	img, err := decodeFile(f)
	if err != nil {
		return 0, 0, err
	}
	p, err := newPicture(img, head)
	if err != nil {
		return 0, 0, err
	}
	d.resize.resize(dst, 3, d.side, p.side, p.row)
	if head.bytes > decodeBytes/16 {
		img, p = nil, nil
		runtime.GC() // before others take the memory
	}
	return head.width, head.height, nil
}

// A header is what is known of an image before it is decoded.
type header struct {
	width, height int
	orientation   int   // as in EXIF, 1 to 8
	bytes         int64 // that decoding takes
}

// readImageHeader reads the header of an image file and checks the limits.
func readImageHeader(f *file) (*header, error) {
	if f.size > decodeBytes {
		return nil, fmt.Errorf("the file has %d bytes, want at most %d", f.size, decodeBytes)
	}
	r, err := f.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var head bytes.Buffer
	c, format, err := image.DecodeConfig(bufio.NewReaderSize(io.TeeReader(io.LimitReader(r, min(f.size, headerBytes)), &head), 512))
	if err != nil {
		return nil, words(err)
	}
	if c.Width < 1 || c.Height < 1 {
		return nil, fmt.Errorf("is %d x %d pixels, want at least 1", c.Width, c.Height)
	}
	if int64(c.Width) > maxPixels/int64(c.Height) {
		return nil, fmt.Errorf("is %d x %d pixels, want at most %d in all", c.Width, c.Height, maxPixels)
	}
	h := &header{width: c.Width, height: c.Height, orientation: 1}
	var perPixel int64
	w8, h8 := int64(c.Width), int64(c.Height)
	switch format {
	case "jpeg":
		var progressive bool
		h.orientation, progressive = scanJPEG(head.Bytes())
		planes := map[color.Model]int64{color.GrayModel: 1, color.YCbCrModel: 3, color.RGBAModel: 3}[c.ColorModel]
		if perPixel = planes; planes == 0 {
			planes, perPixel = 4, 4 // CMYK
		}
		if c.ColorModel == color.RGBAModel || planes == 4 { // converted into a second image
			perPixel += 4
		}
		if progressive { // 32-bit coefficients of all planes
			perPixel += 4 * planes
		}
		w8, h8 = (w8+31)&^31, (h8+31)&^31 // whole blocks
	case "png":
		perPixel = 2 * pixelBytes(c.ColorModel) // and one of the passes, if it is interlaced
	case "gif":
		perPixel = 2
	case "bmp":
		perPixel = pixelBytes(c.ColorModel)
	case "webp":
		perPixel = 12
		// The decoder allocates what the container declares.
		if n := int64(binary.LittleEndian.Uint32(head.Bytes()[4:])); n > f.size-8 {
			return nil, fmt.Errorf("declares %d bytes, the file has %d", n+8, f.size)
		}
	default:
		return nil, words(image.ErrFormat)
	}
	if h.bytes = w8*h8*perPixel + f.size; h.bytes > decodeBytes {
		return nil, fmt.Errorf("is %d x %d pixels, which take %d bytes to decode, want at most %d", c.Width, c.Height, h.bytes, decodeBytes)
	}
	return h, nil
}

// pixelBytes is what a pixel of a color model takes.
func pixelBytes(m color.Model) int64 {
	switch m {
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	return 4
}

// decodeFile decodes a file; of an animated GIF the first image.
func decodeFile(f *file) (image.Image, error) {
	r, err := f.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	img, _, err := image.Decode(bufio.NewReaderSize(io.LimitReader(r, f.size), 1<<16))
	return img, words(err)
}

// words says for people what is wrong with a file.
func words(err error) error {
	switch {
	case errors.As(err, new(*fs.PathError)):
		return err
	case errors.Is(err, image.ErrFormat):
		return errors.New("is no PNG, JPEG, GIF, BMP or WebP image")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("ends too early")
	}
	return err
}

// A picture is the square in the middle of a decoded image, upright and on white.
type picture struct {
	img         image.RGBA64Image
	frame       image.Rectangle // of the whole picture: an image of a GIF may be smaller
	orientation int
	x0, y0      int // where the square begins, in the upright picture
	side        int
}

func newPicture(img image.Image, h *header) (*picture, error) {
	at, ok := img.(image.RGBA64Image)
	if !ok {
		return nil, fmt.Errorf("is decoded to %T, which cannot be read", img)
	}
	w, hh := h.width, h.height
	if h.orientation >= 5 {
		w, hh = hh, w
	}
	side := min(w, hh)
	return &picture{img: at, frame: image.Rect(0, 0, h.width, h.height), orientation: h.orientation,
		x0: (w - side) / 2, y0: (hh - side) / 2, side: side}, nil
}

// row stores line y of the square in dst, [3 side].
func (p *picture) row(dst []uint8, y int) {
	r, g, b := dst[:p.side], dst[p.side:][:p.side], dst[2*p.side:][:p.side]
	bounds := p.img.Bounds()
	for x := range p.side {
		at := p.source(p.x0+x, p.y0+y)
		if !at.In(bounds) {
			r[x], g[x], b[x] = 255, 255, 255
			continue
		}
		c := p.img.RGBA64At(at.X, at.Y)
		white := 0xffff - uint32(c.A)
		r[x], g[x], b[x] = to8(uint32(c.R)+white), to8(uint32(c.G)+white), to8(uint32(c.B)+white)
	}
}

// source returns where in the stored image a pixel of the upright one lies.
func (p *picture) source(x, y int) image.Point {
	right, bottom := p.frame.Max.X-1, p.frame.Max.Y-1
	switch p.orientation {
	case 2:
		return image.Pt(right-x, y)
	case 3:
		return image.Pt(right-x, bottom-y)
	case 4:
		return image.Pt(x, bottom-y)
	case 5:
		return image.Pt(y, x)
	case 6:
		return image.Pt(y, bottom-x)
	case 7:
		return image.Pt(right-y, bottom-x)
	case 8:
		return image.Pt(right-y, x)
	}
	return image.Pt(x, y)
}

// to8 rounds a 16-bit value to 8 bits.
func to8(v uint32) uint8 { return uint8((min(v, 0xffff)*255 + 0x7fff) / 0xffff) }
