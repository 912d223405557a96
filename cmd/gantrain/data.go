package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"gantry/internal/suggest"
	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/dataset/mnist"
)

const dataHint = "--data takes mnist, a folder, a .zip, CIFAR-10 or idx:DIR"

// absoluteData checks a reference to data, and makes it independent of the
// working directory: a run may be resumed from another one.
func absoluteData(ref string) (string, error) {
	if ref == "mnist" {
		return ref, nil
	}
	dir, idx := strings.CutPrefix(ref, "idx:")
	if !idx {
		hint := dataHint
		_, err := os.Stat(ref)
		if found, _ := filepath.Glob(filepath.Join(ref, "*idx3-ubyte*")); len(found) > 0 {
			hint, err = fmt.Sprintf("did you mean --data %s?", train.Quote("idx:"+ref)), os.ErrInvalid
		} else if suggest.Nearest(strings.ToLower(ref), []string{"mnist"}) != "" {
			hint = "did you mean mnist?"
		}
		if err != nil {
			return "", misused(hint, "--data %s: no such data set", ref)
		}
	}
	if dir == "" {
		return "", misused(dataHint, "--data %s: no such data set", ref)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", misused(dataHint, "--data %s: %w", ref, err)
	}
	if idx {
		return "idx:" + dir, nil
	}
	return dir, nil
}

// openData opens what absoluteData lets through.
func openData(ctx context.Context, ref string, o dataset.Options) (dataset.Dataset, error) {
	if ref != "mnist" {
		return dataset.Open(ctx, ref, o)
	}
	d, err := mnist.Train()
	if err != nil {
		return nil, err
	}
	return dataset.Transform(d, o)
}

// dataCommand says what a data set is.
func dataCommand(args []string, stdout, stderr io.Writer) error {
	fs := pflag.NewFlagSet("data", pflag.ContinueOnError)
	resize := fs.Int("resize", 0, "")
	mirror := fs.Bool("mirror", false, "")
	if err := parse(fs, args, dataUsage, stdout); err != nil {
		return err
	}
	const hint = "gantrain data inspect faces"
	switch {
	case fs.NArg() == 0 || fs.Arg(0) != "inspect":
		return misused(hint, "data takes the word inspect and a data set")
	case fs.NArg() != 2:
		return misused(hint, "data inspect takes one data set, got %d", fs.NArg()-1)
	}
	ref, err := absoluteData(fs.Arg(1))
	if err != nil {
		return err
	}
	ctx, stop := signals(stderr, "stopping")
	defer stop()
	return train.InspectData(ctx, stdout, ref, *resize, *mirror, train.Host{Open: openData, Words: stderr})
}
