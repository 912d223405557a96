package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"gantry/models"
	"gantry/train"
)

// trainFlags is what the flags of gantrain train hold.
type trainFlags struct {
	fs                        *pflag.FlagSet
	preset, out, resume, init string
	dryRun, version           bool
	s                         train.Settings // the flags that are settings
	dcgan                     models.DCGAN
	pack                      int
}

func newTrainFlags() *trainFlags {
	f := &trainFlags{fs: pflag.NewFlagSet("train", pflag.ContinueOnError)}
	preset, err := models.LoadPreset(defaultPreset)
	if err != nil {
		panic("gantrain: internal error: " + err.Error())
	}
	d := train.DefaultSettings(preset)
	f.fs.StringVar(&f.preset, "preset", defaultPreset, "")
	f.fs.StringVar(&f.s.Data, "data", d.Data, "")
	f.fs.IntVar(&f.s.Resize, "resize", 0, "")
	f.fs.BoolVar(&f.s.Mirror, "mirror", false, "")
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
	addDCGANFlags(f.fs, &f.dcgan)
	f.fs.IntVar(&f.pack, "pack", 1, "")
	addRecipeFlags(f.fs)
	return f
}

// adjust puts what the command line says into s, and leaves the rest.
func (f *trainFlags) adjust(s *train.Settings) error {
	given := f.fs.Changed
	var run *models.Spec // the networks of the run that goes on
	if f.resume != "" {
		run = s.Spec
	}
	if given("preset") {
		p, err := models.LoadPreset(f.preset)
		if err != nil {
			return presetError(f.preset, err)
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
		{"steps", &s.Steps, &f.s.Steps}, {"resize", &s.Resize, &f.s.Resize}, {"threads", &s.Threads, &f.s.Threads}, {"keep", &s.Keep, &f.s.Keep},
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
	if given("mirror") {
		s.Mirror = f.s.Mirror
	}
	if given("vm") {
		s.VM = f.s.VM
	}
	if err := applyDCGANFlags(f.fs, &f.dcgan, s, run); err != nil {
		return err
	}
	if given("pack") {
		if f.pack < 1 {
			return misused("1 is none", "--pack %d: must be at least 1", f.pack)
		}
		s.Spec = s.Spec.WithPack(f.pack)
	}
	return applyRecipeFlags(f.fs, s.Recipe)
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
		if word := f.fs.Arg(0); slices.Contains(commandNames, word) {
			return misused("gantrain "+word+" ...", "%s stands after flags: the command stands first", word)
		}
		return unknown("argument", f.fs.Arg(0), commandNames, "flags begin with --; gantrain --help shows them")
	}
	host := train.Host{Open: openData, Words: stderr}
	if f.resume != "" {
		for _, name := range []string{"out", "init", "dry-run"} {
			if f.fs.Changed(name) {
				return misused("leave one of them out", "--resume and --%s exclude each other", name)
			}
		}
		ctx, stop := signals(stderr, stopTraining)
		defer stop()
		return finish(stdout, stderr)(train.Resume(ctx, f.resume, f.adjust, host))
	}
	preset, err := models.LoadPreset(defaultPreset)
	if err != nil {
		return err
	}
	s := train.DefaultSettings(preset)
	if err := f.adjust(&s); err != nil {
		return err
	}
	if f.dryRun {
		ctx, stop := signals(stderr, "stopping")
		defer stop()
		return train.DryRun(ctx, stdout, s, f.out, host)
	}
	ctx, stop := signals(stderr, stopTraining)
	defer stop()
	return finish(stdout, stderr)(train.Run(ctx, s, f.out, host))
}

// finish returns what reports a run's end: where the results are, or how to go
// on with it.
func finish(stdout, stderr io.Writer) func(*train.Result, error) error {
	return func(r *train.Result, err error) error {
		if stop := (*train.Interrupted)(nil); errors.As(err, &stop) {
			fmt.Fprintf(stderr, "to go on:\n  %s train --resume %s\n", program("gantrain"), train.Quote(stop.Dir))
			return err
		}
		if errors.As(err, new(*stopSignal)) {
			fmt.Fprintf(stderr, "stopped before training began; nothing has changed\n")
			return err
		}
		if err != nil {
			return err
		}
		text := fmt.Sprintf("generator: %s\n", r.Generator)
		if r.Fakes != "" {
			text += fmt.Sprintf("samples: %s\n", r.Fakes)
		}
		as := "--grid grid.png"
		if len(r.Shape) != 3 || r.Shape[0] != 1 && r.Shape[0] != 3 {
			as = "--out samples.npy"
		}
		text += fmt.Sprintf("draw your own:\n  %s sample --model %s --seeds 0-63 %s\n", program("ganinfer"), train.Quote(r.Generator), as)
		_, err = io.WriteString(stdout, text)
		return err
	}
}

// stopTraining is what a signal makes a run do.
const stopTraining = "finishing this step and saving"

// signals returns a context that the first SIGINT, SIGTERM or SIGHUP ends; doing
// says what then happens. The second ends the program, unless it is the SIGHUP
// that comes after another one where a session ends. Under nohup, SIGHUP is
// ignored. A reader of our words or results that goes away does not end the
// program either.
func signals(stderr io.Writer, doing string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(ch, syscall.SIGHUP)
	}
	signal.Ignore(syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			select {
			case <-done:
				return
			case sig := <-ch:
				stop := &stopSignal{sig}
				switch {
				case first:
					fmt.Fprintf(stderr, "\ngantrain: %s: %s; once more stops at once\n", sig, doing)
					cancel(stop)
				case sig != syscall.SIGHUP:
					os.Exit(stop.code())
				}
			}
		}
	}()
	return ctx, func() {
		signal.Stop(ch)
		signal.Reset(syscall.SIGPIPE)
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
