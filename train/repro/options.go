package repro

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"time"

	"gantry/internal/atomicfile"
	"gantry/train"
)

// Options are what all experiments have in common.
type Options struct {
	Out     string    // directory of the results, made if it is not there
	Seed    uint64    // decides every bit
	Threads int       // decides none; 0 means 1
	Words   io.Writer // progress, for people; nil: none
}

// prepare checks the options and makes the directory.
func (o *Options) prepare() error {
	if o.Threads < 0 {
		return misuse("leave it out for as many as there are processors", "--threads %d: must be at least 1", o.Threads)
	}
	o.Threads = max(o.Threads, 1)
	if o.Words == nil {
		o.Words = io.Discard
	}
	if err := os.MkdirAll(o.Out, 0o777); err != nil {
		return &train.Error{Err: fmt.Errorf("repro: cannot make the directory of the results: %w", err), Hint: "give --out a directory that you may make and write to"}
	}
	return nil
}

// picture writes a PNG to Out and returns its path.
func (o *Options) picture(name string, img image.Image) (string, error) {
	return o.file(name, func(w io.Writer) error { return png.Encode(w, img) })
}

// file writes a file to Out, whole or not at all, and returns its path.
func (o *Options) file(name string, write func(w io.Writer) error) (string, error) {
	path := filepath.Join(o.Out, name)
	if err := atomicfile.WriteFileAtomic(path, write); err != nil {
		return "", fmt.Errorf("repro: %w", err)
	}
	return path, nil
}

func misuse(hint, format string, args ...any) error {
	return &train.Error{Misuse: true, Err: fmt.Errorf("repro: "+format, args...), Hint: hint}
}

// A clock says how long the rest of the work will take, at the pace so far.
type clock struct {
	start      time.Time
	done, todo float64 // amounts of work, in any unit
}

func newClock(todo float64) *clock { return &clock{start: time.Now(), todo: todo} }

// did takes note of work that is done and returns the time left.
func (c *clock) did(amount float64) time.Duration {
	c.done, c.todo = c.done+amount, c.todo-amount
	return time.Duration(float64(time.Since(c.start)) * c.todo / c.done).Round(time.Second)
}

// skip takes note of work that was done before.
func (c *clock) skip(amount float64) { c.todo -= amount }
