package train

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gantry/models"
)

// TestEstimate compares with real runs.
func TestEstimate(t *testing.T) {
	t.Run("plain", func(t *testing.T) { testEstimate(t, smallSettings(t, 30)) })
	t.Run("average", func(t *testing.T) { testEstimate(t, emaSettings(t, 30)) })
}

func testEstimate(t *testing.T, s Settings) {
	dir := mustRun(t, s)
	e := NewEstimate(&s, smallData(30))
	// Linear 3x8, 8; batch norm 8, 8; linear 8x16, 16. Maxout 16x12, 12; linear 6, 1.
	if e.Generator != 24+8+16+128+16 || e.Discriminator != 192+12+7 {
		t.Errorf("parameters: got %d, %d", e.Generator, e.Discriminator)
	}
	info, err := os.Stat(filepath.Join(dir, "checkpoint-000030.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if n := info.Size(); n > e.Checkpoint || n < e.Checkpoint-(32<<10) {
		t.Errorf("a checkpoint has %d bytes, estimated %d", n, e.Checkpoint)
	}
	total := int64(0)
	entries, _ := os.ReadDir(dir)
	for _, f := range entries {
		if info, err := f.Info(); err == nil {
			total += info.Size()
		}
	}
	if total > e.Disk {
		t.Errorf("the run has %d bytes, estimated %d", total, e.Disk)
	}
}

func TestDryRun(t *testing.T) {
	p, err := models.LoadPreset("mlp28")
	if err != nil {
		t.Fatal(err)
	}
	s := DefaultSettings(p)
	var b strings.Builder
	if err := DryRun(t.Context(), &b, s, "", smallHost); err == nil || !strings.Contains(err.Error(), "[1 28 28]") || !strings.Contains(err.Error(), "[1 4 4]") {
		t.Errorf("other shape: got %v", err)
	}
	small := smallSettings(t, 9)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := DryRun(t.Context(), &b, small, filepath.Join(file, "x"), smallHost); err == nil || !strings.Contains(err.Error(), "cannot make the run directory") {
		t.Errorf("below a file: got %v", err)
	}
	large := smallSettings(t, 900_000_000)
	large.SampleEvery = 1
	if err := DryRun(t.Context(), &b, large, "", smallHost); err == nil || !strings.Contains(err.Error(), "the run needs up to") || !strings.Contains(b.String(), "disk: up to") {
		t.Errorf("no room: got %v", err)
	}
	b.Reset()
	if err := DryRun(t.Context(), &b, small, t.TempDir(), smallHost); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"preset small: 9 steps on squares, 30 images of [1 4 4]\n",
		"  d.1      maxout          [16]            -> [6]                    204\n",
		"parameters: generator 192, discriminator 211\n",
		"memory: about ", "disk: up to ",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}

// TestEstimateKeep: no more checkpoints are counted than are made.
func TestEstimateKeep(t *testing.T) {
	disk := func(steps, every, keep int) int64 {
		s := smallSettings(t, steps)
		s.CheckpointEvery, s.Keep = every, keep
		return NewEstimate(&s, nil).Disk
	}
	all := disk(10, 5, 0)
	for _, keep := range []int{9, math.MaxInt} {
		if got := disk(10, 5, keep); got != all {
			t.Errorf("keep %d of few: %d bytes, want %d as for all", keep, got, all)
		}
	}
	if got := disk(10, 5, 1); got >= all {
		t.Errorf("keep 1: %d bytes, want less than the %d for all", got, all)
	}
}

// TestEstimateLines: what is needed stands beside what is free, where that is known.
// TestDiskLeft: a resumed run needs what it has not written yet.
func TestDiskLeft(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), make([]byte, 300), 0o666); err != nil {
		t.Fatal(err)
	}
	e := Estimate{Disk: 1000}
	if got := e.diskLeft(dir); got != 700 {
		t.Errorf("got %d, want 700", got)
	}
	if got := e.diskLeft(filepath.Join(dir, "new")); got != 1000 {
		t.Errorf("of a directory that is not there: got %d, want 1000", got)
	}
}

func TestEstimateLines(t *testing.T) {
	got := Estimate{Checkpoint: 3e6, Memory: 1e9, Disk: 2e9}.lines(filepath.Join(t.TempDir(), "not", "there"))
	want := `memory: about 1 GB( \([0-9.]+ .?B free\))?\ndisk: up to 2 GB( \([0-9.]+ .?B free\))?, checkpoints of 3 MB`
	if text := strings.Join(got, "\n"); !regexp.MustCompile("^" + want + "$").MatchString(text) {
		t.Errorf("got\n%s", text)
	}
	if _, ok := freeSpace(t.TempDir()); ok != strings.Contains(got[1], "free") {
		t.Errorf("free space is known: %v, but got %s", ok, got[1])
	}
}

func TestHumanBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 24243204: "24.2 MB", 999_600: "1 MB", 1_500_000_000: "1.5 GB"} {
		if got := humanBytes(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
