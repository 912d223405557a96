package evaluate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gantry/export"
	"gantry/infer"
	"gantry/internal/graph"
	"gantry/internal/memory"
	"gantry/internal/onnx"
	"gantry/internal/rng"
	"gantry/models"
	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/metric"
)

// generator writes an untrained generator of images 6 by 6, or of points, to a
// file. The values of images have the range [-1, 1], of points [-8, 8].
func generator(t *testing.T, points bool) string {
	t.Helper()
	text := `{"version": 1, "inputs": [{"name": "z", "size": 5, "distribution": "normal"}],
 "generator": [{"type": "linear", "units": 36}, {"type": "tanh"}, {"type": "reshape", "shape": [1, 6, 6]}],
 "discriminator": [{"type": "flatten"}, {"type": "linear", "units": 1}], "sample": {"shape": [1, 6, 6], "range": [-1, 1]}}`
	if points {
		text = `{"version": 1, "inputs": [{"name": "z", "size": 5, "distribution": "normal"}],
 "generator": [{"type": "linear", "units": 2}], "discriminator": [{"type": "linear", "units": 1}], "sample": {"shape": [2], "range": [-8, 8]}}`
	}
	spec, err := models.ParseSpec([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err := graph.NewModel(spec)
	if err != nil {
		t.Fatal(err)
	}
	normal := models.Distribution{Type: models.Normal, Scale: 0.4}
	if err := m.Init(models.Init{G: normal, D: normal}, 1, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "generator.onnx")
	if _, err := export.WriteFile(path, m, export.Info{DataName: "noise"}, export.Options{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// classifier writes an untrained network with outputs of 7 and 3 elements. A
// batch above 0 is the only one that it takes.
func classifier(t *testing.T, batch int64) string {
	t.Helper()
	network, err := models.NewNetwork("classifier", "c", []int{1, 6, 6}, []models.Layer{
		{Type: models.Flatten}, {Type: models.Linear, Units: 7}, {Type: models.Tanh, Name: "hidden"}, {Type: models.Linear, Units: 3, Name: "logits"}})
	if err != nil {
		t.Fatal(err)
	}
	net := graph.NewNet(network)
	if err := net.Init(models.Distribution{Type: models.FanInUniform}, 1); err != nil {
		t.Fatal(err)
	}
	b, _, err := export.Network(net, "x", []export.Output{{Name: "logits", Layer: "logits"}, {Name: "hidden", Layer: "hidden"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if batch > 0 {
		var m onnx.ModelProto
		if err := m.Unmarshal(b); err != nil {
			t.Fatal(err)
		}
		for _, v := range slices.Concat(m.Graph.Input, m.Graph.Output) {
			v.Type.TensorType.Shape.Dim[0].Value = &onnx.TensorShapeProto_Dimension_DimValue{DimValue: batch}
		}
		if b, err = m.Marshal(); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "small.onnx")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// noise is a data set of n images 6 by 6.
func noise(t *testing.T, n int) dataset.Dataset {
	t.Helper()
	pixels := make([]byte, n*36)
	for i := range pixels {
		pixels[i] = byte(rng.Block(4, rng.Augment, 0, uint64(i), 0)[0])
	}
	d, err := dataset.New("noise", []int{1, 6, 6}, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func open(t *testing.T, path string) *Generator {
	t.Helper()
	g, err := OpenGenerator(path, 2)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func extractor(t *testing.T, path string, values [2]float32) *Extractor {
	t.Helper()
	e, err := OpenExtractor(path, values, 2)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestParzen: samples are mapped to [0, 1], and the bandwidth is chosen on the
// first 1,000 of the last 10,000 training images.
func TestParzen(t *testing.T) {
	training, test := noise(t, 11_500), noise(t, 40)
	g := open(t, generator(t, false))
	r, err := Parzen(t.Context(), g, training, test, Options{Count: 30, Seed: 3, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	samples, err := g.Samples(t.Context(), 30, 3, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range samples.X {
		samples.X[i] = (v + 1) / 2
	}
	validation, err := Images(training, 1500, 1000)
	if err != nil {
		t.Fatal(err)
	}
	tested, err := Images(test, 0, 40)
	if err != nil {
		t.Fatal(err)
	}
	want, err := metric.Parzen(samples, validation, tested, metric.Options{})
	if err != nil || *r.Result.(*metric.ParzenResult) != *want || r.Images != 40 || r.Samples != 30 {
		t.Errorf("got %+v of %+v, want %+v, %v", r.Result, r, want, err)
	}
}

// TestFeatures: all of the images and samples, whatever the batch, the first time
// and from the cache.
func TestFeatures(t *testing.T) {
	const n = 150
	data := noise(t, 2*n)
	g := open(t, generator(t, false))
	samples, err := g.Samples(t.Context(), n, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	cache := Options{CacheDir: filepath.Join(t.TempDir(), "new")}
	want := map[string]metric.Set{}
	for _, batch := range []int64{0, 1, 7} {
		e := extractor(t, classifier(t, batch), [2]float32{0, 1})
		for range 2 {
			real, err := e.ofData(t.Context(), data, n, cache)
			if err != nil {
				t.Fatal(err)
			}
			fake, err := e.ofSamples(t.Context(), g, samples, data.Shape(), cache)
			if err != nil {
				t.Fatal(err)
			}
			if real.Len() != n || real.Dim != 3 || e.Dim != 3 || fake.Len() != n {
				t.Fatalf("%d and %d features of %d", real.Len(), fake.Len(), real.Dim)
			}
			if batch == 0 {
				want["real"], want["fake"] = real, fake
			} else if !reflect.DeepEqual(real, want["real"]) || !reflect.DeepEqual(fake, want["fake"]) {
				t.Errorf("batch %d: other features", batch)
			}
		}
	}
	if entries, _ := os.ReadDir(cache.CacheDir); len(entries) != 3 {
		t.Errorf("%d files in the cache, want one for each network", len(entries))
	}
	// Images 0, 2, 4...; with the range [-1, 1], those of 2x-1.
	x := make([]float32, 36)
	if err := data.Read(x, []int{2 * 70}); err != nil {
		t.Fatal(err)
	}
	e := extractor(t, classifier(t, 0)+":hidden", [2]float32{-1, 1})
	s, err := e.ofData(t.Context(), data, n, cache)
	if err != nil || s.Dim != 7 {
		t.Fatalf("%d elements, %v", s.Dim, err)
	}
	for i := range x {
		x[i] = float32(x[i]*2) - 1
	}
	m, err := infer.LoadFile(classifier(t, 0), infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.NewSession().Run(t.Context(), map[string]infer.Tensor{"x": {DType: infer.Float32, Shape: []int{1, 1, 6, 6}, F32: x}})
	if err != nil || !slices.Equal(out["hidden"].F32, s.X[70*7:71*7]) {
		t.Errorf("features of image 140 are %v, want %v, %v", s.X[70*7:71*7], out["hidden"].F32, err)
	}
	// Samples become pixels: 8 bits each.
	e = extractor(t, classifier(t, 0), [2]float32{0, 1})
	for i, v := range samples.X {
		p := math.Floor(float64((v+1)*255/2) + 0.5)
		samples.X[i] = float32(2*p/255 - 1)
	}
	if fake, err := e.ofSamples(t.Context(), g, samples, data.Shape(), cache); err != nil || !reflect.DeepEqual(fake, want["fake"]) {
		t.Errorf("samples that are pixels already have other features, %v", err)
	}
}

// TestCache: what is damaged is made again, and where nothing can be kept it works too.
func TestCache(t *testing.T) {
	data, e := noise(t, 20), extractor(t, classifier(t, 0), [2]float32{0, 1})
	o := Options{CacheDir: t.TempDir()}
	want, err := e.ofData(t.Context(), data, 20, o)
	if err != nil {
		t.Fatal(err)
	}
	path := newCache(e, data, 20, o).path
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, b := range map[string][]byte{"empty": nil, "cut": good[:len(good)-9], "flipped": flipped, "long": append(bytes.Clone(good), 0)} {
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := e.ofData(t.Context(), data, 20, o)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other features, %v", name, err)
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, good) {
			t.Errorf("%s: not written again", name)
		}
	}
	var words strings.Builder
	o = Options{CacheDir: filepath.Join(path, "x"), Words: &words}
	if got, err := e.ofData(t.Context(), data, 20, o); err != nil || !reflect.DeepEqual(got, want) || !strings.Contains(words.String(), "are not kept") {
		t.Errorf("%v, %q", err, words.String())
	}
	for _, other := range []*cache{newCache(e, data, 19, o), newCache(e, noise(t, 21), 20, o), newCache(extractor(t, classifier(t, 0), [2]float32{0, 2}), data, 20, o)} {
		if filepath.Base(other.path) == filepath.Base(path) {
			t.Error("other features have the same name")
		}
	}
}

// TestReports: each metric, in text and JSON, for one thread and two the same.
func TestReports(t *testing.T) {
	data, path, features := noise(t, 300), generator(t, false), classifier(t, 0)
	points, err := dataset.NewPoints("ring", 0)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Count: 200, CacheDir: t.TempDir()}
	type run = func(ctx context.Context, g *Generator, data dataset.Dataset, e *Extractor, o Options) (*Report, error)
	for name, c := range map[string]struct {
		run  run
		text string
		keys []string
	}{
		"frechet": {Frechet, "Fréchet distance of small features: ", []string{"frechet"}},
		"kid":     {KID, "KID of small features: ", []string{"kid", "std"}},
		"prdc":    {PRDC, "precision ", []string{"precision", "recall", "density", "coverage"}},
		"parzen": {func(ctx context.Context, g *Generator, data dataset.Dataset, _ *Extractor, o Options) (*Report, error) {
			return Parzen(ctx, g, data, data, o)
		}, "Parzen window log-likelihood: ", []string{"sigma", "validation", "test", "test_std_err"}},
		"modes": {func(ctx context.Context, _ *Generator, _ dataset.Dataset, _ *Extractor, o Options) (*Report, error) {
			return Modes(ctx, open(t, generator(t, true)), points, o)
		}, "modes of ring: ", []string{"modes", "hit", "high_quality", "reverse_kl"}},
	} {
		var want string
		for threads := 1; threads <= 2; threads++ {
			o.Threads = threads
			r, err := c.run(t.Context(), open(t, path), data, extractor(t, features, [2]float32{0, 1}), o)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			r.Seconds, r.Model, r.ModelSHA256 = 0, "", ""
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if threads == 1 {
				want = string(b)
			} else if string(b) != want {
				t.Errorf("%s: two threads give\n%s\none gives\n%s", name, b, want)
			}
			if text := r.String(); !strings.HasPrefix(text, c.text) || strings.Contains(text, "%!") {
				t.Errorf("%s: %s", name, text)
			}
		}
		var fields struct {
			Metric string
			Result map[string]any
		}
		if err := json.Unmarshal([]byte(want), &fields); err != nil || fields.Metric != name {
			t.Errorf("%s: %v", want, err)
		}
		for _, key := range c.keys {
			if _, ok := fields.Result[key]; !ok {
				t.Errorf("%s: no %s in %s", name, key, want)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	path, features, data := generator(t, false), classifier(t, 0), noise(t, 30)
	empty := t.TempDir()
	o := Options{Count: 20, CacheDir: t.TempDir()}
	wide, err := dataset.New("wide", []int{1, 6, 7}, make([]byte, 42*20), nil)
	if err != nil {
		t.Fatal(err)
	}
	small := o
	small.Count = 3
	points, err := dataset.NewPoints("grid", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		run  func() error
		want string
	}{
		{func() error { _, err := OpenGenerator(empty, 1); return err }, "holds no generator.onnx"},
		{func() error { _, err := OpenGenerator(filepath.Join(empty, "x"), 1); return err }, "no such file"},
		{func() error { _, err := OpenExtractor(path, [2]float32{0, 1}, 1); return err }, "want one input of images"},
		{func() error { _, err := OpenExtractor(features+":none", [2]float32{0, 1}, 1); return err }, `has no output "none"`},
		{func() error {
			_, err := Frechet(t.Context(), open(t, path), wide, extractor(t, features, [2]float32{0, 1}), o)
			return err
		}, "but the images of wide have shape [1 6 7]"},
		{func() error {
			_, err := KID(t.Context(), open(t, path), data, extractor(t, MNISTFeatures, [2]float32{0, 1}), o)
			return err
		}, "mnist-classifier takes image float32 [N 1 28 28], but images are [1 6 6]"},
		{func() error {
			_, err := PRDC(t.Context(), open(t, path), data, extractor(t, features, [2]float32{0, 1}), small)
			return err
		}, "3 samples and 30 images of noise are too few"},
		{func() error { _, err := Modes(t.Context(), open(t, path), points, o); return err }, "want [2]"},
		{func() error { _, err := Parzen(t.Context(), open(t, path), data, wide, o); return err }, "but the images of wide"},
	} {
		err := c.run()
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, new(*train.Error)) {
			t.Errorf("got %v, want %s, with a hint", err, c.want)
		}
	}
	if _, known := memory.Free(); known {
		_, err := open(t, path).Samples(t.Context(), 1<<40, 0, o)
		if err == nil || !strings.Contains(err.Error(), "of memory") || !errors.As(err, new(*train.Error)) {
			t.Errorf("more samples than memory holds: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := PRDC(ctx, open(t, path), data, extractor(t, features, [2]float32{0, 1}), o); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
