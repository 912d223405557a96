package train

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/internal/rng"
	"gantry/models"
	"gantry/train/dataset"
)

// Two small architectures that have every type of layer between them. Batch
// norms stand behind an activation: the bias of a layer that a batch norm
// follows has no gradient but rounding errors, which Adam blows up to full steps.
const plainSpec = `{"version": 1,
 "inputs": [{"name": "z", "size": 5, "distribution": "normal"}],
 "generator": [{"type": "linear", "units": 12}, {"type": "relu"}, {"type": "batch_norm"}, {"type": "linear", "units": 16},
  {"type": "tanh"}, {"type": "reshape", "shape": [1, 4, 4]}],
 "discriminator": [{"type": "flatten"}, {"type": "linear", "units": 10}, {"type": "leaky_relu", "alpha": 0.2}, {"type": "batch_norm"},
  {"type": "linear", "units": 7}, {"type": "tanh"}, {"type": "linear", "units": 1}],
 "sample": {"shape": [1, 4, 4], "range": [-1, 1]}}`

const paperSpec = `{"version": 1,
 "inputs": [{"name": "z", "size": 6, "distribution": "uniform", "bounds": [-1.7, 1.7]}],
 "generator": [{"type": "linear", "units": 12}, {"type": "relu"}, {"type": "dropout", "keep": 0.75}, {"type": "linear", "units": 16},
  {"type": "sigmoid"}, {"type": "reshape", "shape": [1, 4, 4]}],
 "discriminator": [{"type": "flatten"}, {"type": "dropout", "keep": 0.8, "scale": 1.25}, {"type": "maxout", "units": 8, "pieces": 3},
  {"type": "dropout", "keep": 0.5, "scale": 2}, {"type": "linear", "units": 1}],
 "sample": {"shape": [1, 4, 4], "range": [0, 1]}}`

const pixelSpec = `{"version": 1,
 "inputs": [{"name": "z", "size": 6, "distribution": "normal"}],
 "generator": [{"type": "reshape", "shape": [6, 1, 1]}, {"type": "conv_transpose", "channels": 5, "kernel": 2, "bias": false}, {"type": "batch_norm"},
  {"type": "relu"}, {"type": "conv_transpose", "channels": 1, "kernel": 4, "stride": 2, "pad": 1}, {"type": "tanh"}],
 "discriminator": [{"type": "conv", "channels": 4, "kernel": 3, "pad": 1}, {"type": "leaky_relu", "alpha": 0.2},
  {"type": "conv", "channels": 3, "kernel": 2, "stride": 2, "bias": false}, {"type": "batch_norm"}, {"type": "leaky_relu", "alpha": 0.2},
  {"type": "conv", "channels": 1, "kernel": 2}, {"type": "flatten"}],
 "sample": {"shape": [1, 4, 4], "range": [-1, 1]}}`

// oddSpec has images that are not square, sizes that strides do not divide, and
// padding beyond the half of a kernel.
const oddSpec = `{"version": 1,
 "inputs": [{"name": "z", "size": 6, "distribution": "normal"}],
 "generator": [{"type": "linear", "units": 18}, {"type": "reshape", "shape": [3, 3, 2]}, {"type": "batch_norm"}, {"type": "leaky_relu", "alpha": 0.1},
  {"type": "conv_transpose", "channels": 4, "kernel": 5, "stride": 3, "pad": 4, "output_pad": 2}, {"type": "sigmoid"}, {"type": "batch_norm"},
  {"type": "conv", "channels": 2, "kernel": 3, "pad": 2}, {"type": "tanh"}],
 "discriminator": [{"type": "conv", "channels": 4, "kernel": 5, "stride": 3, "pad": 4}, {"type": "tanh"},
  {"type": "conv", "channels": 3, "kernel": 1, "stride": 2, "bias": false}, {"type": "batch_norm"}, {"type": "sigmoid"}, {"type": "dropout", "keep": 0.75},
  {"type": "conv_transpose", "channels": 2, "kernel": 1, "stride": 2, "output_pad": 1}, {"type": "relu"}, {"type": "flatten"}, {"type": "linear", "units": 1}],
 "sample": {"shape": [2, 7, 4], "range": [-1, 1]}}`

