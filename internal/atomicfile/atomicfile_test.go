package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	if err := WriteFileAtomic("f", put("x")); err != nil {
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
	if err := WriteFileAtomic(target, put("x")); err == nil || !strings.HasPrefix(err.Error(), "atomicfile: "+target+": rename: ") {
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
