package kernel

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// printTier is the variable that makes TestTierForced print the tier.
const printTier = "GANTRY_TEST_PRINT_TIER"

// TestTierForced starts this test binary again under GODEBUG settings and asks
// for its tier.
func TestTierForced(t *testing.T) {
	if os.Getenv(printTier) != "" {
		os.Stdout.WriteString("tier=" + Tier() + "\n")
		return
	}
	if strings.Contains(os.Getenv("GODEBUG"), "cpu.") {
		t.Skip("GODEBUG forces a tier already")
	}
	if tier != tiers[0] || tiers[len(tiers)-1] != &goTier {
		t.Fatalf("the tier in use is not the best, or the reference is not the last: %v of %v", tier, tiers)
	}
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("this platform starts no processes")
	}
	names := map[string]bool{}
	for _, ti := range tiers {
		names[ti.name] = true
	}
	for _, c := range []struct{ godebug, without string }{
		{"", ""},
		{"cpu.avx512f=off", "avx512"},
		{"cpu.avx2=off", "avx512 avx2"},
		{"cpu.fma=off", "avx512 avx2"},
		{"cpu.asimd=off", "neon"},
	} {
		want := "go"
		for i := len(tiers) - 1; i >= 0; i-- {
			if !strings.Contains(c.without, tiers[i].name) || tiers[i] == &goTier {
				want = tiers[i].name
			}
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestTierForced$")
		cmd.Env = append(os.Environ(), printTier+"=1", "GODEBUG="+c.godebug)
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.ENOEXEC) {
			t.Skip("this binary is emulated: the system cannot start it again")
		}
		if err != nil {
			t.Fatalf("GODEBUG=%s: %v\n%s", c.godebug, err, out)
		}
		if !strings.Contains(string(out), "tier="+want+"\n") {
			t.Errorf("GODEBUG=%s: got %q, want tier=%s", c.godebug, out, want)
		}
	}
}
