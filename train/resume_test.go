package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/train/dataset"
)

// TestSameBytes: a run that was stopped anywhere and resumed, on any number of
// threads and on either machine, leaves the files of the run that was not.
func TestSameBytes(t *testing.T) {
	const steps = 13
	whole := mustRun(t, smallSettings(t, steps))
	for _, c := range []struct {
		name    string
		stop    []int
		threads int
		vm      string
	}{
		{"threads", nil, 2, "gantry"},
		{"tape", nil, 1, "tape"},
		{"stopped at 1", []int{1}, 1, "gantry"},
		{"stopped at 4, other machine", []int{4}, 1, "tape"},
		{"stopped at 5, 2 threads", []int{5}, 2, "gantry"},
		{"stopped at 12", []int{12}, 1, "gantry"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			s := smallSettings(t, steps)
			if c.stop == nil {
				s.Threads, s.VM = c.threads, c.vm
				if _, err := Run(context.Background(), s, dir, smallHost); err != nil {
					t.Fatal(err)
				}
			}
			for _, n := range c.stop {
				runUntil(t, s, dir, n)
				said := mustResume(t, dir, func(s *Settings) error {
					s.Threads, s.VM, s.LogEvery = c.threads, c.vm, 2
					return nil
				})
				if want := fmt.Sprintf("after step %d of %d", n, steps); !strings.Contains(said, want) {
					t.Errorf("%q was not said:\n%s", want, said)
				}
			}
			sameResults(t, dir, whole, steps)
		})
	}
}

func TestResumeStats(t *testing.T) {
	whole := mustRun(t, smallSettings(t, 9))
	dir := filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(context.Background())
	h := smallHost
	h.Words = &stopAfter{step: 4, cancel: cancel} // lines of steps 1 2 4 6
	if _, err := Run(ctx, smallSettings(t, 9), dir, h); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	// As if it had been killed two steps later, in the middle of a line.
	b, _ := os.ReadFile(filepath.Join(dir, statsName))
	lines := bytes.SplitAfter(b, []byte("\n"))
	b = append(b, bytes.Replace(lines[3], []byte(`"step":6`), []byte(`"step":8`), 1)...)
	b = append(b, lines[3][:20]...)
	if err := os.WriteFile(filepath.Join(dir, statsName), b, 0o666); err != nil {
		t.Fatal(err)
	}
	mustResume(t, dir, nil)
	if got, want := readStats(t, dir), readStats(t, whole); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestResumeLonger(t *testing.T) {
	whole := mustRun(t, smallSettings(t, 12))
	dir := mustRun(t, smallSettings(t, 5))
	mustResume(t, dir, func(s *Settings) error { s.Steps = 12; return nil })
	sameResults(t, dir, whole, 12)
	if s, err := readSettings(filepath.Join(dir, optionsName)); err != nil || s.Steps != 12 {
		t.Errorf("options.json: %v, %v", s, err)
	}
}

// TestResumeComplete: what is missing comes back, and nothing else happens.
func TestResumeComplete(t *testing.T) {
	dir := mustRun(t, smallSettings(t, 5))
	before := results(t, dir)
	if said := mustResume(t, dir, nil); !strings.Contains(said, "nothing is missing") {
		t.Errorf("said %q", said)
	}
	for _, n := range []string{generatorName, "fakes-000005.png", realsName, "checkpoint-000005.safetensors", lossesName, realFakeName, animationName} {
		if err := os.Remove(filepath.Join(dir, n)); err != nil {
			t.Fatal(err)
		}
		mustResume(t, dir, nil)
		if after := results(t, dir); !maps.Equal(after, before) {
			t.Errorf("without %s: got %v, want %v", n, after, before)
		}
	}
	// A generator of fewer steps, as a longer run finds it, is replaced; so are
	// another run's, and one with a flipped bit.
	read := func(dir string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, generatorName))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	other := smallSettings(t, 5)
	other.Seed++
	flipped := read(dir)
	flipped[len(flipped)/2] ^= 1
	for name, b := range map[string][]byte{"an old": read(mustRun(t, smallSettings(t, 3))), "another run's": read(mustRun(t, other)), "a damaged": flipped, "an empty": {}} {
		if err := os.WriteFile(filepath.Join(dir, generatorName), b, 0o666); err != nil {
			t.Fatal(err)
		}
		if said := mustResume(t, dir, nil); strings.Contains(said, "nothing is missing") || !strings.Contains(said, "generator.onnx: read back and verified") {
			t.Errorf("%s generator: said\n%s", name, said)
		}
		if after := results(t, dir); !maps.Equal(after, before) {
			t.Errorf("%s generator stayed", name)
		}
	}
}

