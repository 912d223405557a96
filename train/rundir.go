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
	lossesName     = "losses.png"
	realFakeName   = "real-fake.png"
	animationName  = "fakes.gif"
	fakesForm      = "fakes-%06d.png"
	checkpointForm = "checkpoint-%06d.safetensors"
)

// A runDir is a run's directory, locked against other processes.
type runDir struct {
	path string
	lock *os.File
	made []string // directories that were not there before, the innermost first
}

func (d *runDir) file(name string) string { return filepath.Join(d.path, name) }

// createRunDir makes and locks the directory of a new run: out, or the next
// free number in runs/ if out is empty. A directory that holds anything is
// refused, and left as it is.
func createRunDir(out, data, preset string) (*runDir, error) {
	if out == "" {
		return nextRunDir("runs", data+"-"+preset)
	}
	if strings.ContainsAny(out, "\r\n") {
		return nil, misuse(outHint, "--out %q: a line break cannot be in it", out)
	}
	made, err := makeDir(out)
	if err != nil {
		return nil, err
	}
	err = refuseUsed(out)
	if err == nil {
		var d *runDir
		if d, err = lockRunDir(out); err == nil {
			d.made = made
			if err = refuseUsed(out); err == nil {
				return d, nil
			}
			d.close() // another process was quicker
		}
	}
	removeDirs(made)
	return nil, err
}

// outHint is for a run directory that cannot be made.
const outHint = "give --out a directory that you may make and write to"

// makeDir makes a directory and what it lies in. It returns what was not there
// before, the innermost first.
func makeDir(path string) (made []string, err error) {
	for p := filepath.Clean(path); p != filepath.Dir(p); p = filepath.Dir(p) {
		if _, err := os.Stat(p); err == nil {
			break
		}
		made = append(made, p)
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		removeDirs(made)
		return nil, failure(outHint, "cannot make the run directory: %w", err)
	}
	return made, nil
}

// removeDirs removes directories, except those that hold something.
func removeDirs(dirs []string) {
	for _, dir := range dirs {
		os.Remove(dir)
	}
}

// refuseUsed reports an error if dir holds more than what a process leaves
// that was killed before it wrote its options.
func refuseUsed(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return failure(outHint, "cannot read the run directory: %w", err)
	}
	if exists(filepath.Join(dir, optionsName)) {
		return misuse("to go on with it: gantrain train --resume "+Quote(dir), "%s already holds a run", dir)
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
	made, err := makeDir(root)
	if err != nil {
		return nil, err
	}
	for {
		entries, err := os.ReadDir(root)
		if err != nil {
			return nil, failure(outHint, "cannot read %s: %w", root, err)
		}
		next := uint64(0)
		for _, e := range entries {
			number, _, _ := strings.Cut(e.Name(), "-")
			if n, err := strconv.ParseUint(number, 10, 64); err == nil && len(number) >= 5 && n < maxRuns && n >= next {
				next = n + 1
			}
		}
		path := filepath.Join(root, fmt.Sprintf("%05d-%s", next, name))
		err = os.Mkdir(path, 0o777)
		if errors.Is(err, fs.ErrExist) {
			continue // another process was quicker
		}
		var d *runDir
		if err != nil {
			err = failure(outHint, "cannot make the run directory: %w", err)
		} else if d, err = lockRunDir(path); err == nil {
			d.made = append([]string{path}, made...)
			return d, nil
		}
		removeDirs(append([]string{path}, made...))
		return nil, err
	}
}

// maxRuns is more than there will be: a larger number in a name is no run's.
const maxRuns = 1_000_000_000

// openRunDir locks the directory of an existing run and reads its options.
func openRunDir(path string) (*runDir, *Settings, error) {
	const hint = "--resume takes a run directory, such as runs/00000-mnist-dcgan28"
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return nil, nil, misuse("give its directory: --resume "+Quote(filepath.Dir(path)), "%s is not a run, but a file", path)
	}
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
		who := "another process"
		if n := strings.TrimSpace(string(pid)); n != "" {
			who = "process " + n
		}
		return nil, failure("wait until it is done, or stop it with Ctrl-C: it saves first", "%s is in use by %s", path, who)
	}
	return &runDir{path: path, lock: f}, nil
}

// Lock keeps other processes that ask for it out of a directory, until unlock is
// called or the process ends.
func Lock(dir string) (unlock func(), err error) {
	d, err := lockRunDir(dir)
	if err != nil {
		return nil, err
	}
	return d.close, nil
}

// close drops the lock.
func (d *runDir) close() { d.lock.Close() }

// discard removes what a run has written that was refused before it began.
func (d *runDir) discard() {
	os.Remove(d.file(optionsName))
	os.Remove(d.file(lockName))
	removeDirs(d.made)
}

// isTemp tells the names that our files have while they are under way.
func isTemp(name string) bool {
	name = atomicfile.TempFor(name)
	switch name {
	case optionsName, statsName, realsName, generatorName, lossesName, realFakeName, animationName:
		return true
	}
	_, grid := stepOf(name, fakesForm)
	_, checkpoint := stepOf(name, checkpointForm)
	return grid || checkpoint
}

// fakesName returns the name of the grid of a step.
func fakesName(step int) string { return fmt.Sprintf(fakesForm, step) }

// stepOf returns the number in a name of the given form.
func stepOf(name, form string) (int, bool) {
	before, after, _ := strings.Cut(form, "%06d")
	number, ok := strings.CutPrefix(name, before)
	number, ok2 := strings.CutSuffix(number, after)
	n, err := strconv.Atoi(number) // not Sscanf, which would read at most the form's six digits
	return n, ok && ok2 && err == nil && n >= 0 && name == fmt.Sprintf(form, n)
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
		if n, ok := stepOf(e.Name(), checkpointForm); ok {
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
	return atomicfile.WriteFile(d.file(statsName), b[:end])
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
