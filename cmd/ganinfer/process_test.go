//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// TestMain lets the test binary be ganinfer, with files of at most GANINFER_TEST_FSIZE bytes.
func TestMain(m *testing.M) {
	if os.Getenv("GANINFER_TEST_MAIN") == "" {
		os.Exit(m.Run())
	}
	var most uint64
	if n, _ := fmt.Sscan(os.Getenv("GANINFER_TEST_FSIZE"), &most); n == 1 {
		signal.Ignore(syscall.SIGXFSZ) // so that a write fails, as on a full disk
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			panic(err)
		}
	}
	main()
}

// process returns ganinfer as a process of its own.
func process(line string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], strings.Fields(line)...)
	cmd.Env = append(append(os.Environ(), "GANINFER_TEST_MAIN=1"), env...)
	return cmd
}

// TestFullDisk: an error of writing names the file that was asked for, not a temporary one.
func TestFullDisk(t *testing.T) {
	dirWithModels(t)
	for line, want := range map[string]string{
		"sample g.onnx --seed 1 --count 100000 --out big.npy":         "big.npy: file too large",
		"sample g.onnx --seed 1 --count 100 --out small.npy":          "small.npy: write: file too large",
		"sample g.onnx --seed 1 --count 90000 --grid grid.png":        "grid.png: file too large",
		"sample g.onnx --seeds 1 --out images":                        "images/seed0001.png: write: file too large",
		"run g.onnx --input z=z.npy --output image=out.npy":           "out.npy: write: file too large",
		"sample g.onnx --seed 1 --count 9 --grid x.png --out all.npy": "all.npy: write: file too large",
	} {
		var stderr bytes.Buffer
		cmd := process(line, "GANINFER_TEST_FSIZE=16")
		cmd.Stderr = &stderr
		err := cmd.Run()
		if e := (*exec.ExitError)(nil); !errors.As(err, &e) || e.ExitCode() != 1 {
			t.Errorf("ganinfer %s: got %v, want exit code 1", line, err)
		}
		if s := stderr.String(); !strings.Contains(s, want) || strings.Contains(s, ".tmp") {
			t.Errorf("ganinfer %s: %s, want %q in it and no temporary name", line, s, want)
		}
	}
}

// TestSecondSignal interrupts a process that waits for a reader and so cannot heed the first signal.
func TestSecondSignal(t *testing.T) {
	dirWithModels(t)
	m := onnxtest.Small()
	for i := range 4000 { // lines that no pipe holds
		m.MetadataProps = append(m.MetadataProps, &onnx.StringStringEntryProto{Key: fmt.Sprint("key", i), Value: strings.Repeat("x", 80)})
	}
	if err := os.WriteFile("long.onnx", onnxtest.Bytes(m), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := process("inspect long.onnx")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Read(make([]byte, 1)); err != nil { // it writes now
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := cmd.Process.Wait()
		done <- err
	}()
	deadline := time.Now().Add(10 * time.Second)
	for signals := 0; ; signals++ {
		select {
		case <-done:
			if signals < 2 {
				t.Errorf("ended after %d signals, want 2", signals)
			}
			return
		case <-time.After(50 * time.Millisecond):
			cmd.Process.Signal(os.Interrupt)
		}
		if time.Now().After(deadline) {
			cmd.Process.Kill()
			<-done
			t.Fatalf("still there after %d signals", signals)
		}
	}
}
