package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process returns gantrain as a process of its own.
func process(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "GANTRAIN_TEST_MAIN=1")
	return cmd
}

// killed starts gantrain, kills it after the given time and reports whether it
// was still running.
func killed(t *testing.T, after time.Duration, args ...string) bool {
	t.Helper()
	cmd := process(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, stderr.String())
		}
		return false
	case <-time.After(after):
		cmd.Process.Kill()
		<-done
		return true
	}
}

// TestKill kills a run at many moments, the first instants included, resumes it
// each time, and compares with a run that nobody touched.
func TestKill(t *testing.T) {
	preset, data := tiny(t)
	dir := t.TempDir()
	flags := []string{preset, data, "--steps=1500", "--checkpoint-every=13", "--sample-every=50", "--log-every=5", "--threads=1"}
	whole := filepath.Join(dir, "whole")
	start := time.Now()
	if killed(t, time.Minute, append(flags, "--out="+whole)...) {
		t.Fatal("the run takes too long")
	}
	length := time.Since(start)

	run := filepath.Join(dir, "run")
	kills, begun := 0, false
	for i := 0; ; i++ {
		args := append(flags, "--out="+run)
		if _, err := os.Stat(filepath.Join(run, "options.json")); err == nil {
			args = []string{"train", "--resume", run}
			begun = true
		} else if begun {
			t.Fatal("options.json is gone")
		}
		// In no order, and longer where a process takes long to begin.
		after := time.Duration(i*i%13) * time.Duration(3+i/10) * time.Millisecond
		if i < 4 {
			after = time.Duration(i) * 2 * time.Millisecond // before and while it begins
		}
		if i > 100 {
			after = time.Minute
		}
		if !killed(t, after, args...) {
			break
		}
		kills++
	}
	if kills < 10 {
		t.Errorf("killed %d times only", kills)
	}
	t.Logf("killed %d times; a run takes %v", kills, length)
	for _, n := range []string{"checkpoint-001500.safetensors", "checkpoint-001495.safetensors", "generator.onnx",
		"reals.png", "fakes-000000.png", "fakes-000350.png", "fakes-001500.png", "losses.png", "real-fake.png", "fakes.gif"} {
		if sum(t, filepath.Join(run, n)) != sum(t, filepath.Join(whole, n)) {
			t.Errorf("%s differs", n)
		}
	}
	times := regexp.MustCompile(`,"time_.*`)
	a, _ := os.ReadFile(filepath.Join(run, "stats.jsonl"))
	b, _ := os.ReadFile(filepath.Join(whole, "stats.jsonl"))
	if !bytes.Equal(times.ReplaceAll(a, nil), times.ReplaceAll(b, nil)) {
		t.Error("stats.jsonl differs in more than time")
	}
	if left, _ := filepath.Glob(filepath.Join(run, ".*.tmp")); len(left) > 0 {
		t.Errorf("half-written files are left: %v", left)
	}
}

// begin starts a long run as a process and waits for its first line of numbers.
func begin(t *testing.T, dir string) (*exec.Cmd, *bytes.Buffer, func() int) {
	t.Helper()
	preset, data := tiny(t)
	cmd := process(preset, data, "--steps=100000000", "--log-every=10", "--sample-every=100000000", "--checkpoint-every=100000000", "--threads=1", "--out="+dir)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	var words bytes.Buffer
	one := make([]byte, 1)
	for !strings.Contains(words.String(), "Loss_D") {
		if _, err := stderr.Read(one); err != nil {
			t.Fatalf("%v\n%s", err, words.String())
		}
		words.Write(one)
	}
	return cmd, &words, func() int {
		io.Copy(&words, stderr)
		cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
}

func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals to send")
	}
	for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		t.Run(sig.String(), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "my run")
			cmd, words, wait := begin(t, dir)
			cmd.Process.Signal(sig)
			if got := wait(); got != code {
				t.Errorf("exit %d, want %d\n%s", got, code, words.String())
			}
			m := regexp.MustCompile(`stopped after step (\d+) of 100000000; everything is saved\nto go on:\n  gantrain train --resume '(.*)'\n`).FindStringSubmatch(words.String())
			if m == nil || m[2] != dir {
				t.Fatalf("got\n%s", words.String())
			}
			if found, _ := filepath.Glob(filepath.Join(dir, "checkpoint-*"+m[1]+".safetensors")); len(found) != 1 {
				t.Errorf("no checkpoint of step %s", m[1])
			}
			if code, _, stderr := call("train", "--resume", dir, "--steps", m[1]); code != 0 {
				t.Errorf("resuming: exit %d\n%s", code, stderr)
			}
		})
	}
}

// TestReadersGone: the run goes on where those who read stdout and stderr go
// away, and, started by nohup, where the terminal does; SIGTERM then stops it.
func TestReadersGone(t *testing.T) {
	nohup, err := exec.LookPath("nohup")
	if err != nil {
		t.Skipf("no nohup here: %v", err)
	}
	preset, data := tiny(t)
	dir := filepath.Join(t.TempDir(), "run")
	cmd := process(preset, data, "--steps=100000000", "--log-every=10", "--sample-every=100000000", "--checkpoint-every=100000000", "--threads=1", "--out="+dir)
	cmd.Args = append([]string{"nohup"}, cmd.Args...)
	cmd.Path = nohup
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	w.Close()
	r.Close()
	lines := func() int {
		b, _ := os.ReadFile(filepath.Join(dir, "log.txt"))
		return bytes.Count(b, []byte("Loss_D"))
	}
	wait := func(n int) {
		t.Helper()
		for start := time.Now(); lines() < n; time.Sleep(2 * time.Millisecond) {
			if time.Since(start) > time.Minute {
				t.Fatalf("%d lines in log.txt, want %d", lines(), n)
			}
		}
	}
	wait(1)
	cmd.Process.Signal(syscall.SIGHUP)
	wait(lines() + 20)
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit %d, want 143", code)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "checkpoint-*.safetensors")); len(found) < 2 {
		t.Errorf("it was not saved: %v", found)
	}
}

// TestStopWhileReading interrupts a run whose data do not come.
func TestStopWhileReading(t *testing.T) {
	if _, err := exec.LookPath("mkfifo"); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	preset, data := tiny(t)
	images := filepath.Join(strings.TrimPrefix(data, "--data=idx:"), "train-images-idx3-ubyte")
	if err := os.Remove(images); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfifo", images).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dir := filepath.Join(t.TempDir(), "run")
	cmd := process(preset, data, "--out="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	for start := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "options.json")); err == nil {
			break
		} else if time.Since(start) > time.Minute {
			t.Fatal(err)
		}
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit %d, want 130", code)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("it left its directory")
	}
}

func TestTwoProcesses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	cmd, _, wait := begin(t, dir)
	code, _, stderr := call("train", "--resume", dir)
	if want := fmt.Sprintf("is in use by process %d", cmd.Process.Pid); code != 1 || !strings.Contains(stderr, want) || !strings.Contains(stderr, "gantrain: hint: ") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	preset, data := tiny(t)
	if code, _, stderr := call(preset, data, "--out", dir); code != 2 || !strings.Contains(stderr, "already holds a run") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	// Another process may export from it meanwhile.
	if code, _, stderr := call("export", dir, "-o", filepath.Join(t.TempDir(), "g.onnx")); code != 0 {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	cmd.Process.Kill()
	wait()
	if code, _, stderr := call("train", "--resume", dir, "--steps=5"); code != 0 {
		t.Errorf("after a kill the lock is gone: exit %d\n%s", code, stderr)
	}
}
