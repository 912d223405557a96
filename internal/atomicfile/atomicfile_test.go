package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func put(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// check fails the test unless dir holds one file, name, with the given content.
func check(t *testing.T, dir, name, content string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || string(got) != content {
		t.Errorf("%s holds %q, %v, want %q", name, got, err, content)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("directory holds %v, %v, want only %s", entries, err, name)
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, content := range []string{"one", "", strings.Repeat("x", 1<<17)} {
		if err := WriteFileAtomic(path, put(content)); err != nil {
			t.Fatal(err)
		}
		check(t, dir, "f", content)
	}
	if runtime.GOOS != "windows" {
		want := filepath.Join(t.TempDir(), "plain")
		if err := os.WriteFile(want, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		a, err1 := os.Stat(path)
		b, err2 := os.Stat(want)
		if err1 != nil || err2 != nil || a.Mode() != b.Mode() {
			t.Errorf("mode %v, want %v as of any new file", a.Mode(), b.Mode())
		}
	}
}

func TestChecked(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := WriteFileAtomic(path, put("old")); err != nil {
		t.Fatal(err)
	}
	bad := errors.New("not what was meant")
	err := WriteFileChecked(path, put("new"), func(name string) error {
		if got, err := os.ReadFile(name); err != nil || string(got) != "new" {
			t.Errorf("check sees %q, %v, want the complete file", got, err)
		}
		return bad
	})
	if !errors.Is(err, bad) {
		t.Errorf("error is %v, want the check's own", err)
	}
	check(t, dir, "f", "old")
}

func TestRelativePath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := WriteFile("f", []byte("x")); err != nil {
		t.Fatal(err)
	}
	check(t, dir, "f", "x")
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := WriteFileAtomic(path, put("old")); err != nil {
		t.Fatal(err)
	}
	mine := errors.New("mine")
	err := WriteFileAtomic(path, func(w io.Writer) error {
		if err := put("new")(w); err != nil {
			return err
		}
		return mine
	})
	if err != mine {
		t.Errorf("got %v, want the error of write as it is", err)
	}
	check(t, dir, "f", "old")

	func() {
		defer func() {
			if recover() == nil {
				t.Error("panic of write is lost")
			}
		}()
		WriteFileAtomic(path, func(io.Writer) error { panic("x") })
	}()
	check(t, dir, "f", "old")

	sub := filepath.Join(dir, "f", "g")
	if err := WriteFileAtomic(sub, put("x")); err == nil || !strings.HasPrefix(err.Error(), "atomicfile: "+sub+": open: ") {
		t.Errorf("got %v, want an error that names %s", err, sub)
	}
	check(t, dir, "f", "old")

	dir2 := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir2, "d"), 0o777); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(dir2, "d")
	if err := WriteFileAtomic(target, put("x")); !errors.Is(err, ErrNotRegular) || err.Error() != "atomicfile: "+target+": is a directory, not a regular file" {
		t.Errorf("got %v, want an error for a directory as target", err)
	}
	if entries, _ := os.ReadDir(dir2); len(entries) != 1 {
		t.Errorf("directory holds %v, want only d", entries)
	}
	if err := WriteFileAtomic(filepath.Join(dir2, "none", "f"), put("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want one that is ErrNotExist", err)
	}
	if err := WriteFileAtomic("", put("x")); err == nil {
		t.Error("no error for an empty path")
	}
}

// TestSpecial: what is no file stays what it is, and nothing is written for it.
func TestSpecial(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	if l, err := net.Listen("unix", socket); err != nil {
		t.Skipf("no unix sockets: %v", err)
	} else {
		defer l.Close()
	}
	null := filepath.Join(dir, "null")
	if err := os.Symlink(os.DevNull, null); err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]string{os.DevNull: "a device", null: "a device", socket: "a socket", dir: "a directory"} {
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		err = WriteFileAtomic(path, func(io.Writer) error {
			t.Errorf("%s: write was called", path)
			return errors.New("no")
		})
		if want := "atomicfile: " + path + ": is " + kind + ", not a regular file"; err == nil || err.Error() != want || !errors.Is(err, ErrNotRegular) {
			t.Errorf("got %v, want %s", err, want)
		}
		if after, err := os.Stat(path); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s is %v, %v; was %v", path, after, err, before.Mode())
		}
	}
}

// TestSymlink: a link stays, and the file that it points to is replaced or made.
func TestSymlink(t *testing.T) {
	dir, far := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(far, "f"), []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	for _, l := range [][2]string{{"link", "again"}, {"again", filepath.Join(far, "f")}, {"loop", "loop"}} {
		if err := os.Symlink(l[1], filepath.Join(dir, l[0])); err != nil {
			t.Skipf("no symbolic links: %v", err)
		}
	}
	for range 2 { // the second time nothing is there
		if err := WriteFileAtomic(link, put("new")); err != nil {
			t.Fatal(err)
		}
		check(t, far, "f", "new")
		if to, err := os.Readlink(link); err != nil || to != "again" {
			t.Errorf("the link is %q, %v", to, err)
		}
		if err := os.Remove(filepath.Join(far, "f")); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteFileAtomic(filepath.Join(dir, "loop"), put("x")); err == nil {
		t.Error("a link to itself: no error")
	}
}

func TestTempFor(t *testing.T) {
	f, err := create(filepath.Join(t.TempDir(), "a.b"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for name, want := range map[string]string{
		filepath.Base(f.Name()): "a.b", ".x.12-3.tmp": "x", ".x.1-2.3-4.tmp": "x.1-2",
		"x": "", ".tmp": "", ".x.tmp": "", "x.1-2.tmp": "", ".1-2.tmp": "", "..1-2.tmp": "", ".x.1-.tmp": "", ".x.-1-2.tmp": "", ".x.01-2.tmp": "", ".x.1-2.tmp~": "", ".x.1-2-3.tmp": "", ".x.+1-2.tmp": "",
	} {
		if got := TempFor(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestWrap: errors name the file that was asked for, not the temporary one.
func TestWrap(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no device that is always full: %v", err)
	}
	defer f.Close()
	_, err = f.Write([]byte("x"))
	got := wrap("a/b", err)
	if !strings.HasPrefix(got.Error(), "atomicfile: a/b: write: ") || strings.Contains(got.Error(), "/dev/full") || !errors.Is(got, syscall.ENOSPC) {
		t.Errorf("got %v, want an error on a/b that is ENOSPC", got)
	}
}

func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 5 {
				if err := WriteFileAtomic(path, put(strings.Repeat(fmt.Sprint(i), 1000))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, err := os.ReadFile(path)
	if err != nil || len(got) != 1000 || !bytes.Equal(got, bytes.Repeat(got[:1], 1000)) {
		t.Errorf("file is mixed: %q, %v", got, err)
	}
	check(t, dir, "f", string(got))
}

// TestStale: what a killed process left behind is neither used nor in the way.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		stale := fmt.Sprintf(".f.%d-%d.tmp", os.Getpid(), count.Load()+1+uint64(i))
		if err := os.WriteFile(filepath.Join(dir, stale), []byte("stale"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteFileAtomic(filepath.Join(dir, "f"), put("x")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || string(got) != "x" {
		t.Errorf("file holds %q, %v, want x", got, err)
	}
}
