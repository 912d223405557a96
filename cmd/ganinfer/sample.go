package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

var sampleCommand = command{"sample", `Usage: ganinfer sample --model g.onnx WHICH WHERE

WHICH samples:
    --seeds 0-35,85                      image 0 of each seed
    --seed 7 --first 5000 --count 1000   images 5000 to 5999 of seed 7
    --z z.npy                            latents of your own, float32 [n, nz]
    --label 3, --label all               of a class, or of each: a row of a grid
    --trunc 0.7                          latents times 0.7
WHERE they go, one or both:
    --grid grid.png                      one picture of all
    --out DIR                            a PNG file for each
    --out samples.npy                    an array: uint8 [n, C, H, W],
                                         or float32 if it is no image
    --grid -, --out -                    the picture, or the array, to a pipe

Examples:
    ganinfer sample --model g.onnx --seeds 0-63 --grid grid.png
    ganinfer sample --model g.onnx --seeds 1,4,9 --out images
    ganinfer sample --model g.onnx --seed 7 --count 10000 --out samples.npy
`, sampleFlags}

func sampleFlags(fs *pflag.FlagSet) action {
	var o samplerFlags
	grid := fs.String("grid", "", "a PNG `file` for all samples in one picture; - is a pipe")
	out := fs.String("out", "", "a directory for PNG files, or an .npy `file`; - is an array to a pipe")
	o.bind(fs)
	return func(ctx context.Context, args []string, std streams) error {
		if err := checkOutputs(*grid, *out, "--grid grid.png makes one picture of all", std); err != nil {
			return err
		}
		d, err := o.open(args, func(src *source) error {
			if s, ok := twice(src.seeds); ok && isDir(*out) { // a file for each seed
				return misusef("an array or a grid may repeat seeds", "--seeds %s: %d is there twice, which is one file of --out %s", o.source.seeds, s, *out)
			}
			return nil
		})
		if err != nil {
			return err
		}
		sink, err := newSink(d, *grid, *out, std)
		if err != nil {
			return err
		}
		return sink.write(ctx)
	}
}

// checkOutputs refuses names of outputs that cannot be meant. hint says what makes a picture.
func checkOutputs(grid, out, hint string, std streams) error {
	if grid == "" && out == "" {
		return misusef("--grid grid.png makes one picture, --out DIR a file for each sample", "no output: --grid and --out are missing")
	}
	if grid == "-" && out == "-" {
		return misusef("name a file for one of them", "--grid - --out -: there is one standard output")
	}
	if (grid == "-" || out == "-") && std.terminal(std.out) {
		return misusef("send it on, as in --out - | python3 -c ..., or name a file", "standard output is a terminal, which takes no pictures and arrays")
	}
	if ext := extension(grid); grid != "" && grid != "-" && ext != ".png" {
		return misusef("the picture is a PNG file, as in --grid grid.png", "--grid %s: want a name that ends in .png", grid)
	}
	switch extension(out) {
	case ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".npz", ".mp4", ".webm":
		return misusef(hint, "--out %s: want a directory or a name that ends in .npy", out)
	}
	return nil
}

// extension returns how a file's name ends, in lower case.
func extension(file string) string { return strings.ToLower(filepath.Ext(file)) }

// isArray reports whether --out is an array.
func isArray(out string) bool { return out == "-" || extension(out) == ".npy" }

// isDir reports whether --out names a directory.
func isDir(out string) bool { return out != "" && !isArray(out) && extension(out) != ".gif" }
