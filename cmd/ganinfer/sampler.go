package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"gantry/infer"
	"gantry/internal/npy"
)

// samplerFlags are the flags of the commands that draw samples.
type samplerFlags struct {
	model                 modelFlags
	source                sourceFlags
	label, values, layout string
	inputs                []string
	psi                   float32
	batch                 int
}

func (o *samplerFlags) bind(fs *pflag.FlagSet) {
	o.source.bind(fs)
	fs.Float32Var(&o.psi, "trunc", 1, "`psi`, by which latents are multiplied; below 1, samples are less varied, and nearer to what is common")
	fs.StringVar(&o.label, "label", "", "class of the samples, for a conditional model: a `list`, or all")
	fs.StringArrayVar(&o.inputs, "input", nil, "another input of the model, as `NAME=FILE`: an .npy array with a row for each sample, or one row for all")
	fs.StringVar(&o.values, "range", "", "what the model's values range over, as `LO,HI`; left out, the metadata says so, or it is -1,1")
	fs.StringVar(&o.layout, "layout", "nchw", "order of the model's images: nchw or nhwc")
	fs.IntVar(&o.batch, "batch", 0, "samples computed at once; 0 is a good value; results do not depend on it")
	o.model.bind(fs)
}

// drawing is a source of latents with the sampler and the labels that turn it into samples.
type drawing struct {
	*source
	sampler *infer.Sampler
	labels  []uint64 // each of them for all latents; empty where the model is not conditional
	psi     float32
	given   []pair // inputs that are neither, and
	inputs  map[string]infer.Tensor
}

// checkRows returns an error unless each input that was given has one row for all samples, or one for each of a label.
func (d *drawing) checkRows() error {
	for _, p := range d.given {
		t := d.inputs[p.value.Name]
		if open := len(p.value.Shape) > 0 && p.value.Shape[0] < 0; open && t.Shape[0] != 1 && t.Shape[0] != d.count {
			return fmt.Errorf("%s has %d rows, want 1 or %d, one for each sample", p.file, t.Shape[0], d.count)
		}
	}
	return nil
}

// open checks the flags, loads the model and returns what will be drawn. check looks at the source before the
// model is loaded.
func (o *samplerFlags) open(args []string, check func(*source) error) (*drawing, error) {
	so := infer.SamplerOptions{Batch: o.batch, ChannelsLast: o.layout == "nhwc"}
	switch {
	case o.batch < 0:
		return nil, misusef("leave it out for a good value", "--batch %d: must be at least 1", o.batch)
	case o.psi-o.psi != 0: // not finite
		return nil, misusef("for example --trunc 0.7", "--trunc %v: must be a finite number", o.psi)
	case o.layout != "nchw" && o.layout != "nhwc":
		return nil, misusef("", "--layout %s: want nchw or nhwc", o.layout)
	case o.values != "":
		lo, hi, _ := strings.Cut(o.values, ",")
		for i, s := range []string{lo, hi} {
			v, err := strconv.ParseFloat(s, 32)
			if so.Range[i] = float32(v); err != nil || v-v != 0 || i == 1 && so.Range[0] >= so.Range[1] {
				return nil, misusef("for example --range 0,255", "--range %s: want two numbers, the smaller first", o.values)
			}
		}
	}
	src, err := o.source.open()
	if err != nil {
		return nil, err
	}
	if err := check(src); err != nil {
		return nil, err
	}
	m, err := o.model.load(args)
	if err != nil {
		return nil, err
	}
	ps, err := pairs("--input", o.inputs, m.Inputs())
	if err != nil {
		return nil, err
	}
	if so.Inputs, err = readInputs(ps); err != nil {
		return nil, err
	}
	d := &drawing{source: src, psi: o.psi, given: ps, inputs: so.Inputs}
	var missing *infer.InputsError
	switch d.sampler, err = infer.NewSampler(m, so); {
	case errors.Is(err, infer.ErrLimit) && o.batch > 0:
		return nil, &hinted{err, "a smaller --batch needs less memory"}
	case errors.As(err, &missing) && len(missing.Missing) > 0:
		return nil, &misuse{err, "add --input " + missing.Missing[0].Name + "=FILE; ganinfer inspect lists the model's inputs"}
	case missing != nil:
		return nil, &hinted{err, "latents of your own go behind --z; ganinfer run takes any inputs"}
	case err != nil:
		return nil, err
	case src.size > 0 && src.size != d.sampler.LatentSize():
		return nil, fmt.Errorf("--z: a latent has %d elements, but the model wants %d", src.size, d.sampler.LatentSize())
	}
	d.labels, err = o.labels(d.sampler.Classes())
	return d, err
}

// labels returns what --label says for a model of that many classes.
func (o *samplerFlags) labels(classes int) ([]uint64, error) {
	const hint = "--label 3 is one class, --label 0-9 are ten, --label all are all"
	list := o.label
	switch {
	case list == "" && classes == 0:
		return nil, nil
	case list == "":
		return nil, misusef(hint, "the model is conditional: --label is missing")
	case classes == 0:
		return nil, misusef("ganinfer inspect lists the model's inputs", "--label %s: the model takes no labels", list)
	case list == "all" && classes < 0:
		return nil, misusef("name them, as in --label 0-9", "--label all: the file does not say how many classes there are")
	case list == "all":
		list = fmt.Sprint("0-", classes-1)
	}
	labels, err := parseSeeds(list)
	if err != nil {
		return nil, misusef(hint, "--label %s: %w", list, err)
	}
	for _, l := range labels {
		if l >= uint64(classes) && classes > 0 || l > 1<<31-1 {
			return nil, misusef(hint, "--label %s: there is no class %d; classes are 0 to %d", list, l, classes-1)
		}
	}
	return labels, nil
}

// total is the number of samples.
func (d *drawing) total() int { return d.count * max(1, len(d.labels)) }

// sampleName names a sample's file.
func (d *drawing) sampleName(i int) string {
	if len(d.labels) == 0 {
		return d.name(i)
	}
	return fmt.Sprintf("label%d-%s", d.labels[i/d.count], d.name(i%d.count))
}

// draw computes the samples, label by label.
func (d *drawing) draw(ctx context.Context, emit func(i int, x []float32) error) error {
	return d.sampler.SampleFunc(ctx, d.total(), func(z []float32, i int) infer.Key {
		key := d.latent(d.sampler, z, i%d.count)
		for k := range z {
			z[k] *= d.psi
		}
		if len(d.labels) > 0 {
			key.Label = int(d.labels[i/d.count])
		}
		return key
	}, emit)
}

// readInputs reads the files of inputs.
func readInputs(in []pair) (map[string]infer.Tensor, error) {
	tensors := map[string]infer.Tensor{}
	for _, p := range in {
		a, err := npy.ReadFile(p.file, maxInput)
		if err != nil {
			return nil, err
		}
		if tensors[p.value.Name], err = toTensor(a, p.value.DType); err != nil {
			return nil, fmt.Errorf("%s: %w", p.file, err)
		}
	}
	return tensors, nil
}
