package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"gantry/models"
	"gantry/train"
)

// A dcganFlag sets one size of a DCGAN.
type dcganFlag struct {
	name string
	size func(c *models.DCGAN) *int
}

var dcganFlags = []dcganFlag{
	{"size", func(c *models.DCGAN) *int { return &c.Size }},
	{"channels", func(c *models.DCGAN) *int { return &c.Channels }},
	{"nz", func(c *models.DCGAN) *int { return &c.Latent }},
	{"ngf", func(c *models.DCGAN) *int { return &c.GWidth }},
	{"ndf", func(c *models.DCGAN) *int { return &c.DWidth }},
}

func addDCGANFlags(fs *pflag.FlagSet, c *models.DCGAN) {
	for _, f := range dcganFlags {
		fs.IntVar(f.size(c), f.name, 0, "")
	}
}

// applyDCGANFlags rebuilds the networks with the sizes that were given; those of
// a preset take the channels of the data. Networks of another kind have no sizes.
func applyDCGANFlags(fs *pflag.FlagSet, given *models.DCGAN, s *train.Settings, preset bool) error {
	c, ok := models.DCGANOf(s.Spec)
	before := c
	if n := channelsOf(s.Data); n > 0 && preset {
		c.Channels = n
	}
	for _, f := range dcganFlags {
		if !fs.Changed(f.name) {
			continue
		}
		if !ok {
			return misused(fmt.Sprintf("a DCGAN has one: --preset dcgan64 --%s %d", f.name, *f.size(given)), "--%s: the networks of preset %s have no such size", f.name, s.Preset)
		}
		*f.size(&c) = *f.size(given)
	}
	if !ok || c == before {
		return nil
	}
	spec, err := c.Spec()
	if err != nil {
		if text, ok := strings.CutPrefix(err.Error(), "models: dcgan: "); ok {
			return misused("leave it out for the preset's own", "--%s", text)
		}
		return misused("smaller --size, --ngf or --ndf", "%w", err)
	}
	s.Spec = spec
	return nil
}

// channelsOf returns the channels of the images of a data set that has them by
// its kind, else 0.
func channelsOf(ref string) int {
	if ref == "mnist" || strings.HasPrefix(ref, "idx:") {
		return 1
	}
	return 0
}
