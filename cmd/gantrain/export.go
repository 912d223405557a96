package main

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"gantry/export"
	"gantry/train"
)

// exportCommand exports the generator of any checkpoint.
func exportCommand(args []string, stdout, stderr io.Writer) error {
	fs := pflag.NewFlagSet("export", pflag.ContinueOnError)
	out := fs.StringP("out", "o", "", "")
	step := fs.Int("step", -1, "")
	fold := fs.Bool("fold", true, "")
	ema := fs.Bool("ema", true, "")
	if err := parse(fs, args, exportUsage, stdout); err != nil {
		return err
	}
	switch {
	case fs.NArg() != 1:
		return misused("gantrain export runs/00000-mnist-dcgan28 -o g.onnx", "export takes one run directory or checkpoint, got %d", fs.NArg())
	case *out == "":
		return misused("gantrain export "+train.Quote(fs.Arg(0))+" -o g.onnx", "export needs the name of the file to write, -o FILE")
	case *out == "-":
		return misused("-o FILE, then do with it what you like", "-o -: a generator goes into a file, not to stdout: it is read back")
	case fs.Changed("step") && *step < 0:
		return misused("leave it out for the newest", "--step %d: must be at least 0", *step)
	}
	weights := train.EMAIfAny
	switch {
	case !*ema:
		weights = train.EMANone
	case fs.Changed("ema"):
		weights = train.EMAOnly
	}
	report, err := train.ExportCheckpoint(fs.Arg(0), *step, *out, weights, export.Options{Fold: *fold})
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "read back and verified, largest difference %.2g (bound %.2g)\n", report.MaxDiff, report.Bound)
	_, err = fmt.Fprintf(stdout, "generator: %s\n", *out)
	return err
}
