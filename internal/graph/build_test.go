package graph

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"gantry/internal/rng"
	"gantry/models"
)

// everySpec has every type of layer in the generator.
const everySpec = `{"version": 1,
 "inputs": [{"name": "z", "size": 5, "distribution": "normal"}],
 "generator": [{"type": "linear", "units": 6}, {"type": "batch_norm", "eps": 0.001}, {"type": "relu"},
  {"type": "maxout", "units": 4, "pieces": 3}, {"type": "dropout", "keep": 0.5}, {"type": "reshape", "shape": [1, 2, 2]},
  {"type": "tanh"}, {"type": "flatten"}, {"type": "linear", "units": 4, "name": "out"}, {"type": "leaky_relu", "alpha": 0.2},
  {"type": "sigmoid"}, {"type": "reshape", "shape": [1, 2, 2]}],
 "discriminator": [{"type": "flatten"}, {"type": "linear", "units": 1}],
 "sample": {"shape": [1, 2, 2], "range": [0, 1]}}`

func newTestModel(t testing.TB, spec string, init models.Init) *Model {
	t.Helper()
	s, err := models.ParseSpec([]byte(spec))
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewModel(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Init(init, 3, nil); err != nil {
		t.Fatal(err)
	}
	return m
}

var fanIn = models.Init{G: models.Distribution{Type: models.FanInUniform}, D: models.Distribution{Type: models.FanInUniform}}

func TestNewModel(t *testing.T) {
	m := newTestModel(t, everySpec, fanIn)
	var all, trainable []string
	for _, p := range m.G.Params() {
		all = append(all, p.Name)
		if w := m.G.Tensor(p.Name); !w.Shape().Eq(p.Shape) {
			t.Errorf("%s has shape %v, want %v", p.Name, w.Shape(), p.Shape)
		}
	}
	for _, p := range m.G.Trainable() {
		trainable = append(trainable, p.Name)
	}
	want := []string{"g.0.weight", "g.0.bias", "g.1.weight", "g.1.bias", "g.1.running_mean", "g.1.running_var", "g.3.weight", "g.3.bias", "g.out.weight", "g.out.bias"}
	if !slices.Equal(all, want) {
		t.Errorf("parameters are %v, want %v", all, want)
	}
	if want := slices.DeleteFunc(want, func(s string) bool { return strings.Contains(s, "running") }); !slices.Equal(trainable, want) {
		t.Errorf("trainable parameters are %v, want %v", trainable, want)
	}
	if m.G.Tensor("d.1.weight") != nil || m.D.Tensor("d.1.weight") == nil {
		t.Error("d.1.weight belongs to the discriminator alone")
	}
	if _, err := NewModel(&models.Spec{}); err == nil {
		t.Error("an empty spec: got no error")
	}
}

func TestInit(t *testing.T) {
	m := newTestModel(t, everySpec, models.Init{
		G: models.Distribution{Type: models.Normal, Scale: 0.5},
		D: models.Distribution{Type: models.Uniform, Scale: 0.25},
	})
	want := make([]float32, 30)
	rng.Normal(want, 3, rng.Init, 0, 0)
	for i := range want {
		want[i] *= 0.5
	}
	sameBits(t, "g.0.weight", m.G.Tensor("g.0.weight").Float32s(), want)
	sameBits(t, "g.0.bias", m.G.Tensor("g.0.bias").Float32s(), make([]float32, 6))
	sameBits(t, "g.1.running_var", m.G.Tensor("g.1.running_var").Float32s(), []float32{1, 1, 1, 1, 1, 1})
	want = make([]float32, 4)
	rng.Uniform(want, -0.25, 0.25, 3, rng.Init, 10, 0) // parameter 10 of the model
	sameBits(t, "d.1.weight", m.D.Tensor("d.1.weight").Float32s(), want)

	m = newTestModel(t, everySpec, fanIn)
	for i, p := range m.G.Params() {
		if p.FanIn == 0 {
			continue
		}
		bound := float32(1 / math.Sqrt(float64(p.FanIn)))
		want := make([]float32, p.Elements())
		rng.Uniform(want, -bound, bound, 3, rng.Init, uint32(i), 0)
		sameBits(t, p.Name, m.G.Tensor(p.Name).Float32s(), want)
	}
	if err := m.Init(models.Init{}, 3, nil); err == nil {
		t.Error("no distribution: got no error")
	}
}

// TestInitMarginals: with weights of zero the generator shows the mean image.
func TestInitMarginals(t *testing.T) {
	const form = `{"version": 1, "inputs": [{"name": "z", "size": 3, "distribution": "normal"}],
	 "generator": [%s], "discriminator": [{"type": "flatten"}, {"type": "linear", "units": 1}], "sample": {"shape": [1, 2, 2], "range": %s}}`
	init := fanIn
	init.GOutputBias = models.Marginals
	marginals := []float32{0, 0.25, 0.5, 1}
	const linear, reshape = `{"type": "linear", "units": 4}`, `{"type": "reshape", "shape": [1, 2, 2]}`
	for _, c := range []struct {
		layers, values string
		lo             float64
		want           string // of the error
	}{
		{linear + `, {"type": "sigmoid"}, ` + reshape, "[0, 1]", 0, ""},
		{linear + `, {"type": "tanh"}, ` + reshape, "[-1, 1]", -1, ""},
		{linear + `, {"type": "relu"}, ` + linear + ", " + reshape + `, {"type": "flatten"}, {"type": "tanh"}, ` + reshape, "[-1, 1]", -1, ""},
		{linear + `, {"type": "tanh"}, ` + reshape, "[0, 1]", 0, "linear, tanh, range [0 1]"},
		{linear + `, {"type": "sigmoid"}, ` + reshape, "[-1, 1]", 0, "linear, sigmoid, range [-1 1]"},
		{linear + `, {"type": "leaky_relu", "alpha": 0.2}, {"type": "sigmoid"}, ` + reshape, "[0, 1]", 0, "leaky_relu, sigmoid, range [0 1]"},
		{linear + `, {"type": "sigmoid"}, {"type": "dropout", "keep": 0.5}, ` + reshape, "[0, 1]", 0, "sigmoid, dropout, range [0 1]"},
		{linear + ", " + reshape, "[-1, 1]", 0, "linear, range [-1 1]"},
	} {
		m := newTestModel(t, fmt.Sprintf(form, c.layers, c.values), fanIn)
		err := m.Init(init, 3, marginals)
		if c.want != "" {
			want := `graph: init: output bias "marginals": the generator ends in ` + c.want + `, want "linear, sigmoid, range [0 1]" or "linear, tanh, range [-1 1]"`
			if err == nil || err.Error() != want {
				t.Errorf("got error %v, want %s", err, want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range m.G.Params() {
			if p.Role == models.Weight {
				clear(m.G.Tensor(p.Name).Float32s())
			}
		}
		s, err := NewSampler(m, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		image, err := s.Run([]float32{1, -2, 3})
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range []float64{1e-7, 0.25, 0.5, 1 - 1e-7} { // kept away from 0 and 1
			if want := c.lo + (1-c.lo)*p; math.Abs(float64(image[i])-want) > 2e-7 {
				t.Errorf("%s: element %d is %v, want %v", c.layers, i, image[i], want)
			}
		}
		if c.lo == 0 && math.Abs(float64(image[0])-1e-7) > 1e-10 {
			t.Errorf("the mean 0 becomes %v, want 1e-7", image[0])
		}
		if err := m.Init(init, 3, make([]float32, 5)); err == nil {
			t.Error("marginals of another size: got no error")
		}
	}
}

func TestLogit(t *testing.T) {
	for i := 1; i < 1000; i++ {
		p := float32(i) / 1000
		want := math.Log(float64(p) / (1 - float64(p)))
		if got := logit(p); math.Abs(float64(got)-want) > 1e-7*max(1, math.Abs(want)) {
			t.Errorf("logit(%v) is %v, want %v", p, got, want)
		}
	}
}

// lowerings writes the sampling graph of a model as its ONNX nodes.
func lowerings(t *testing.T, m *Model) string {
	t.Helper()
	s, err := NewSampler(m, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	var visit func(n *gorgonia.Node) string
	visit = func(n *gorgonia.Node) string {
		if n.Op() == nil {
			return n.Name()
		}
		l, ok := n.Op().(Lowering)
		if !ok {
			t.Fatalf("operation %v of a sampling graph has no lowering", n.Op())
		}
		var args []string
		for _, a := range Children(n) {
			args = append(args, visit(a))
		}
		op, attrs, consts := l.ONNX()
		if op == "" {
			return args[0]
		}
		line := fmt.Sprintf("%s %v = %s(%s)", n.Name(), n.Shape(), op, strings.Join(args, ", "))
		if len(attrs) > 0 {
			line += fmt.Sprint(" ", attrs)
		}
		if len(consts) > 0 {
			line += fmt.Sprint(" ", consts)
		}
		lines = append(lines, line)
		return n.Name()
	}
	visit(s.Output())
	return strings.Join(lines, "\n")
}

// TestLowering writes the sampling graph of every layer as its ONNX nodes.
func TestLowering(t *testing.T) {
	got := lowerings(t, newTestModel(t, everySpec, fanIn))
	want := `g.0 (3, 6) = Gemm(z, g.0.weight, g.0.bias) map[transB:1]
g.1 (3, 6) = BatchNormalization(g.0, g.1.weight, g.1.bias, g.1.running_mean, g.1.running_var) map[epsilon:0.001]
g.2 (3, 6) = Relu(g.1)
g.3.linear (3, 12) = Gemm(g.2, g.3.weight, g.3.bias) map[transB:1]
g.3.pieces (3, 4, 3) = Reshape(g.3.linear) [[-1 4 3]]
g.3 (3, 4) = ReduceMax(g.3.pieces) map[axes:[-1] keepdims:0]
g.5 (3, 1, 2, 2) = Reshape(g.3) [[-1 1 2 2]]
g.6 (3, 1, 2, 2) = Tanh(g.5)
g.7 (3, 4) = Flatten(g.6) map[axis:1]
g.out (3, 4) = Gemm(g.7, g.out.weight, g.out.bias) map[transB:1]
g.9 (3, 4) = LeakyRelu(g.out) map[alpha:0.2]
g.10 (3, 4) = Sigmoid(g.9)
g.11 (3, 1, 2, 2) = Reshape(g.10) [[-1 1 2 2]]`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestSampler: a sample is a function of its latent and the weights as they
// are, whatever else is in the batch.
func TestSampler(t *testing.T) {
	for _, spec := range []string{everySpec, pixelSpec} {
		testSampler(t, newTestModel(t, spec, fanIn))
	}
}

func testSampler(t *testing.T, m *Model) {
	z := make([]float32, 17*5)
	rng.Normal(z, 1, rng.SampleLatent, 0, 0)
	run := func(batch int) []float32 {
		s, err := NewSampler(m, batch, nil)
		if err != nil {
			t.Fatal(err)
		}
		var all []float32
		for i := 0; i < 17; i += batch {
			in := make([]float32, batch*5)
			copy(in, z[i*5:])
			y, err := s.Run(in)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, y...)
		}
		return all[:17*len(all)/((17+batch-1)/batch*batch)]
	}
	want := run(17)
	for _, batch := range []int{1, 2, 5} {
		sameBits(t, fmt.Sprintf("batch %d", batch), run(batch), want)
	}
	for _, p := range m.G.Params() {
		if p.Role == models.RunningVar {
			m.G.Tensor(p.Name).Float32s()[0] = 4
		}
	}
	if slices.Equal(run(17), want) {
		t.Error("the running variance has no influence on samples")
	}
	s, err := NewSampler(m, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(z[:5]); err == nil {
		t.Error("a latent too short: got no error")
	}
	if _, err := NewSampler(m, 0, nil); err == nil {
		t.Error("batch 0: got no error")
	}
}

// TestSamplerValues follows one sample through the network by hand.
func TestSamplerValues(t *testing.T) {
	spec := `{"version": 1, "inputs": [{"name": "z", "size": 1, "distribution": "normal"}],
	 "generator": [{"type": "linear", "units": 2}, {"type": "batch_norm", "eps": 0.25}, {"type": "leaky_relu", "alpha": 0.5}],
	 "discriminator": [{"type": "linear", "units": 1}], "sample": {"shape": [2], "range": [-1, 1]}}`
	m := newTestModel(t, spec, fanIn)
	set := func(name string, v ...float32) { copy(m.G.Tensor(name).Float32s(), v) }
	set("g.0.weight", 2, -1)
	set("g.0.bias", 1, 3)
	set("g.1.weight", 3, 4)
	set("g.1.bias", 1, -8)
	set("g.1.running_mean", 1, 1)
	set("g.1.running_var", 3.75, 0.75)
	s, err := NewSampler(m, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	y, err := s.Run([]float32{2})
	if err != nil {
		t.Fatal(err)
	}
	// 5 -> (5-1)/2·3+1 = 7;  1 -> (1-1)/1·4-8 = -8 -> -4
	sameBits(t, "sample", y, []float32{7, -4})
}

// TestTrainingPass: batch statistics in the result, running statistics only
// after Commit, dropout masks by the pass's number.
func TestTrainingPass(t *testing.T) {
	m := newTestModel(t, everySpec, fanIn)
	g := gorgonia.NewGraph()
	x := Input(g, "z", 8, 5)
	rng.Normal(Floats(x), 1, rng.TrainLatent, 0, 0)
	pass := &Pass{}
	y, err := Build(g, m.G, x, Training, &Context{Seed: 1}, pass)
	if err != nil {
		t.Fatal(err)
	}
	vm, err := NewVM(gorgonia.Nodes{y})
	if err != nil {
		t.Fatal(err)
	}
	run := func(number uint64) []float32 {
		pass.Number = number
		if err := vm.Run(0); err != nil {
			t.Fatal(err)
		}
		return append([]float32(nil), Floats(y)...)
	}
	mean := m.G.Tensor("g.1.running_mean").Float32s()
	first := run(0)
	if mean[0] != 0 {
		t.Error("a run changed the running mean")
	}
	pass.Commit()
	once := mean[0]
	if once == 0 {
		t.Error("Commit did not change the running mean")
	}
	if slices.Equal(run(1), first) {
		t.Error("two passes have one dropout mask")
	}
	sameBits(t, "pass 0 again", run(0), first)
	pass.Commit()
	if want := 1.9 * once; math.Abs(float64(mean[0]-want)) > 1e-6 {
		t.Errorf("running mean after two commits is %v, want 0.9·m + m = %v", mean[0], want)
	}
}

// TestDropoutMask: row i of pass p is the mask of index p·rows + i, and the two
// networks' layers have streams of their own.
func TestDropoutMask(t *testing.T) {
	const rows, n = 20, 9
	g := gorgonia.NewGraph()
	x := Input(g, "x", rows, n)
	fill(Floats(x), 1)
	y, err := dropoutOf(&Context{Seed: 4}, x, &Pass{Number: 3}, 1<<16+2, 0.5, 2)
	if err != nil {
		t.Fatal(err)
	}
	vm, err := NewVM(gorgonia.Nodes{y})
	if err != nil {
		t.Fatal(err)
	}
	if err := vm.Run(0); err != nil {
		t.Fatal(err)
	}
	want := make([]float32, rows*n)
	for i := range rows {
		rng.Keep(want[i*n:(i+1)*n], 0.5, 2, 4, rng.Dropout, 1<<16+2, uint64(3*rows+i))
	}
	sameBits(t, "mask", Floats(y), want)
	for prefix, want := range map[string]uint32{"g": 2, "d": 1<<16 + 2} {
		b := builder{net: &Net{Network: &models.Network{Prefix: prefix}}}
		if got := b.stream(2); got != want {
			t.Errorf("layer 2 of %s has stream %d, want %d", prefix, got, want)
		}
	}
}

// TestCommit follows the running statistics by hand: the batch 0, 2, 4 has mean
// 2 and unbiased variance 4.
func TestCommit(t *testing.T) {
	g := gorgonia.NewGraph()
	x, gamma, beta := Input(g, "x", 3, 1), Input(g, "gamma", 1), Input(g, "beta", 1)
	copy(Floats(x), []float32{0, 2, 4})
	y, o, err := normOf(&Context{}, x, gamma, beta, 1e-5, act{})
	if err != nil {
		t.Fatal(err)
	}
	vm, err := NewVM(gorgonia.Nodes{y})
	if err != nil {
		t.Fatal(err)
	}
	if err := vm.Run(0); err != nil {
		t.Fatal(err)
	}
	mean, variance := []float32{10}, []float32{1}
	p := &Pass{statistics: []statistic{{o, mean, variance, 0.25}}}
	p.Commit()
	if mean[0] != 8 || variance[0] != 1.75 {
		t.Errorf("running mean and variance are %v and %v, want 8 and 1.75", mean[0], variance[0])
	}
}
