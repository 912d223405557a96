package lint

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exact are the files whose fused operations are right: the product is exact,
// so that fusing it changes nothing, or the results are only compared within a
// bound.
var exact = []string{"internal/kernel/fma.go", "infer/internal/ref/"}

// TestNotFused reads the compiler's assembly for arm64: where it has fused a
// multiplication and an addition of ours, the bits would differ from amd64's.
func TestNotFused(t *testing.T) {
	args := []string{"build", "-gcflags=-S"}
	for _, p := range samebits {
		args = append(args, "./"+p+"/...")
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	for _, p := range samebits {
		if !strings.Contains(string(out), "/"+p+"/") {
			t.Errorf("nothing of %s in the compiler's output", p)
		}
	}
	for _, line := range regexp.MustCompile(`\([^\n]*\)\tFN?M(ADD|SUB)[SD]\t[^\n]*`).FindAllString(string(out), -1) {
		if !slices.ContainsFunc(exact, func(p string) bool { return strings.Contains(line, "/"+p) }) {
			t.Errorf("fused multiplication and addition: %s", line)
		}
	}
}
