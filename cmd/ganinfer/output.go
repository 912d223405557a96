package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/term"

	"gantry/internal/atomicfile"
)

// streams are where the program writes: results to out, words to err.
type streams struct{ out, err io.Writer }

// terminal reports whether w is a terminal.
func (streams) terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// writeFile writes a file that is there when it is complete; - is standard output. Errors name it. That it cannot be made
// is found before write is called.
func (s streams) writeFile(path string, write func(io.Writer) error) error {
	if path == "-" {
		w := bufio.NewWriterSize(s.out, 1<<16)
		if err := write(w); err != nil {
			return err
		}
		return w.Flush()
	}
	return atomicfile.WriteFileAtomic(path, func(w io.Writer) error { return write(named{w, path}) })
}

// named is a writer to a temporary file, in whose errors the asked-for file stands.
type named struct {
	io.Writer
	path string
}

func (n named) Write(b []byte) (int, error) {
	k, err := n.Writer.Write(b)
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		err = fmt.Errorf("%s: %w", n.path, e.Err)
	}
	return k, err
}
