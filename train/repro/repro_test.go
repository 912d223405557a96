package repro

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/gif"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/export"
	"gantry/infer"
	"gantry/internal/rng"
	"gantry/models"
	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/evaluate"
)

func options(t *testing.T, threads int) Options {
	return Options{Out: filepath.Join(t.TempDir(), "out"), Seed: 3, Threads: threads}
}

// text is a result as JSON, without the directory that its paths begin with.
func text(t *testing.T, o Options, r any) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), o.Out, "OUT")
}

func picture(t *testing.T, path string) image.Image {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func misused(err error) bool {
	e := (*train.Error)(nil)
	return errors.As(err, &e) && e.Misuse && e.Hint != ""
}

// TestMeasure: densities whose numbers are known.
func TestMeasure(t *testing.T) {
	flat := make([]float64, figure1Bins)
	half := slices.Clone(flat)
	left, right := slices.Clone(flat), slices.Clone(flat)
	for i := range flat {
		flat[i], half[i] = 1/(figure1Hi-figure1Lo), 0.5
		if i < figure1Bins/2 {
			left[i] = 2 * flat[i]
		} else {
			right[i] = 2 * flat[i]
		}
	}
	quarter := slices.Clone(half)
	for i := range quarter {
		quarter[i] = 0.25
	}
	for _, c := range []struct {
		name           string
		data, model, d []float64
		want           Figure1State
	}{
		{"equal", flat, flat, half, Figure1State{Value: -2 * math.Ln2, ValueAtBest: -2 * math.Ln2}},
		{"apart", left, right, half, Figure1State{Difference: 0.5, Value: -2 * math.Ln2, ValueAtBest: 0, JSD: math.Ln2, MixtureDiff: 0.5, Pinsker: math.Sqrt(2*math.Ln2) / 2}},
		{"equal, D wrong", flat, flat, quarter, Figure1State{Difference: 0.25, FromHalf: 0.25, Value: math.Log(0.25 * 0.75), ValueAtBest: -2 * math.Ln2,
			MixtureDiff: 0.25, Pinsker: math.Sqrt(-2*math.Ln2-math.Log(0.25*0.75)) / 2}},
	} {
		s := Figure1State{data: c.data, model: c.model, d: c.d}
		s.measure([2]int{10, 140})
		got := []float64{s.Difference, s.FromHalf, s.Value, s.ValueAtBest, s.JSD, s.MixtureDiff, s.Pinsker}
		w := c.want
		for i, v := range []float64{w.Difference, w.FromHalf, w.Value, w.ValueAtBest, w.JSD, w.MixtureDiff, w.Pinsker} {
			if math.Abs(got[i]-v) > 1e-12 {
				t.Errorf("%s: figure %d is %v, want %v", c.name, i, got[i], v)
			}
		}
	}
}

// TestFigure1: what theory says of any G and D holds at every time, and threads
// decide nothing.
func TestFigure1(t *testing.T) {
	o, o2 := options(t, 1), options(t, 2)
	r, err := RunFigure1(context.Background(), o, 12)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Moments) != figure1Panels || r.Moments[5].Step != 12 {
		t.Fatalf("moments are %+v", r.Moments)
	}
	for _, s := range r.Moments {
		mass := 0.0
		for _, v := range s.data {
			mass += v * figure1Width
		}
		if math.Abs(mass-1) > 1e-3 {
			t.Errorf("step %d: the data's density has the integral %v", s.Step, mass)
		}
		if s.Value > s.ValueAtBest || s.JSD < 0 || s.JSD > math.Ln2+1e-3 || math.Abs(s.ValueAtBest-2*s.JSD+2*math.Ln2) > 1e-3 {
			t.Errorf("step %d: values %v and, at the optimum, %v; divergence %v", s.Step, s.Value, s.ValueAtBest, s.JSD)
		}
		if s.MixtureDiff > s.Pinsker {
			t.Errorf("step %d: D differs by %v from its optimum, Pinsker's inequality allows %v", s.Step, s.MixtureDiff, s.Pinsker)
		}
	}
	if size := picture(t, r.Picture).Bounds().Size(); size != image.Pt(1152, 720) {
		t.Errorf("the picture has %v pixels", size)
	}
	b, err := os.ReadFile(r.Moving)
	if err != nil {
		t.Fatal(err)
	}
	if g, err := gif.DecodeAll(bytes.NewReader(b)); err != nil || len(g.Image) != len(figure1Times(12)) {
		t.Errorf("the animation: %v", err)
	}
	r2, err := RunFigure1(context.Background(), o2, 12)
	if err != nil {
		t.Fatal(err)
	}
	if text(t, o, r) != text(t, o2, r2) {
		t.Errorf("two threads give\n%s, one\n%s", text(t, o2, r2), text(t, o, r))
	}
	if _, err := RunFigure1(context.Background(), o, 5); !misused(err) {
		t.Errorf("5 steps: %v", err)
	}
}

