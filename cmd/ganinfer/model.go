package main

import (
	"errors"
	"io/fs"

	"github.com/spf13/pflag"

	"gantry/infer"
	"gantry/internal/kernel"
)

// modelFlags are the flags of every command that loads a model.
type modelFlags struct {
	path    string
	threads int
	seed    uint64 // of the model's own random numbers
	limits  limitFlags
	trace   func(pass, graph string) // or nil
}

func (m *modelFlags) bind(fs *pflag.FlagSet) {
	m.bindFile(fs)
	fs.IntVar(&m.threads, "threads", 0, "threads to use; 0 is one for each processor; results do not depend on it")
	m.limits.bind(fs)
}

// bindFile binds what says which file it is.
func (m *modelFlags) bindFile(fs *pflag.FlagSet) {
	fs.StringVar(&m.path, "model", "", "the ONNX `file`")
}

// file returns the name of the model's file, or "" where none is given. args are what stands on the command line beside
// flags: the file may stand there instead of behind --model, and nothing else.
func (m modelFlags) file(args []string) (string, error) {
	if m.path == "" && len(args) > 0 {
		m.path, args = args[0], args[1:]
	}
	if len(args) > 0 {
		return "", misusef("one model is wanted; other files go behind their flags", "unexpected argument %q", args[0])
	}
	return m.path, nil
}

// options returns what the flags say of how the model is loaded and run.
func (m modelFlags) options() (infer.Options, error) {
	switch {
	case m.threads < 0:
		return infer.Options{}, misusef("leave it out to use all processors", "--threads %d: must not be below 0", m.threads)
	case m.threads > kernel.MaxThreads:
		return infer.Options{}, misusef("leave it out to use all processors", "--threads %d: must be at most %d", m.threads, kernel.MaxThreads)
	}
	limits, err := m.limits.limits()
	return infer.Options{Threads: m.threads, Seed: m.seed, Trace: m.trace, Limits: limits}, err
}

// load loads the model: the one in the file, or the one that the program holds.
func (m modelFlags) load(args []string) (*infer.Model, error) {
	path, err := m.file(args)
	if err != nil {
		return nil, err
	}
	o, err := m.options()
	if err != nil {
		return nil, err
	}
	if path == "" {
		return loadPacked(o)
	}
	model, err := infer.LoadFile(path, o)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &hinted{err, "gantrain writes its generator to runs/<run>/generator.onnx"}
	}
	return model, err
}

func loadPacked(o infer.Options) (*infer.Model, error) {
	f, err := packed()
	if err != nil {
		return nil, err
	}
	if f == nil {
		if err := lost(); err != nil {
			return nil, err
		}
		return nil, misusef("say which file: --model g.onnx", "--model is missing")
	}
	b, err := f.Read()
	if err != nil {
		return nil, damaged(self(), err)
	}
	return infer.LoadBytes(b, o)
}
