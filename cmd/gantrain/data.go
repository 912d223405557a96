package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"gantry/internal/suggest"
	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/dataset/mnist"
)

// absoluteData checks a reference to data, and makes it independent of the
// working directory: a run may be resumed from another one.
func absoluteData(ref string) (string, error) {
	if ref == "mnist" || dataset.IsPoints(ref) {
		return ref, nil
	}
	if _, _, ok, err := mnistPart(ref); ok {
		if err != nil {
			return "", misused("--data mnist:0-49999", "--data %s: %w", ref, err)
		}
		return ref, nil
	}
	dir, idx := strings.CutPrefix(ref, "idx:")
	if !idx {
		hint := train.DataHint
		_, err := os.Stat(ref)
		if found, _ := filepath.Glob(filepath.Join(ref, "*idx3-ubyte*")); len(found) > 0 {
			hint, err = fmt.Sprintf("did you mean --data %s?", train.Quote("idx:"+ref)), os.ErrInvalid
		} else if near := suggest.Nearest(strings.ToLower(ref), []string{"mnist", "ring", "grid"}); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		if err != nil {
			return "", misused(hint, "--data %s: no such data set", ref)
		}
	}
	if dir == "" {
		return "", misused(train.DataHint, "--data %s: no such data set", ref)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", misused(train.DataHint, "--data %s: %w", ref, err)
	}
	if idx {
		return "idx:" + dir, nil
	}
	return dir, nil
}

// openData opens what absoluteData lets through.
func openData(ctx context.Context, ref string, o dataset.Options) (dataset.Dataset, error) {
	first, last, part, err := mnistPart(ref)
	if err != nil {
		return nil, err
	}
	if ref != "mnist" && !part {
		return dataset.Open(ctx, ref, o)
	}
	d, err := mnist.Train()
	if err != nil {
		return nil, err
	}
	if part {
		if d, err = d.Part(first, last); err != nil {
			return nil, err
		}
	}
	return dataset.Transform(d, o)
}

// openCounted is openData with words about how far it is.
func openCounted(ctx context.Context, ref string, o dataset.Options, words io.Writer) (dataset.Dataset, error) {
	count := train.NewCounter(words, "images decoded")
	defer count.End()
	o.Progress = count.Step
	return openData(ctx, ref, o)
}

// mnistPart reads mnist:FIRST-LAST, some of the training images; ok is false if
// ref is no such thing.
func mnistPart(ref string) (first, last int, ok bool, err error) {
	text, ok := strings.CutPrefix(ref, "mnist:")
	if !ok {
		return 0, 0, false, nil
	}
	from, to, _ := strings.Cut(text, "-")
	first, err = strconv.Atoi(from)
	if err == nil {
		last, err = strconv.Atoi(to)
	}
	if err != nil {
		err = fmt.Errorf("%q: want mnist:FIRST-LAST, such as mnist:0-49999", ref)
	}
	return first, last, true, err
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