// TestDataMoved: the same images in another place have the name that they had.
func TestDataMoved(t *testing.T) {
	whole := mustRun(t, smallSettings(t, 9))
	dir := filepath.Join(t.TempDir(), "run")
	runUntil(t, smallSettings(t, 9), dir, 3)
	moved := Host{Open: func(context.Context, string, dataset.Options) (dataset.Dataset, error) {
		d := smallData(30)
		return renamed{d, "elsewhere"}, nil
	}}
	if _, err := Resume(context.Background(), dir, nil, moved); err != nil {
		t.Fatal(err)
	}
	sameResults(t, dir, whole, 9)
}

// TestStopWhileReading ends the context while the data are read.
func TestStopWhileReading(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("the cause")
	forever := make(chan struct{})
	t.Cleanup(func() { forever <- struct{}{} })
	h := Host{Open: func(context.Context, string, dataset.Options) (dataset.Dataset, error) {
		cancel(cause)
		<-forever
		return smallData(30), nil
	}}
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := Run(ctx, smallSettings(t, 9), dir, h); !errors.Is(err, cause) || exists(dir) {
		t.Errorf("got %v; the directory is there: %v", err, exists(dir))
	}
}

// TestResumeEarly: killed before the first checkpoint.
func TestResumeEarly(t *testing.T) {
	whole := mustRun(t, smallSettings(t, 5))
	dir := filepath.Join(t.TempDir(), "run")
	d, err := createRunDir(dir, "squares", "small")
	if err != nil {
		t.Fatal(err)
	}
	s := smallSettings(t, 5)
	if err := s.write(d.file(optionsName)); err != nil {
		t.Fatal(err)
	}
	temp := d.file(".checkpoint-000000.safetensors.123-4.tmp")
	if err := os.WriteFile(temp, []byte("half"), 0o666); err != nil {
		t.Fatal(err)
	}
	d.close()
	mustResume(t, dir, nil)
	sameResults(t, dir, whole, 5)
	if exists(temp) {
		t.Error("the half-written file is still there")
	}
}

func TestResumeDamaged(t *testing.T) {
	whole := mustRun(t, smallSettings(t, 12))
	for _, c := range []struct {
		name    string
		damage  []int
		goingOn string
	}{
		{"newest", []int{12}, "going on with small on squares after step 8 of 12"},
		{"two", []int{12, 8}, "going on with small on squares after step 4 of 12"},
		{"all", []int{12, 8, 4}, "training small on squares for 12 steps"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := mustRun(t, smallSettings(t, 12))
			for i, n := range c.damage {
				path := filepath.Join(dir, fmt.Sprintf(checkpointForm, n))
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if i%2 == 0 {
					b[len(b)-3] ^= 1 // a weight's low bits: only the digest shows it
				} else {
					b = b[:len(b)/2]
				}
				if err := os.WriteFile(path, b, 0o666); err != nil {
					t.Fatal(err)
				}
				if _, err := ReadCheckpoint(path); !errors.As(err, new(*DamagedError)) {
					t.Fatalf("got %v, want a DamagedError", err)
				}
			}
			said := mustResume(t, dir, nil)
			if !strings.Contains(said, c.goingOn) || !strings.Contains(said, "checkpoint-000012.safetensors is damaged") {
				t.Errorf("said\n%s", said)
			}
			sameResults(t, dir, whole, 12)
			if !exists(filepath.Join(dir, "checkpoint-000012.safetensors.damaged")) {
				t.Error("the damaged file was not kept aside")
			}
		})
	}
}
