package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"

	"github.com/spf13/pflag"

	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/dataset/mnist"
	"gantry/train/repro"
)

// An experiment is a table or a figure that gantrain repro makes.
type experiment struct {
	usage string
	steps int  // by default; 0: it trains nothing
	model bool // it takes a run or an ONNX file
	run   func(ctx context.Context, f *reproFlags) (fmt.Stringer, error)
}

// experiments are the experiments by their names.
var experiments = map[string]experiment{
	"figure1": {reproFigure1Usage, 4000, false, func(ctx context.Context, f *reproFlags) (fmt.Stringer, error) {
		return repro.RunFigure1(ctx, f.o, f.steps)
	}},
	"figure2": {reproFigure2Usage, 0, true, reproFigure2},
	"figure3": {reproFigure3Usage, 0, true, func(ctx context.Context, f *reproFlags) (fmt.Stringer, error) {
		return repro.RunFigure3(ctx, f.o, f.fs.Arg(0))
	}},
	"algorithm1": {reproAlgorithm1Usage, 4000, false, func(ctx context.Context, f *reproFlags) (fmt.Stringer, error) {
		return repro.RunAlgorithm1(ctx, f.o, f.steps)
	}},
	"parzen-mnist": {reproParzenUsage, 50_000, false, reproParzen},
	"modes": {reproModesUsage, repro.PacGANSteps / 10, false, func(ctx context.Context, f *reproFlags) (fmt.Stringer, error) {
		return repro.Modes(ctx, f.o, repro.ModesConfig{Steps: f.steps, Trials: f.trials})
	}},
}

// experimentNames are the keys of experiments, in the order of reproUsage.
var experimentNames = []string{"figure1", "figure2", "figure3", "algorithm1", "parzen-mnist", "modes"}

// reproFlags is what the flags of gantrain repro hold.
type reproFlags struct {
	fs                          *pflag.FlagSet
	data                        string
	steps, trials, seeds, every int
	asJSON                      bool
	o                           repro.Options
}

func newReproFlags(name string) *reproFlags {
	e := experiments[name]
	f := &reproFlags{fs: pflag.NewFlagSet("repro "+name, pflag.ContinueOnError)}
	if e.steps > 0 {
		f.fs.IntVar(&f.steps, "steps", e.steps, "")
	}
	switch name {
	case "figure2":
		f.fs.StringVar(&f.data, "data", "mnist", "")
	case "modes":
		f.fs.IntVar(&f.trials, "trials", 3, "")
	case "parzen-mnist":
		f.fs.IntVar(&f.seeds, "seeds", 1, "")
		f.fs.IntVar(&f.every, "every", 2500, "")
	}
	f.fs.StringVar(&f.o.Out, "out", filepath.Join("repro", name), "")
	f.fs.Uint64Var(&f.o.Seed, "seed", 0, "")
	f.fs.IntVar(&f.o.Threads, "threads", runtime.GOMAXPROCS(0), "")
	f.fs.BoolVar(&f.asJSON, "json", false, "")
	return f
}

// reproCommand repeats an experiment of a paper.
func reproCommand(args []string, stdout, stderr io.Writer) error {
	name, err := firstWord("repro", "experiment", args, experimentNames, reproUsage, stdout)
	if err != nil {
		return err
	}
	e, f := experiments[name], newReproFlags(name)
	if err := parse(f.fs, args[1:], e.usage, stdout); err != nil {
		return err
	}
	switch {
	case e.model && f.fs.NArg() != 1:
		return misused("gantrain repro "+name+" runs/00000-mnist-dcgan28", "repro %s takes one run directory or ONNX file, got %d", name, f.fs.NArg())
	case !e.model && f.fs.NArg() > 0:
		return misused("gantrain repro "+name+" --help shows what there is", "repro %s takes flags alone, got %q", name, f.fs.Arg(0))
	case f.o.Threads < 1:
		return misused("leave it out for as many as there are processors", "--threads %d: must be at least 1", f.o.Threads)
	}
	f.o.Words = stderr
	ctx, stop := signals(stderr, "stopping")
	defer stop()
	r, err := e.run(ctx, f)
	if ctx.Err() != nil {
		if name == "modes" || name == "parzen-mnist" {
			fmt.Fprintf(stderr, "to go on, give the same command again\n")
		}
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	return writeReport(stdout, r, f.asJSON)
}

// reproFigure2 opens the images in the size that the generator learned them in.
func reproFigure2(ctx context.Context, f *reproFlags) (fmt.Stringer, error) {
	ref, err := absoluteData(f.data)
	if err != nil {
		return nil, err
	}
	return repro.RunFigure2(ctx, f.o, f.fs.Arg(0), func(shape []int) (dataset.Dataset, error) {
		o := dataset.Options{Shape: shape, Threads: f.o.Threads}
		if !dataset.IsPoints(ref) && shape[1] == shape[2] {
			o.Resize = shape[1]
		}
		data, err := openCounted(ctx, ref, o, f.o.Words)
		if err != nil {
			return nil, &train.Error{Err: err, Hint: train.DataHint}
		}
		return data, nil
	})
}

func reproParzen(ctx context.Context, f *reproFlags) (fmt.Stringer, error) {
	training, err := mnist.Train()
	test, err2 := mnist.Test()
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	return repro.Parzen(ctx, f.o, repro.ParzenConfig{Runs: f.seeds, Steps: f.steps, Every: f.every, Training: training, Test: test})
}
