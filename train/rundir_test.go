package train

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTruncateStats(t *testing.T) {
	const a, b, c = `{"step":1,"x":2}` + "\n", `{"step":10}` + "\n", `{"step":20}` + "\n"
	for _, x := range []struct {
		name, content string
		step          int
		want          string
	}{
		{"nothing to do", a + b + c, 20, a + b + c},
		{"later", a + b + c, 19, a + b},
		{"all", a + b + c, 0, ""},
		{"half a line", a + b + c[:5], 30, a + b},
		{"no newline", a + b + c[:len(c)-1], 30, a + b},
		{"garbage", a + "x\n" + b, 30, a},
		{"empty", "", 5, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			d := &runDir{path: t.TempDir()}
			if err := os.WriteFile(d.file(statsName), []byte(x.content), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := d.truncateStats(x.step); err != nil {
				t.Fatal(err)
			}
			if got, _ := os.ReadFile(d.file(statsName)); string(got) != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
	if err := (&runDir{path: t.TempDir()}).truncateStats(3); err != nil {
		t.Errorf("no file: %v", err)
	}
}

func TestNextRunDir(t *testing.T) {
	root := filepath.Join(t.TempDir(), "runs")
	for i, want := range []string{"00000-a-b", "00001-a-b", "00042-a-b"} {
		if i == 2 {
			for _, n := range []string{"00041-x-y", "notes", "7-seven", "99999999999-x", "18446744073709551615-x", "-0077-x", "+0077-x"} {
				if err := os.Mkdir(filepath.Join(root, n), 0o777); err != nil {
					t.Fatal(err)
				}
			}
		}
		d, err := nextRunDir(root, "a-b")
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(d.path) != want {
			t.Errorf("got %s, want %s", d.path, want)
		}
		d.close()
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	d, err := lockRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockRunDir(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("is in use by process %d", os.Getpid())) {
		t.Errorf("got %v", err)
	}
	if err := d.lock.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if _, err := lockRunDir(dir); err == nil || !strings.HasSuffix(err.Error(), "is in use by another process") {
		t.Errorf("got %v", err)
	}
	d.close()
	d, err = lockRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	d.close()
}

// TestNames: the names in a run directory that mean something.
func TestNames(t *testing.T) {
	d := &runDir{path: t.TempDir()}
	touch := func(names ...string) {
		for _, n := range names {
			if err := os.WriteFile(d.file(n), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, n := range []int{0, 999999, 1000000, maxSteps} {
		touch(fmt.Sprintf(checkpointForm, n))
	}
	touch("checkpoint-0000001.safetensors", "checkpoint-1.safetensors", "checkpoint--00001.safetensors",
		"checkpoint-000005.safetensors.damaged", "checkpoint-+00005.safetensors")
	if got, err := checkpointSteps(d.path); err != nil || !slices.Equal(got, []int{maxSteps, 1000000, 999999, 0}) {
		t.Error(got, err)
	}

	ours := []string{".options.json.1-1.tmp", ".generator.onnx.77-2.tmp", ".fakes-000500.png.1-3.tmp", ".checkpoint-1000000.safetensors.9-1.tmp"}
	foreign := []string{".vimrc.tmp", ".checkpoint-000000.safetensors.tmp", ".thesis.tex.1-1.tmp", ".log.txt.1-1.tmp", ".fakes-1.png.1-1.tmp"}
	touch(append(ours, foreign...)...)
	if err := d.removeTemp(); err != nil {
		t.Fatal(err)
	}
	for _, n := range ours {
		if exists(d.file(n)) {
			t.Errorf("%s is still there", n)
		}
	}
	for _, n := range foreign {
		if !exists(d.file(n)) {
			t.Errorf("%s is gone", n)
		}
	}
}

// TestCreateRunDir: a directory with anything in it is refused and left alone,
// and a run that is given up takes with it what it made, and no more.
func TestCreateRunDir(t *testing.T) {
	root := t.TempDir()
	used := filepath.Join(root, "used")
	if err := os.Mkdir(used, 0o777); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(used, ".x.tmp")
	if err := os.WriteFile(foreign, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := createRunDir(used, "a", "b"); err == nil || !strings.Contains(err.Error(), "is not empty: it holds .x.tmp") || !exists(foreign) {
		t.Errorf("got %v", err)
	}
	if _, err := createRunDir(filepath.Join(root, "a\nb"), "a", "b"); err == nil || exists(filepath.Join(root, "a\nb")) {
		t.Errorf("a line break: got %v", err)
	}
	if _, err := createRunDir(filepath.Join(root, "new", strings.Repeat("x", 300)), "a", "b"); err == nil || exists(filepath.Join(root, "new")) {
		t.Errorf("a long name: got %v", err)
	}
	for _, out := range []string{filepath.Join(root, "p", "q", "run"), ""} {
		t.Chdir(root)
		d, err := createRunDir(out, "a", "b")
		if err != nil {
			t.Fatal(err)
		}
		d.discard()
		d.close()
	}
	if entries, err := os.ReadDir(root); err != nil || len(entries) != 1 {
		t.Errorf("left are %v, %v", entries, err)
	}
}
