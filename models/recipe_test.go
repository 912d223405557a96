package models

import (
	"math"
	"testing"
)

func TestRecipeErrors(t *testing.T) {
	adam, sgd := Presets()[4].Recipe, Presets()[3].Recipe
	nan := float32(math.NaN())
	for _, tt := range []struct {
		base   Recipe
		change func(*Recipe)
		want   string
	}{
		{adam, func(r *Recipe) { r.Batch = 0 }, `batch: 0, want at least 1`},
		{adam, func(r *Recipe) { r.Batch = 1 << 30 }, `batch: 1073741824, want at most 1048576`},
		{adam, func(r *Recipe) { r.K = 0 }, `k: 0, want at least 1`},
		{adam, func(r *Recipe) { r.Shards = 0 }, `shards: 0, want at least 1`},
		{adam, func(r *Recipe) { r.Shards = 3 }, `shards: 3, want a divisor of batch, 128`},
		{adam, func(r *Recipe) { r.Shards = 256 }, `shards: 256, want a divisor of batch, 128`},
		{adam, func(r *Recipe) { r.Update = "alternate" }, `update: "alternate", want alternating or simultaneous (did you mean "alternating"?)`},
		{adam, func(r *Recipe) { r.GLatents = "" }, `g_latents: "", want same or fresh`},
		{adam, func(r *Recipe) { r.GLoss = "hinge" }, `g_loss: "hinge", want non_saturating or minimax`},
		{adam, func(r *Recipe) { r.GLossScale = 0 }, `g_loss_scale: 0, want above 0`},
		{adam, func(r *Recipe) { r.DLossScale = nan }, `d_loss_scale: NaN, want above 0`},
		{sgd, func(r *Recipe) { r.GLatents = Fresh }, `g_latents: "fresh", want "same" with update "simultaneous"`},
		{adam, func(r *Recipe) { r.Solver.Type = "adamw" }, `solver.type: "adamw", want adam or sgd (did you mean "adam"?)`},
		{adam, func(r *Recipe) { r.Solver.GLR = 0 }, `solver.g_lr: 0, want above 0`},
		{adam, func(r *Recipe) { r.Solver.DLR = float32(math.Inf(1)) }, `solver.d_lr: +Inf, want at most 1000`},
		{adam, func(r *Recipe) { r.Solver.Beta1 = 1 }, `solver.beta1: 1, want at least 0 and below 1`},
		{adam, func(r *Recipe) { r.Solver.Beta2 = math.NaN() }, `solver.beta2: NaN, want at least 0 and below 1`},
		{adam, func(r *Recipe) { r.Solver.Eps = 0 }, `solver.eps: 0, want above 0`},
		{adam, func(r *Recipe) { r.Solver.Momentum = 0.5 }, `solver.momentum: solver adam has no such key; leave it out`},
		{adam, func(r *Recipe) { r.Solver.LRDecay = 0.9 }, `solver.lr_decay: 0.9, want 1..2, or 0 for a constant rate`},
		{adam, func(r *Recipe) { r.Solver.LRMin = 1 }, `solver.lr_min: 1, want at most 0.0002`},
		{sgd, func(r *Recipe) { r.Solver.LRMin = -1 }, `solver.lr_min: -1, want at least 0`},
		{sgd, func(r *Recipe) { r.Solver.Eps = 1 }, `solver.eps: solver sgd has no such key; leave it out`},
		{sgd, func(r *Recipe) { r.Solver.Momentum = 1 }, `solver.momentum: 1, want at least 0 and below 1`},
		{sgd, func(r *Recipe) { r.Solver.MomentumFinal = -0.5 }, `solver.momentum_final: -0.5, want at least 0 and below 1`},
		{sgd, func(r *Recipe) { r.Solver.MomentumStart = -1 }, `solver.momentum_start: -1, want at least 0`},
		{sgd, func(r *Recipe) { r.Solver.MomentumSaturate = 0 }, `solver.momentum_saturate: 0, want the epoch at which momentum_final is reached`},
		{sgd, func(r *Recipe) { r.Solver.MomentumStart = 251 }, `solver.momentum_saturate: 250, want at least momentum_start, 251`},
		{adam, func(r *Recipe) { r.Init.G.Type = "xavier" }, `init.g.type: "xavier", want uniform or normal or fan_in_uniform`},
		{adam, func(r *Recipe) { r.Init.D.Scale = 1 }, `init.d.scale: 1, want none with type fan_in_uniform`},
		{sgd, func(r *Recipe) { r.Init.D.Scale = 0 }, `init.d.scale: 0, want above 0`},
		{adam, func(r *Recipe) { r.EMA.HalfLifeImages = -1 }, `ema.half_life_images: -1, want at least 0`},
		{adam, func(r *Recipe) { r.EMA.HalfLifeImages = 1<<30 + 1 }, `ema.half_life_images: 1073741825, want at most 1073741824`},
		{adam, func(r *Recipe) { r.Init.GammaStd = -1 }, `init.gamma_std: -1, want at least 0`},
		{sgd, func(r *Recipe) { r.Init.GOutputBias = "zero" }, `init.g_output_bias: "zero", want "marginals" or none`},
	} {
		r := tt.base
		tt.change(&r)
		if err := r.Validate(); err == nil || err.Error() != "models: recipe."+tt.want {
			t.Errorf("got  %v,\nwant models: recipe.%s", err, tt.want)
		}
	}
	for _, change := range []func(*Recipe){
		func(r *Recipe) {},
		func(r *Recipe) { r.Shards = r.Batch },
		func(r *Recipe) { r.Solver = Solver{Type: SGD, GLR: 1, DLR: 1} },
		func(r *Recipe) { r.Solver.Beta1 = 0 },
		func(r *Recipe) { r.GLatents, r.GLoss = Fresh, Minimax },
	} {
		r := adam
		if change(&r); r.Validate() != nil {
			t.Errorf("%+v: %v", r, r.Validate())
		}
	}
}
