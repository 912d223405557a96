package models

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// valid returns a spec whose parts tests change: 3 normals to [1 2 2].
func valid() *Spec {
	return &Spec{
		Version:       1,
		Inputs:        []Input{{Name: "z", Size: 3, Distribution: Normal}},
		Generator:     []Layer{{Type: Linear, Units: 4}, {Type: Tanh}, {Type: Reshape, Shape: []int{1, 2, 2}}},
		Discriminator: []Layer{{Type: Flatten}, {Type: Linear, Units: 1}},
		Sample:        Sample{Shape: []int{1, 2, 2}, Range: [2]float32{-1, 1}},
	}
}

func TestNetworks(t *testing.T) {
	s := valid()
	s.Generator = []Layer{
		{Type: Linear, Name: "first", Units: 6},
		{Type: BatchNorm, In: []string{"first"}},
		{Type: Linear, Units: 4},
		{Type: Reshape, Name: "image", Shape: []int{1, 2, 2}},
	}
	s.Outputs.Generator = "image"
	g, d, err := s.Networks()
	if err != nil {
		t.Fatal(err)
	}
	norm := Layer{Type: BatchNorm, In: []string{"first"}, Eps: 1e-5, Momentum: 0.1}
	want := &Network{
		Name: "generator", Prefix: "g", Input: []int{3}, Output: []int{1, 2, 2}, Out: 3,
		Nodes: []Node{
			{Layer: s.Generator[0], ID: "g.first", Args: []int{-1}, In: []int{3}, Out: []int{6}, Params: []Param{
				{"g.first.weight", []int{6, 3}, Weight, 3}, {"g.first.bias", []int{6}, Bias, 3}}},
			{Layer: norm, ID: "g.1", Args: []int{0}, In: []int{6}, Out: []int{6}, Params: []Param{
				{"g.1.weight", []int{6}, Gamma, 0}, {"g.1.bias", []int{6}, Beta, 0},
				{"g.1.running_mean", []int{6}, RunningMean, 0}, {"g.1.running_var", []int{6}, RunningVar, 0}}},
			{Layer: s.Generator[2], ID: "g.2", Args: []int{1}, In: []int{6}, Out: []int{4}, Params: []Param{
				{"g.2.weight", []int{4, 6}, Weight, 6}, {"g.2.bias", []int{4}, Bias, 6}}},
			{Layer: s.Generator[3], ID: "g.image", Args: []int{2}, In: []int{4}, Out: []int{1, 2, 2}},
		},
	}
	if !reflect.DeepEqual(g, want) {
		t.Errorf("generator is\n%+v, want\n%+v", g, want)
	}
	if got := g.NumParams(); got != 18+6+12+24+4 {
		t.Errorf("%d trainable parameters, want 64: running statistics do not count", got)
	}
	if got := len(g.Params()); got != 8 {
		t.Errorf("%d tensors, want 8", got)
	}
	if !reflect.DeepEqual(d.Input, []int{1, 2, 2}) || !reflect.DeepEqual(d.Output, []int{1}) || d.Nodes[1].ID != "d.1" {
		t.Errorf("discriminator is %+v", d)
	}

	// The networks share nothing with the spec.
	s.Generator[3].Shape[0] = 9
	s.Sample.Shape[0] = 9
	s.Generator[1].In[0] = "x"
	if g.Output[0] != 1 || g.Nodes[3].Shape[0] != 1 || g.Nodes[1].Layer.In[0] != "first" || d.Input[0] != 1 {
		t.Error("a change of the spec shows in its networks")
	}
}

func TestSkip(t *testing.T) {
	// A layer may take any earlier result, but one that nobody takes is a mistake.
	s := valid()
	s.Discriminator = []Layer{
		{Type: Flatten, Name: "flat"},
		{Type: Tanh, Name: "a", In: []string{"flat"}},
		{Type: Linear, In: []string{"a"}, Units: 1},
	}
	if _, d, err := s.Networks(); err != nil || d.Nodes[2].Args[0] != 1 {
		t.Errorf("networks = %v, %v", d, err)
	}
}

func TestSpecErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	gen := func(at int, l Layer) func(*Spec) {
		return func(s *Spec) { s.Generator[at] = l }
	}
	for _, tt := range []struct {
		change func(*Spec)
		want   string
	}{
		{func(s *Spec) { s.Inputs = nil }, `spec.inputs: 0 inputs, want 1`},
		{func(s *Spec) { s.Inputs[0].Name = "1z" }, `spec.inputs[0].name: "1z", want a letter, then at most 63 letters, digits, "_" and "-"`},
		{func(s *Spec) { s.Inputs[0].Name = "image" }, `spec.inputs[0].name: "image" is reserved for the output`},
		{func(s *Spec) { s.Inputs[0].Size = 0 }, `spec.inputs[0].size: 0, want at least 1`},
		{func(s *Spec) { s.Inputs[0].Size = math.MaxInt32 }, `spec.inputs[0].size: 2147483647, want at most 16777216`},
		{func(s *Spec) { s.Inputs[0].Distribution = "gaussian" }, `spec.inputs[0].distribution: "gaussian", want normal or uniform`},
		{func(s *Spec) { s.Inputs[0].Distribution = "norml" }, `spec.inputs[0].distribution: "norml", want normal or uniform (did you mean "normal"?)`},
		{func(s *Spec) { s.Inputs[0].Bounds[1] = 1 }, `spec.inputs[0].bounds: [0 1], want none for a normal distribution`},
		{func(s *Spec) { s.Inputs[0].Distribution = Uniform }, `spec.inputs[0].bounds: [0 0], want the lower value first`},
		{func(s *Spec) { s.Inputs[0].Distribution = Uniform; s.Inputs[0].Bounds = [2]float32{nan, 1} }, `spec.inputs[0].bounds: [NaN 1], want values from -1e+06 to 1e+06`},
		{func(s *Spec) { s.Sample.Shape = []int{2, 2} }, `spec.sample.shape: 2 dimensions, want [C, H, W] or [d]`},
		{func(s *Spec) { s.Sample.Shape = nil }, `spec.sample.shape: 0 dimensions, want [C, H, W] or [d]`},
		{func(s *Spec) { s.Sample.Shape[1] = -2 }, `spec.sample.shape: [1 -2 2], want dimensions of at least 1`},
		{func(s *Spec) { s.Sample.Shape = []int{65536, 65536, 65536} }, `spec.sample.shape: [65536 65536 65536], want at most 16777216 elements`},
		{func(s *Spec) { s.Sample.Range = [2]float32{1, -1} }, `spec.sample.range: [1 -1], want the lower value first`},
		{func(s *Spec) { s.Sample.Range[1] = inf }, `spec.sample.range: [-1 +Inf], want values from -1e+06 to 1e+06`},
		{func(s *Spec) { s.Pack = -1 }, `spec.pack: -1, want at least 0`},
		{func(s *Spec) { s.Pack = 1025 }, `spec.pack: 1025, want at most 1024`},
		{func(s *Spec) { s.Sample.Shape, s.Pack = []int{1, 4096, 4096}, 2 }, `spec.pack: 2 samples of 16777216 elements, want at most 16777216 elements`},
		{func(s *Spec) { s.Generator = nil }, `generator: 0 layers, want 1..1000`},
		{func(s *Spec) { s.Discriminator = make([]Layer, 1001) }, `discriminator: 1001 layers, want 1..1000`},
		{func(s *Spec) { s.Outputs.Generator = "z" }, `spec.outputs.generator: "z" is not the name of a layer`},
		{func(s *Spec) { s.Outputs.Discriminator = "x" }, `spec.outputs.discriminator: "x" is not the name of a layer`},
		{func(s *Spec) { s.Generator[1].Name = "t"; s.Outputs.Generator = "t" }, `generator layer 2 (reshape): nothing uses its result`},

		{gen(0, Layer{}), `generator layer 0 (""): type is missing`},
		{gen(0, Layer{Type: "lienar"}), `generator layer 0 (lienar): unknown type (did you mean "linear"?), want one of linear, conv, conv_transpose, relu, leaky_relu, tanh, sigmoid, maxout, dropout, batch_norm, upsample, global_avg_pool, reshape, flatten`},
		{gen(0, Layer{Type: Linear}), `generator layer 0 (linear): units: 0, want at least 1`},
		{gen(0, Layer{Type: Linear, Name: "a", Units: -1}), `generator layer 0 "a" (linear): units: -1, want at least 1`},
		{gen(0, Layer{Type: Linear, Units: 1<<24 + 1}), `generator layer 0 (linear): units: 16777217, want at most 16777216`},
		{gen(0, Layer{Type: Linear, Units: 4, Alpha: 1}), `generator layer 0 (linear): alpha: a layer of this type has no such key`},
		{gen(1, Layer{Type: Tanh, Units: 4}), `generator layer 1 (tanh): units: a layer of this type has no such key`},
		{gen(1, Layer{Type: Tanh, Scale: nan}), `generator layer 1 (tanh): scale: a layer of this type has no such key`},
		{gen(1, Layer{Type: LeakyRelu}), `generator layer 1 (leaky_relu): alpha: 0, want above 0`},
		{gen(1, Layer{Type: LeakyRelu, Alpha: -0.2}), `generator layer 1 (leaky_relu): alpha: -0.2, want above 0`},
		{gen(1, Layer{Type: LeakyRelu, Alpha: nan}), `generator layer 1 (leaky_relu): alpha: NaN, want above 0`},
		{gen(1, Layer{Type: LeakyRelu, Alpha: inf}), `generator layer 1 (leaky_relu): alpha: +Inf, want at most 1e+06`},
		{gen(1, Layer{Type: Dropout, Keep: 1.5}), `generator layer 1 (dropout): keep: 1.5, want at most 1`},
		{gen(1, Layer{Type: Dropout}), `generator layer 1 (dropout): keep: 0, want above 0`},
		{gen(1, Layer{Type: Dropout, Keep: 1e-40}), `generator layer 1 (dropout): scale: +Inf, want at most 1e+06`},
		{gen(1, Layer{Type: BatchNorm, Eps: -1}), `generator layer 1 (batch_norm): eps: -1, want above 0`},
		{gen(1, Layer{Type: BatchNorm, Momentum: 2}), `generator layer 1 (batch_norm): momentum: 2, want at most 1`},
		{gen(1, Layer{Type: Maxout, Units: 4}), `generator layer 1 (maxout): pieces: 0, want at least 1`},
		{gen(1, Layer{Type: Maxout, Units: 1 << 20, Pieces: 1 << 20}), `generator layer 1 (maxout): units × pieces: 1048576 × 1048576, want at most 16777216`},
		{func(s *Spec) {
			s.Generator[0].Units = 1 << 24
			s.Generator[1] = Layer{Type: Linear, Units: 13}
		}, `generator layer 1 (linear): g.1.weight brings the network to 285212672 parameters, want at most 268435456`},
		{func(s *Spec) { s.Inputs[0].Size = 1 << 24; s.Generator[0].Units = 1 << 24 }, `generator layer 0 (linear): weight is [16777216 16777216], want at most 268435456 elements`},
		{gen(2, Layer{Type: Reshape}), `generator layer 2 (reshape): shape: 0 dimensions, want 1..8`},
		{gen(2, Layer{Type: Reshape, Shape: []int{2, 3}}), `generator layer 2 (reshape): input is [4], 4 elements, but shape [2 3] has 6`},
		{gen(2, Layer{Type: Reshape, Shape: []int{2, -2}}), `generator layer 2 (reshape): shape: [2 -2], want dimensions of at least 1`},
		{gen(2, Layer{Type: Reshape, Shape: make([]int, 9)}), `generator layer 2 (reshape): shape: 9 dimensions, want 1..8`},
		{gen(2, Layer{Type: Relu}), `generator: result is [4], want the sample's shape [1 2 2]; end it with a reshape`},
		{gen(2, Layer{Type: Tanh, In: []string{"x"}}), `generator layer 2 (tanh): in: "x" is neither the name of an earlier layer nor the network's input`},
		{gen(2, Layer{Type: Tanh, Name: "me", In: []string{"me"}}), `generator layer 2 "me" (tanh): in: "me" is neither the name of an earlier layer nor the network's input`},
		{gen(2, Layer{Type: Tanh, In: []string{"z", "z"}}), `generator layer 2 (tanh): in: 2 arguments, want 1`},
		{gen(1, Layer{Type: Tanh, Name: "z"}), `generator layer 1 "z" (tanh): name "z": that is the network's input`},
		{gen(1, Layer{Type: Tanh, Name: "2"}), `generator layer 1 "2" (tanh): name "2": want a letter, then at most 63 letters, digits, "_" and "-"`},
		{gen(1, Layer{Type: Tanh, Name: "a.b"}), `generator layer 1 "a.b" (tanh): name "a.b": want a letter, then at most 63 letters, digits, "_" and "-"`},
		{func(s *Spec) { s.Generator[0].Name = "a"; s.Generator[1].Name = "a" }, `generator layer 1 "a" (tanh): name "a": layer 0 has it already`},
		{func(s *Spec) { s.Discriminator[0].Name = "sample" }, `discriminator layer 0 "sample" (flatten): name "sample": that is the network's input`},

		{func(s *Spec) { s.Discriminator = s.Discriminator[1:] }, `discriminator layer 0 (linear): input is [1 2 2], want rank 1; put a flatten before it`},
		{func(s *Spec) { s.Discriminator[1].Units = 2 }, `discriminator: result is [2], want one logit, [1]`},
		{func(s *Spec) { s.Discriminator = append(s.Discriminator, Layer{Type: Sigmoid}) }, `discriminator layer 2 (sigmoid): leave it out, the losses take logits and apply the sigmoid themselves`},
	} {
		s := valid()
		tt.change(s)
		_, _, err := s.Networks()
		if err == nil || !strings.HasPrefix(err.Error(), "models: "+tt.want) {
			t.Errorf("got  %v,\nwant models: %s", err, tt.want)
		}
	}
	if _, _, err := valid().Networks(); err != nil {
		t.Error(err)
	}
	if _, _, err := new(Spec).Networks(); err == nil {
		t.Error("no error for the zero Spec")
	}
}