// pointSpec makes points in the plane, as PacGAN's networks do.
const pointSpec = `{"version": 1,
 "inputs": [{"name": "z", "size": 2, "distribution": "normal"}],
 "generator": [{"type": "linear", "units": 9, "bias": false}, {"type": "batch_norm", "eps": 1e-4, "momentum": 0.05}, {"type": "relu"}, {"type": "linear", "units": 2}],
 "discriminator": [{"type": "maxout", "units": 7, "pieces": 3}, {"type": "linear", "units": 1}],
 "sample": {"shape": [2], "range": [-8, 8]}}`

const adamSolver = `"solver": {"type": "adam", "g_lr": 0.01, "d_lr": 0.02, "beta1": 0.5, "beta2": 0.999, "eps": 1e-8}`

const sgdSolver = `"solver": {"type": "sgd", "g_lr": 0.1, "d_lr": 0.05, "momentum": 0.5, "momentum_final": 0.7, "momentum_start": 1,
 "momentum_saturate": 4, "lr_decay": 1.01, "lr_min": 0.049}`

const fanIn = `"init": {"g": {"type": "fan_in_uniform"}, "d": {"type": "fan_in_uniform"}}`

const wide = `"init": {"g": {"type": "uniform", "scale": 0.3}, "d": {"type": "normal", "scale": 0.4}, "g_output_bias": "marginals"}`

type training struct{ name, spec, recipe string }

var trainings = []training{
	{"alternating", plainSpec, `{"batch": 8, "k": 1, "shards": 1, "update": "alternating", "g_latents": "same", "g_loss": "non_saturating",
	  "g_loss_scale": 1, "d_loss_scale": 1, ` + adamSolver + `, ` + fanIn + `}`},
	{"alternating fresh k=2 minimax", plainSpec, `{"batch": 8, "k": 2, "shards": 2, "update": "alternating", "g_latents": "fresh", "g_loss": "minimax",
	  "g_loss_scale": 1.5, "d_loss_scale": 0.5, ` + adamSolver + `, ` + fanIn + `, "ema": {"half_life_images": 2}}`},
	{"alternating k=2 same, dropout", paperSpec, `{"batch": 8, "k": 2, "shards": 1, "update": "alternating", "g_latents": "same", "g_loss": "non_saturating",
	  "g_loss_scale": 1, "d_loss_scale": 1, ` + adamSolver + `, ` + fanIn + `}`},
	{"simultaneous", paperSpec, `{"batch": 8, "k": 1, "shards": 1, "update": "simultaneous", "g_latents": "same", "g_loss": "non_saturating",
	  "g_loss_scale": 1, "d_loss_scale": 0.5, ` + sgdSolver + `, ` + wide + `}`},
	{"simultaneous k=3", paperSpec, `{"batch": 8, "k": 3, "shards": 1, "update": "simultaneous", "g_latents": "same", "g_loss": "minimax",
	  "g_loss_scale": 1, "d_loss_scale": 1, ` + sgdSolver + `, ` + wide + `, "ema": {"half_life_images": 1000}}`},
	{"simultaneous batch norm", plainSpec, `{"batch": 8, "k": 1, "shards": 1, "update": "simultaneous", "g_latents": "same", "g_loss": "non_saturating",
	  "g_loss_scale": 1, "d_loss_scale": 1, ` + sgdSolver + `, ` + fanIn + `, "ema": {"half_life_images": 1}}`},
	{"dcgan", pixelSpec, `{"batch": 8, "k": 1, "shards": 1, "update": "alternating", "g_latents": "same", "g_loss": "non_saturating",
	  "g_loss_scale": 1, "d_loss_scale": 1, ` + adamSolver + `, "init": {"g": {"type": "normal", "scale": 0.3}, "d": {"type": "normal", "scale": 0.3}, "gamma_std": 0.1}}`},
	{"dcgan k=2 in shards, simultaneous", pixelSpec, `{"batch": 8, "k": 2, "shards": 4, "update": "simultaneous", "g_latents": "same", "g_loss": "minimax",
	  "g_loss_scale": 1, "d_loss_scale": 1, ` + adamSolver + `, "init": {"g": {"type": "normal", "scale": 0.3}, "d": {"type": "normal", "scale": 0.3}}}`},
	packed("packed points", pointSpec, 2, `{"batch": 8, "k": 1, "shards": 2, "update": "simultaneous", "g_latents": "same", "g_loss": "non_saturating",
	  "g_loss_scale": 1, "d_loss_scale": 1, `+adamSolver+`, `+fanIn+`}`),
	packed("packed images", pixelSpec, 4, `{"batch": 8, "k": 2, "shards": 2, "update": "alternating", "g_latents": "fresh", "g_loss": "non_saturating",
	  "g_loss_scale": 1, "d_loss_scale": 1, `+adamSolver+`, "init": {"g": {"type": "normal", "scale": 0.3}, "d": {"type": "normal", "scale": 0.3}}}`),
	packed("packed odd images", oddSpec, 3, `{"batch": 6, "k": 1, "shards": 1, "update": "alternating", "g_latents": "same", "g_loss": "non_saturating",
	  "g_loss_scale": 1, "d_loss_scale": 1, "solver": {"type": "sgd", "g_lr": 0.1, "d_lr": 0.05},
	  "init": {"g": {"type": "normal", "scale": 0.2}, "d": {"type": "normal", "scale": 0.2}}}`),
	{"odd images in shards", oddSpec, `{"batch": 6, "k": 1, "shards": 3, "update": "alternating", "g_latents": "same", "g_loss": "non_saturating",
	  "g_loss_scale": 1, "d_loss_scale": 1, "solver": {"type": "sgd", "g_lr": 0.1, "d_lr": 0.05},
	  "init": {"g": {"type": "normal", "scale": 0.2}, "d": {"type": "normal", "scale": 0.2}}}`},
}

