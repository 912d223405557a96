package models

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

// images returns a spec whose generator has the layers between [2 5 6] and a linear end.
func images(layers ...Layer) *Spec {
	s := valid()
	s.Inputs[0].Size = 60
	s.Generator = append(append([]Layer{{Type: Reshape, Shape: []int{2, 5, 6}}}, layers...), Layer{Type: Flatten}, Layer{Type: Linear, Units: 4}, Layer{Type: Reshape, Shape: []int{1, 2, 2}})
	return s
}

func TestConvShapes(t *testing.T) {
	for _, tt := range []struct {
		layer  Layer
		out    []int
		params []Param
		macs   int64
	}{
		{Layer{Type: Conv, Channels: 7, Kernel: 3}, []int{7, 3, 4}, []Param{{"g.1.weight", []int{7, 2, 3, 3}, Weight, 18}, {"g.1.bias", []int{7}, Bias, 18}}, 7 * 18 * 12},
		{Layer{Type: Conv, Channels: 7, Kernel: 4, Stride: 2, Pad: 1, Bias: new(false)}, []int{7, 2, 3}, []Param{{"g.1.weight", []int{7, 2, 4, 4}, Weight, 32}}, 7 * 32 * 6},
		{Layer{Type: Conv, Channels: 1, Kernel: 1, Stride: 4}, []int{1, 2, 2}, []Param{{"g.1.weight", []int{1, 2, 1, 1}, Weight, 2}, {"g.1.bias", []int{1}, Bias, 2}}, 8},
		{Layer{Type: ConvTranspose, Channels: 7, Kernel: 4, Stride: 2, Pad: 1}, []int{7, 10, 12}, []Param{{"g.1.weight", []int{2, 7, 4, 4}, Weight, 112}, {"g.1.bias", []int{7}, Bias, 112}}, 2 * 112 * 30},
		{Layer{Type: ConvTranspose, Channels: 3, Kernel: 3, Stride: 3, OutputPad: 2, Bias: new(false)}, []int{3, 17, 20}, []Param{{"g.1.weight", []int{2, 3, 3, 3}, Weight, 27}}, 2 * 27 * 30},
		{Layer{Type: BatchNorm}, []int{2, 5, 6}, []Param{{"g.1.weight", []int{2}, Gamma, 0}, {"g.1.bias", []int{2}, Beta, 0},
			{"g.1.running_mean", []int{2}, RunningMean, 0}, {"g.1.running_var", []int{2}, RunningVar, 0}}, 0},
		{Layer{Type: Upsample, Factor: 3}, []int{2, 15, 18}, nil, 0},
		{Layer{Type: GlobalAvgPool}, []int{2, 1, 1}, nil, 0},
	} {
		g, _, err := images(tt.layer).Networks()
		if err != nil {
			t.Errorf("%s: %v", tt.layer.Type, err)
			continue
		}
		n := g.Nodes[1]
		if !reflect.DeepEqual(n.Out, tt.out) || !reflect.DeepEqual(n.Params, tt.params) || n.MultiplyAdds() != tt.macs {
			t.Errorf("%+v: got %v, %v and %d multiply-adds, want %v, %v and %d", tt.layer, n.Out, n.Params, n.MultiplyAdds(), tt.out, tt.params, tt.macs)
		}
	}
}

