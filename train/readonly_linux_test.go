package train

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestReadOnly resumes and starts runs where nothing may be written.
func TestReadOnly(t *testing.T) {
	root, err := os.MkdirTemp("", "gantry")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	dir := filepath.Join(root, "run")
	if _, err := Run(context.Background(), smallSettings(t, 4), dir, smallHost); err != nil {
		t.Fatal(err)
	}
	before := results(t, dir)
	if err := errors.Join(os.Chmod(root, 0o755), os.Chmod(dir, 0o555)); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	asNobody(t, func() {
		_, err := Resume(context.Background(), dir, func(s *Settings) error { s.Steps = 9; return nil }, smallHost)
		if err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("got %v", err)
		}
		_, err = Run(context.Background(), smallSettings(t, 4), filepath.Join(dir, "x"), smallHost)
		if err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("got %v", err)
		}
	})
	if after := results(t, dir); !maps.Equal(after, before) {
		t.Error("earlier results have changed")
	}
}

// asNobody calls f as a user whom permissions bind, which root is not.
func asNobody(t *testing.T, f func()) {
	if os.Geteuid() != 0 {
		f()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const nobody = 65534
	if err := syscall.Setfsuid(nobody); err != nil { // of this thread alone
		t.Fatal(err)
	}
	defer syscall.Setfsuid(0)
	f()
}
