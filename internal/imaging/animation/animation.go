// Package animation writes GIFs. It stands apart from package imaging because
// package image/gif registers its decoder in every program that links it.
package animation

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"io"
	"slices"
)

// Encode writes an animation that repeats for ever: each frame is shown for
// delay hundredths of a second, the last one for last. The frames have one size.
// The bytes depend on the arguments and on the release of Go alone.
func Encode(w io.Writer, frames []*image.Paletted, delay, last int) error {
	if len(frames) == 0 {
		return errors.New("animation: no frames, want at least 1")
	}
	g := &gif.GIF{Image: frames}
	for i, f := range frames {
		if got, want := f.Bounds().Size(), frames[0].Bounds().Size(); got != want {
			return fmt.Errorf("animation: frame %d has %v pixels, want %v", i, got, want)
		}
		g.Delay = append(g.Delay, delay)
	}
	g.Delay[len(frames)-1] = last
	if err := gif.EncodeAll(w, g); err != nil {
		return fmt.Errorf("animation: %w", err)
	}
	return nil
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
	rgb := image.NewRGBA(out.Rect)
	draw.Draw(rgb, rgb.Rect, img, r.Min, draw.Src)
	counts := make([]cell, 1<<15)
	for i := 0; i < len(rgb.Pix); i += 4 {
		p := rgb.Pix[i:][:3]
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
	for i := range out.Pix { // both have no bytes between rows
		out.Pix[i] = index[cellOf(rgb.Pix[4*i:][:3])]
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
		slices.SortFunc(box, func(a, b cell) int { return cmp.Or(a.channel(side)-b.channel(side), a.key-b.key) })
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
