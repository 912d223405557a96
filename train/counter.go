package train

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// A Counter tells people how far a piece of work is: a bar on a terminal, else a
// line now and then. What is done at once is not worth a word.
type Counter struct {
	words io.Writer
	what  string
	bar   *progressbar.ProgressBar
	last  time.Time // of the last line
}

// counterPause is the time between two lines.
const counterPause = 10 * time.Second

// NewCounter returns a counter of what is done, such as "images decoded". words may
// be nil.
func NewCounter(words io.Writer, what string) *Counter {
	if words == nil {
		words = io.Discard
	}
	return &Counter{words: words, what: what, last: time.Now()}
}

// Step takes note of how many are done.
func (d *Counter) Step(done, total int) {
	cols := columns(d.words)
	switch {
	case cols >= minColumns && d.bar == nil && done < total:
		d.bar = newBar(d.words, cols, total, done)
		fallthrough
	case d.bar != nil:
		d.bar.Describe(fmt.Sprintf("%s: %d", d.what, done))
		d.bar.Set(done)
	case time.Since(d.last) >= counterPause:
		fmt.Fprintf(d.words, "%d of %d %s\n", done, total, d.what)
		d.last = time.Now()
	}
}

// End removes the bar.
func (d *Counter) End() {
	if d.bar != nil {
		d.bar.Clear()
		d.bar = nil
	}
}
