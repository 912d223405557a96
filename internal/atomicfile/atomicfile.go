// Package atomicfile replaces files in one step: a reader, and a machine that
// loses power, see the old file or the new one, never a part.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
)

// ErrNotRegular is why a device, a pipe, a socket or a directory is not
// replaced by a file.
var ErrNotRegular = errors.New("not a regular file")

// WriteFileAtomic writes a file through write and gives it its name only when
// it is complete and on disk: it writes to a temporary name in the same
// directory, ".<name>.<pid>-<n>.tmp", syncs, renames, and syncs the directory on
// systems that can.
//
// On any error, and if write panics, the temporary file is removed and what
// stood at path is untouched; the exception is a failing sync of the directory,
// after which the new file is in place but may not outlive a loss of power. An
// error of write is returned as it is, any other names path.
//
// The file has mode 0666 before the umask. A symbolic link at path stays: what
// it points to is replaced. Anything else than a regular file is refused with
// [ErrNotRegular], before write is called. The writer is buffered and must not
// be used after write returns. Concurrent calls for one path are safe: the last
// rename wins.
func WriteFileAtomic(path string, write func(io.Writer) error) error {
	return WriteFileChecked(path, write, func(string) error { return nil })
}

// WriteFile is [WriteFileAtomic] with the bytes of the file.
func WriteFile(path string, b []byte) error {
	return WriteFileAtomic(path, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// WriteFileChecked is [WriteFileAtomic] with a look at what is on disk before
// it counts: check is called with the temporary name of the complete, synced
// file. An error of check is returned as it is, and the file is removed.
func WriteFileChecked(path string, write func(io.Writer) error, check func(name string) error) error {
	target, err := resolve(path)
	if err != nil {
		return wrap(path, err)
	}
	f, err := create(target)
	if err != nil {
		return wrap(path, err)
	}
	done := false
	defer func() {
		if !done {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return wrap(path, err)
	}
	if err := f.Sync(); err != nil {
		return wrap(path, err)
	}
	if err := f.Close(); err != nil {
		return wrap(path, err)
	}
	if err := check(f.Name()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return wrap(path, err)
	}
	done = true
	if err := syncDir(filepath.Dir(target)); err != nil {
		return wrap(path, err)
	}
	return nil
}

// wrap names the file that the caller asked for, and drops the temporary name.
func wrap(path string, err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		return fmt.Errorf("atomicfile: %s: %s: %w", path, pe.Op, pe.Err)
	case errors.As(err, &le):
		return fmt.Errorf("atomicfile: %s: %s: %w", path, le.Op, le.Err)
	}
	return fmt.Errorf("atomicfile: %s: %w", path, err)
}

// resolve follows symbolic links from path to the file that is to be replaced,
// which need not be there.
func resolve(path string) (string, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("is %s, %w", kind(info.Mode()), ErrNotRegular)
	}
	for range 40 { // as many as Linux follows
		link, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link; if something is wrong with it, it shows when the file is made
		}
		if !filepath.IsAbs(link) {
			dir, _ := filepath.Split(path)
			link = dir + link // not Join: "x/.." need not be "." where x is a link
		}
		path = link
	}
	return "", errors.New("too many symbolic links")
}

// kind says for people what is no regular file.
func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeDevice != 0:
		return "a device"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "something special"
}

// count tells apart the temporary files of this process.
var count atomic.Uint64

// create makes a new file beside path. os.CreateTemp would give it mode 0600.
func create(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	for try := 0; ; try++ {
		name := fmt.Sprintf("%s.%s.%d-%d.tmp", dir, base, os.Getpid(), count.Add(1))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) || try == 10_000 {
			return f, err
		}
	}
}

// TempFor returns the name of the file for which name is a temporary one of this
// package, left by a process that was killed, or under way; "" if it is none.
func TempFor(name string) string {
	rest, ok := strings.CutSuffix(name, ".tmp")
	dot := strings.LastIndexByte(rest, '.')
	if !ok || dot < 2 || rest[0] != '.' {
		return ""
	}
	pid, n, ok := strings.Cut(rest[dot+1:], "-")
	for _, number := range []string{pid, n} {
		if v, err := strconv.ParseUint(number, 10, 64); err != nil || strconv.FormatUint(v, 10) != number {
			ok = false
		}
	}
	if !ok {
		return ""
	}
	return rest[1:dot]
}
