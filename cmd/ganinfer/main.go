// Ganinfer draws samples from ONNX generators, and runs any other ONNX model that package infer can.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"gantry/infer"
	"gantry/internal/kernel"
	"gantry/internal/onnx"
	"gantry/internal/version"
)

const usage = `Ganinfer draws images from a generator in an ONNX file.

    ganinfer sample        draw samples: a grid, PNG files or an .npy array
    ganinfer interpolate   walk from latent to latent: a GIF or PNG files
    ganinfer run           run any model on .npy arrays
    ganinfer inspect       show what is in a file and how it runs
    ganinfer bench         measure how fast a model runs
    ganinfer verify        check its samples against the golden in its metadata
    ganinfer pack          make a program that holds the model

    ganinfer COMMAND --help   the flags of a command
    ganinfer --version        version, and the kernels that this processor uses

Examples:
    ganinfer sample --model g.onnx --seeds 0-63 --grid grid.png
    ganinfer sample --model g.onnx --seed 7 --first 5000 --count 99 --out s.npy
    ganinfer run --model any.onnx --input z=z.npy --output image=out.npy

Image i of a seed is the same bytes on every machine, whatever the batch and
the threads.
`

// command is a subcommand: flags binds its flags, run does the work after they are parsed.
type command struct {
	name, usage string
	flags       func(*pflag.FlagSet) action
}

// action does the work of a command. args are what stands on the command line beside flags.
type action func(ctx context.Context, args []string, std streams) error

var commands = []command{sampleCommand, interpolateCommand, runCommand, inspectCommand, benchCommand, verifyCommand, packCommand}

func main() {
	// The weights are most of the heap and hold no pointers; the collections that their arrival
	// sets off take a quarter of the time to the first image.
	debug.SetGCPercent(400)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code: 0 done, 1 failed, 2 misused, 130 or 143 stopped
// by a signal.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stopped, release := onSignal()
	defer release()
	err := dispatch(ctx, args, stdout, stderr)
	if sig := stopped(); sig != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintf(stderr, "ganinfer: stopped by a signal (%v); no unfinished file was kept\n", sig)
		if sig == syscall.SIGTERM {
			return 143
		}
		return 130
	}
	return report(stderr, err)
}

// onSignal returns a context that ends with the first interrupt, and what ended it. A second one ends
// the process, whatever it does.
func onSignal() (ctx context.Context, stopped func() os.Signal, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	first := make(chan os.Signal, 1)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			first <- s
			cancel()
		case <-ctx.Done():
		}
	}()
	stopped = func() os.Signal {
		select {
		case s := <-first:
			return s
		default:
			return nil
		}
	}
	return ctx, stopped, func() { signal.Stop(signals); cancel() }
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	args, err := withCommand(args)
	if err != nil {
		return err
	}
	switch args[0] {
	case "-h", "--help", "help":
		_, err := io.WriteString(stdout, usage)
		return err
	case "--version", "version":
		_, err := fmt.Fprintf(stdout, "ganinfer %s (%s %s/%s, kernels %s, numerics %d)\n",
			version.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH, kernel.Tier(), kernel.Numerics)
		return err
	}
	for _, c := range commands {
		if c.name != args[0] {
			continue
		}
		fs := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
		fs.SetOutput(io.Discard)
		fs.SortFlags = false
		do := c.flags(fs)
		err := fs.Parse(args[1:])
		if errors.Is(err, pflag.ErrHelp) {
			_, err = fmt.Fprintf(stdout, "%s\nFlags:\n%s", c.usage, fs.FlagUsagesWrapped(80))
			return err
		}
		if err != nil {
			return &misuse{err, "ganinfer " + c.name + " --help lists the flags"}
		}
		return do(ctx, fs.Args(), streams{stdout, stderr})
	}
	return &misuse{fmt.Errorf("unknown command %q", args[0]), "ganinfer --help lists the commands"}
}

// withCommand puts the command of a packed program in front of args that name none: sample.
func withCommand(args []string) ([]string, error) {
	if len(args) > 0 && (args[0] == "" || args[0][0] != '-' || slices.Contains([]string{"-h", "--help", "--version"}, args[0])) {
		return args, nil
	}
	switch f, err := packed(); {
	case err != nil:
		return nil, err
	case f != nil:
		return append([]string{"sample"}, args...), nil
	case len(args) == 0:
		return nil, &misuse{errors.New("no command"), "ganinfer --help lists the commands"}
	}
	return args, lost()
}

// misuse is an error of the command line. The hint may be empty.
type misuse struct {
	err  error
	hint string
}

func (m *misuse) Error() string { return m.err.Error() }
func (m *misuse) Unwrap() error { return m.err }

func misusef(hint, format string, args ...any) error {
	return &misuse{fmt.Errorf(format, args...), hint}
}

// hinted is another error with a hint.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// report writes err for people, in one line and perhaps a hint, and returns the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	code, hint := 1, ""
	var m *misuse
	var h *hinted
	var u *infer.UnsupportedError
	switch {
	case errors.As(err, &m):
		code, hint = 2, m.hint
	case errors.As(err, &h):
		hint = h.hint
	case errors.As(err, &u):
		hint = u.Hint
	default:
		hint = limitHint(err)
	}
	fmt.Fprintf(stderr, "ganinfer: error: %s\n", oneLine(err.Error())) // which may quote a file
	if hint != "" {
		fmt.Fprintf(stderr, "ganinfer: hint: %s\n", oneLine(hint))
	}
	return code
}

func oneLine(s string) string {
	return onnx.Printable(strings.ReplaceAll(strings.TrimSpace(s), "\n", "; "))
}
