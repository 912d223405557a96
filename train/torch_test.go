package train

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/internal/rng"
	"gantry/models"
	"gantry/train/dataset"
)

// mlp28 with the same depth and narrow layers, so that its fixture is small,
// and one with the layers that mlp28 does not have.
const (
	narrowSpec = `{"version": 1, "inputs": [{"name": "z", "size": 10, "distribution": "normal"}],
 "generator": [{"type": "linear", "units": 12}, {"type": "leaky_relu", "alpha": 0.2}, {"type": "linear", "units": 16}, {"type": "leaky_relu", "alpha": 0.2},
  {"type": "linear", "units": 20}, {"type": "leaky_relu", "alpha": 0.2}, {"type": "linear", "units": 64}, {"type": "tanh"}, {"type": "reshape", "shape": [1, 8, 8]}],
 "discriminator": [{"type": "flatten"}, {"type": "linear", "units": 16}, {"type": "leaky_relu", "alpha": 0.2}, {"type": "linear", "units": 12},
  {"type": "leaky_relu", "alpha": 0.2}, {"type": "linear", "units": 1}],
 "sample": {"shape": [1, 8, 8], "range": [-1, 1]}}`

	mixedSpec = `{"version": 1, "inputs": [{"name": "z", "size": 10, "distribution": "uniform", "bounds": [-1, 1]}],
 "generator": [{"type": "linear", "units": 16}, {"type": "relu"}, {"type": "batch_norm"}, {"type": "linear", "units": 64}, {"type": "sigmoid"},
  {"type": "reshape", "shape": [1, 8, 8]}],
 "discriminator": [{"type": "flatten"}, {"type": "maxout", "units": 12, "pieces": 3}, {"type": "batch_norm", "momentum": 0.2}, {"type": "linear", "units": 8},
  {"type": "tanh"}, {"type": "linear", "units": 1}],
 "sample": {"shape": [1, 8, 8], "range": [0, 1]}}`

	pixelsSpec = `{"version": 1, "inputs": [{"name": "z", "size": 10, "distribution": "normal"}],
 "generator": [{"type": "linear", "units": 48}, {"type": "reshape", "shape": [12, 2, 2]}, {"type": "relu"}, {"type": "batch_norm"},
  {"type": "upsample", "factor": 2}, {"type": "conv", "channels": 8, "kernel": 3, "pad": 1}, {"type": "tanh"},
  {"type": "conv_transpose", "channels": 3, "kernel": 3, "stride": 2, "pad": 1, "output_pad": 1}, {"type": "sigmoid"}],
 "discriminator": [{"type": "conv", "channels": 6, "kernel": 3, "stride": 2, "pad": 1}, {"type": "leaky_relu", "alpha": 0.1},
  {"type": "batch_norm"}, {"type": "conv", "channels": 10, "kernel": 2, "bias": false}, {"type": "sigmoid"},
  {"type": "global_avg_pool"}, {"type": "flatten"}, {"type": "linear", "units": 1}],
 "sample": {"shape": [3, 8, 8], "range": [0, 1]}}`

	torchRecipe = `{"batch": 16, "k": 1, "shards": 1, "update": "alternating", "g_latents": "same", "g_loss": "non_saturating",
 "g_loss_scale": 1, "d_loss_scale": 0.5, "solver": {"type": "adam", "g_lr": 0.002, "d_lr": 0.001, "beta1": 0.5, "beta2": 0.999, "eps": 1e-8}, ` + fanIn + `}`
)

const torchSteps = 10

// A torchResult is what one side ends with: losses [steps 2] and the tensors of
// ending, one after the other.
type torchResult struct{ losses, end []float32 }

