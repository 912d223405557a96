package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"gantry/internal/atomicfile"
)

// checkOutput refuses the name - for a file: what stands there in other programs does not come here.
func checkOutput(flag, file string) error {
	if file == "-" {
		return misusef("name a file", "%s -: standard output takes no pictures and arrays", flag)
	}
	return nil
}

// writeFile writes a file that is there when it is complete. Errors name it. That it cannot be made
// is found before write is called.
func writeFile(path string, write func(io.Writer) error) error {
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
