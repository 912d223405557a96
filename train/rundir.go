package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gantry/internal/atomicfile"
)

// Names of the files of a run. The numbers in the others are completed steps.
const (
	optionsName    = "options.json"
	lockName       = ".lock"
	logName        = "log.txt"
	statsName      = "stats.jsonl"
	realsName      = "reals.png"
	generatorName  = "generator.onnx"
	fakesFormat    = "fakes-%06d.png"
	checkpointForm = "checkpoint-%06d.safetensors"
)

// A runDir is a run's directory, locked against other processes.
type runDir struct {
	path string
	lock *os.File
	made bool // by this process
}

func (d *runDir) file(name string) string { return filepath.Join(d.path, name) }

// createRunDir makes and locks the directory of a new run: out, or the next
// free number in runs/ if out is empty. A directory that holds anything is
// refused, and left as it is.
func createRunDir(out, data, preset string) (*runDir, error) {
	if out == "" {
		return nextRunDir("runs", data+"-"+preset)
	}
	made := !exists(out)
	if err := os.MkdirAll(out, 0o777); err != nil {
		return nil, failure("--out DIR must be a place where you may write", "cannot make the run directory: %w", err)
	}
	if err := refuseUsed(out); err != nil {
		return nil, err
	}
	d, err := lockRunDir(out)
	if err != nil {
		return nil, err
	}
	if err := refuseUsed(out); err != nil { // another process was quicker
		d.close()
		return nil, err
	}
	d.made = made
	return d, nil
}

// refuseUsed reports an error if dir holds more than what a process leaves
// that was killed before it wrote its options.
func refuseUsed(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return failure("", "cannot read the run directory: %w", err)
	}
	if exists(filepath.Join(dir, optionsName)) {
		return misuse("to go on with it: gantrain train --resume "+dir, "%s already holds a run", dir)
	}
	for _, e := range entries {
		if e.Name() != lockName && !isTemp(e.Name()) {
			return misuse("give --out an empty or new directory, or leave it out", "%s is not empty: it holds %s", dir, e.Name())
		}
	}
	return nil
}

// nextRunDir makes root/NNNNN-name, where NNNNN follows the highest number
// that is there.
func nextRunDir(root, name string) (*runDir, error) {
	const hint = "give --out DIR a place where you may write"
	if err := os.MkdirAll(root, 0o777); err != nil {
		return nil, failure(hint, "cannot make the run directory: %w", err)
	}
	for {
		entries, err := os.ReadDir(root)
		if err != nil {
			return nil, failure(hint, "cannot read %s: %w", root, err)
		}
		next := 0
		for _, e := range entries {
			number, _, _ := strings.Cut(e.Name(), "-")
			if n, err := strconv.Atoi(number); err == nil && len(number) >= 5 && n >= next {
				next = n + 1
			}
		}
		path := filepath.Join(root, fmt.Sprintf("%05d-%s", next, name))
		switch err := os.Mkdir(path, 0o777); {
		case err == nil:
			d, err := lockRunDir(path)
			if err == nil {
				d.made = true
			}
			return d, err
		case !errors.Is(err, fs.ErrExist):
			return nil, failure(hint, "cannot make the run directory: %w", err)
		}
	}
}

// openRunDir locks the directory of an existing run and reads its options.
func openRunDir(path string) (*runDir, *Settings, error) {
	const hint = "--resume takes a run directory, such as runs/00000-mnist-mlp28"
	if _, err := os.Stat(filepath.Join(path, optionsName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, misuse(hint, "%s is not a run: it has no %s", path, optionsName)
		}
		return nil, nil, misuse(hint, "%s is not a run: %w", path, err)
	}
	d, err := lockRunDir(path)
	if err != nil {
		return nil, nil, err
	}
	s, err := readSettings(d.file(optionsName))
	if err != nil {
		d.close()
		return nil, nil, err
	}
	return d, s, nil
}

func lockRunDir(path string) (*runDir, error) {
	f, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, failure("you must be allowed to write to the run directory", "cannot lock the run: %w", err)
	}
	ok, err := lockFile(f)
	if err == nil && ok {
		if err = f.Truncate(0); err == nil {
			_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
		}
	}
	if err != nil {
		f.Close()
		return nil, failure("", "cannot lock the run: %s: %w", f.Name(), err)
	}
	if !ok {
		pid, _ := io.ReadAll(io.LimitReader(f, 20))
		f.Close()
		return nil, failure("wait until it is done, or stop it with Ctrl-C: it saves first",
			"%s is in use by process %s", path, strings.TrimSpace(string(pid)))
	}
	return &runDir{path: path, lock: f}, nil
}

// close drops the lock.
func (d *runDir) close() { d.lock.Close() }

// discard removes what a run has written that was refused before it began.
func (d *runDir) discard() {
	os.Remove(d.file(optionsName))
	os.Remove(d.file(lockName))
	if d.made {
		os.Remove(d.path)
	}
}

// isTemp tells the names that atomicfile gives to files under way.
func isTemp(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".tmp")
}

// removeTemp removes what a killed process left half written.
func (d *runDir) removeTemp() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if isTemp(e.Name()) {
			if err := os.Remove(d.file(e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkpointSteps returns the steps of the checkpoints in dir, the newest first.
func checkpointSteps(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var steps []int
	for _, e := range entries {
		var n int
		if _, err := fmt.Sscanf(e.Name(), checkpointForm, &n); err == nil && e.Name() == fmt.Sprintf(checkpointForm, n) {
			steps = append(steps, n)
		}
	}
	slices.Sort(steps)
	slices.Reverse(steps)
	return steps, nil
}

// prune removes all but the keep newest checkpoints; keep 0 leaves all.
func (d *runDir) prune(keep int) error {
	steps, err := checkpointSteps(d.path)
	if err != nil || keep == 0 {
		return err
	}
	for _, n := range steps[min(keep, len(steps)):] {
		if err := os.Remove(d.file(fmt.Sprintf(checkpointForm, n))); err != nil {
			return err
		}
	}
	return nil
}

// truncateStats drops the lines of stats.jsonl after the given step, and the
// half line that a killed process may have left.
func (d *runDir) truncateStats(step int) error {
	b, err := os.ReadFile(d.file(statsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	end := 0
	for line := range bytes.Lines(b) {
		var s struct {
			Step int `json:"step"`
		}
		if json.Unmarshal(line, &s) != nil || line[len(line)-1] != '\n' || s.Step > step {
			break
		}
		end += len(line)
	}
	if end == len(b) {
		return nil
	}
	return atomicfile.WriteFileAtomic(d.file(statsName), func(w io.Writer) error {
		_, err := w.Write(b[:end])
		return err
	})
}

// An appender writes whole lines to the end of a file.
type appender struct {
	f *os.File
	w *bufio.Writer
}

func (d *runDir) appendTo(name string) (*appender, error) {
	f, err := os.OpenFile(d.file(name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	return &appender{f, bufio.NewWriter(f)}, nil
}

// line appends one line and hands it to the system.
func (a *appender) line(text []byte) error {
	a.w.Write(text)
	a.w.WriteByte('\n')
	return a.w.Flush()
}

func (a *appender) close() error { return errors.Join(a.w.Flush(), a.f.Close()) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