// TestTorch trains for ten steps and compares with what PyTorch made of the
// same weights, latents and images: with stored results always, and with
// PyTorch itself where GANTRY_PYTHON is set. Losses agree to 1e-4; the change of
// each tensor, running statistics and moments included, and samples, to 1e-3 of its length.
func TestTorch(t *testing.T) {
	mlp28, err := models.LoadPreset("mlp28")
	if err != nil {
		t.Fatal(err)
	}
	narrow, recipe := parse(t, narrowSpec, torchRecipe)
	mixed, _ := parse(t, mixedSpec, torchRecipe)
	pixels, _ := parse(t, pixelsSpec, torchRecipe)
	dcgan := func(c models.DCGAN) *models.Spec {
		s, err := c.Spec()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	dcgan28, err := models.LoadPreset("dcgan28")
	if err != nil {
		t.Fatal(err)
	}
	tutorial := dcgan28.Recipe
	tutorial.Batch = 16
	// Wide enough for the kernels' fast form. One of 200,000 values that falls on the other side of a ReLU's
	// kink changes a gradient by 0.2 %, hence tanh; and a larger eps, since Adam divides the smallest gradients
	// by themselves.
	smooth := dcgan(models.DCGAN{Size: 32, Channels: 1, Latent: 20, GWidth: 48, DWidth: 48})
	for _, layers := range [][]models.Layer{smooth.Generator, smooth.Discriminator} {
		for i := range layers {
			if layers[i].Type == models.Relu || layers[i].Type == models.LeakyRelu {
				layers[i] = models.Layer{Type: models.Tanh}
			}
		}
	}
	steady := tutorial
	steady.Solver.Eps = 1e-3
	for _, c := range []struct {
		name     string
		spec     *models.Spec
		recipe   *models.Recipe
		sketched bool // the stored result is a sketch of each tensor
	}{
		{"narrow", narrow, recipe, false},
		{"mixed", mixed, recipe, false},
		{"mlp28", &mlp28.Spec, &mlp28.Recipe, true},
		{"pixels", pixels, recipe, true},
		{"dcgan28", dcgan(models.DCGAN{Size: 28, Channels: 1, Latent: 20, GWidth: 8, DWidth: 8}), &tutorial, true},
		{"dcgan64", dcgan(models.DCGAN{Size: 64, Channels: 3, Latent: 20, GWidth: 4, DWidth: 4}), &tutorial, true},
		{"winograd", smooth, &steady, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.sketched && kernel.Tier() == "go" {
				t.Skip("full width takes a minute without assembly, whose bits are the same")
			}
			recipe := *c.recipe
			recipe.EMA = models.EMA{} // which changes nothing else: TestEMALeavesTraining
			x, err := NewTrainer(c.spec, &recipe, rectangles(t, 500, c.spec.Sample.Shape), 11, Options{Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			dir := t.TempDir()
			start := flatten(ending(t, x))
			clear(start[len(start)-x.Recipe().Batch*models.Elements(c.spec.Sample.Shape):]) // samples are compared as they are
			python := os.Getenv("GANTRY_PYTHON")
			if python != "" {
				writeJob(t, dir, x)
			}
			var got torchResult
			for _, s := range steps(t, x, torchSteps) {
				got.losses = append(got.losses, float32(s.LossD), float32(s.LossG))
			}
			state := ending(t, x)
			got.end = flatten(state)
			file := filepath.Join("testdata", "torch-"+c.name+".bin")
			if python == "" {
				t.Log("GANTRY_PYTHON is not set: compared with stored results only")
			} else {
				if out, err := exec.Command(python, "../bench/fixtures_torch.py", dir).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				want := torchResult{readFloats(t, filepath.Join(dir, "losses.bin")), readFloats(t, filepath.Join(dir, "end.bin"))}
				compare(t, state, start, got, want, false)
				if os.Getenv("UPDATE_GOLDEN") == "1" {
					if c.sketched {
						want.end = sketch(state, want.end)
					}
					writeFloats(t, file, append(want.losses, want.end...))
				}
			}
			stored := readFloats(t, file)
			want := torchResult{stored[:2*torchSteps], stored[2*torchSteps:]}
			if c.sketched {
				got.end, start = sketch(state, got.end), sketch(state, start)
			}
			compare(t, state, start, got, want, c.sketched)
		})
	}
}

// ending returns the trainer's state, and what G in sampling mode makes of the
// first batch of latents.
func ending(t *testing.T, x *Trainer) []NamedTensor {
	t.Helper()
	n := x.Recipe().Batch
	z := make([]float32, n*x.Spec().Inputs[0].Size)
	x.latents.draw(z, 0)
	s, err := graph.NewSampler(x.Model(), n, nil)
	if err != nil {
		t.Fatal(err)
	}
	images, err := s.Run(z)
	if err != nil {
		t.Fatal(err)
	}
	return append(x.State(), NamedTensor{"samples", shape(n, x.Spec().Sample.Shape), images})
}

// compare checks the losses and, tensor by tensor, ‖Δ-Δref‖ <= 1e-3·‖Δref‖.
func compare(t *testing.T, state []NamedTensor, start []float32, got, want torchResult, sketched bool) {
	t.Helper()
	if len(got.losses) != len(want.losses) || len(got.end) != len(want.end) {
		t.Fatalf("got %d losses and %d elements, PyTorch's result has %d and %d", len(got.losses), len(got.end), len(want.losses), len(want.end))
	}
	worstLoss, worst, at := 0.0, 0.0, ""
	for i := range got.losses {
		d := math.Abs(float64(got.losses[i])/float64(want.losses[i]) - 1)
		worstLoss = max(worstLoss, d)
		if !(d <= 1e-4) {
			t.Errorf("step %d: loss %s is %v, PyTorch's %v", i/2+1, "DG"[i%2:i%2+1], got.losses[i], want.losses[i])
		}
	}
	i := 0
	for _, s := range state {
		n := len(s.Data)
		if sketched {
			n = signs
		}
		var diff, size float64
		for j := i; j < i+n; j++ {
			diff += math.Pow(float64(got.end[j])-float64(want.end[j]), 2)
			size += math.Pow(float64(want.end[j])-float64(start[j]), 2)
		}
		i += n
		r := math.Sqrt(diff / size)
		if r > worst {
			worst, at = r, s.Name
		}
		if !(r <= 1e-3) {
			t.Errorf("%s: its change differs from PyTorch's by %.2g of it", s.Name, r)
		}
	}
	t.Logf("largest difference: losses %.1e, tensors %.1e (%s)", worstLoss, worst, at)
}

// signs is the number of projections in a sketch.
const signs = 16

// sketch replaces each tensor by its products with 16 vectors of random signs.
// The mean square of a product is the square of the tensor's length, so the
// length of a difference of two tensors shows in the difference of their
// sketches, within some 20 %.
func sketch(state []NamedTensor, x []float32) []float32 {
	var out []float32
	i := 0
	for k, s := range state {
		var sums [signs]float64
		var words [4]uint32
		for j := range s.Data {
			if j%4 == 0 {
				words = rng.Block(0, rng.Augment, uint32(k), uint64(j/4), 0)
			}
			v := math.Float64bits(float64(x[i+j]))
			for b := range sums {
				sums[b] += math.Float64frombits(v ^ uint64(words[j%4]>>b&1)<<63)
			}
		}
		i += len(s.Data)
		for _, v := range sums {
			out = append(out, float32(v))
		}
	}
	return out
}

// rectangles is a data set of n images of a bright rectangle on black.
func rectangles(t testing.TB, n int, shape []int) dataset.Dataset {
	c, h, w := shape[0], shape[1], shape[2]
	pixels := make([]byte, n*c*h*w)
	for i := range n {
		r := rng.Block(2, rng.Augment, 0, uint64(i), 0)
		y0, x0 := int(r[0]%uint32(h-2)), int(r[1]%uint32(w-2))
		y1, x1 := y0+2+int(r[2]%uint32(h-y0-1)), x0+2+int(r[3]%uint32(w-x0-1))
		for j := range c * h * w {
			if y, x := j/w%h, j%w; y >= y0 && y < y1 && x >= x0 && x < x1 {
				pixels[i*c*h*w+j] = byte(255 - j%7)
			}
		}
	}
	d, err := dataset.New("rectangles", shape, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// writeJob writes what fixtures_torch.py reads: the trainer's weights as they
// are, and the latents and images of its first steps.
func writeJob(t *testing.T, dir string, x *Trainer) {
	t.Helper()
	spec, err := x.Spec().JSON()
	if err != nil {
		t.Fatal(err)
	}
	recipe, err := x.Recipe().JSON()
	if err != nil {
		t.Fatal(err)
	}
	job, err := json.Marshal(map[string]any{"spec": json.RawMessage(spec), "recipe": json.RawMessage(recipe), "steps": torchSteps})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "job.json"), job, 0o666); err != nil {
		t.Fatal(err)
	}
	var weights []NamedTensor
	for _, s := range x.State() {
		if !strings.HasPrefix(s.Name, "solver.") {
			weights = append(weights, s)
		}
	}
	writeFloats(t, filepath.Join(dir, "start.bin"), flatten(weights))
	r := x.Recipe()
	z := make([]float32, torchSteps*r.Batch*x.Spec().Inputs[0].Size)
	real := make([]float32, torchSteps*r.Batch*models.Elements(x.Spec().Sample.Shape))
	for i := range torchSteps {
		x.latents.draw(z[i*len(z)/torchSteps:(i+1)*len(z)/torchSteps], i)
		if err := x.real.read(real[i*len(real)/torchSteps:(i+1)*len(real)/torchSteps], i); err != nil {
			t.Fatal(err)
		}
	}
	writeFloats(t, filepath.Join(dir, "latents.bin"), z)
	writeFloats(t, filepath.Join(dir, "reals.bin"), real)
}

func flatten(ts []NamedTensor) []float32 {
	var all []float32
	for _, s := range ts {
		all = append(all, s.Data...)
	}
	return all
}

func writeFloats(t *testing.T, file string, x []float32) {
	t.Helper()
	var b []byte
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	if err := os.WriteFile(file, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

func readFloats(t *testing.T, file string) []float32 {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, len(b)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	if len(x) < 2*torchSteps {
		t.Fatal(fmt.Errorf("%s has %d elements, want at least %d", file, len(x), 2*torchSteps))
	}
	return x
}