func TestConvErrors(t *testing.T) {
	for _, tt := range []struct {
		layer Layer
		want  string
	}{
		{Layer{Type: Conv, Kernel: 3}, `(conv): channels: 0, want at least 1`},
		{Layer{Type: Conv, Channels: 3}, `(conv): kernel: 0, want at least 1`},
		{Layer{Type: Conv, Channels: 3, Kernel: 2000}, `(conv): kernel: 2000, want at most 1024`},
		{Layer{Type: Conv, Channels: 3, Kernel: 3, Stride: -1}, `(conv): stride: -1, want at least 1`},
		{Layer{Type: Conv, Channels: 3, Kernel: 3, Pad: 3}, `(conv): pad: 3, want at most 2`},
		{Layer{Type: Conv, Channels: 3, Kernel: 3, Pad: -1}, `(conv): pad: -1, want at least 0`},
		{Layer{Type: Conv, Channels: 3, Kernel: 3, OutputPad: 1}, `(conv): output_pad: a layer of this type has no such key`},
		{Layer{Type: Tanh, Bias: new(false)}, `(tanh): bias: a layer of this type has no such key`},
		{Layer{Type: Conv, Channels: 3, Kernel: 6}, `(conv): kernel: 6, want at most 5, the smaller side of input [2 5 6] with its pad`},
		{Layer{Type: Conv, Channels: 1 << 24, Kernel: 5}, `(conv): weight is [16777216 2 5 5], want at most 268435456 elements`},
		{Layer{Type: Conv, Channels: 1 << 24, Kernel: 1}, `(conv): result is [16777216 5 6], want at most 16777216 elements`},
		{Layer{Type: ConvTranspose, Channels: 3, Kernel: 4, Stride: 2, OutputPad: 2}, `(conv_transpose): output_pad: 2, want at most 1`},
		{Layer{Type: ConvTranspose, Channels: 3, Kernel: 10, Pad: 9}, `(conv_transpose): pad: 9, nothing is left of input [2 5 6]: want a result of at least 1 pixel, got -4`},
		{Layer{Type: ConvTranspose, Channels: 99, Kernel: 1, Stride: 1024}, `(conv_transpose): result is [99 4097 5121], want at most 16777216 elements`},
		{Layer{Type: Upsample, Factor: 1}, `(upsample): factor: 1, want at least 2`},
		{Layer{Type: Upsample, Factor: 1024}, `(upsample): result is [2 5120 6144], want at most 16777216 elements`},
		{Layer{Type: GlobalAvgPool, Factor: 2}, `(global_avg_pool): factor: a layer of this type has no such key`},
	} {
		_, _, err := images(tt.layer).Networks()
		if want := "models: generator layer 1 " + tt.want; err == nil || err.Error() != want {
			t.Errorf("got  %v,\nwant %s", err, want)
		}
	}
	for _, kind := range []string{Conv, ConvTranspose, Upsample, GlobalAvgPool} {
		s := images()
		s.Generator[0] = Layer{Type: kind, Channels: 3, Kernel: 1, Factor: 2}
		if kind == Upsample || kind == GlobalAvgPool {
			s.Generator[0].Channels, s.Generator[0].Kernel = 0, 0
		}
		if kind != Upsample {
			s.Generator[0].Factor = 0
		}
		want := "models: generator layer 0 (" + kind + "): input is [60], want [C, H, W]; put a reshape before it"
		if _, _, err := s.Networks(); err == nil || err.Error() != want {
			t.Errorf("got  %v,\nwant %s", err, want)
		}
	}
	s := images()
	s.Generator[1] = Layer{Type: Reshape, Shape: []int{10, 6}}
	s.Generator[2] = Layer{Type: BatchNorm}
	if _, _, err := s.Networks(); err == nil || !strings.Contains(err.Error(), "(batch_norm): input is [10 6], want [n] or [C, H, W]") {
		t.Errorf("got %v", err)
	}
}

// TestConvKeys: pad and output_pad may be written as 0, bias as true or false.
func TestConvKeys(t *testing.T) {
	const form = `{"version": 1, "inputs": [{"name": "z", "size": 3, "distribution": "normal"}], "generator": [{"type": "reshape", "shape": [3, 1, 1]}, LAYER],
	 "discriminator": [{"type": "conv", "channels": 1, "kernel": 2}, {"type": "flatten"}], "sample": {"shape": [1, 2, 2], "range": [-1, 1]}}`
	for _, tt := range []struct{ layer, stored, err string }{
		{`{"type": "conv_transpose", "channels": 1, "kernel": 2, "pad": 0, "output_pad": 0, "bias": false}`, `{"type":"conv_transpose","channels":1,"kernel":2,"stride":1,"bias":false}`, ""},
		{`{"type": "conv_transpose", "channels": 1, "kernel": 2, "bias": true}`, `{"type":"conv_transpose","channels":1,"kernel":2,"stride":1,"bias":true}`, ""},
		{`{"type": "conv_transpose", "channels": 1, "kernel": 2}`, `{"type":"conv_transpose","channels":1,"kernel":2,"stride":1,"bias":true}`, ""},
		{`{"type": "flatten"}, {"type": "linear", "units": 4, "bias": false}, {"type": "reshape", "shape": [1, 2, 2]}`, `{"type":"linear","units":4,"bias":false}`, ""},
		{`{"type": "flatten"}, {"type": "linear", "units": 4, "bias": true}, {"type": "reshape", "shape": [1, 2, 2]}`, `{"type":"linear","units":4}`, ""},
		{`{"type": "conv_transpose", "channels": 1, "kernel": 2, "bias": 0}`, "", `models: spec.generator[1].bias: 0, want true or false`},
		{`{"type": "conv_transpose", "channels": 1, "kernel": 2, "bias": null}`, "", `models: spec.generator[1].bias: null, want true or false`},
		{`{"type": "conv_transpose", "channels": 1, "kernel": 2, "stride": 0}`, "", `models: spec.generator[1].stride: 0, want above 0`},
	} {
		s, err := ParseSpec([]byte(strings.Replace(form, "LAYER", tt.layer, 1)))
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("got error %v, want %s", err, tt.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.layer, err)
			continue
		}
		if b, err := s.JSON(); err != nil || !strings.Contains(string(b), tt.stored) {
			t.Errorf("%s is stored as %s, error %v", tt.layer, b, err)
		}
	}
}

