package onnx

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// external reads the data that tensors keep in other files (data_location EXTERNAL): regular files in the model's
// directory or below it. A path that leaves the directory, by itself or over a symbolic link, is an error of [os.Root].
type external struct {
	dir  string // "" for a model that has none
	left int64  // bytes that may still be read
	root *os.Root
	name string   // of file
	file *os.File // the one read last: most models have one
	size int64    // of file
}

// close closes what read has opened.
func (e *external) close() {
	if e.file != nil {
		e.file.Close()
	}
	if e.root != nil {
		e.root.Close()
	}
}

// read returns the data of t, which must be want bytes. It allocates them after it has seen that the file has them.
func (e *external) read(t *TensorProto, want int64, where string) ([]byte, error) {
	entry := map[string]string{}
	for _, p := range t.ExternalData {
		if _, dup := entry[p.Key]; dup {
			return nil, formatError(where, "external_data has key "+quote(p.Key)+" twice", "each key once")
		}
		entry[p.Key] = p.Value
	}
	location := entry["location"]
	if location == "" {
		return nil, formatError(where, "external_data has no location", "the name of a file")
	}
	what := where + ": file " + quote(location)
	if err := text(where, "location of external_data", location); err != nil {
		return nil, err
	}
	if e.dir == "" {
		return nil, &UnsupportedError{Where: what, What: "data outside the model without its directory: load the model from its file, or save it as one file"}
	}
	if err := e.open(location); err != nil {
		if path := (*os.PathError)(nil); errors.As(err, &path) { // which repeats the location
			err = path.Err
		}
		return nil, &FormatError{Where: what, Seen: err.Error(), Want: "a regular file in the model's directory"}
	}
	number := func(key string, none int64) (int64, error) {
		s, ok := entry[key]
		if !ok {
			return none, nil
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return 0, formatError(what, key+" is "+quote(s), "a number, at least 0")
		}
		return n, nil
	}
	offset, err := number("offset", 0)
	if err != nil {
		return nil, err
	}
	length, err := number("length", e.size-offset)
	if err != nil {
		return nil, err
	}
	switch {
	case offset > e.size || length > e.size-offset:
		return nil, formatError(what, strconv.FormatInt(e.size, 10)+" bytes", "%d from byte %d on", want, offset)
	case length != want:
		return nil, formatError(what, fmt.Sprintf("%d bytes for the tensor", length), "%d for %v %v", want, DataType(t.DataType), t.Dims)
	case want > e.left:
		return nil, formatError(what, fmt.Sprintf("%d bytes more", want), "at most %d (Limits.FileBytes)", e.left)
	}
	e.left -= want
	b := make([]byte, want)
	if _, err := io.ReadFull(io.NewSectionReader(e.file, offset, want), b); err != nil {
		return nil, &FormatError{Where: what, Seen: err.Error(), Want: "a file that can be read"}
	}
	return b, nil
}

// open makes the named file the one to read.
func (e *external) open(name string) error {
	if e.file != nil && e.name == name {
		return nil
	}
	if e.root == nil {
		root, err := os.OpenRoot(e.dir)
		if err != nil {
			return err
		}
		e.root = root
	}
	local := filepath.FromSlash(name)
	st, err := e.root.Stat(local) // before Open, which would wait for the other end of a pipe
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return errors.New("is not a regular file")
	}
	f, err := e.root.Open(local)
	if err != nil {
		return err
	}
	if st, err = f.Stat(); err != nil {
		f.Close()
		return err
	}
	if e.file != nil {
		e.file.Close()
	}
	e.file, e.name, e.size = f, name, st.Size()
	return nil
}
