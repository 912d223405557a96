package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// mirror returns a model whose samples [2 2 2] show its inputs: z [N 4], labels [N 3] called name, x [N 1].
func mirror(t *testing.T, name string, change func(g *onnx.GraphProto)) *Model {
	t.Helper()
	m := onnxtest.Small()
	g := m.Graph
	g.Input = []*onnx.ValueInfoProto{onnxtest.Value("z", "N", 4), onnxtest.Value(name, "N", 3), onnxtest.Value("x", "N", 1)}
	g.Output = []*onnx.ValueInfoProto{onnxtest.Value("image", "N", 2, 2, 2)}
	g.Initializer = []*onnx.TensorProto{onnxtest.Ints("shape", []int64{-1, 2, 2, 2}, 4)}
	g.Node = []*onnx.NodeProto{
		{OpType: "Concat", Input: []string{"z", name, "x"}, Output: []string{"all"}, Attribute: []*onnx.AttributeProto{onnxtest.Int("axis", 1)}},
		{OpType: "Reshape", Input: []string{"all", "shape"}, Output: []string{"image"}},
	}
	change(g)
	model, err := LoadBytes(onnxtest.Bytes(m), Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func asIs(*onnx.GraphProto) {}

// column returns a tensor of rows of one element.
func column(x ...float32) Tensor { return Tensor{DType: Float32, Shape: []int{len(x), 1}, F32: x} }

// TestConditional draws samples that show what the model was given, with several batches and layouts.
func TestConditional(t *testing.T) {
	for _, c := range []struct {
		name  string
		batch int
		fixed int
		last  bool
		x     Tensor
	}{
		{name: "label", batch: 64, x: column(9)},
		{name: "y", batch: 1, x: column(9)},
		{name: "OneHot", batch: 2, x: column(9, 8, 7)},
		{name: "c", batch: 64, last: true, x: column(9, 8, 7, 6, 5)},
		{name: "class_labels", fixed: 2, x: column(9, 8, 7)},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mirror(t, c.name, func(g *onnx.GraphProto) {
				if c.fixed > 0 {
					g.Input = []*onnx.ValueInfoProto{onnxtest.Value("z", c.fixed, 4), onnxtest.Value(c.name, c.fixed, 3), onnxtest.Value("x", c.fixed, 1)}
				}
			})
			s, err := NewSampler(m, SamplerOptions{Batch: c.batch, ChannelsLast: c.last, Inputs: map[string]Tensor{"x": c.x}})
			if err != nil {
				t.Fatal(err)
			}
			if s.Classes() != 3 || s.LatentSize() != 4 || !slices.Equal(s.Shape(), []int{2, 2, 2}) {
				t.Fatalf("%d classes, latents of %d, samples %v", s.Classes(), s.LatentSize(), s.Shape())
			}
			keys := []Key{{Seed: 1}, {Seed: 1, Label: 2}, {Seed: 2, Label: 1}, {Seed: 1, Label: 0}, {Seed: 3, Label: 2}}
			got := draw(t, m, SamplerOptions{Batch: c.batch, ChannelsLast: c.last, Inputs: map[string]Tensor{"x": c.x}}, keys)
			for i, k := range keys {
				want := make([]float32, 8)
				s.Latent(want[:4], k)
				want[4+k.Label] = 1
				want[7] = c.x.F32[i%len(c.x.F32)]
				if c.last {
					want = []float32{want[0], want[2], want[4], want[6], want[1], want[3], want[5], want[7]}
				}
				if !slices.Equal(got[8*i:8*i+8], want) {
					t.Errorf("sample %d is %v, want %v", i, got[8*i:8*i+8], want)
				}
			}
			for _, label := range []int{-1, 3} {
				err := s.Sample(context.Background(), []Key{{}, {Label: label}}, func(int, []float32) error { return nil })
				if want := fmt.Sprintf("infer: sample 1: label is %d, want 0 to 2", label); err == nil || err.Error() != want {
					t.Errorf("got %v, want %s", err, want)
				}
			}
		})
	}
}

