package models

import "testing"

// TestStepFlops: by hand, and for mlp28 what bench/train_torch.py counts.
func TestStepFlops(t *testing.T) {
	mlp28, paper := Presets()[4], Presets()[3]
	type change = func(*Recipe)
	const g, g0, d, d0 = 1483776, 25600, 532736, 401408 // multiply-adds of mlp28: all, and of the first layer
	for _, c := range []struct {
		name   string
		preset Preset
		change change
		want   int64
	}{
		{"mlp28", mlp28, func(*Recipe) {}, 2018508800},
		{"mlp28, by hand", mlp28, func(*Recipe) {}, 2 * 128 * (2*(3*d-d0) + g + 2*d + 2*g - g0)},
		{"half the batch", mlp28, func(r *Recipe) { r.Batch = 64 }, 2018508800 / 2},
		{"three updates of D", mlp28, func(r *Recipe) { r.K = 3 }, 2 * 128 * (3*(2*(3*d-d0)+g) + 2*d + 2*g - g0)},
		{"fresh latents", mlp28, func(r *Recipe) { r.GLatents = Fresh }, 2 * 128 * (2*(3*d-d0) + g + g + 2*d + 2*g - g0)},
		{"simultaneous", mlp28, func(r *Recipe) { r.Update = Simultaneous }, 2 * 128 * (2*(3*d-d0) + g + d + 2*g - g0)},
		// G 120000 + 1440000 + 940800; D 940800 + 288000 + 240; simultaneous.
		{"goodfellow-mnist", paper, func(*Recipe) {}, 2 * 100 * (2*(3*1229040-940800) + 2500800 + 1229040 + 2*2500800 - 120000)},
	} {
		c.change(&c.preset.Recipe)
		if got, err := StepFlops(&c.preset.Spec, &c.preset.Recipe); err != nil || got != c.want {
			t.Errorf("%s: got %d, %v; want %d", c.name, got, err, c.want)
		}
	}
	if _, err := StepFlops(&Spec{}, &mlp28.Recipe); err == nil {
		t.Error("no error for an empty spec")
	}
}
