package models

import (
	"errors"
	"fmt"
)

// Validate checks every field of the recipe. An error names the field as its
// JSON path, the value and what was expected: "models: recipe.k: 0, want at
// least 1".
func (r *Recipe) Validate() error {
	err := first(
		intRange("batch", r.Batch, 1, 1<<20),
		intRange("k", r.K, 1, 1<<20),
		intRange("shards", r.Shards, 1, 1<<20),
		oneOf("update", r.Update, Alternating, Simultaneous),
		oneOf("g_latents", r.GLatents, Same, Fresh),
		oneOf("g_loss", r.GLoss, NonSaturating, Minimax),
		floatRange("g_loss_scale", r.GLossScale, above(0), 1e6),
		floatRange("d_loss_scale", r.DLossScale, above(0), 1e6),
		prefix("solver.", r.Solver.check()),
		prefix("init.g.", r.Init.G.check()),
		prefix("init.d.", r.Init.D.check()),
		intRange("ema.half_life_images", r.EMA.HalfLifeImages, 0, 1<<30),
		floatRange("init.gamma_std", r.Init.GammaStd, atLeast(0), 1e3),
	)
	switch {
	case err != nil:
	case r.Batch%r.Shards != 0:
		err = fmt.Errorf("shards: %d, want a divisor of batch, %d", r.Shards, r.Batch)
	case r.Update == Simultaneous && r.GLatents != Same:
		err = fmt.Errorf("g_latents: %q, want %q with update %q", r.GLatents, Same, Simultaneous)
	case r.Init.GOutputBias != "" && r.Init.GOutputBias != Marginals:
		err = fmt.Errorf("init.g_output_bias: %q, want %q or none", r.Init.GOutputBias, Marginals)
	}
	return prefix("models: recipe.", err)
}

func (s *Solver) check() error {
	err := first(
		oneOf("type", s.Type, Adam, SGD),
		floatRange("g_lr", s.GLR, above(0), 1e3),
		floatRange("d_lr", s.DLR, above(0), 1e3),
		floatRange("lr_min", s.LRMin, atLeast(0), min(s.GLR, s.DLR)),
	)
	if err == nil && s.LRDecay != 0 && !(s.LRDecay >= 1 && s.LRDecay <= 2) {
		err = fmt.Errorf("lr_decay: %v, want 1..2, or 0 for a constant rate", s.LRDecay)
	}
	if err != nil {
		return err
	}
	adam := []field{{"beta1", s.Beta1 != 0}, {"beta2", s.Beta2 != 0}, {"eps", s.Eps != 0}}
	sgd := []field{
		{"momentum", s.Momentum != 0}, {"momentum_final", s.MomentumFinal != 0},
		{"momentum_start", s.MomentumStart != 0}, {"momentum_saturate", s.MomentumSaturate != 0},
	}
	if s.Type == Adam {
		return first(
			unused(s.Type, sgd),
			probabilityBelowOne("beta1", s.Beta1),
			probabilityBelowOne("beta2", s.Beta2),
			floatRange("eps", s.Eps, above(0), 1),
		)
	}
	err = first(
		unused(s.Type, adam),
		probabilityBelowOne("momentum", s.Momentum),
		probabilityBelowOne("momentum_final", s.MomentumFinal),
		intRange("momentum_start", s.MomentumStart, 0, 1<<30),
		intRange("momentum_saturate", s.MomentumSaturate, 0, 1<<30),
	)
	switch {
	case err != nil:
		return err
	case s.MomentumSaturate == 0 && (s.MomentumFinal != 0 || s.MomentumStart != 0):
		return errors.New("momentum_saturate: 0, want the epoch at which momentum_final is reached")
	case s.MomentumSaturate < s.MomentumStart:
		return fmt.Errorf("momentum_saturate: %d, want at least momentum_start, %d", s.MomentumSaturate, s.MomentumStart)
	}
	return nil
}

func (d *Distribution) check() error {
	if d.Type == FanInUniform {
		if d.Scale != 0 {
			return fmt.Errorf("scale: %v, want none with type %s", d.Scale, d.Type)
		}
		return nil
	}
	if err := oneOf("type", d.Type, Uniform, Normal, FanInUniform); err != nil {
		return err
	}
	return floatRange("scale", d.Scale, above(0), 1e3)
}

// field is a key of a solver and whether it is set.
type field struct {
	key string
	set bool
}

func unused(solver string, fields []field) error {
	for _, f := range fields {
		if f.set {
			return fmt.Errorf("%s: solver %s has no such key; leave it out", f.key, solver)
		}
	}
	return nil
}

// first returns the first error that is not nil.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func prefix(p string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s%w", p, err)
}
