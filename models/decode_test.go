package models

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// small is a valid preset that tests change in one place.
const small = `{
	"name": "small",
	"description": "d",
	"spec": {
		"version": 1,
		"inputs": [{"name": "z", "size": 3, "distribution": "normal"}],
		"generator": [
			{"type": "linear", "units": 8},
			{"type": "leaky_relu", "alpha": 0.2},
			{"type": "linear", "units": 4},
			{"type": "reshape", "shape": [1, 2, 2]}
		],
		"discriminator": [{"type": "flatten"}, {"type": "linear", "units": 1}],
		"sample": {"shape": [1, 2, 2], "range": [-1, 1]}
	},
	"recipe": {
		"batch": 8, "k": 1, "shards": 1, "update": "alternating", "g_latents": "same",
		"g_loss": "non_saturating", "g_loss_scale": 1, "d_loss_scale": 1,
		"solver": {"type": "adam", "g_lr": 0.001, "d_lr": 0.001, "beta1": 0.5, "beta2": 0.9, "eps": 1e-8},
		"init": {"g": {"type": "fan_in_uniform"}, "d": {"type": "normal", "scale": 0.02}}
	}
}`

func TestParseErrors(t *testing.T) {
	if _, err := ParsePreset([]byte(small)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ old, new, want string }{
		{`"shape": [1, 2, 2]}
		]`, `"shape": [1, 2, 2], "unit": 1}
		]`, `models: preset.spec.generator[3].unit: unknown field (did you mean "units"?)`},
		{`"version": 1`, `"version": 1, "Version": 1`, `models: preset.spec.Version: unknown field (did you mean "version"?)`},
		{`"version": 1`, `"version": 1, "version": 1`, `models: preset.spec.version: stands twice`},
		{`"version": 1`, `"version": 1, "xyz": {"a": [1, 2]}`, `models: preset.spec.xyz: unknown field`},
		{`"version": 1`, `"version": 1, "a\nb": 1`, `models: preset.spec."a\nb": unknown field`},
		{`"version": 1`, `"version": null`, `models: preset.spec.version: null, want an integer`},
		{`"version": 1`, `"version": 1.5`, `models: preset.spec.version: 1.5, want an integer of 32 bits`},
		{`"version": 1`, `"version": 99999999999`, `models: preset.spec.version: 99999999999, want an integer of 32 bits`},
		{`"version": 1`, `"version": "1"`, `models: preset.spec.version: "1", want an integer`},
		{`"version": 1`, `"version": 2`, `models: spec.version: 2, want 1`},
		{`"name": "small"`, `"name": 5`, `models: preset.name: 5, want a string`},
		{`"name": "small"`, `"name": "a/b"`, `models: preset.name: "a/b", want lower-case letters, digits, "-", "_" and ".", a letter or digit first, at most 64`},
		{`"name": "small"`, `"name": ".."`, `models: preset.name: "..", want lower-case letters, digits, "-", "_" and ".", a letter or digit first, at most 64`},
		{`"description": "d"`, `"description": "d\nd"`, `models: preset.description: "d\nd", want one line`},
		{`"description": "d"`, `"description": true`, `models: preset.description: true, want a string`},
		{`"d_loss_scale": 1`, `"d_loss_scale": 1e39`, `models: preset.recipe.d_loss_scale: 1e39, want a float32 number`},
		{`"beta1": 0.5`, `"beta1": 1e309`, `models: preset.recipe.solver.beta1: 1e309, want a float64 number`},
		{`"beta1": 0.5`, `"beta1": []`, `models: preset.recipe.solver.beta1: an array, want a number`},
		{`[-1, 1]`, `[-1, 1, 1]`, `models: preset.spec.sample.range: 3 values, want 2`},
		{`[-1, 1]`, `[-1]`, `models: preset.spec.sample.range: 1 values, want 2`},
		{`[-1, 1]`, `{}`, `models: preset.spec.sample.range: an object, want an array`},
		{`"sample": {`, `"outputs": 4, "sample": {`, `models: preset.spec.outputs: 4, want an object`},
		{`"units": 8`, `"units": 0`, `models: preset.spec.generator[0].units: 0, want above 0`},
		{`"units": 8`, `"units": 8, "pieces": 0`, `models: preset.spec.generator[0].pieces: 0, want above 0`},
		{`"units": 8`, `"units": 8, "name": ""`, `models: preset.spec.generator[0].name: "", want a name`},
		{`"units": 8`, `"units": 8, "in": []`, `models: preset.spec.generator[0].in: [], want at least one element`},
		{`"alpha": 0.2`, `"alpha": 0e5`, `models: preset.spec.generator[1].alpha: 0e5, want above 0`},
		{`"k": 1`, `"k": 0`, `models: recipe.k: 0, want at least 1`},
		{`"batch": 8`, `"batch": 8, "ema": {}`, `models: preset.recipe.ema: {}, want values above 0; leave it out for none`},
		{`"batch": 8`, `"batch": 8, "ema": {"half_life_images": 0}`, `models: preset.recipe.ema: {"half_life_images": 0}, want values above 0; leave it out for none`},
		{`"batch": 8`, `"batch": 8, "ema": {"half_life_images": -5}`, `models: recipe.ema.half_life_images: -5, want at least 0`},
		{`"batch": 8`, `"batch": 8, "ema": {"half_life": 5}`, `models: preset.recipe.ema.half_life: unknown field`},
		{`"batch": 8`, `"batch": 8, "ema": 5`, `models: preset.recipe.ema: 5, want an object`},
		{`"units": 1}]`, `"units": 1},]`, `models: preset: line 13: invalid character ']' looking for beginning of value`},
		{`"units": 1}]`, `"units": 1}}`, `models: preset: line 13: invalid character '}' after array element`},
	} {
		if !strings.Contains(small, tt.old) {
			t.Errorf("%q does not stand in the preset", tt.old)
		}
		p, err := ParsePreset([]byte(strings.Replace(small, tt.old, tt.new, 1)))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s instead of %s:\n got %v,\nwant %s", tt.new, tt.old, err, tt.want)
		}
		if p != nil {
			t.Errorf("%s: got a preset with an error", tt.new)
		}
	}
	for data, want := range map[string]string{
		``:               `models: preset: line 1: unexpected end of JSON`,
		`{"name": "x"`:   `models: preset: line 1: unexpected end of JSON`,
		`[]`:             `models: preset: an array, want an object`,
		small + "\n\n{}": `models: preset: line 24: found more after the end of the object`,
		small + ` x`:     `models: preset: line 22: found more after the end of the object`,
		small + `]`:      `models: preset: line 22: found more after the end of the object`,
	} {
		if _, err := ParsePreset([]byte(data)); err == nil || err.Error() != want {
			t.Errorf("%.20q: got %v, want %s", data, err, want)
		}
	}
	for n := range small {
		if _, err := ParsePreset([]byte(small[:n])); err == nil {
			t.Fatalf("no error for the first %d bytes", n)
		}
	}
}

