package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/dataset/mnist"
	"gantry/train/evaluate"
)

// An evaluation is a metric of gantrain eval.
type evaluation struct {
	usage string
	data  string // the default; "" if there is none
	count int    // samples, by default
	run   func(ctx context.Context, f *evalFlags, g *evaluate.Generator) (*evaluate.Report, error)
}

// evaluations are the metrics by their names.
var evaluations = map[string]evaluation{
	"parzen":  {evalParzenUsage, "mnist", 10_000, evalParzen},
	"frechet": {evalFrechetUsage, "mnist", 10_000, evalFeatures(evaluate.Frechet)},
	"kid":     {evalKIDUsage, "mnist", 10_000, evalFeatures(evaluate.KID)},
	"prdc":    {evalPRDCUsage, "mnist", 10_000, evalFeatures(evaluate.PRDC)},
	"modes":   {evalModesUsage, "", 2500, evalModes},
}

// evaluationNames are the keys of evaluations, in the order of evalUsage.
var evaluationNames = []string{"parzen", "frechet", "kid", "prdc", "modes"}

// evalFlags is what the flags of gantrain eval hold.
type evalFlags struct {
	fs                     *pflag.FlagSet
	data, features, values string
	resize                 int
	asJSON                 bool
	o                      evaluate.Options
}

func newEvalFlags(name string) *evalFlags {
	e := evaluations[name]
	f := &evalFlags{fs: pflag.NewFlagSet("eval "+name, pflag.ContinueOnError)}
	f.fs.StringVar(&f.data, "data", e.data, "")
	if name != "parzen" && name != "modes" {
		f.fs.StringVar(&f.features, "features", "", "")
		f.fs.StringVar(&f.values, "features-range", "0,1", "")
	}
	if name != "modes" {
		f.fs.IntVar(&f.resize, "resize", 0, "")
	}
	f.fs.IntVar(&f.o.Count, "count", e.count, "")
	f.fs.Uint64Var(&f.o.Seed, "seed", 0, "")
	f.fs.IntVar(&f.o.Threads, "threads", runtime.GOMAXPROCS(0), "")
	f.fs.BoolVar(&f.asJSON, "json", false, "")
	return f
}

// evalCommand measures a generator.
func evalCommand(args []string, stdout, stderr io.Writer) error {
	name, err := firstWord("eval", "metric", args, evaluationNames, evalUsage, stdout)
	if err != nil {
		return err
	}
	e, f := evaluations[name], newEvalFlags(name)
	if err := parse(f.fs, args[1:], e.usage, stdout); err != nil {
		return err
	}
	switch {
	case f.fs.NArg() != 1:
		return misused("gantrain eval "+name+" runs/00000-mnist-dcgan28", "eval %s takes one run directory or ONNX file, got %d", name, f.fs.NArg())
	case f.data == "":
		return misused("--data ring or --data grid", "eval %s needs --data", name)
	case f.o.Count < 1 || f.o.Count > 1e7:
		return misused(fmt.Sprintf("leave it out for %d", e.count), "--count %d: must be 1 to 10000000", f.o.Count)
	case f.fs.Changed("resize") && (f.resize < 1 || f.resize > dataset.MaxSide):
		return misused("leave it out for images as they are", "--resize %d: must be 1 to %d", f.resize, dataset.MaxSide)
	case f.o.Threads < 1:
		return misused("leave it out for as many as there are processors", "--threads %d: must be at least 1", f.o.Threads)
	}
	ref, err := absoluteData(f.data)
	if err != nil {
		return err
	}
	f.data, f.o.Words = ref, stderr
	ctx, stop := signals(stderr, "stopping")
	defer stop()
	g, err := evaluate.OpenGenerator(f.fs.Arg(0), f.o.Threads)
	if err != nil {
		return err
	}
	r, err := e.run(ctx, f, g)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	return writeReport(stdout, r, f.asJSON)
}

func evalParzen(ctx context.Context, f *evalFlags, g *evaluate.Generator) (*evaluate.Report, error) {
	training, test, err := evalHalves(ctx, f, g)
	if err != nil {
		return nil, err
	}
	if training == nil {
		return nil, misused("--data mnist, or idx:DIR for files like MNIST's", "--data %s: parzen needs a data set with images to test on", f.data)
	}
	return evaluate.Parzen(ctx, g, training, test, f.o)
}

// evalFeatures is an evaluation on features.
func evalFeatures(measure func(context.Context, *evaluate.Generator, dataset.Dataset, *evaluate.Extractor, evaluate.Options) (*evaluate.Report, error)) func(context.Context, *evalFlags, *evaluate.Generator) (*evaluate.Report, error) {
	return func(ctx context.Context, f *evalFlags, g *evaluate.Generator) (*evaluate.Report, error) {
		values, err := evalRange(f.values)
		if err != nil {
			return nil, misused("--features-range -1,1", "--features-range %s: %w", f.values, err)
		}
		if f.features == "" {
			if f.data != "mnist" && !strings.HasPrefix(f.data, "mnist:") {
				return nil, misused("any classifier will do, the number means what its features mean: --features CLASSIFIER.onnx", "--data %s: there is no network of our own for such images", f.data)
			}
			f.features = evaluate.MNISTFeatures
		}
		e, err := evaluate.OpenExtractor(f.features, values, f.o.Threads)
		if err != nil {
			return nil, err
		}
		_, test, err := evalHalves(ctx, f, g)
		if err != nil {
			return nil, err
		}
		return measure(ctx, g, test, e, f.o)
	}
}

func evalModes(ctx context.Context, f *evalFlags, g *evaluate.Generator) (*evaluate.Report, error) {
	_, data, err := evalHalves(ctx, f, g)
	if err != nil {
		return nil, err
	}
	mixture, ok := data.(evaluate.Mixture)
	if !ok {
		return nil, misused("--data ring or --data grid", "--data %s: has no modes that are known", f.data)
	}
	return evaluate.Modes(ctx, g, mixture, f.o)
}

// evalHalves opens the images that a generator is compared with, and those that it
// may have been trained on. Of a data set without test images, the former are all
// images, and there are no others.
func evalHalves(ctx context.Context, f *evalFlags, g *evaluate.Generator) (training, test dataset.Dataset, err error) {
	if dir, idx := strings.CutPrefix(f.data, "idx:"); idx {
		if training, err = dataset.OpenIDX(dir, "train"); err == nil {
			test, err = dataset.OpenIDX(dir, "test")
		}
	} else if f.data == "mnist" {
		if training, err = mnist.Train(); err == nil {
			test, err = mnist.Test()
		}
	} else {
		test, err = openCounted(ctx, f.data, dataset.Options{Shape: g.Shape(), Threads: f.o.Threads}, f.o.Words)
	}
	for _, d := range []*dataset.Dataset{&training, &test} {
		if err == nil && f.resize > 0 && *d != nil {
			*d, err = dataset.Transform(*d, dataset.Options{Resize: f.resize, Shape: g.Shape()})
		}
	}
	if err != nil {
		err = &train.Error{Err: err, Hint: train.DataHint}
	}
	return training, test, err
}

// evalRange reads LO,HI.
func evalRange(text string) (values [2]float32, err error) {
	lo, hi, _ := strings.Cut(text, ",")
	for i, t := range []string{lo, hi} {
		v, e := strconv.ParseFloat(strings.TrimSpace(t), 32)
		values[i] = float32(v)
		err = errors.Join(err, e)
	}
	if err != nil || !(values[0] < values[1]) {
		return values, errors.New("want two numbers, the lower first, such as 0,1")
	}
	return values, nil
}