// packed returns a training whose D judges n samples at once.
func packed(name, spec string, n int, recipe string) training {
	return training{name, strings.Replace(spec, `"version": 1`, fmt.Sprintf(`"version": 1, "pack": %d`, n), 1), recipe}
}

// blobs is a data set of 21 images of 4x4: batches of 8 run across its end.
func blobs(t testing.TB) dataset.Dataset { return blobsOf(t, []int{1, 4, 4}) }

// blobsOf is the same with images of another shape.
func blobsOf(t testing.TB, shape []int) dataset.Dataset {
	n, size := 21, models.Elements(shape)
	if len(shape) == 1 {
		shape = []int{1, 1, size}
	}
	pixels := make([]byte, n*size)
	for i := range pixels {
		pixels[i] = byte(rng.Block(1, rng.Augment, 0, uint64(i), 0)[0] >> (24 + i/size%4))
	}
	d, err := dataset.New("blobs", shape, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func parse(t testing.TB, spec, recipe string) (*models.Spec, *models.Recipe) {
	t.Helper()
	s, err := models.ParseSpec([]byte(spec))
	if err != nil {
		t.Fatal(err)
	}
	r, err := models.ParseRecipe([]byte(recipe))
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

func newTrainer(t testing.TB, spec, recipe string, o Options) *Trainer {
	t.Helper()
	s, r := parse(t, spec, recipe)
	x, err := NewTrainer(s, r, blobsOf(t, s.Sample.Shape), 7, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

func steps(t testing.TB, x *Trainer, n int) []Stats {
	t.Helper()
	var all []Stats
	for range n {
		s, err := x.Step()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// TestTrainerAgainstReference follows Algorithm 1 in float64 for ten steps. The
// losses and D's opinions agree to 1e-5; what a tensor changed by agrees to 1e-4 of its length.
func TestTrainerAgainstReference(t *testing.T) {
	for _, c := range trainings {
		t.Run(c.name, func(t *testing.T) {
			x := newTrainer(t, c.spec, c.recipe, Options{})
			ref := newReference(x.Model(), x.Recipe(), x.Data(), x.Seed())
			start := map[string][]float32{}
			for _, s := range x.State() {
				start[s.Name] = append([]float32(nil), s.Data...)
			}
			for _, s := range steps(t, x, 10) {
				want := ref.run()
				if s.Step != want.Step || !near(s.LossD, want.LossD, 1e-5) || !near(s.LossG, want.LossG, 1e-5) ||
					!near(s.Dx, want.Dx, 1e-5) || !near(s.DGz1, want.DGz1, 1e-5) || !near(s.DGz2, want.DGz2, 1e-5) {
					t.Fatalf("figures are %+v, want %+v", s, want)
				}
			}
			for _, s := range x.State() {
				want := ref.state(s.Name)
				var diff, size float64
				for i, v := range s.Data {
					w0 := float64(start[s.Name][i])
					diff += math.Pow(float64(v)-want[i], 2)
					size += math.Pow(want[i]-w0, 2)
				}
				if math.Sqrt(diff) > 1e-4*math.Sqrt(size)+1e-9 {
					t.Errorf("%s: is off by %.3g of a change of %.3g", s.Name, math.Sqrt(diff), math.Sqrt(size))
				}
				if size == 0 {
					t.Errorf("%s: has not changed", s.Name)
				}
			}
		})
	}
}

func near(got, want, relative float64) bool {
	return math.Abs(got-want) <= relative*max(math.Abs(want), 1e-3)
}

// sameState fails unless two trainers agree in every bit.
func sameState(t *testing.T, what string, a, b *Trainer) {
	t.Helper()
	x, y := a.State(), b.State()
	if len(x) != len(y) || a.Steps() != b.Steps() {
		t.Fatalf("%s: %d tensors at step %d, want %d at step %d", what, len(x), a.Steps(), len(y), b.Steps())
	}
	for i := range x {
		if x[i].Name != y[i].Name {
			t.Fatalf("%s: tensor %d is %s, want %s", what, i, x[i].Name, y[i].Name)
		}
		for j := range x[i].Data {
			if math.Float32bits(x[i].Data[j]) != math.Float32bits(y[i].Data[j]) {
				t.Fatalf("%s: %s[%d] is %v, want %v", what, x[i].Name, j, x[i].Data[j], y[i].Data[j])
			}
		}
	}
}

// TestSameBits: neither the machine nor the number of threads changes a bit.
func TestSameBits(t *testing.T) {
	for _, c := range trainings {
		t.Run(c.name, func(t *testing.T) {
			want := newTrainer(t, c.spec, c.recipe, Options{})
			stats := fmt.Sprint(steps(t, want, 5))
			for _, o := range []Options{{VM: GantryVM, Threads: 2}, {Threads: 3}, {VM: TapeVM}, {VM: TapeVM, Threads: 2}} {
				got := newTrainer(t, c.spec, c.recipe, o)
				if s := fmt.Sprint(steps(t, got, 5)); s != stats {
					t.Errorf("%+v: figures are %s, want %s", o, s, stats)
				}
				sameState(t, fmt.Sprintf("%+v", o), got, want)
			}
		})
	}
}

// TestShards: shards change the result, but by rounding only, and no bit of it
// depends on the threads.
func TestShards(t *testing.T) {
	recipe := trainings[0].recipe
	run := func(shards string, threads int) *Trainer {
		x := newTrainer(t, plainSpec, strings.Replace(recipe, `"shards": 1`, `"shards": `+shards, 1), Options{Threads: threads})
		steps(t, x, 3)
		return x
	}
	one, two := run("1", 1), run("2", 1)
	sameState(t, "2 shards on 2 threads", run("2", 2), two)
	same := true
	for i, s := range one.State() {
		for j, v := range s.Data {
			w := two.State()[i].Data[j]
			same = same && v == w
			if math.Abs(float64(v)-float64(w)) > 1e-4*max(math.Abs(float64(v)), 0.1) {
				t.Fatalf("%s[%d]: %v with 1 shard, %v with 2: more than rounding", s.Name, j, v, w)
			}
		}
	}
	if same {
		t.Error("2 shards give the bits of 1: sums are not taken in shards")
	}
}

// TestRestore goes on from a copied state, in a trainer that has done something
// else before, as if nothing had happened.
func TestRestore(t *testing.T) {
	for _, c := range trainings {
		t.Run(c.name, func(t *testing.T) {
			a := newTrainer(t, c.spec, c.recipe, Options{})
			steps(t, a, 4)
			var saved []NamedTensor
			for _, s := range a.State() {
				saved = append([]NamedTensor{{s.Name, s.Shape, append([]float32(nil), s.Data...)}}, saved...) // another order
			}
			want := fmt.Sprint(steps(t, a, 4))
			b := newTrainer(t, c.spec, c.recipe, Options{Threads: 2})
			steps(t, b, 1)
			if err := b.Restore(4, saved); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(steps(t, b, 4)); got != want {
				t.Errorf("figures after Restore: %s, want %s", got, want)
			}
			sameState(t, "restored", b, a)
		})
	}
}

func TestRestoreErrors(t *testing.T) {
	x := newTrainer(t, plainSpec, trainings[0].recipe, Options{})
	before := newTrainer(t, plainSpec, trainings[0].recipe, Options{})
	good := x.State()
	change := func(f func(ts []NamedTensor) []NamedTensor) []NamedTensor {
		var ts []NamedTensor
		for _, s := range good {
			data := make([]float32, len(s.Data))
			ts = append(ts, NamedTensor{s.Name, s.Shape, data})
		}
		return f(ts)
	}
	for want, ts := range map[string][]NamedTensor{
		`tensor "g.0.weight" is missing`:                       change(func(ts []NamedTensor) []NamedTensor { return ts[1:] }),
		`tensor "g.0.weight" is there twice`:                   change(func(ts []NamedTensor) []NamedTensor { return append(ts, ts[0]) }),
		`tensor "x" is unknown to this model and solver`:       change(func(ts []NamedTensor) []NamedTensor { return append(ts, NamedTensor{Name: "x"}) }),
		`tensor "g.0.weight" has shape [5 12], want [12 5]`:    change(func(ts []NamedTensor) []NamedTensor { ts[0].Shape = []int{5, 12}; return ts }),
		`tensor "g.0.weight" has 59 elements, want 60`:         change(func(ts []NamedTensor) []NamedTensor { ts[0].Data = ts[0].Data[1:]; return ts }),
		`tensor "solver.d.6.bias.v" has shape [1 1], want [1]`: change(func(ts []NamedTensor) []NamedTensor { ts[len(ts)-1].Shape = []int{1, 1}; return ts }),
	} {
		if err := x.Restore(3, ts); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
	if err := x.Restore(-1, good); err == nil {
		t.Error("step -1: got no error")
	}
	sameState(t, "after failed restores", x, before)
}

// setAll sets every element of one tensor of the state.
func setAll(x *Trainer, name string, v float32) {
	for _, s := range x.State() {
		if s.Name == name {
			for i := range s.Data {
				s.Data[i] = v
			}
		}
	}
}

// TestNonFinite damages a weight and expects it found in the same step, with
// nothing written to the weights.
func TestNonFinite(t *testing.T) {
	for _, c := range []struct {
		tensor string
		value  float64
	}{
		{"d.4.weight", math.NaN()},
		{"g.0.bias", math.Inf(1)},
	} {
		x := newTrainer(t, plainSpec, trainings[0].recipe, Options{})
		steps(t, x, 2)
		setAll(x, c.tensor, float32(c.value))
		before := flatten(x.State())
		_, err := x.Step()
		var e *NonFiniteError
		if !errors.As(err, &e) || e.Step != 3 || e.Tensor != "the discriminator's loss" {
			t.Errorf("%s = %v: got error %v, want the discriminator's loss in step 3", c.tensor, c.value, err)
		}
		i := 0
		for _, s := range x.State() {
			for j, v := range s.Data {
				if math.Float32bits(v) != math.Float32bits(before[i]) && !strings.Contains(s.Name, "running") {
					t.Fatalf("%s = %v: %s[%d] changed from %v to %v", c.tensor, c.value, s.Name, j, before[i], v)
				}
				i++
			}
		}
	}
}

// TestOverflow starts from weights so large that something must overflow: after
// a step without an error all of the state is finite.
func TestOverflow(t *testing.T) {
	for _, name := range []string{"d.1.weight", "d.6.weight", "g.3.weight"} {
		x := newTrainer(t, plainSpec, trainings[0].recipe, Options{})
		setAll(x, name, 3e38)
		for range 20 {
			if _, err := x.Step(); err != nil {
				var e *NonFiniteError
				if !errors.As(err, &e) {
					t.Errorf("%s: got error %v, want a NonFiniteError", name, err)
				}
				break
			}
			for _, s := range x.State() {
				if i := kernel.FirstNonFinite(s.Data); i >= 0 {
					t.Fatalf("%s: %s[%d] is %v after a step without error", name, s.Name, i, s.Data[i])
				}
			}
		}
	}
}

// TestNonFiniteGradient: one element of one gradient of D that is infinite, or
// becomes so in the sum over its two passes, is found and named before any
// weight is updated.
func TestNonFiniteGradient(t *testing.T) {
	for _, values := range [][2]float32{{0, float32(math.Inf(-1))}, {float32(math.NaN()), 0}, {3e38, 3e38}} {
		x := newTrainer(t, plainSpec, trainings[0].recipe, Options{})
		steps(t, x, 1)
		before := flatten(x.State())
		for i, s := range x.solvers.d.slots {
			if s.name == "d.4.weight" {
				for pass, v := range values {
					g := graph.Floats(x.d.grads[pass][i])
					g[len(g)-1] = v
				}
			}
		}
		err := x.updateD(0)
		var e *NonFiniteError
		if !errors.As(err, &e) || e.Tensor != "the gradient of d.4.weight" || e.Step != 2 {
			t.Errorf("%v: got %v, want the gradient of d.4.weight in step 2", values, err)
		}
		if !slices.Equal(flatten(x.State()), before) {
			t.Errorf("%v: the state has changed", values)
		}
	}
}

// TestNonFiniteGenerator: what overflows in G's update alone, its loss or a
// gradient behind a finite loss, is found and named.
func TestNonFiniteGenerator(t *testing.T) {
	for _, c := range []struct {
		training int
		set      map[string]float32
		want     string
	}{
		{0, map[string]float32{"d.6.bias": -3e38}, "the generator's loss"},
		{5, map[string]float32{"d.6.bias": -3e38}, "the generator's loss"},
		{2, map[string]float32{"g.0.weight": 1e30, "g.3.weight": 0, "d.2.weight": 1e6, "d.4.weight": -1e6}, "the gradient of g.3.weight"},
		{3, map[string]float32{"g.0.weight": 1e30, "g.3.weight": 0, "d.2.weight": 1e6, "d.4.weight": -1e6}, "the gradient of g.3.weight"},
	} {
		recipe := trainings[c.training].recipe // a factor of 2 makes -3e38 overflow, one of 0.5 keeps D's loss finite
		recipe = strings.NewReplacer(`"g_loss_scale": 1`, `"g_loss_scale": 2`, `"d_loss_scale": 1`, `"d_loss_scale": 0.5`).Replace(recipe)
		x := newTrainer(t, trainings[c.training].spec, recipe, Options{})
		for name, v := range c.set {
			setAll(x, name, v)
		}
		var before []float32
		for _, p := range x.model.G.Trainable() {
			before = append(before, x.model.G.Tensor(p.Name).Float32s()...)
		}
		_, err := x.Step()
		var e *NonFiniteError
		if !errors.As(err, &e) || e.Tensor != c.want || e.Step != 1 {
			t.Errorf("%s: got %v, want %s in step 1", trainings[c.training].name, err, c.want)
		}
		var after []float32
		for _, p := range x.model.G.Trainable() {
			after = append(after, x.model.G.Tensor(p.Name).Float32s()...)
		}
		if !slices.Equal(after, before) {
			t.Errorf("%s: the generator has changed", trainings[c.training].name)
		}
	}
}

// TestStepAllocations: a step makes no tensor.
func TestStepAllocations(t *testing.T) {
	for _, c := range trainings {
		x := newTrainer(t, c.spec, c.recipe, Options{Threads: 2})
		steps(t, x, 2)
		n := testing.AllocsPerRun(5, func() { steps(t, x, 1) })
		t.Logf("%s: %v allocations a step", c.name, n)
		if n > 64 {
			t.Errorf("%s: %v allocations a step, want at most 64", c.name, n)
		}
	}
}

func TestNewTrainerErrors(t *testing.T) {
	s, r := parse(t, plainSpec, trainings[0].recipe)
	data := blobs(t)
	big := *r
	big.Batch = 22
	zero := *r
	zero.K = 0
	wide, err := dataset.New("wide", []int{1, 2, 8}, make([]byte, 640), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		recipe *models.Recipe
		data   dataset.Dataset
		o      Options
		want   string
	}{
		{&big, data, Options{}, "--batch 22: blobs has only 21 images"},
		{&zero, data, Options{}, "k"},
		{r, wide, Options{}, "the networks make samples of shape [1 4 4], but the images of wide have shape [1 2 8]"},
		{r, data, Options{VM: "lisp"}, `unknown machine "lisp"`},
		{r, data, Options{Threads: -1}, "-1 threads"},
	} {
		if _, err := NewTrainer(s, c.recipe, c.data, 1, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want %q", err, c.want)
		}
	}
}
