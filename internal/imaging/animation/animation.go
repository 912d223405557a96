// Package animation writes GIFs. Its encoder writes what image/gif would write, byte for byte, and leaves out the
// decoder, the quantizer and package image/draw, which that would link into every program.
package animation

import (
	"bytes"
	"cmp"
	"compress/lzw"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math/bits"
	"sort"
)

// Encode writes an animation that repeats for ever: each frame is shown for
// delay hundredths of a second, the last one for last. The frames have one size, of at most 65535 pixels in each
// direction, and opaque palettes of 1 to 256 colours.
// The bytes depend on the arguments and on the release of Go alone.
func Encode(w io.Writer, frames []*image.Paletted, delay, last int) error {
	if len(frames) == 0 {
		return errors.New("animation: no frames, want at least 1")
	}
	size := frames[0].Bounds().Size()
	if size.X < 1 || size.Y < 1 || size.X > 1<<16-1 || size.Y > 1<<16-1 {
		return fmt.Errorf("animation: frames have %v pixels, want 1 to 65535 in each direction", size)
	}
	var b bytes.Buffer
	short := func(v int) { b.Write(binary.LittleEndian.AppendUint16(nil, uint16(v))) }
	b.WriteString("GIF89a")
	short(size.X)
	short(size.Y)
	b.WriteString("\x00\x00\x00") // no colours for all frames
	if len(frames) > 1 {
		b.WriteString("\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00") // repeat for ever
	}
	var compressed bytes.Buffer
	for i, f := range frames {
		if got := f.Bounds().Size(); got != size {
			return fmt.Errorf("animation: frame %d has %v pixels, want %v", i, got, size)
		}
		depth := max(1, bits.Len(uint(len(f.Palette)-1))) // bits of a colour's number
		if len(f.Palette) == 0 || depth > 8 {
			return fmt.Errorf("animation: frame %d has %d colours, want 1 to 256", i, len(f.Palette))
		}
		if i == len(frames)-1 {
			delay = last
		}
		b.WriteString("\x21\xf9\x04\x00") // how long it is shown
		short(delay)
		b.WriteString("\x00\x00\x2c\x00\x00\x00\x00") // the frame, at 0, 0
		short(size.X)
		short(size.Y)
		b.WriteByte(0x80 | byte(depth-1)) // with its colours
		for _, c := range f.Palette {
			r, g, bl, _ := c.RGBA()
			b.Write([]byte{byte(r >> 8), byte(g >> 8), byte(bl >> 8)})
		}
		b.Write(make([]byte, 3*(1<<depth-len(f.Palette))))
		b.WriteByte(byte(max(2, depth)))
		compressed.Reset()
		z := lzw.NewWriter(&compressed, lzw.LSB, max(2, depth))
		for y := range size.Y {
			if _, err := z.Write(f.Pix[y*f.Stride:][:size.X]); err != nil {
				return fmt.Errorf("animation: frame %d: %w", i, err)
			}
		}
		z.Close()
		for compressed.Len() > 0 {
			block := compressed.Next(255)
			b.WriteByte(byte(len(block)))
			b.Write(block)
		}
		b.WriteByte(0)
		if _, err := b.WriteTo(w); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\x3b")
	return err
}

// Paletted returns the part r of img, which must be opaque, as a GIF's frame
// can hold it: a grey image as it is, any other in the 256 colours of a median
// cut (Heckbert, 1982). It shares no memory with img.
func Paletted(img image.Image, r image.Rectangle) *image.Paletted {
	r = r.Intersect(img.Bounds())
	out := image.NewPaletted(image.Rect(0, 0, r.Dx(), r.Dy()), nil)
	if grey, ok := img.(*image.Gray); ok {
		for v := range 256 {
			out.Palette = append(out.Palette, color.Gray{uint8(v)})
		}
		for y := range r.Dy() {
			copy(out.Pix[y*out.Stride:][:r.Dx()], grey.Pix[grey.PixOffset(r.Min.X, r.Min.Y+y):])
		}
		return out
	}
	rgb := make([]uint8, 0, 3*len(out.Pix))
	for y := range r.Dy() {
		for x := range r.Dx() {
			if m, ok := img.(*image.NRGBA); ok {
				rgb = append(rgb, m.Pix[m.PixOffset(r.Min.X+x, r.Min.Y+y):][:3]...)
				continue
			}
			r, g, b, _ := img.At(r.Min.X+x, r.Min.Y+y).RGBA()
			rgb = append(rgb, uint8(r>>8), uint8(g>>8), uint8(b>>8))
		}
	}
	counts := make([]cell, 1<<15)
	for i := 0; i < len(rgb); i += 3 {
		p := rgb[i:][:3]
		c := &counts[cellOf(p)]
		c.n++
		for ch, v := range p {
			c.sum[ch] += int(v)
		}
	}
	index := make([]uint8, len(counts))
	for i, box := range medianCut(counts) {
		out.Palette = append(out.Palette, mean(box))
		for _, c := range box {
			index[c.key] = uint8(i)
		}
	}
	for i := range out.Pix { // which has no bytes between rows
		out.Pix[i] = index[cellOf(rgb[3*i:][:3])]
	}
	return out
}

// A cell is the pixels whose colours agree in the five high bits of each channel.
type cell struct {
	key, n int
	sum    [3]int // of the channels, red first
}

// cellOf returns the number of a colour's cell.
func cellOf(p []uint8) int { return int(p[0]>>3)<<10 | int(p[1]>>3)<<5 | int(p[2]>>3) }

// channel returns a cell's five bits of a channel, 0 for red.
func (c *cell) channel(i int) int { return c.key >> (10 - 5*i) & 31 }

// medianCut parts the cells that have pixels into at most 256 boxes: the box
// with the most pixels times its longest side is cut across that side, where half
// of its pixels are on either side.
func medianCut(counts []cell) [][]cell {
	var all []cell
	for key, c := range counts {
		if c.n > 0 {
			c.key = key
			all = append(all, c)
		}
	}
	boxes := [][]cell{all}
	for len(boxes) < 256 {
		best, worst, side := -1, 0, 0
		for i, box := range boxes {
			pixels, longest, length := extent(box)
			if w := pixels * length; w > worst {
				best, worst, side = i, w, longest
			}
		}
		if best < 0 {
			break // every box is one cell
		}
		box := boxes[best]
		sort.Sort(&bySide{box, side})
		pixels, _, _ := extent(box)
		cut, below := 1, box[0].n
		for ; cut < len(box)-1 && below+box[cut].n <= pixels/2; cut++ {
			below += box[cut].n
		}
		boxes[best] = box[:cut]
		boxes = append(boxes, box[cut:])
	}
	return boxes
}

// bySide sorts cells by a channel, then by their numbers. It takes a third of the bytes of a program that slices.SortFunc would.
type bySide struct {
	box  []cell
	side int
}

func (s *bySide) Len() int      { return len(s.box) }
func (s *bySide) Swap(i, j int) { s.box[i], s.box[j] = s.box[j], s.box[i] }
func (s *bySide) Less(i, j int) bool {
	a, b := &s.box[i], &s.box[j]
	return cmp.Or(a.channel(s.side)-b.channel(s.side), a.key-b.key) < 0
}

// extent returns the number of a box's pixels, its longest side's channel and
// that side's length: 0 for a single cell.
func extent(box []cell) (pixels, longest, length int) {
	lo, hi := [3]int{31, 31, 31}, [3]int{}
	for i := range box {
		pixels += box[i].n
		for ch := range 3 {
			v := box[i].channel(ch)
			lo[ch], hi[ch] = min(lo[ch], v), max(hi[ch], v)
		}
	}
	for ch := range 3 {
		if l := hi[ch] - lo[ch]; l > length {
			longest, length = ch, l
		}
	}
	return pixels, longest, length
}

// mean returns the mean colour of a box's pixels.
func mean(box []cell) color.Color {
	n, sum := 0, [3]int{}
	for _, c := range box {
		n += c.n
		for ch, v := range c.sum {
			sum[ch] += v
		}
	}
	at := func(ch int) uint8 { return uint8((sum[ch] + n/2) / n) }
	return color.RGBA{at(0), at(1), at(2), 255}
}
