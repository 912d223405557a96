package main

import (
	"io"
	"runtime"
	"time"

	"github.com/spf13/pflag"

	"gantry/models"
	"gantry/train"
)

// benchCommand measures a training step.
func benchCommand(args []string, stdout, _ io.Writer) error {
	fs := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	name := fs.String("preset", defaultPreset, "")
	batch := fs.Int("batch", 0, "")
	threads := fs.Int("threads", runtime.GOMAXPROCS(0), "")
	seconds := fs.Float64("seconds", 20, "")
	asJSON := fs.Bool("json", false, "")
	if err := parse(fs, args, benchUsage, stdout); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return misused("gantrain bench --preset "+train.Quote(fs.Arg(0)), "unknown argument %q", fs.Arg(0))
	}
	if !(*seconds >= 0 && *seconds <= 1e6) {
		return misused("leave it out for 20", "--seconds %v: must be 0 to 1e6", *seconds)
	}
	preset, err := models.LoadPreset(*name)
	if err != nil {
		return presetError(*name, err)
	}
	if fs.Changed("batch") {
		preset.Recipe.Batch = *batch
		if err := preset.Recipe.Validate(); err != nil {
			return misused(recipeHint, "--batch %d: %w", *batch, err)
		}
	}
	r, err := train.Bench(preset, *threads, time.Duration(*seconds*1e9))
	if err != nil {
		return err
	}
	return writeReport(stdout, r, *asJSON)
}
