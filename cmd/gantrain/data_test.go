package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFolder: a run's grid is a folder of one image; two of them are data to
// train on, which may be resized, mirrored, and moved.
func TestFolder(t *testing.T) {
	preset, data := tiny(t)
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if code, _, stderr := call(preset, data, "--steps=2", "--out=first"); code != 0 {
		t.Fatal(stderr)
	}
	if err := os.Mkdir("faces", 0o777); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"reals", "fakes-000000", "fakes-000002", "reals", "reals"} {
		if err := os.Link("first/"+name+".png", filepath.Join("faces", string(rune('a'+i))+".png")); err != nil {
			t.Skip("no links here: ", err)
		}
	}
	code, stdout, stderr := call("data", "inspect", "faces", "--resize=6", "--mirror")
	if code != 0 || !strings.HasPrefix(stdout, "data faces: 10 images of [1 6 6]\n") {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = call(preset, "--data=faces", "--mirror", "--dry-run")
	if code != 0 || !strings.Contains(stdout, "on faces, 10 images of [1 6 6]\n  kind: folder, 5 images, and each mirrored, all grey\n") || !strings.Contains(stdout, "  memory: 180 B; disk: ") {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := call(preset, "--data=faces", "--mirror", "--steps=3"); code != 0 || !strings.Contains(stdout, filepath.FromSlash("runs/00000-faces-tiny/generator.onnx")) {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	if err := os.Rename("faces", "moved"); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call("--resume=runs/00000-faces-tiny", "--data=moved", "--mirror", "--steps=5"); code != 0 {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	if code, stdout, stderr := call("--preset=mlp28", "--data=mnist", "--resize=28", "-n"); code != 0 || !strings.Contains(stdout, "60000 images of [1 28 28]") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}
