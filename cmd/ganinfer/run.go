package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"gantry/infer"
	"gantry/internal/atomicfile"
	"gantry/internal/npy"
)

var runCommand = command{"run", `Usage: ganinfer run --model any.onnx --input NAME=FILE.npy... --output NAME=FILE.npy...

Runs a model once. Every input of the model must be given; ganinfer inspect lists them. Arrays are
float32 (or float64, which is rounded) and int64, in C order.

Examples:
    ganinfer run --model any.onnx --input z=z.npy --output image=out.npy
    ganinfer run --model sum.onnx --input a=a.npy --input b=b.npy --output sum=sum.npy
    ganinfer run --model any.onnx --input z=z.npy       only says what the outputs are
`, runFlags}

// maxInput is the largest array file that --input reads.
const maxInput = 1 << 30

func runFlags(fs *pflag.FlagSet) func(context.Context, []string, io.Writer) error {
	var m modelFlags
	m.bind(fs)
	inputs := fs.StringArray("input", nil, "an input, as `NAME=FILE`; once for each")
	outputs := fs.StringArray("output", nil, "an output to write, as `NAME=FILE`; once for each")
	return func(ctx context.Context, args []string, stdout io.Writer) error {
		in, err := pairs("--input", *inputs)
		if err != nil {
			return err
		}
		out, err := pairs("--output", *outputs)
		if err != nil {
			return err
		}
		model, err := m.load(args, false)
		if err != nil {
			return err
		}
		return runModel(ctx, model, in, out, stdout)
	}
}

// pair is NAME=FILE.
type pair struct{ name, file string }

func pairs(flag string, list []string) ([]pair, error) {
	var ps []pair
	for _, s := range list {
		i := strings.LastIndexByte(s, '=') // a name of ONNX may hold one
		if i <= 0 || i == len(s)-1 {
			return nil, misusef("for example "+flag+" z=z.npy", "%s %s: want NAME=FILE", flag, s)
		}
		if slices.ContainsFunc(ps, func(p pair) bool { return p.name == s[:i] }) {
			return nil, misusef("", "%s %s: %q is given twice", flag, s, s[:i])
		}
		ps = append(ps, pair{s[:i], s[i+1:]})
	}
	return ps, nil
}

func runModel(ctx context.Context, model *infer.Model, in, out []pair, stdout io.Writer) error {
	for _, p := range out {
		if !slices.ContainsFunc(model.Outputs(), func(v infer.ValueInfo) bool { return v.Name == p.name }) {
			return misusef("ganinfer inspect lists the model's outputs", "--output: the model has no output %q", p.name)
		}
	}
	tensors := map[string]infer.Tensor{}
	for _, p := range in {
		i := slices.IndexFunc(model.Inputs(), func(v infer.ValueInfo) bool { return v.Name == p.name })
		if i < 0 {
			return misusef("ganinfer inspect lists the model's inputs", "--input: the model has no input %q", p.name)
		}
		a, err := npy.ReadFile(p.file, maxInput)
		if err != nil {
			return err
		}
		if tensors[p.name], err = toTensor(a, model.Inputs()[i].DType); err != nil {
			return fmt.Errorf("%s: %w", p.file, err)
		}
	}
	results, err := model.NewSession().Run(ctx, tensors)
	if err != nil {
		return err
	}
	for _, p := range out {
		err := atomicfile.WriteFileAtomic(p.file, func(w io.Writer) error { return npy.Write(w, fromTensor(results[p.name])) })
		if err != nil {
			return err
		}
	}
	for _, v := range model.Outputs() {
		t := results[v.Name]
		fmt.Fprintf(stdout, "%s %v %v\n", v.Name, t.DType, t.Shape)
	}
	return nil
}
