package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"gantry/models"
	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/dataset/mnist"
)

// trainFlags is what the flags of gantrain train hold.
type trainFlags struct {
	fs                        *pflag.FlagSet
	preset, out, resume, init string
	dryRun, version           bool
	s                         train.Settings // the flags that are settings
}

func newTrainFlags() *trainFlags {
	f := &trainFlags{fs: pflag.NewFlagSet("train", pflag.ContinueOnError)}
	mlp28, err := models.LoadPreset("mlp28")
	if err != nil {
		panic("gantrain: internal error: " + err.Error())
	}
	d := train.DefaultSettings(mlp28)
	f.fs.StringVar(&f.preset, "preset", "mlp28", "")
	f.fs.StringVar(&f.s.Data, "data", d.Data, "")
	f.fs.StringVar(&f.out, "out", "", "")
	f.fs.IntVar(&f.s.Steps, "steps", d.Steps, "")
	f.fs.Uint64Var(&f.s.Seed, "seed", d.Seed, "")
	f.fs.IntVar(&f.s.Threads, "threads", d.Threads, "")
	f.fs.StringVar(&f.s.VM, "vm", d.VM, "")
	f.fs.IntVar(&f.s.CheckpointEvery, "checkpoint-every", d.CheckpointEvery, "")
	f.fs.IntVar(&f.s.SampleEvery, "sample-every", d.SampleEvery, "")
	f.fs.IntVar(&f.s.LogEvery, "log-every", d.LogEvery, "")
	f.fs.IntVar(&f.s.Keep, "keep", d.Keep, "")
	f.fs.StringVar(&f.resume, "resume", "", "")
	f.fs.StringVar(&f.init, "init", "", "")
	f.fs.BoolVarP(&f.dryRun, "dry-run", "n", false, "")
	f.fs.BoolVar(&f.version, "version", false, "")
	addRecipeFlags(f.fs)
	return f
}

// adjust puts what the command line says into s, and leaves the rest.
func (f *trainFlags) adjust(s *train.Settings) error {
	given := f.fs.Changed
	if given("preset") {
		p, err := models.LoadPreset(f.preset)
		if err != nil {
			return misused("gantrain presets lists them; a file's name ends in .json", "--preset %s: %w", f.preset, err)
		}
		s.Preset, s.Spec = p.Name, &p.Spec
		if f.resume == "" {
			s.Recipe = &p.Recipe
		}
	}
	if given("data") {
		ref, err := absoluteData(f.s.Data)
		if err != nil {
			return err
		}
		s.Data = ref
	}
	if given("init") {
		o, err := train.NewOrigin(f.init)
		if err != nil {
			return err
		}
		s.Init = o
	}
	for _, c := range []struct {
		name     string
		to, from *int
	}{
		{"steps", &s.Steps, &f.s.Steps}, {"threads", &s.Threads, &f.s.Threads}, {"keep", &s.Keep, &f.s.Keep},
		{"checkpoint-every", &s.CheckpointEvery, &f.s.CheckpointEvery},
		{"sample-every", &s.SampleEvery, &f.s.SampleEvery}, {"log-every", &s.LogEvery, &f.s.LogEvery},
	} {
		if given(c.name) {
			*c.to = *c.from
		}
	}
	if given("seed") {
		s.Seed = f.s.Seed
	}
	if given("vm") {
		s.VM = f.s.VM
	}
	return applyRecipeFlags(f.fs, s.Recipe)
}

// absoluteData checks a reference to data, and makes it independent of the
// working directory: a run may be resumed from another one.
func absoluteData(ref string) (string, error) {
	const hint = "--data takes mnist, or idx:DIR for a directory of IDX files"
	if ref == "mnist" {
		return ref, nil
	}
	dir, ok := strings.CutPrefix(ref, "idx:")
	if !ok || dir == "" {
		if near := nearest(ref, []string{"mnist"}); near != "" {
			return "", misused("did you mean mnist? "+hint, "--data %s: no such data set", ref)
		}
		return "", misused(hint, "--data %s: no such data set", ref)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", misused(hint, "--data %s: %w", ref, err)
	}
	return "idx:" + dir, nil
}

// openData opens what absoluteData lets through.
func openData(ref string) (dataset.Dataset, error) {
	if ref == "mnist" {
		return mnist.Train()
	}
	return dataset.Open(ref)
}

func trainCommand(args []string, stdout, stderr io.Writer) error {
	f := newTrainFlags()
	if err := parse(f.fs, args, usage, stdout); err != nil {
		return err
	}
	if f.version {
		return versionCommand(nil, stdout, stderr)
	}
	if f.fs.NArg() > 0 {
		return unknown("argument", f.fs.Arg(0), commandNames, "flags begin with --; gantrain --help shows them")
	}
	host := train.Host{Open: openData, Words: stderr}
	if f.resume != "" {
		for _, name := range []string{"out", "init", "dry-run"} {
			if f.fs.Changed(name) {
				return misused("leave one of them out", "--resume and --%s exclude each other", name)
			}
		}
		ctx, stop := signals(stderr)
		defer stop()
		return finish(stdout, stderr)(train.Resume(ctx, f.resume, f.adjust, host))
	}
	preset, err := models.LoadPreset("mlp28")
	if err != nil {
		return err
	}
	s := train.DefaultSettings(preset)
	if err := f.adjust(&s); err != nil {
		return err
	}
	if f.dryRun {
		data, err := openData(s.Data)
		if err != nil {
			return err
		}
		return train.DryRun(stdout, s, f.out, data)
	}
	ctx, stop := signals(stderr)
	defer stop()
	return finish(stdout, stderr)(train.Run(ctx, s, f.out, host))
}

// finish returns what reports a run's end: where the results are, or how to go
// on with it.
func finish(stdout, stderr io.Writer) func(*train.Result, error) error {
	return func(r *train.Result, err error) error {
		if stop := (*train.Interrupted)(nil); errors.As(err, &stop) {
			fmt.Fprintf(stderr, "to go on: %s train --resume %s\n", program("gantrain"), quote(stop.Dir))
			return err
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "generator: %s\n", r.Generator)
		if r.Fakes != "" {
			fmt.Fprintf(stdout, "samples: %s\n", r.Fakes)
			fmt.Fprintf(stdout, "draw your own: %s sample --model %s --seeds 0-63 --grid grid.png\n", program("ganinfer"), quote(r.Generator))
		}
		return nil
	}
}

// signals returns a context that the first SIGINT or SIGTERM ends; the second
// ends the program.
func signals(stderr io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			select {
			case <-done:
				return
			case sig := <-ch:
				stop := &stopSignal{sig}
				if !first {
					os.Exit(stop.code())
				}
				fmt.Fprintf(stderr, "\ngantrain: %s: finishing this step and saving; once more stops at once\n", sig)
				cancel(stop)
			}
		}
	}()
	return ctx, func() {
		signal.Stop(ch)
		close(done)
	}
}

// program is how the user may call one of our programs: by name, or with go run
// where this one was started so.
func program(name string) string {
	if exe, err := os.Executable(); err == nil && strings.Contains(filepath.ToSlash(exe), "/go-build") && !strings.HasSuffix(exe, ".test") {
		return "go run ./cmd/" + name
	}
	return name
}

// quote makes a path one word of a shell's command line.
func quote(path string) string {
	safe := strings.IndexFunc(path, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:,@\\", r))
	}) < 0
	if safe && path != "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
