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

// applyDCGANFlags rebuilds the networks with the sizes that were given.
// Networks of another kind have none. Channels that were not given are those of
// run, the networks of the run that goes on, or else those of the data.
func applyDCGANFlags(fs *pflag.FlagSet, given *models.DCGAN, s *train.Settings, run *models.Spec) error {
	c, ok := models.DCGANOf(s.Spec)
	before := c
	if run == nil || fs.Changed("channels") {
		s.FitChannels = ok && !fs.Changed("channels")
	} else if old, same := models.DCGANOf(run); same {
		c.Channels = old.Channels
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
