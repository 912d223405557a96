package main

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestDCGANSizes: sizes go into the networks, channels come from the data, and a
// resumed run takes the sizes it has, and no others.
func TestDCGANSizes(t *testing.T) {
	t.Chdir(t.TempDir())
	code, stdout, stderr := call("--dry-run", "--preset=dcgan28", "--nz=7", "--ngf=3", "--ndf=2", "--batch=4")
	want := 7*6*49 + 2*6 + 6*3*16 + 2*3 + 3*16
	if code != 0 || !strings.Contains(stdout, "parameters: generator "+strconv.Itoa(want)+",") || !strings.Contains(stdout, "[2 14 14]") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	run := filepath.Join(t.TempDir(), "run")
	small := []string{"--preset=dcgan32", "--size=28", "--nz=4", "--ngf=1", "--ndf=1", "--batch=2", "--data=mnist", "--out=" + run}
	if code, _, stderr := call(append(small, "--steps=1")...); code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"--ngf=2", "trains preset dcgan32 with networks of other sizes", 2},
		{"--preset=dcgan32", "trains preset dcgan32 with networks of other sizes", 2},
		{"--size=28 --steps=2", "", 0},
		{"--preset=dcgan32 --size=28 --nz=4 --ngf=1 --ndf=1 --steps=3", "", 0},
	} {
		if code, _, stderr := call(append([]string{"--resume=" + run}, strings.Fields(c.args)...)...); code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("--resume %s: exit %d\n%s", c.args, code, stderr)
		}
	}
}
