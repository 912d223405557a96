package train

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// decoding tells people how far the decoding of images is: a bar on a terminal,
// else a line now and then. What is done at once is not worth a word.
type decoding struct {
	words io.Writer
	bar   *progressbar.ProgressBar
	last  time.Time // of the last line
}

// decodingPause is the time between two lines.
const decodingPause = 10 * time.Second

func newDecoding(words io.Writer) *decoding {
	if words == nil {
		words = io.Discard
	}
	return &decoding{words: words, last: time.Now()}
}

// step takes note of how many images are decoded.
func (d *decoding) step(done, total int) {
	cols := columns(d.words)
	switch {
	case cols >= minColumns && d.bar == nil && done < total:
		d.bar = newBar(d.words, cols, total, done)
		fallthrough
	case d.bar != nil:
		d.bar.Describe(fmt.Sprintf("images decoded: %d", done))
		d.bar.Set(done)
	case time.Since(d.last) >= decodingPause:
		fmt.Fprintf(d.words, "%d of %d images decoded\n", done, total)
		d.last = time.Now()
	}
}

// end removes the bar.
func (d *decoding) end() {
	if d.bar != nil {
		d.bar.Clear()
		d.bar = nil
	}
}
