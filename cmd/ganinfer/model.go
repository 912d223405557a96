package main

import (
	"errors"
	"io/fs"

	"github.com/spf13/pflag"

	"gantry/infer"
)

// modelFlags are the flags of every command that loads a model.
type modelFlags struct {
	path    string
	threads int
}

func (m *modelFlags) bind(fs *pflag.FlagSet) {
	fs.StringVar(&m.path, "model", "", "the ONNX `file`")
	fs.IntVar(&m.threads, "threads", 0, "threads to use; 0 is one for each processor; results do not depend on it")
}

// load loads the model. args are what stands on the command line beside flags: the file may stand
// there if positional allows it, and nothing else.
func (m *modelFlags) load(args []string, positional bool) (*infer.Model, error) {
	if positional && m.path == "" && len(args) == 1 {
		m.path, args = args[0], nil
	}
	switch {
	case len(args) > 0:
		return nil, misusef("file names go behind their flags, as in --model g.onnx", "unexpected argument %q", args[0])
	case m.path == "":
		return nil, misusef("say which file: --model g.onnx", "--model is missing")
	case m.threads < 0:
		return nil, misusef("leave it out to use all processors", "--threads %d: must not be below 0", m.threads)
	}
	model, err := infer.LoadFile(m.path, infer.Options{Threads: m.threads})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &hinted{err, "gantrain writes its generator to runs/<run>/generator.onnx"}
	}
	return model, err
}
