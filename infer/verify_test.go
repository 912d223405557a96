package infer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"gantry/internal/imaging"
	"gantry/internal/kernel"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
	"gantry/models"
)

// golden returns the small generator with Gantry's metadata, after change.
func golden(t *testing.T, change func(m *onnx.ModelProto, meta *onnx.Metadata)) []byte {
	t.Helper()
	latent := models.Input{Name: "z", Size: 4, Distribution: models.Uniform, Bounds: [2]float32{-2, 3}}
	meta := &onnx.Metadata{Version: "test", Numerics: kernel.Numerics, Spec: []byte("{}"), Latent: latent, Range: [2]float32{-1, 1}}
	g := &onnx.Golden{Seed: 9, Indices: []uint64{0, 1, 70000}, Positions: []int{0, 5}, Bound: 1e-5, Pixels: strings.Repeat("0", 64)}
	meta.Golden = g
	m := onnxtest.Small()
	for range g.Indices {
		g.Values = append(g.Values, make([]float32, 2))
	}
	setMetadata(t, m, meta)
	model, err := LoadBytes(onnxtest.Bytes(m), Options{})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	keys := []Key{{Seed: 9}, {Seed: 9, Index: 1}, {Seed: 9, Index: 70000}}
	all := draw(t, model, SamplerOptions{}, keys)
	pix := make([]uint8, len(all))
	imaging.Pixels(pix, all, -1, 1)
	sum.Write(pix)
	g.Pixels = hex.EncodeToString(sum.Sum(nil))
	for i := range g.Values {
		g.Values[i] = []float32{all[6*i], all[6*i+5]}
	}
	change(m, meta)
	setMetadata(t, m, meta)
	return onnxtest.Bytes(m)
}

func setMetadata(t *testing.T, m *onnx.ModelProto, meta *onnx.Metadata) {
	t.Helper()
	props, err := meta.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m.MetadataProps = nil
	for k, v := range props {
		m.MetadataProps = append(m.MetadataProps, &onnx.StringStringEntryProto{Key: k, Value: v})
	}
}

func TestVerify(t *testing.T) {
	verify := func(b []byte) (*VerifyReport, error) {
		m, err := LoadBytes(b, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return Verify(context.Background(), m)
	}
	t.Run("good", func(t *testing.T) {
		r, err := verify(golden(t, func(*onnx.ModelProto, *onnx.Metadata) {}))
		want := VerifyReport{Samples: 3, Values: 6, Bound: 1e-5, Pixels: true}
		if err != nil || *r != want {
			t.Errorf("got %+v, %v, want %+v", r, err, want)
		}
	})
	t.Run("other numerics", func(t *testing.T) {
		r, err := verify(golden(t, func(_ *onnx.ModelProto, meta *onnx.Metadata) {
			meta.Numerics++
			meta.Golden.Pixels = strings.Repeat("0", 64)
		}))
		if err != nil || r.Pixels {
			t.Errorf("got %+v, %v, want no comparison of pixels", r, err)
		}
	})
	for name, c := range map[string]struct {
		change func(m *onnx.ModelProto, meta *onnx.Metadata)
		want   string
	}{
		"value":    {func(_ *onnx.ModelProto, meta *onnx.Metadata) { meta.Golden.Values[2][1] += 3e-5 }, "element 5 of sample 70000 is"},
		"pixels":   {func(_ *onnx.ModelProto, meta *onnx.Metadata) { meta.Golden.Pixels = strings.Repeat("0", 64) }, "SHA-256"},
		"position": {func(_ *onnx.ModelProto, meta *onnx.Metadata) { meta.Golden.Positions[0] = 6 }, "position 6, but a sample has 6"},
		"weight":   {func(m *onnx.ModelProto, _ *onnx.Metadata) { (*m.Graph.Initializer[0].RawData)[3] ^= 0x40 }, "within 1e-05 of the value range"},
		"latent":   {func(_ *onnx.ModelProto, meta *onnx.Metadata) { meta.Latent.Size = 5 }, `describes "z" of size 5`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := verify(golden(t, c.change)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		if _, err := verify(onnxtest.Bytes(onnxtest.Small())); !errors.Is(err, ErrNoGolden) {
			t.Errorf("got %v, want %v", err, ErrNoGolden)
		}
	})
}

func TestLatents(t *testing.T) {
	m, err := LoadBytes(golden(t, func(*onnx.ModelProto, *onnx.Metadata) {}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSampler(m, SamplerOptions{Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	keys := Range(9, 40, 10)
	want := draw(t, m, SamplerOptions{}, keys)
	z := make([]float32, 40)
	for i, k := range keys {
		s.Latent(z[4*i:4*i+4], k)
		for _, v := range z[4*i : 4*i+4] {
			if !(v >= -2 && v <= 3) {
				t.Fatalf("latent %v has an element outside [-2, 3]", z[4*i:4*i+4])
			}
		}
	}
	var got []float32
	collect := func(_ int, x []float32) error { got = append(got, x...); return nil }
	mine := func(dst []float32, i int) Key { copy(dst, z[4*i:]); return Key{} }
	if err := s.SampleFunc(context.Background(), 10, mine, collect); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("element %d is %v from latents, %v from keys", i, got[i], want[i])
		}
	}
	z[5] = float32(math.Inf(1))
	if err := s.SampleFunc(context.Background(), 10, mine, collect); err == nil || !strings.Contains(err.Error(), "element 1 of latent 1 is +Inf") {
		t.Errorf("got %v", err)
	}
}

// TestForeignMetadata samples from files whose metadata is not, or not all, what this version writes.
func TestForeignMetadata(t *testing.T) {
	const uniform = `{"name":"z","size":4,"distribution":"uniform","bounds":[5,6]}`
	for name, c := range map[string]struct {
		props  map[string]string
		latent float32 // the least element of a latent may be
		lo, hi float32
		want   string
	}{
		"newer":     {map[string]string{"gantry.latent": uniform, "gantry.range": "[0,1]", "gantry.palette": "{}"}, 5, 0, 1, ""},
		"latent":    {map[string]string{"gantry.latent": uniform}, 5, -1, 1, ""},
		"range":     {map[string]string{"gantry.range": "[0,2]"}, -9, 0, 2, ""},
		"unknown":   {map[string]string{"gantry.latent": `{"name":"z","size":4,"distribution":"cauchy"}`}, 0, 0, 0, "metadata gantry.latent"},
		"bad range": {map[string]string{"gantry.range": "wide"}, 0, 0, 0, "metadata gantry.range"},
	} {
		p := onnxtest.Small()
		for k, v := range c.props {
			p.MetadataProps = append(p.MetadataProps, &onnx.StringStringEntryProto{Key: k, Value: v})
		}
		m, err := LoadBytes(onnxtest.Bytes(p), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(context.Background(), m); err == nil {
			t.Errorf("%s: Verify takes it", name)
		}
		s, err := NewSampler(m, SamplerOptions{})
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q in it", name, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var z [4]float32
		s.Latent(z[:], Key{Seed: 1, Index: 2})
		if lo, hi := s.ValueRange(); z[0] < c.latent || lo != c.lo || hi != c.hi {
			t.Errorf("%s: a latent is %v, the range [%v, %v]", name, z, lo, hi)
		}
	}
}