// TestStepFlopsOfDCGAN compares with what bench/train_torch.py counts in PyTorch's modules.
func TestStepFlopsOfDCGAN(t *testing.T) {
	for name, want := range map[string]float64{"mlp28": 2.02, "dcgan28": 8.86, "dcgan64": 291} {
		p, err := LoadPreset(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := StepFlops(&p.Spec, &p.Recipe); err != nil || math.Abs(float64(got)/1e9/want-1) > 0.003 {
			t.Errorf("%s: %v GFLOP, error %v, want %v", name, float64(got)/1e9, err, want)
		}
	}
	// By hand: G is 3·4, D 4·5 and 5·1 multiply-adds; batch 8.
	s := valid()
	s.Discriminator = []Layer{{Type: Flatten}, {Type: Linear, Units: 5}, {Type: Relu}, {Type: Linear, Units: 1}}
	r := Presets()[4].Recipe
	r.Batch, r.K, r.GLatents = 8, 3, Fresh
	if got, err := StepFlops(s, &r); err != nil || got != 2*8*(4*12+6*(3*25-20)+2*25+12) {
		t.Errorf("k = 3, fresh latents: got %v, %v", got, err)
	}
	r.GLatents, r.Update = Same, Simultaneous
	if got, err := StepFlops(s, &r); err != nil || got != 2*8*(3*12+6*(3*25-20)+25+12) {
		t.Errorf("k = 3, simultaneous: got %v, %v", got, err)
	}
}

func TestDCGAN(t *testing.T) {
	for _, tt := range []struct {
		c             DCGAN
		base, hidden  int
		gFirst, dLast int
	}{
		{DCGAN{8, 1, 10, 4, 5, 0}, 4, 1, 4, 5},
		{DCGAN{48, 3, 100, 64, 64, 0}, 6, 3, 256, 256},
		{DCGAN{80, 3, 100, 8, 8, 0}, 5, 4, 64, 64},
		{DCGAN{96, 1, 100, 64, 32, 0}, 6, 4, 512, 256},
		{DCGAN{128, 3, 100, 64, 64, 0}, 4, 5, 1024, 1024},
	} {
		s, err := tt.c.Spec()
		if err != nil {
			t.Error(err)
			continue
		}
		first := s.Generator[1]
		if len(s.Generator) != 1+3*tt.hidden+2 || first.Kernel != tt.base || first.Channels != tt.gFirst {
			t.Errorf("%+v: generator has %d layers and begins with %+v", tt.c, len(s.Generator), first)
		}
		last := s.Discriminator[len(s.Discriminator)-2]
		if len(s.Discriminator) != 2+3*(tt.hidden-1)+2 || last.Kernel != tt.base || tt.hidden > 1 && s.Discriminator[len(s.Discriminator)-5].Channels != tt.dLast {
			t.Errorf("%+v: discriminator has %d layers and ends in %+v", tt.c, len(s.Discriminator), last)
		}
		if got, ok := DCGANOf(s); !ok || got != tt.c {
			t.Errorf("DCGANOf(%+v) = %+v, %v", tt.c, got, ok)
		}
	}
	for _, tt := range []struct {
		c    DCGAN
		want string
	}{
		{DCGAN{7, 1, 1, 1, 1, 0}, `size: 7, want at least 8`},
		{DCGAN{36, 1, 1, 1, 1, 0}, `size: 36, want 4, 5, 6 or 7 times a power of two, such as 28, 32, 48, 64, 96 or 128`},
		{DCGAN{64, 0, 1, 1, 1, 0}, `channels: 0, want at least 1`},
		{DCGAN{64, 1, 0, 1, 1, 0}, `nz: 0, want at least 1`},
		{DCGAN{64, 1, 1, -1, 1, 0}, `ngf: -1, want at least 1`},
		{DCGAN{64, 1, 1, 1, 5000, 0}, `ndf: 5000, want at most 4096`},
	} {
		if _, err := tt.c.Spec(); err == nil || err.Error() != "models: dcgan: "+tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	for _, p := range Presets() {
		if _, ok := DCGANOf(&p.Spec); ok != strings.HasPrefix(p.Name, "dcgan") {
			t.Errorf("%s is a DCGAN: %v", p.Name, ok)
		}
	}
}
