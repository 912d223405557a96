package models

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestPresets(t *testing.T) {
	var names []string
	for _, p := range Presets() {
		names = append(names, p.Name)
		if p.Description == "" {
			t.Errorf("%s: no description", p.Name)
		}
		got, err := LoadPreset(p.Name)
		if err != nil || !reflect.DeepEqual(*got, p) {
			t.Errorf("LoadPreset(%q) = %+v, %v, want %+v", p.Name, got, err, p)
		}
	}
	if want := []string{"dcgan28", "dcgan32", "dcgan64", "goodfellow-mnist", "mlp28", "pacgan2d"}; !slices.Equal(names, want) {
		t.Errorf("got presets %q, want %q", names, want)
	}
	// A caller's changes stay the caller's.
	Presets()[0].Spec.Generator[0].Units = 7
	if Presets()[0].Spec.Generator[0].Units == 7 {
		t.Error("a change of one result of Presets shows in another")
	}
}

// TestPresetSizes compares parameter counts with those of the published
// networks: 2,503,984 and 1,231,441 follow from Goodfellow et al.'s mnist.yaml, 3,576,704 and 2,765,568
// are what PyTorch counts in its tutorial's.
func TestPresetSizes(t *testing.T) {
	for _, tt := range []struct {
		name string
		g, d int
	}{
		{"goodfellow-mnist", 2_503_984, 1_231_441},
		{"dcgan28", 100*128*49 + 2*128 + 128*64*16 + 2*64 + 64*16, 32*16 + 32*64*16 + 2*64 + 64*49},
		{"dcgan32", 100*256*16 + 2*256 + 256*128*16 + 2*128 + 128*64*16 + 2*64 + 64*3*16, 3*64*16 + 64*128*16 + 2*128 + 128*256*16 + 2*256 + 256*16},
		{"dcgan64", 3_576_704, 2_765_568},
		{"pacgan2d", 2*400 + 3*400*400 + 4*2*400 + 400*2 + 2, 2*1000 + 1000 + 2*(200*1000+1000) + 200 + 1},
		{"mlp28", 100*256 + 256 + 256*512 + 512 + 512*1024 + 1024 + 1024*784 + 784, 784*512 + 512 + 512*256 + 256 + 256 + 1},
	} {
		p, err := LoadPreset(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		g, d, err := p.Spec.Networks()
		if err != nil {
			t.Fatal(err)
		}
		if g.NumParams() != tt.g || d.NumParams() != tt.d {
			t.Errorf("%s: %d and %d parameters, want %d and %d", tt.name, g.NumParams(), d.NumParams(), tt.g, tt.d)
		}
	}
}

// TestGoodfellow pins what the paper's published code says and a reader would
// not notice being changed.
func TestGoodfellow(t *testing.T) {
	p, err := LoadPreset("goodfellow-mnist")
	if err != nil {
		t.Fatal(err)
	}
	hidden := Layer{Type: Linear, Units: 1200}
	maxout := Layer{Type: Maxout, Units: 240, Pieces: 5}
	spec := Spec{
		Version: 1,
		Inputs:  []Input{{Name: "z", Size: 100, Distribution: Uniform, Bounds: [2]float32{float32(-math.Sqrt(3)), float32(math.Sqrt(3))}}},
		Generator: []Layer{hidden, {Type: Relu}, hidden, {Type: Relu}, {Type: Linear, Units: 784}, {Type: Sigmoid},
			{Type: Reshape, Shape: []int{1, 28, 28}}},
		Discriminator: []Layer{{Type: Flatten}, {Type: Dropout, Keep: 0.8, Scale: 1.25}, maxout, {Type: Dropout, Keep: 0.5, Scale: 2},
			maxout, {Type: Dropout, Keep: 0.5, Scale: 2}, {Type: Linear, Units: 1}},
		Sample: Sample{Shape: []int{1, 28, 28}, Range: [2]float32{0, 1}},
	}
	if !reflect.DeepEqual(p.Spec, spec) {
		t.Errorf("spec is\n%+v, want\n%+v", p.Spec, spec)
	}
	want := Recipe{
		Batch: 100, K: 1, Shards: 1, Update: Simultaneous, GLatents: Same, GLoss: NonSaturating, GLossScale: 1, DLossScale: 0.5,
		Solver: Solver{Type: SGD, GLR: 0.1, DLR: 0.1, Momentum: 0.5, MomentumFinal: 0.7, MomentumStart: 1, MomentumSaturate: 250, LRDecay: 1.000004, LRMin: 1e-6},
		Init:   Init{G: Distribution{Uniform, 0.05}, D: Distribution{Uniform, 0.005}, GOutputBias: Marginals},
	}
	if p.Recipe != want {
		t.Errorf("recipe is\n%+v, want\n%+v", p.Recipe, want)
	}
}

func TestLoadPreset(t *testing.T) {
	_, err := LoadPreset("mlp82")
	want := `models: unknown preset "mlp82" (did you mean "mlp28"?), want one of dcgan28, dcgan32, dcgan64, goodfellow-mnist, mlp28, pacgan2d, or a file whose name ends in .json`
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}

	p := Presets()[0]
	data, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mine.json")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	got, err := LoadPreset(path)
	if err != nil || !reflect.DeepEqual(*got, p) {
		t.Errorf("preset from file = %+v, %v, want %+v", got, err, p)
	}

	if err := os.WriteFile(path, []byte(`{"name": "x"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err = LoadPreset(path); err == nil || !strings.HasPrefix(err.Error(), path+": models: spec.version: 0, want 1") {
		t.Errorf("got error %v, want one with path and field", err)
	}
	if err := os.WriteFile(path, make([]byte, maxPresetFile+1), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err = LoadPreset(path); err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("got error %v, want one on the size", err)
	}
	if _, err = LoadPreset(filepath.Join(t.TempDir(), "none.json")); err == nil || !strings.HasPrefix(err.Error(), "models: preset: open ") {
		t.Errorf("got error %v, want one that says the file cannot be opened", err)
	}
}

// TestRoundTrip checks that Marshal then Parse is the identity, and that the
// compact form is a fixed point.
func TestRoundTrip(t *testing.T) {
	for _, p := range Presets() {
		s, err := p.Spec.JSON()
		if err != nil {
			t.Fatal(err)
		}
		spec, err := ParseSpec(s)
		if err != nil || !reflect.DeepEqual(*spec, p.Spec) {
			t.Errorf("%s: spec = %+v, %v, want %+v", p.Name, spec, err, p.Spec)
		}
		again, err := spec.JSON()
		if err != nil || !bytes.Equal(again, s) {
			t.Errorf("%s: JSON is no fixed point:\n%s\n%s", p.Name, s, again)
		}
		r, err := p.Recipe.JSON()
		if err != nil {
			t.Fatal(err)
		}
		recipe, err := ParseRecipe(r)
		if err != nil || *recipe != p.Recipe {
			t.Errorf("%s: recipe = %+v, %v, want %+v", p.Name, recipe, err, p.Recipe)
		}
	}
}

// TestCanonicalJSON: specs that differ in what they leave to defaults give the
// same bytes, and keys keep their order.
func TestCanonicalJSON(t *testing.T) {
	const left = `{"sample": {"range": [0, 1], "shape": [2]}, "version": 1,
		"discriminator": [{"type": "dropout", "keep": 0.8}, {"type": "linear", "units": 1}],
		"generator": [{"units": 2, "type": "linear"}, {"type": "batch_norm"}],
		"inputs": [{"size": 3, "distribution": "normal", "name": "z"}]}`
	s, err := ParseSpec([]byte(left))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"version":1,"inputs":[{"name":"z","size":3,"distribution":"normal"}],` +
		`"generator":[{"type":"linear","units":2},{"type":"batch_norm","eps":0.00001,"momentum":0.1}],` +
		`"discriminator":[{"type":"dropout","keep":0.8,"scale":1.25},{"type":"linear","units":1}],` +
		`"sample":{"shape":[2],"range":[0,1]}}`
	if string(got) != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	// A spec that was built in Go without the defaults gives the same.
	s.Generator[1].Eps, s.Generator[1].Momentum, s.Discriminator[0].Scale = 0, 0, 0
	if got, _ := s.JSON(); string(got) != want || s.Generator[1].Eps != 0 {
		t.Errorf("got\n%s, want\n%s, and s unchanged", got, want)
	}
}

func ExampleSpec_Networks() {
	p, err := LoadPreset("goodfellow-mnist")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, d, err := p.Spec.Networks()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range d.Nodes {
		fmt.Println(n.ID, n.Type, n.In, "->", n.Out)
		for _, p := range n.Params {
			fmt.Println("    ", p.Name, p.Shape)
		}
	}
	fmt.Println(d.NumParams(), "parameters")
	// Output:
	// d.0 flatten [1 28 28] -> [784]
	// d.1 dropout [784] -> [784]
	// d.2 maxout [784] -> [240]
	//      d.2.weight [1200 784]
	//      d.2.bias [1200]
	// d.3 dropout [240] -> [240]
	// d.4 maxout [240] -> [240]
	//      d.4.weight [1200 240]
	//      d.4.bias [1200]
	// d.5 dropout [240] -> [240]
	// d.6 linear [240] -> [1]
	//      d.6.weight [1 240]
	//      d.6.bias [1]
	// 1231441 parameters
}
