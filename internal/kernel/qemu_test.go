//go:build linux && amd64 && !purego

package kernel

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestQEMU runs this package's tests as a program for arm64 in an emulator:
// they compare NEON with the reference, and the digest of the numerics with
// what amd64 gives. It takes minutes, so GANTRY_QEMU must ask for it.
func TestQEMU(t *testing.T) {
	if os.Getenv("GANTRY_QEMU") == "" {
		t.Skip("GANTRY_QEMU is not set: set it to run the tests for arm64 in qemu-aarch64-static")
	}
	find := func(name string) string {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("GANTRY_QEMU is set: %v", err)
		}
		return path
	}
	emulator, goCommand := find("qemu-aarch64-static"), find("go")
	program := filepath.Join(t.TempDir(), "kernel.test")
	run := func(env []string, name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", cmd, err, out)
		}
		return string(out)
	}
	run([]string{"GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0"}, goCommand, "test", "-c", "-o", program, ".")
	for _, c := range []struct{ godebug, want string }{{"", "neon"}, {"cpu.asimd=off", "go"}} {
		out := run([]string{printTier + "=1", "GODEBUG=" + c.godebug}, emulator, program, "-test.run=^TestTierForced$")
		if !strings.Contains(out, "tier="+c.want+"\n") {
			t.Errorf("GODEBUG=%s: got %q, want tier=%s", c.godebug, out, c.want)
		}
	}
	run([]string{"GODEBUG="}, emulator, program, "-test.short")
}
