// Command gantrain trains GANs, and exports their generators to ONNX.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"gantry/internal/kernel"
	"gantry/internal/suggest"
	"gantry/internal/version"
	"gantry/train"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// commands are the words that may stand first; train is meant if none does.
var commands = map[string]func(args []string, stdout, stderr io.Writer) error{
	"train":   trainCommand,
	"presets": presetsCommand,
	"export":  exportCommand,
	"eval":    evalCommand,
	"repro":   reproCommand,
	"bench":   benchCommand,
	"data":    dataCommand,
	"version": versionCommand,
}

// run carries out one command line and returns the exit code: 0 done, 1 failed,
// 2 misused, 128 plus the signal's number if one stopped it.
func run(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "help" { // help, help export
		args = append(args[1:], "--help")
	} else if len(args) == 2 && commands[args[0]] != nil && args[1] == "help" { // export help
		args[1] = "--help"
	}
	command := trainCommand
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		if command = commands[args[0]]; command == nil {
			return fail(unknown("command", args[0], commandNames, "gantrain --help shows what there is"), stderr)
		}
		args = args[1:]
	}
	return fail(command(args, stdout, stderr), stderr)
}

// commandNames are the keys of commands, in the order of usage.
var commandNames = []string{"train", "presets", "export", "eval", "repro", "bench", "data", "version"}

// fail reports err, if it is one, and returns the exit code for it.
func fail(err error, stderr io.Writer) int {
	if err == nil || errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	var stop *stopSignal
	if errors.As(err, &stop) {
		return stop.code()
	}
	code, hint := 1, ""
	if errors.Is(err, syscall.ENOSPC) {
		hint = "the disk is full"
	}
	if e := (*train.Error)(nil); errors.As(err, &e) {
		hint = e.Hint
		if e.Misuse {
			code = 2
		}
	}
	fmt.Fprintf(stderr, "gantrain: error: %s\n", oneLine(err.Error()))
	if hint != "" {
		fmt.Fprintf(stderr, "gantrain: hint: %s\n", oneLine(hint))
	}
	return code
}

// packages are the names before messages, which say nothing to who runs a command.
var packages = regexp.MustCompile(`(^|: )((train|evaluate|repro|metric|models|dataset|atomicfile|safetensors|export|infer|onnx|graph|checkpoint): )+`)

// oneLine drops packages and line breaks.
func oneLine(s string) string {
	return strings.ReplaceAll(packages.ReplaceAllString(s, "$1"), "\n", " ")
}

// misused is an error about the command line.
func misused(hint, format string, args ...any) error {
	return &train.Error{Misuse: true, Err: fmt.Errorf(format, args...), Hint: hint}
}

// unknown is the error for a word that is none of names.
func unknown(what, got string, names []string, hint string) error {
	if near := suggest.Nearest(got, names); near != "" {
		hint = fmt.Sprintf("did you mean %s? %s", near, hint)
	}
	return misused(hint, "unknown %s %q", what, got)
}

// parse parses flags, and says which one is meant where one is not known.
func parse(fs *pflag.FlagSet, args []string, usage string, stdout io.Writer) error {
	fs.SetOutput(io.Discard)
	fs.SortFlags = false
	fs.Usage = func() {}
	err := fs.Parse(args)
	hint := "gantrain " + fs.Name() + " --help shows what there is"
	var absent *pflag.NotExistError
	var value *pflag.InvalidValueError
	switch {
	case errors.Is(err, pflag.ErrHelp):
		if _, err := io.WriteString(stdout, usage); err != nil {
			return err
		}
		return pflag.ErrHelp
	case errors.As(err, &absent) && absent.GetSpecifiedShortnames() == "":
		var names []string
		fs.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		name := absent.GetSpecifiedName()
		near := synonyms[strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))]
		if near == "" || fs.Lookup(near) == nil {
			near = suggest.Nearest(name, names)
		}
		if near != "" {
			hint = fmt.Sprintf("did you mean --%s? %s", near, hint)
		}
		return misused(hint, "unknown flag --%s", name)
	case errors.As(err, &value):
		return misused(hint, "--%s %s: %w", value.GetFlag().Name, value.GetValue(), value.Unwrap())
	case err != nil:
		return misused(hint, "%w", err)
	}
	fs.Visit(func(f *pflag.Flag) {
		if f.Value.String() == "" && err == nil {
			err = misused("is a shell variable not set?", "--%s is empty", f.Name)
		}
	})
	return err
}

// firstWord returns the first argument of a command that has several things to
// do, what: one of names.
func firstWord(command, what string, args, names []string, usage string, stdout io.Writer) (string, error) {
	hint := "gantrain " + command + " --help shows what there is"
	switch {
	case len(args) == 0:
		return "", misused(hint, "%s takes the name of the %s first", command, what)
	case slices.Contains(names, args[0]):
		return args[0], nil
	case args[0] == "help":
		args = []string{"--help"}
	case !strings.HasPrefix(args[0], "-"):
		return "", unknown(what, args[0], names, hint)
	}
	if err := parse(pflag.NewFlagSet(command, pflag.ContinueOnError), args, usage, stdout); err != nil {
		return "", err
	}
	return "", misused(hint, "the name of the %s stands before flags", what)
}

// writeReport writes the result of a command: a text, or one line of JSON.
func writeReport(stdout io.Writer, r fmt.Stringer, asJSON bool) error {
	text := r.String()
	if asJSON {
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		text = string(b) + "\n"
	}
	_, err := io.WriteString(stdout, text)
	return err
}

// synonyms are what other programs call our flags.
var synonyms = map[string]string{
	"outdir": "out", "output": "out", "outf": "out", "batchsize": "batch", "epochs": "steps", "niter": "steps", "iterations": "steps",
	"dataset": "data", "dataroot": "data", "workers": "threads", "manualseed": "seed", "learningrate": "lr", "model": "preset", "continue": "resume",
}

func versionCommand(args []string, stdout, _ io.Writer) error {
	if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
		_, err := io.WriteString(stdout, versionUsage)
		return err
	}
	if len(args) > 0 {
		return misused("gantrain version", "version takes no arguments, got %q", args[0])
	}
	_, err := fmt.Fprintf(stdout, "gantrain %s, numerics %d, kernels %s, %s %s/%s\n",
		version.Version, kernel.Numerics, kernel.Tier(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// stopSignal is the cause of a context that a signal ended.
type stopSignal struct{ sig os.Signal }

// Error names the signal.
func (s *stopSignal) Error() string { return s.sig.String() }

func (s *stopSignal) code() int {
	if n, ok := s.sig.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return 130
}
