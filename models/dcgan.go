package models

import (
	"fmt"
	"reflect"
)

// DCGAN is the size of a deep convolutional GAN (Radford et al. 2016) as the
// PyTorch tutorial builds it: for 64x64 its networks are exactly the tutorial's.
//
// The image is halved until a base of 4 to 7 pixels is left. The generator makes
// the base from the latent vector by one transposed convolution, then doubles
// it: transposed convolutions of 4x4 taps, batch norm and ReLU between them,
// channels halving down to GWidth before the image, tanh at the end. The
// discriminator is its mirror image with leaky ReLU, channels doubling from
// DWidth, and no batch norm after its first convolution. No convolution has a bias.
type DCGAN struct {
	Size     int // pixels of a side: 4, 5, 6 or 7 times a power of two
	Channels int // of the images
	Latent   int // elements of the latent vector, the tutorial's nz
	GWidth   int // channels of G's last hidden layer, ngf
	DWidth   int // channels of D's first layer, ndf
	Pack     int // samples that D judges at once, as in [Spec]
}

// base returns the side of the smallest grid and how often it is doubled.
func (c *DCGAN) base() (base, doublings int) {
	base = c.Size
	for ; base > 7 && base%2 == 0; base /= 2 {
		doublings++
	}
	return base, doublings
}

// Spec returns the architecture, or an error that names the field out of range
// as the flag of gantrain that sets it: "size", "channels", "nz", "ngf", "ndf".
func (c DCGAN) Spec() (*Spec, error) {
	const most = 1 << 12
	err := first(
		intRange("size", c.Size, 8, most),
		intRange("channels", c.Channels, 1, most),
		intRange("nz", c.Latent, 1, maxElements),
		intRange("ngf", c.GWidth, 1, most),
		intRange("ndf", c.DWidth, 1, most),
	)
	base, doublings := c.base()
	if err == nil && base > 7 {
		err = fmt.Errorf("size: %d, want 4, 5, 6 or 7 times a power of two, such as 28, 32, 48, 64, 96 or 128", c.Size)
	}
	if err != nil {
		return nil, fmt.Errorf("models: dcgan: %w", err)
	}
	conv := func(kind string, channels, kernel, stride, pad int) Layer {
		return Layer{Type: kind, Channels: channels, Kernel: kernel, Stride: stride, Pad: pad, Bias: new(false)}
	}
	s := &Spec{
		Version:   SpecVersion,
		Inputs:    []Input{{Name: "z", Size: c.Latent, Distribution: Normal}},
		Generator: []Layer{{Type: Reshape, Shape: []int{c.Latent, 1, 1}}},
		Sample:    Sample{Shape: []int{c.Channels, c.Size, c.Size}, Range: [2]float32{-1, 1}},
		Pack:      c.Pack,
	}
	for i := doublings - 1; i >= 0; i-- {
		up := conv(ConvTranspose, c.GWidth<<i, 4, 2, 1)
		if i == doublings-1 {
			up = conv(ConvTranspose, c.GWidth<<i, base, 1, 0)
		}
		s.Generator = append(s.Generator, up, Layer{Type: BatchNorm}, Layer{Type: Relu})
	}
	s.Generator = append(s.Generator, conv(ConvTranspose, c.Channels, 4, 2, 1), Layer{Type: Tanh})
	for i := range doublings {
		s.Discriminator = append(s.Discriminator, conv(Conv, c.DWidth<<i, 4, 2, 1))
		if i > 0 {
			s.Discriminator = append(s.Discriminator, Layer{Type: BatchNorm})
		}
		s.Discriminator = append(s.Discriminator, Layer{Type: LeakyRelu, Alpha: 0.2})
	}
	s.Discriminator = append(s.Discriminator, conv(Conv, 1, base, 1, 0), Layer{Type: Flatten})
	s.setDefaults()
	if _, _, err := s.Networks(); err != nil {
		return nil, err
	}
	return s, nil
}

// DCGANOf returns the sizes of a spec that is the result of [DCGAN.Spec], and
// whether it is.
func DCGANOf(s *Spec) (DCGAN, bool) {
	if len(s.Inputs) != 1 || len(s.Sample.Shape) != 3 || len(s.Generator) < 5 || len(s.Discriminator) < 1 {
		return DCGAN{}, false
	}
	c := DCGAN{
		Size: s.Sample.Shape[1], Channels: s.Sample.Shape[0], Latent: s.Inputs[0].Size,
		GWidth: s.Generator[len(s.Generator)-5].Channels, DWidth: s.Discriminator[0].Channels, Pack: s.Pack,
	}
	want, err := c.Spec()
	return c, err == nil && reflect.DeepEqual(s, want)
}

// dcganPresets are the presets that [DCGAN.Spec] makes.
func dcganPresets() []Preset {
	recipe := Recipe{
		Batch: 128, K: 1, Shards: 1, Update: Alternating, GLatents: Same, GLoss: NonSaturating, GLossScale: 1, DLossScale: 1,
		Solver: Solver{Type: Adam, GLR: 2e-4, DLR: 2e-4, Beta1: 0.5, Beta2: 0.999, Eps: 1e-8},
		Init:   Init{G: Distribution{Normal, 0.02}, D: Distribution{Normal, 0.02}, GammaStd: 0.02},
		EMA:    EMA{HalfLifeImages: 10000},
	}
	var all []Preset
	for _, p := range []struct {
		name, description string
		size              DCGAN
	}{
		{"dcgan28", "small DCGAN for 28x28 images, grey or in colour: clean digits in two minutes on two cores", DCGAN{28, 1, 100, 64, 32, 0}},
		{"dcgan32", "DCGAN for 32x32 images, grey or in colour, by the rule of dcgan64", DCGAN{32, 3, 100, 64, 64, 0}},
		{"dcgan64", "DCGAN for 64x64 images, grey or in colour: the networks and the training of PyTorch's tutorial", DCGAN{64, 3, 100, 64, 64, 0}},
	} {
		s, err := p.size.Spec()
		if err != nil {
			panic("models: internal error: preset " + p.name + ": " + err.Error())
		}
		all = append(all, Preset{p.name, p.description, *s, recipe})
	}
	return all
}