// TestGiven: inputs that are neither latents nor labels.
func TestGiven(t *testing.T) {
	m := mirror(t, "label", asIs)
	_, err := NewSampler(m, SamplerOptions{})
	var e *InputsError
	if !errors.As(err, &e) || len(e.Missing) != 1 || e.Missing[0].Name != "x" || len(e.Have) != 3 {
		t.Errorf("got %v", err)
	}
	for want, given := range map[string]map[string]Tensor{
		`no input "noise"`:                               {"noise": column(1)},
		`input "x" has shape [1 2], want [? 1]`:          {"x": {DType: Float32, Shape: []int{1, 2}, F32: make([]float32, 2)}},
		`input "x" is int64, want float32`:               {"x": {DType: Int64, Shape: []int{1, 1}, I64: make([]int64, 1)}},
		`input "x" has shape [0 1], which holds nothing`: {"x": column()},
	} {
		if _, err := NewSampler(m, SamplerOptions{Inputs: given}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	// A label that is given is none any more.
	label := Tensor{DType: Float32, Shape: []int{1, 3}, F32: []float32{.25, .5, .25}}
	s, err := NewSampler(m, SamplerOptions{Inputs: map[string]Tensor{"x": column(1), "label": label}})
	if err != nil || s.Classes() != 0 {
		t.Fatalf("got %v, %v", s, err)
	}
	// An input without a batch: a factor for all.
	scaled := mirror(t, "label", func(g *onnx.GraphProto) {
		g.Input[2] = onnxtest.Value("x")
		g.Node[0].Input = []string{"z", "label", "column"}
		g.Node = append([]*onnx.NodeProto{{OpType: "ReduceMax", Input: []string{"z"}, Output: []string{"most"}, Attribute: []*onnx.AttributeProto{ints("axes", 1)}},
			{OpType: "Mul", Input: []string{"most", "x"}, Output: []string{"column"}}}, g.Node...)
	})
	got := draw(t, scaled, SamplerOptions{Inputs: map[string]Tensor{"x": {DType: Float32, F32: []float32{2}}}}, Seeds([]uint64{5, 6}))
	for i := range 2 {
		if x := got[8*i:][:8]; x[7] != 2*slices.Max(x[:4]) {
			t.Errorf("sample %d is %v", i, x)
		}
	}
}

// TestRangeOption: a range that is given goes before the metadata's.
func TestRangeOption(t *testing.T) {
	s, err := NewSampler(small(t, Options{}), SamplerOptions{Range: [2]float32{0, 255}})
	if err != nil {
		t.Fatal(err)
	}
	if lo, hi := s.ValueRange(); lo != 0 || hi != 255 {
		t.Errorf("the range is %v, %v", lo, hi)
	}
	for _, r := range [][2]float32{{1, 1}, {1, -1}, {0, float32(math.Inf(1))}, {float32(math.NaN()), 1}} {
		if _, err := NewSampler(small(t, Options{}), SamplerOptions{Range: r}); err == nil {
			t.Errorf("%v: no error", r)
		}
	}
}

// TestClasses finds the number of classes in graphs that look labels up.
func TestClasses(t *testing.T) {
	table := &plan.Tensor{Type: plan.Type{DType: plan.Float32, Shape: []int{10, 7}}, F: make([]float32, 70)}
	depth := &plan.Tensor{Type: plan.Type{DType: plan.Int64}, I: []int64{12}}
	arange := &plan.Tensor{Type: plan.Type{DType: plan.Int64, Shape: []int{5}}, I: []int64{0, 1, 2, 3, 4}}
	values := []plan.Value{{Name: "label"}, {Const: table}, {Const: depth}, {}, {}, {Const: arange}}
	for want, nodes := range map[int][]plan.Node{
		-1: {{Kind: "Gather", In: []int{1, 3}, Out: []int{4}}},
		10: {{Kind: "Squeeze", In: []int{0}, Out: []int{3}}, {Kind: "Gather", In: []int{1, 3}, Out: []int{4}}},
		7:  {{Kind: "Gather", In: []int{1, 0}, Out: []int{4}, Attrs: map[string]any{"axis": int64(1)}}},
		5:  {{Kind: "Unsqueeze", In: []int{0}, Out: []int{3}}, {Kind: "Equal", In: []int{3, 5}, Out: []int{4}}},
		12: {{Kind: "OneHot", In: []int{0, 2, 1}, Out: []int{4}}},
	} {
		m := &Model{inputs: []ValueInfo{{Name: "label", DType: Int64, Shape: []int{-1}}}, graph: &plan.Graph{Values: values, Nodes: nodes, Inputs: []int{0}}}
		if !isLabel(&m.inputs[0]) {
			t.Error("int64 [N] are no labels")
		}
		if got := m.classes(0); got != want {
			t.Errorf("%d classes, want %d", got, want)
		}
	}
}

// TestSlerp compares with the formula in package math, and Lerp with its ends.
func TestSlerp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 100} {
		for range 50 {
			a, b, got := make([]float32, n), make([]float32, n), make([]float32, n)
			aa, bb, ab := 0.0, 0.0, 0.0
			for i := range a {
				a[i], b[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
				aa += float64(a[i]) * float64(a[i])
				bb += float64(b[i]) * float64(b[i])
				ab += float64(a[i]) * float64(b[i])
			}
			w := math.Acos(max(-1, min(1, ab/math.Sqrt(aa*bb))))
			for _, u := range []float64{0, 0.25, 1.0 / 3, r.Float64(), 1} {
				Slerp(got, a, b, u)
				p, q := 1-u, u
				if n > 1 { // for one element the directions are equal or opposite
					p, q = math.Sin((1-u)*w)/math.Sin(w), math.Sin(u*w)/math.Sin(w)
				}
				for i := range got {
					want := p*float64(a[i]) + q*float64(b[i])
					if bound := 1e-6 * (math.Abs(p*float64(a[i])) + math.Abs(q*float64(b[i]))); math.Abs(float64(got[i])-want) > bound {
						t.Fatalf("%d elements at %v: element %d is %v, want %v within %g", n, u, i, got[i], want, bound)
					}
				}
			}
			if Slerp(got, a, b, 0); !slices.Equal(got, a) {
				t.Fatalf("at 0: got %v, want %v", got, a)
			}
			if Slerp(got, a, b, 1); !slices.Equal(got, b) {
				t.Fatalf("at 1: got %v, want %v", got, b)
			}
		}
	}
}

// TestImage compares a picture's pixels with the rule for them.
func TestImage(t *testing.T) {
	m := small(t, Options{})
	s, err := NewSampler(m, SamplerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x := draw(t, m, SamplerOptions{}, []Key{{Seed: 3, Index: 4}})
	img, err := s.Image(context.Background(), Key{Seed: 3, Index: 4})
	if err != nil || img.Bounds().Dx() != 3 || img.Bounds().Dy() != 2 {
		t.Fatalf("got %v, %v", img, err)
	}
	for i, v := range x {
		want := uint32(math.Floor((float64(v)+1)*255/2 + 0.5))
		if got, _, _, _ := img.At(i%3, i/3).RGBA(); got>>8 != want {
			t.Errorf("pixel %d is %d, want %d", i, got>>8, want)
		}
	}
	mirrored, err := NewSampler(mirror(t, "y", asIs), SamplerOptions{Inputs: map[string]Tensor{"x": column(1)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mirrored.Image(context.Background(), Key{}); err == nil || !strings.Contains(err.Error(), "2 channels, want 1 or 3") {
		t.Errorf("two channels: got %v", err)
	}
	bad, err := NewSampler(mirror(t, "y", asIs), SamplerOptions{Inputs: map[string]Tensor{"x": column(float32(math.NaN()))}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Image(context.Background(), Key{}); err == nil || !strings.Contains(err.Error(), "element 7 of the sample is NaN") {
		t.Errorf("not a number: got %v", err)
	}
}