// Whatever the parsers accept survives a round trip; whatever they refuse gives
// one line of bounded length.

func FuzzParseSpec(f *testing.F) {
	for _, p := range Presets() {
		data, err := p.Spec.JSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"version":1,"inputs":[{"name":"z","size":1,"distribution":"uniform","bounds":[0,1]}],"generator":[{"type":"dropout","keep":0.5,"name":"a","in":["z"]}],"discriminator":[{"type":"maxout","units":1,"pieces":2}],"outputs":{"generator":"a"},"sample":{"shape":[1],"range":[0,1]}}`))
	f.Add([]byte(`{"version":1,"inputs":[{"name":"z","size":4,"distribution":"normal"}],"generator":[{"type":"reshape","shape":[1,2,2]},{"type":"upsample","factor":2},{"type":"conv_transpose","channels":1,"kernel":2,"stride":2,"pad":1,"output_pad":1,"bias":true}],"discriminator":[{"type":"conv","channels":1,"kernel":3,"pad":0},{"type":"global_avg_pool"},{"type":"flatten"}],"sample":{"shape":[1,7,7],"range":[0,1]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSpec(data)
		if refused(t, s == nil, err) {
			return
		}
		b, err := s.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseSpec(b)
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("%s: parsed again = %+v, %v, want %+v", b, again, err, s)
		}
		g, d, err := s.Networks()
		if err != nil || g.NumParams() > maxParams || d.NumParams() > maxParams {
			t.Fatalf("networks = %v, %v, %v", g, d, err)
		}
	})
}

func FuzzParseRecipe(f *testing.F) {
	for _, p := range Presets() {
		data, err := p.Recipe.JSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRecipe(data)
		if refused(t, r == nil, err) {
			return
		}
		b, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseRecipe(b); err != nil || *again != *r {
			t.Fatalf("%s: parsed again = %+v, %v, want %+v", b, again, err, r)
		}
	})
}

func FuzzParsePreset(f *testing.F) {
	f.Add([]byte(small))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePreset(data)
		if refused(t, p == nil, err) {
			return
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParsePreset(b); err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%s: parsed again = %+v, %v, want %+v", b, again, err, p)
		}
	})
}

// refused reports whether a parser refused its input, and checks how.
func refused(t *testing.T, null bool, err error) bool {
	t.Helper()
	if null != (err != nil) {
		t.Fatalf("result is nil: %v, error is %v", null, err)
	}
	if err != nil && (len(err.Error()) > 1000 || !strings.HasPrefix(err.Error(), "models: ") || strings.ContainsAny(err.Error(), "\r\n")) {
		t.Fatalf("error of %d bytes: %q", len(err.Error()), err)
	}
	return err != nil
}
