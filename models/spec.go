// Package models describes GAN architectures and training recipes as data.
//
// # Concepts
//
// A [Spec] is an architecture: the latent input, the layers of the generator
// and of the discriminator, and the shape and value range of a sample. A
// [Recipe] says how to train it. A [Preset] is one of each, with a name. All
// three are read from strict JSON: an unknown, duplicate or useless key is an
// error that gives its path.
//
// [Spec.Networks] validates a spec, infers every shape and lists every
// parameter; whoever builds or runs a network starts from the [Network] it
// returns. Presets that come with the package are listed by [Presets].
package models

import (
	"encoding/json"
	"fmt"
	"slices"
)

// SpecVersion is the only value of [Spec.Version] that this package reads.
const SpecVersion = 1

// Distributions of a latent input.
const (
	Normal  = "normal"  // standard normal
	Uniform = "uniform" // uniform between Input.Bounds
)

// Types of layers. Shapes are those of one sample, without the batch.
const (
	Linear        = "linear"         // [n] -> [units]: weight·x + bias; keys units, bias (default true)
	Conv          = "conv"           // [C H W] -> [channels H' W'], H' = ⌊(H + 2·pad - kernel)/stride⌋ + 1; keys channels, kernel, stride (default 1), pad (default 0), bias (default true)
	ConvTranspose = "conv_transpose" // [C H W] -> [channels H' W'], H' = (H-1)·stride - 2·pad + kernel + output_pad; keys as conv, and output_pad (default 0)
	Relu          = "relu"           // max(x, 0)
	LeakyRelu     = "leaky_relu"     // x where x > 0, else alpha·x; key alpha
	Tanh          = "tanh"
	Sigmoid       = "sigmoid"
	Maxout        = "maxout"          // [n] -> [units]: the largest of pieces linear functions; keys units, pieces
	Dropout       = "dropout"         // in training: scale·x with probability keep, else 0; keys keep, scale (default 1/keep)
	BatchNorm     = "batch_norm"      // [n] or [C H W], over batch and pixels; keys eps (default 1e-5), momentum (default 0.1, PyTorch's sense)
	Upsample      = "upsample"        // [C H W] -> [C factor·H factor·W], each pixel repeated (nearest); key factor
	GlobalAvgPool = "global_avg_pool" // [C H W] -> [C 1 1]: the mean of all pixels
	Reshape       = "reshape"         // -> shape, as many elements; key shape
	Flatten       = "flatten"         // [C H W] -> [C·H·W]
)

// SampleInput is the name by which a discriminator's layers refer to its
// input in [Layer.In]. A generator's input has the name of Spec.Inputs[0].
const SampleInput = "sample"

// Spec is an architecture: what goes in, the layers of both networks, and what
// a sample looks like. A Spec is plain data; [Spec.Networks] says whether it is
// valid.
type Spec struct {
	Version       int     `json:"version"`          // SpecVersion
	Inputs        []Input `json:"inputs"`           // what the generator takes: one latent vector
	Generator     []Layer `json:"generator"`        // ends in Sample.Shape
	Discriminator []Layer `json:"discriminator"`    // takes Sample.Shape, packed, ends in one logit, [1]
	Outputs       Outputs `json:"outputs,omitzero"` // which layers are the results
	Sample        Sample  `json:"sample"`           // what is generated

	// Pack is how many samples the discriminator judges at once, all real or all
	// generated: its input is that many, one after the other along the features or
	// channels (Lin et al., "PacGAN", 2018). 0 means 1.
	Pack int `json:"pack,omitzero"`
}

// Input is a generator's input: a latent vector and its distribution.
type Input struct {
	Name         string     `json:"name"`            // the name of the ONNX input, by convention "z"
	Size         int        `json:"size"`            // elements per sample
	Distribution string     `json:"distribution"`    // Normal or Uniform
	Bounds       [2]float32 `json:"bounds,omitzero"` // lowest and highest value; Uniform only
}

// Outputs names the layers whose results are the networks' outputs. An empty
// name means the last layer.
type Outputs struct {
	Generator     string `json:"generator,omitzero"`
	Discriminator string `json:"discriminator,omitzero"`
}