// TestNothingToTrain: a network without weights is refused before it can fail in
// the middle of a training.
func TestNothingToTrain(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *Spec)
	}{
		{"generator", func(s *Spec) {
			s.Inputs[0].Size = 4
			s.Generator = []Layer{{Type: Tanh}, {Type: Reshape, Shape: []int{1, 2, 2}}}
		}},
		{"discriminator", func(s *Spec) {
			s.Generator[0].Units, s.Generator[2].Shape, s.Sample.Shape = 1, []int{1, 1, 1}, []int{1, 1, 1}
			s.Discriminator = []Layer{{Type: Flatten}, {Type: Dropout, Keep: 0.5}}
		}},
	} {
		s := valid()
		c.change(s)
		want := "models: " + c.name + ": nothing to train, want at least one layer with weights: linear, maxout, conv, conv_transpose or batch_norm"
		if _, _, err := s.Networks(); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
}

// TestPack: D takes packs along the first dimension; 1 is no pack, and equal
// architectures have equal JSON.
func TestPack(t *testing.T) {
	p, err := LoadPreset("dcgan28")
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := p.Spec.JSON()
	s := p.Spec.WithPack(3)
	_, d, err := s.Networks()
	if err != nil || !slices.Equal(d.Input, []int{3, 28, 28}) || !slices.Equal(s.Sample.Shape, []int{1, 28, 28}) {
		t.Errorf("D takes %v for samples of %v, error %v", d.Input, s.Sample.Shape, err)
	}
	if c, ok := DCGANOf(s); !ok || c.Pack != 3 {
		t.Errorf("the sizes of a packed DCGAN are %+v, %t", c, ok)
	}
	b, err := s.JSON()
	if err != nil || !strings.Contains(string(b), `"pack":3`) {
		t.Errorf("stored as %s, error %v", b, err)
	}
	if b, err := s.WithPack(1).JSON(); err != nil || string(b) != string(plain) {
		t.Errorf("packs of 1 are stored as %s, error %v", b, err)
	}
	// With packs of 3, D runs a third as often.
	r := p.Recipe
	r.Batch = 126
	flops := func(s *Spec) int64 {
		n, err := StepFlops(s, &r)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	one, three := p.Spec.WithPack(1), s
	_, d1, _ := one.Networks()
	first := d.Nodes[0].MultiplyAdds() - d1.Nodes[0].MultiplyAdds() // twice as much more in the first layer
	g, _, _ := one.Networks()
	all, inner := g.macs()
	ofG := 2 * int64(r.Batch) * (2*all + inner)
	if got, want := flops(three)-ofG, (flops(one)-ofG)/3+2*int64(r.Batch)/3*first*6; got != want {
		t.Errorf("D needs %d operations, want %d", got, want)
	}
}