func TestAlgorithm1(t *testing.T) {
	o := options(t, 2)
	r, err := RunAlgorithm1(context.Background(), o, 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 6 || strings.Count(r.String(), "saturating") != 8 {
		t.Fatalf("got\n%s", r)
	}
	for _, row := range r.Rows {
		if row.EarlyNorm <= 0 || row.LeastNorm > row.EarlyNorm || row.Modes > row.MostModes {
			t.Errorf("%+v", row)
		}
	}
	// At first D is near a half everywhere, and the losses' slopes D and 1-D are alike. As it learns, they
	// part by the factor (1-D)/D, where D is alike for all samples.
	for _, s := range r.Start {
		ratio, want := s.Norms[1]/s.Norms[0], (1-s.DGz)/s.DGz
		if s.DGz <= 0 || ratio < want/4 || ratio > 4*want {
			t.Errorf("after %d updates D(G(z)) is %v, and the norms are %v", s.K, s.DGz, s.Norms)
		}
	}
	picture(t, r.Picture)
	if _, err := RunAlgorithm1(context.Background(), o, 150); !misused(err) {
		t.Errorf("150 steps: %v", err)
	}
}

// TestModes: a table that was made in two calls is that of one call.
func TestModes(t *testing.T) {
	if testing.Short() {
		t.Skip("trains pacgan2d")
	}
	parts, whole := options(t, 1), options(t, 2)
	ctx := context.Background()
	if _, err := Modes(ctx, parts, ModesConfig{Steps: 2, Trials: 1}); err != nil {
		t.Fatal(err)
	}
	a, err := Modes(ctx, parts, ModesConfig{Steps: 4, Trials: 1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Modes(ctx, whole, ModesConfig{Steps: 4, Trials: 1})
	if err != nil {
		t.Fatal(err)
	}
	if text(t, parts, a) != text(t, whole, b) {
		t.Errorf("in parts\n%s, at once\n%s", text(t, parts, a), text(t, whole, b))
	}
	if len(b.Rows) != 4 || b.Rows[1].Pack != 2 || b.Rows[1].Trials[0].Seed != 3 || b.Rows[0].Modes.N != 1 {
		t.Errorf("rows are %+v", b.Rows)
	}
	if s := b.String(); strings.Count(s, " here ") != 4 || !strings.Contains(s, "here: 4 steps, 1 trial; PacGAN's paper: 400,000 steps, 10 trials") {
		t.Errorf("got\n%s", s)
	}
	picture(t, b.Picture)
	if _, err := Modes(ctx, parts, ModesConfig{Steps: 3, Trials: 1}); !misused(err) {
		t.Errorf("fewer steps than there are: %v", err)
	}
	locked(t, parts, func() error {
		_, err := Modes(ctx, parts, ModesConfig{Steps: 4, Trials: 1})
		return err
	})
}

// locked holds that an experiment leaves a directory alone that another process is
// at work in.
func locked(t *testing.T, o Options, experiment func() error) {
	t.Helper()
	unlock, err := train.Lock(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := experiment(); err == nil || !strings.Contains(err.Error(), o.Out+" is in use by process") {
		t.Errorf("in a directory that is in use: %v", err)
	}
}

// few is a data set of n images like MNIST's, of noise.
func few(t *testing.T, n int) *dataset.Memory {
	t.Helper()
	pixels := make([]byte, n*28*28)
	for i := range pixels {
		pixels[i] = byte(rng.Block(1, rng.Augment, 0, uint64(i), 0)[0] >> 24)
	}
	d, err := dataset.New("few", []int{1, 28, 28}, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestParzen: a table that was made in two calls is that of one call, and each
// row is of the best checkpoint on held-out images.
func TestParzen(t *testing.T) {
	if testing.Short() {
		t.Skip("trains goodfellow-mnist")
	}
	ctx := context.Background()
	c := ParzenConfig{Runs: 1, Steps: 1, Every: 1, Training: few(t, 160), Test: few(t, 30), sizes: parzenSizes{120, 40, 20, 50}}
	parts, whole := options(t, 1), options(t, 2)
	if _, err := c.run(ctx, parts); err != nil {
		t.Fatal(err)
	}
	c.Steps = 2
	a, err := c.run(ctx, parts)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.run(ctx, whole)
	if err != nil {
		t.Fatal(err)
	}
	if text(t, parts, a) != text(t, whole, b) {
		t.Errorf("in parts\n%s, at once\n%s", text(t, parts, a), text(t, whole, b))
	}
	file := filepath.Join(whole.Out, "seed-3", candidatesName)
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []candidate
	if err := json.Unmarshal(old, &all); err != nil || len(all) != 2 {
		t.Fatalf("%s: %s", err, old)
	}
	for k, row := range b.Rows {
		s := row.Scores[0]
		for _, c := range all {
			if c.Held[k] > s.Validation {
				t.Errorf("%s: step %d has %v on held-out images, but step %d has %v", row.Name, s.Step, s.Validation, c.Step, c.Held[k])
			}
		}
		if float64(row.Test.Mean) != s.Test.Test {
			t.Errorf("%+v", row)
		}
	}
	if s := b.String(); !strings.Contains(s, "225 ± 2") || strings.Count(s, "  seed 3, step ") != 2 {
		t.Errorf("got\n%s", s)
	}
	c.Every, c.Steps = 2, 4
	if _, err := c.run(ctx, whole); !misused(err) {
		t.Errorf("another --every: %v", err)
	}
	if err := os.WriteFile(file, old[:len(old)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := c.run(ctx, whole); !misused(err) {
		t.Errorf("half a file of candidates: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	c.Every, c.Steps = 1, 2
	if _, err := c.run(ctx, whole); !misused(err) {
		t.Errorf("no file of candidates: %v", err)
	}
	if err := os.Remove(a.Rows[1].Scores[0].Model); err != nil {
		t.Fatal(err)
	}
	if _, err := c.run(ctx, parts); !misused(err) {
		t.Errorf("a generator that is gone: %v", err)
	}
	locked(t, parts, func() error {
		_, err := c.run(ctx, parts)
		return err
	})
}

// digits is the exported generator of goodfellow-mnist, untrained.
func digits(t *testing.T) string {
	t.Helper()
	p, err := models.LoadPreset("goodfellow-mnist")
	if err != nil {
		t.Fatal(err)
	}
	x, err := train.NewTrainer(&p.Spec, &p.Recipe, few(t, 100), 1, train.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	path := filepath.Join(t.TempDir(), "g.onnx")
	if _, err := export.WriteFile(path, x.Model(), export.Info{}, export.Options{Fold: true}); err != nil {
		t.Fatal(err)
	}
	return path
}

func opened(d dataset.Dataset) func(shape []int) (dataset.Dataset, error) {
	return func([]int) (dataset.Dataset, error) { return d, nil }
}

// TestFigure2: among noise, a sample's own pixels are the nearest image.
func TestFigure2(t *testing.T) {
	model, o := digits(t), options(t, 1)
	g, err := evaluate.OpenGenerator(model, 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := g.Samples(context.Background(), figure2Columns*figure2Rows, o.Seed, evaluate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pixels := make([]byte, 1000*s.Dim) // black, but for the samples from the end backwards
	for i := range s.Len() {
		for j, v := range s.Slice(i, i+1).X {
			pixels[(999-i)*s.Dim+j] = byte(v*255 + 0.5)
		}
	}
	data, err := dataset.New("learnt", []int{1, 28, 28}, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := RunFigure2(context.Background(), o, model, opened(data))
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range r.Rows {
		if n.Sample != 5*i+4 || n.Image != 999-n.Sample || n.Distance > 28*0.5/255 {
			t.Errorf("row %d: %+v", i, n)
		}
	}
	img := picture(t, r.Picture)
	if size := img.Bounds().Size(); size != image.Pt(3*(6*28+4*2+8), 3*(6*28+5*2)) {
		t.Errorf("the picture has %v pixels", size)
	}
	for y := range img.Bounds().Dy() { // the last two columns are equal
		for x := range 3 * 28 {
			if a, b := img.At(3*4*30+x, y), img.At(3*(4*30+28+8)+x, y); a != b {
				t.Fatalf("pixel %d, %d of the nearest image is %v, of the sample %v", x, y, b, a)
			}
		}
	}
	points, err := dataset.NewPoints("ring", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := RunFigure2(context.Background(), o, model, opened(points)); !misused(err) {
		t.Errorf("neighbours among points: %v", err)
	}
}

// TestFigure3: rows begin and end with samples.
func TestFigure3(t *testing.T) {
	model, o := digits(t), options(t, 1)
	r, err := RunFigure3(context.Background(), o, model)
	if err != nil {
		t.Fatal(err)
	}
	img := picture(t, r.Picture)
	m, err := infer.LoadFile(model, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := infer.NewSampler(m, infer.SamplerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Sample(context.Background(), infer.Range(o.Seed, 0, 2*figure3Rows), func(i int, x []float32) error {
		left, top := i%2*(figure3Columns-1)*30, i/2*30
		for p, v := range x {
			r, _, _, _ := img.At(3*(left+p%28), 3*(top+p/28)).RGBA()
			if want := uint32(v*255 + 0.5); r>>8 != want {
				t.Fatalf("sample %d, pixel %d is %d, want %d", i, p, r>>8, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMeanErr(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want string
		json string
	}{
		{nil, "-", `{"mean":null,"std_err":null,"n":0}`},
		{[]float64{2}, "2.0", `{"mean":2,"std_err":null,"n":1}`},
		{[]float64{1, 2, 3, 6}, "3.0 ± 1.1", `{"mean":3,"std_err":1.0801234497346435,"n":4}`}, // √(14/3/4)
	} {
		m := meanErr(c.x)
		b, err := json.Marshal(m)
		if err != nil || m.text(1, 1) != c.want || string(b) != c.json {
			t.Errorf("%v: %s, %s, %v; want %s, %s", c.x, m.text(1, 1), b, err, c.want, c.json)
		}
	}
	if s := grouped(1_234_567) + " " + grouped(400_000) + " " + grouped(7); s != "1,234,567 400,000 7" {
		t.Error(s)
	}
}
