package rng

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestNotFused reads the compiler's assembly for arm64: where it has fused a
// multiplication and an addition of ours, the bits would differ from amd64's.
func TestNotFused(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command in PATH")
	}
	cmd := exec.Command(goTool, "build", "-gcflags=-S", ".")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	if !strings.Contains(string(out), "FMULD") {
		t.Fatal("no assembly in the compiler's output")
	}
	for _, line := range regexp.MustCompile(`\(.*\)\tFN?M(ADD|SUB)[SD]\t.*`).FindAllString(string(out), -1) {
		t.Errorf("fused multiplication and addition: %s", line)
	}
}