// Sample describes one generated sample: its shape, [C H W] or [d], and the
// lowest and highest value of an element, which map to the pixels 0 and 255.
type Sample struct {
	Shape []int      `json:"shape"`
	Range [2]float32 `json:"range"`
}

// Layer is one layer of a network. Which fields a layer may and must set
// depends on its type, see the list of types; zero means not set.
type Layer struct {
	Type      string   `json:"type"`                // one of the types of layers
	Name      string   `json:"name,omitzero"`       // unique in its network; default: the layer's number
	In        []string `json:"in,omitzero"`         // names of earlier layers or of the network's input; default: the layer before
	Units     int      `json:"units,omitzero"`      // linear, maxout: elements of the result
	Pieces    int      `json:"pieces,omitzero"`     // maxout: linear functions per unit
	Channels  int      `json:"channels,omitzero"`   // conv, conv_transpose: channels of the result
	Kernel    int      `json:"kernel,omitzero"`     // conv, conv_transpose: rows and columns of taps
	Stride    int      `json:"stride,omitzero"`     // conv, conv_transpose: pixels from tap window to tap window, in the larger grid
	Pad       int      `json:"pad,omitzero"`        // conv: rows and columns of zeros on each side; conv_transpose: of the result cut off
	OutputPad int      `json:"output_pad,omitzero"` // conv_transpose: rows and columns added at the bottom and the right, below stride
	Bias      *bool    `json:"bias,omitzero"`       // linear, conv, conv_transpose: whether there is a bias
	Factor    int      `json:"factor,omitzero"`     // upsample: pixels for one, in rows and in columns
	Alpha     float32  `json:"alpha,omitzero"`      // leaky_relu: slope below zero
	Keep      float32  `json:"keep,omitzero"`       // dropout: probability that an element is kept, in (0,1]
	Scale     float32  `json:"scale,omitzero"`      // dropout: factor of kept elements
	Eps       float32  `json:"eps,omitzero"`        // batch_norm: added to the variance
	Momentum  float32  `json:"momentum,omitzero"`   // batch_norm: weight of the new batch in the running statistics, in (0,1]
	Shape     []int    `json:"shape,omitzero"`      // reshape: the result's shape, without the batch
}

// ParseSpec reads a spec from strict JSON, fills in the defaults that depend on
// the layer alone (see the types of layers) and validates it as [Spec.Networks]
// does.
func ParseSpec(data []byte) (*Spec, error) {
	s := new(Spec)
	if err := decode(data, "spec", s); err != nil {
		return nil, err
	}
	s.setDefaults()
	if _, _, err := s.Networks(); err != nil {
		return nil, err
	}
	return s, nil
}

// JSON returns s as compact JSON with keys in a fixed order and defaults filled
// in: equal architectures give equal bytes. It is what checkpoints and ONNX
// metadata hold; ParseSpec reads it back.
func (s *Spec) JSON() ([]byte, error) {
	c := s.clone()
	c.setDefaults()
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("models: spec: %w", err)
	}
	return b, nil
}

func (s *Spec) setDefaults() {
	if s.Pack == 1 {
		s.Pack = 0
	}
	for i := range s.Generator {
		s.Generator[i].setDefaults()
	}
	for i := range s.Discriminator {
		s.Discriminator[i].setDefaults()
	}
}

// WithPack returns s with another Pack.
func (s *Spec) WithPack(n int) *Spec {
	c := s.clone()
	c.Pack = n
	c.setDefaults()
	return c
}

// Packed returns how many samples the discriminator judges at once, at least 1.
func (s *Spec) Packed() int { return max(s.Pack, 1) }

func (s *Spec) clone() *Spec {
	c := *s
	c.Inputs = slices.Clone(s.Inputs)
	c.Generator = cloneLayers(s.Generator)
	c.Discriminator = cloneLayers(s.Discriminator)
	c.Sample.Shape = slices.Clone(s.Sample.Shape)
	return &c
}

func cloneLayers(layers []Layer) []Layer {
	c := slices.Clone(layers)
	for i := range c {
		c[i].In = slices.Clone(c[i].In)
		c[i].Shape = slices.Clone(c[i].Shape)
		if b := c[i].Bias; b != nil {
			c[i].Bias = new(*b)
		}
	}
	return c
}
