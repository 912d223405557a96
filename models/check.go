package models

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// keysOf lists the keys that each type of layer must or may set, besides type,
// name and in.
var keysOf = map[string][]string{
	Linear:        {"units", "bias"},
	Conv:          {"channels", "kernel", "stride", "pad", "bias"},
	ConvTranspose: {"channels", "kernel", "stride", "pad", "output_pad", "bias"},
	Relu:          {},
	LeakyRelu:     {"alpha"},
	Tanh:          {},
	Sigmoid:       {},
	Maxout:        {"units", "pieces"},
	Dropout:       {"keep", "scale"},
	BatchNorm:     {"eps", "momentum"},
	Upsample:      {"factor"},
	GlobalAvgPool: {},
	Reshape:       {"shape"},
	Flatten:       {},
}

// layerTypes lists the types of layers for messages.
var layerTypes = []string{Linear, Conv, ConvTranspose, Relu, LeakyRelu, Tanh, Sigmoid, Maxout, Dropout, BatchNorm, Upsample, GlobalAvgPool, Reshape, Flatten}

// setDefaults fills in what the layer may leave out.
func (l *Layer) setDefaults() {
	switch l.Type {
	case Linear:
		if l.Bias != nil && *l.Bias {
			l.Bias = nil
		}
	case Conv, ConvTranspose:
		if l.Stride == 0 {
			l.Stride = 1
		}
		if l.Bias == nil {
			l.Bias = new(true)
		}
	case Dropout:
		if l.Scale == 0 && l.Keep > 0 {
			l.Scale = 1 / l.Keep
		}
	case BatchNorm:
		if l.Eps == 0 {
			l.Eps = 1e-5
		}
		if l.Momentum == 0 {
			l.Momentum = 0.1
		}
	}
}

// check validates the layer's own fields, defaults filled in.
func (l *Layer) check() error {
	keys, ok := keysOf[l.Type]
	if !ok {
		if l.Type == "" {
			return errors.New("type is missing")
		}
		return fmt.Errorf("unknown type%s, want one of %s", didYouMean(l.Type, layerTypes), strings.Join(layerTypes, ", "))
	}
	for _, f := range []struct {
		key string
		set bool
		err error
	}{
		{"units", l.Units != 0, intRange("units", l.Units, 1, maxElements)},
		{"pieces", l.Pieces != 0, intRange("pieces", l.Pieces, 1, maxElements)},
		{"channels", l.Channels != 0, intRange("channels", l.Channels, 1, maxElements)},
		{"kernel", l.Kernel != 0, intRange("kernel", l.Kernel, 1, maxKernel)},
		{"stride", l.Stride != 0, intRange("stride", l.Stride, 1, maxKernel)},
		{"pad", l.Pad != 0, intRange("pad", l.Pad, 0, l.Kernel-1)}, // beyond, a row would see zeros only
		{"output_pad", l.OutputPad != 0, intRange("output_pad", l.OutputPad, 0, l.Stride-1)},
		{"bias", l.Bias != nil, nil},
		{"factor", l.Factor != 0, intRange("factor", l.Factor, 2, maxKernel)},
		{"alpha", l.Alpha != 0, floatRange("alpha", l.Alpha, above(0), 1e6)},
		{"keep", l.Keep != 0, floatRange("keep", l.Keep, above(0), 1)},
		{"scale", l.Scale != 0, floatRange("scale", l.Scale, above(0), 1e6)},
		{"eps", l.Eps != 0, floatRange("eps", l.Eps, above(0), 1e6)},
		{"momentum", l.Momentum != 0, floatRange("momentum", l.Momentum, above(0), 1)},
		{"shape", len(l.Shape) != 0, shapeRange("shape", l.Shape, maxRank)},
	} {
		switch uses := slices.Contains(keys, f.key); {
		case f.set && !uses:
			return fmt.Errorf("%s: a layer of this type has no such key", f.key)
		case uses && f.err != nil:
			return f.err
		}
	}
	if l.Type == Maxout && l.Pieces > maxElements/l.Units {
		return fmt.Errorf("units × pieces: %d × %d, want at most %d", l.Units, l.Pieces, maxElements)
	}
	return nil
}

// check validates everything but the layers.
func (s *Spec) check() error {
	if s.Version != SpecVersion {
		return fmt.Errorf("models: spec.version: %d, want %d", s.Version, SpecVersion)
	}
	if len(s.Inputs) != 1 {
		return fmt.Errorf("models: spec.inputs: %d inputs, want 1", len(s.Inputs))
	}
	if err := s.Inputs[0].check(); err != nil {
		return fmt.Errorf("models: spec.inputs[0].%w", err)
	}
	if r := len(s.Sample.Shape); r != 1 && r != 3 {
		return fmt.Errorf("models: spec.sample.shape: %d dimensions, want [C, H, W] or [d]", r)
	}
	if err := shapeRange("shape", s.Sample.Shape, 3); err != nil {
		return fmt.Errorf("models: spec.sample.%w", err)
	}
	if err := interval("range", s.Sample.Range); err != nil {
		return fmt.Errorf("models: spec.sample.%w", err)
	}
	if err := intRange("pack", s.Pack, 0, maxPack); err != nil {
		return fmt.Errorf("models: spec.%w", err)
	}
	if n := Elements(s.Sample.Shape); n > maxElements/s.Packed() {
		return fmt.Errorf("models: spec.pack: %d samples of %d elements, want at most %d elements", s.Pack, n, maxElements)
	}
	return nil
}

func (in *Input) check() error {
	if !wellFormed(in.Name) {
		return fmt.Errorf("name: %q, want a letter, then at most 63 letters, digits, \"_\" and \"-\"", clip(in.Name))
	}
	if in.Name == SampleInput || in.Name == "image" {
		return fmt.Errorf("name: %q is reserved for the output", in.Name)
	}
	if err := intRange("size", in.Size, 1, maxElements); err != nil {
		return err
	}
	switch in.Distribution {
	case Normal:
		if in.Bounds != [2]float32{} {
			return fmt.Errorf("bounds: %v, want none for a normal distribution", in.Bounds)
		}
		return nil
	case Uniform:
		return interval("bounds", in.Bounds)
	}
	return oneOf("distribution", in.Distribution, Normal, Uniform)
}

// wellFormed reports whether s may name a layer or an input: it then works in
// tensor names, file names and Python.
func wellFormed(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || c == '_' || c == '-')) {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 64
}
