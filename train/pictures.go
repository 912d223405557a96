package train

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"gantry/internal/atomicfile"
	"gantry/internal/imaging"
	"gantry/internal/imaging/animation"
)

// The pictures of a complete run are made of the files in its directory, so that
// they are the same however often the run was stopped: only of grids and lines
// that its present --sample-every and --log-every ask for, since others may come
// from before a run was prolonged.

// pictures draws what the run's pictures should be, and writes those that are
// not there or differ.
func (r *runner) pictures() error {
	type picture struct {
		name string
		draw func(w io.Writer) error
	}
	all := []picture{{lossesName, r.drawLosses}}
	if drawable(r.data.Shape()) {
		all = append(all, picture{realFakeName, r.drawRealFake}, picture{animationName, r.drawAnimation})
	}
	var written []string
	for _, p := range all {
		var b bytes.Buffer
		if err := p.draw(&b); err != nil {
			return failure(r.hint(err), "%s: %w", p.name, err)
		}
		path := r.dir.file(p.name)
		if old, err := os.ReadFile(path); b.Len() == 0 || err == nil && bytes.Equal(old, b.Bytes()) {
			continue
		}
		if err := atomicfile.WriteFile(path, b.Bytes()); err != nil {
			return failure(r.hint(err), "%w", err)
		}
		written = append(written, p.name)
	}
	if len(written) == 0 {
		return nil
	}
	r.wrote = true
	return r.p.say("pictures of the run: %s", strings.Join(written, ", "))
}

// drawLosses draws the curves of stats.jsonl, or nothing if that was removed.
func (r *runner) drawLosses(w io.Writer) error {
	points, err := readCurves(r.dir.file(statsName), r.s.LogEvery)
	if len(points) == 0 && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		return nil
	}
	if err != nil {
		return err
	}
	return drawCurves(w, fmt.Sprintf("%s on %s, batch %d", r.s.Preset, r.data.Name(), r.s.Recipe.Batch), points)
}

// Pixels of the headings' height, of what surrounds them, and of the gap
// between the two images.
const (
	headingHeight = 26
	pairMargin    = 8
	pairGap       = 24
)

// drawRealFake draws the real images beside the last generated ones, or nothing
// if one of the grids could not be made.
func (r *runner) drawRealFake(w io.Writer) error {
	var grids []image.Image
	for _, name := range []string{realsName, fakesName(r.s.Steps)} {
		img, err := r.readGrid(name)
		if img == nil || err != nil {
			return err
		}
		grids = append(grids, img)
	}
	headings := []string{"Real images", "Generated images"}
	if scattered(r.data.Shape()) {
		headings = []string{"Real points", "Generated points"}
	}
	var at [2]int // left edges
	x, height := pairMargin, 0
	for i, img := range grids {
		at[i] = x
		x += max(img.Bounds().Dx(), font.MeasureString(basicfont.Face7x13, headings[i]).Ceil())
		height = max(height, img.Bounds().Dy())
		if i == 0 {
			x += pairGap
		}
	}
	out := image.NewRGBA(image.Rect(0, 0, x+pairMargin, headingHeight+height+pairMargin))
	draw.Draw(out, out.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	for i, img := range grids {
		text := font.Drawer{Dst: out, Src: image.NewUniform(color.Black), Face: basicfont.Face7x13, Dot: fixed.P(at[i], headingHeight-pairMargin)}
		text.DrawString(headings[i])
		draw.Draw(out, img.Bounds().Sub(img.Bounds().Min).Add(image.Pt(at[i], headingHeight)), img, img.Bounds().Min, draw.Src)
	}
	return png.Encode(w, out)
}

// Hundredths of a second that a frame of the animation lasts, and the last one.
const (
	frameDelay = 20
	lastDelay  = 200
)

// drawAnimation draws the grids of generated images one after the other, or
// nothing if there is none.
func (r *runner) drawAnimation(w io.Writer) error {
	names, err := r.gridNames()
	if err != nil {
		return err
	}
	s := newAnimationSize(r.data.Shape(), len(names))
	var frames []*image.Paletted
	for i := range s.frames {
		name := names[i*(len(names)-1)/max(1, s.frames-1)]
		img, err := r.readGrid(name)
		if err != nil {
			return err
		}
		if img != nil {
			frames = append(frames, animation.Paletted(img, image.Rect(0, 0, s.width, s.height)))
		}
	}
	if len(frames) == 0 {
		return nil
	}
	return animation.Encode(w, frames, frameDelay, lastDelay)
}

// gridNames returns the names of the run's grids of generated images, in order.
func (r *runner) gridNames() ([]string, error) {
	entries, err := os.ReadDir(r.dir.path)
	if err != nil {
		return nil, err
	}
	var steps []int
	for _, e := range entries {
		if n, ok := stepOf(e.Name(), fakesForm); ok && n <= r.s.Steps && (n%r.s.SampleEvery == 0 || n == r.s.Steps) {
			steps = append(steps, n)
		}
	}
	slices.Sort(steps)
	var names []string
	for _, n := range steps {
		names = append(names, fakesName(n))
	}
	return names, nil
}

// readGrid reads a grid of the run. It returns nil, and says so, if the file
// cannot be read any more, which is no reason to end without a generator; nothing
// larger than the run's grids are is decoded.
func (r *runner) readGrid(name string) (image.Image, error) {
	width, height := gridSize(r.data.Shape())
	img, err := readPNG(r.dir.file(name), width, height)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, r.p.say("%s is left out of the pictures: %v", name, err)
	}
	return img, nil
}

// readPNG reads a PNG file of at most the given size.
func readPNG(path string, width, height int) (image.Image, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if c.Width > width || c.Height > height {
		return nil, fmt.Errorf("it has %d×%d pixels, a grid of this run at most %d×%d", c.Width, c.Height, width, height)
	}
	return png.Decode(bytes.NewReader(b))
}

// Bounds of an animation: frames, pixels of all of them, and pixels of a side,
// unless a single image is larger.
const (
	maxFrames      = 50
	maxFramePixels = 16 << 20
	maxFrameSide   = 1100
)

// An animationSize is how many of a run's grids its animation has, and how much
// of each: whole images from the top left corner.
type animationSize struct {
	frames, width, height int
}

// newAnimationSize returns the size of the animation of some grids of images of
// the given shape.
func newAnimationSize(shape []int, grids int) animationSize {
	if scattered(shape) {
		return animationSize{min(grids, maxFrames), scatterSide, scatterSide}
	}
	side := func(pixels int) int {
		images := min(gridSide, max(1, (maxFrameSide+imaging.Gap)/(pixels+imaging.Gap)))
		return images*(pixels+imaging.Gap) - imaging.Gap
	}
	s := animationSize{height: side(shape[1]), width: side(shape[2])}
	s.frames = min(grids, maxFrames, max(2, maxFramePixels/(s.width*s.height)))
	return s
}

// bytes returns the most bytes that the animation may have: twelve bits for
// each pixel, the tables of colours, and what stands between blocks of 255 bytes.
func (s animationSize) bytes() int64 {
	return int64(s.frames) * (int64(s.width*s.height)*3/2*256/255 + 1024)
}
