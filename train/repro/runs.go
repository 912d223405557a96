package repro

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gantry/train"
)

// runTo trains to the last step of s in a directory, from where the run is that
// the directory may hold.
func runTo(ctx context.Context, s train.Settings, dir string, h train.Host) error {
	if _, err := os.Stat(filepath.Join(dir, "options.json")); err != nil {
		_, err := train.Run(ctx, s, dir, h)
		return err
	}
	_, err := train.Resume(ctx, dir, func(old *train.Settings) error {
		if s.Steps < old.Steps {
			return misuse(fmt.Sprintf("give --steps %d or more, or another --out, or delete %s to begin it anew", old.Steps, train.Quote(dir)), "%s was trained for %d steps, not %d", dir, old.Steps, s.Steps)
		}
		*old = s
		return nil
	}, h)
	return err
}

// now is the Words of a run that is one of many: of the figures of its steps, a line
// every ten seconds; of all else nothing, which its log.txt has.
type now struct {
	w    io.Writer
	what string // the run
	last time.Time
}

// Write implements [io.Writer] for whole lines.
func (n *now) Write(line []byte) (int, error) {
	if bytes.HasPrefix(line, []byte("[")) && time.Since(n.last) > 10*time.Second {
		if !n.last.IsZero() {
			fmt.Fprintf(n.w, "%s: %s", n.what, line)
		}
		n.last = time.Now()
	}
	return len(line), nil
}
