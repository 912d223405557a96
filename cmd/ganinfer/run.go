package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"gantry/infer"
	"gantry/internal/npy"
	"gantry/internal/onnx"
)

var runCommand = command{"run", `Usage: ganinfer run --model any.onnx --input NAME=FILE... --output NAME=FILE...

Runs a model once. Every input of the model must be given; ganinfer inspect
lists them. Files are .npy arrays in C order: float32 (or float64, which is
rounded), or for inputs of integers int64, int32, uint8 or bool.

Examples:
    ganinfer run --model any.onnx --input z=z.npy --output image=out.npy
    ganinfer run sum.onnx --input a=a.npy --input b=b.npy --output sum=sum.npy
    ganinfer run any.onnx --input z=z.npy    only says what the outputs are
`, runFlags}

// maxInput is the largest array file that --input reads.
const maxInput = 1 << 30

func runFlags(fs *pflag.FlagSet) action {
	var m modelFlags
	inputs := fs.StringArray("input", nil, "an input, as `NAME=FILE`; once for each")
	outputs := fs.StringArray("output", nil, "an output to write, as `NAME=FILE`; once for each")
	fs.Uint64Var(&m.seed, "seed", 0, "of the random numbers that the model itself draws")
	m.bind(fs)
	return func(ctx context.Context, args []string, std streams) error {
		model, err := m.load(args)
		if err != nil {
			return err
		}
		in, err := pairs("--input", *inputs, model.Inputs())
		if err != nil {
			return err
		}
		out, err := pairs("--output", *outputs, model.Outputs())
		if err != nil {
			return err
		}
		return runModel(ctx, model, in, out, std)
	}
}

// pair is NAME=FILE.
type pair struct {
	value infer.ValueInfo // with that name
	file  string
}

// pairs reads the arguments of a flag that names some of values. Names and files may hold a =: the
// longest name that fits is meant.
func pairs(flag string, list []string, values []infer.ValueInfo) ([]pair, error) {
	var ps []pair
	for _, s := range list {
		name, file, ok := strings.Cut(s, "=")
		if !ok || name == "" || file == "" {
			return nil, misusef("for example "+flag+" z=z.npy", "%s %s: want NAME=FILE", flag, s)
		}
		best := -1
		for i, v := range values {
			if strings.HasPrefix(s, v.Name+"=") && (best < 0 || len(v.Name) > len(values[best].Name)) {
				best = i
			}
		}
		if best < 0 {
			return nil, misusef("ganinfer inspect lists the names", "%s: the model has no %s %q", flag, strings.TrimLeft(flag, "-"), name)
		}
		p := pair{values[best], s[len(values[best].Name)+1:]}
		switch {
		case p.file == "":
			return nil, misusef("for example "+flag+" z=z.npy", "%s %s: want NAME=FILE", flag, s)
		case slices.ContainsFunc(ps, func(q pair) bool { return q.value.Name == p.value.Name }):
			return nil, misusef("", "%s %s: %q is given twice", flag, s, p.value.Name)
		}
		ps = append(ps, p)
	}
	return ps, nil
}

func runModel(ctx context.Context, model *infer.Model, in, out []pair, std streams) error {
	for _, p := range out {
		if p.file == "-" {
			return misusef("name a file", "--output %s=-: standard output takes no arrays here", p.value.Name)
		}
	}
	for _, v := range model.Inputs() {
		if !slices.ContainsFunc(in, func(p pair) bool { return p.value.Name == v.Name }) {
			return misusef("add --input NAME=FILE; ganinfer inspect lists the model's inputs", "--input for %q is missing", v.Name)
		}
	}
	tensors, err := readInputs(in)
	if err != nil {
		return err
	}
	results, err := model.NewSession().Run(ctx, tensors)
	if err != nil {
		return err
	}
	for _, p := range out {
		err := std.writeFile(p.file, func(w io.Writer) error { return npy.Write(w, fromTensor(results[p.value.Name])) })
		if err != nil {
			return err
		}
	}
	for _, v := range model.Outputs() {
		t := results[v.Name]
		if _, err := fmt.Fprintf(std.out, "%s %v %v\n", onnx.Printable(v.Name), t.DType, t.Shape); err != nil {
			return err
		}
	}
	return nil
}
