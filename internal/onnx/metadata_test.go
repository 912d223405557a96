package onnx_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"gantry/internal/onnx"
)

func TestMetadata(t *testing.T) {
	m := testMetadata()
	props, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	props["author"] = "someone"
	for key, want := range map[string]string{
		"gantry.numerics": "1", "gantry.range": "[-1,1]", "gantry.step": "3000", "gantry.latent": `{"name":"z","size":4,"distribution":"normal"}`,
		"gantry.data":   `{"name":"mnist","sha256":"` + strings.Repeat("ab", 32) + `"}`,
		"gantry.golden": `{"seed":0,"indices":[0,1],"positions":[3],"values":[[0.25],[-0.1]],"bound":0.00001,"pixels_sha256":"` + strings.Repeat("01", 32) + `"}`,
	} {
		if props[key] != want {
			t.Errorf("%s is %s, want %s", key, props[key], want)
		}
	}
	got, err := onnx.ParseMetadata(props)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Errorf("got %+v, want %+v", got, m)
	}
	if got, err := onnx.ParseMetadata(map[string]string{"author": "someone"}); got != nil || err != nil {
		t.Errorf("a foreign file: got %v, %v", got, err)
	}
	for key, bad := range map[string][]string{
		"gantry.version":  {"", strings.Repeat("9", 65)},
		"gantry.numerics": {"", "0", "01", "x", "99999999999"},
		"gantry.spec":     {"", "null", "[]", `{"version": 1}`, `{"version":1}}`, `{"a":"` + strings.Repeat("x", 1<<20) + `"}`},
		"gantry.latent":   {"", "{}", `{"name":"z","size":0,"distribution":"normal"}`, `{"name":"z","size":4,"distribution":"cauchy"}`, `{"name":"z","size":4,"distribution":"uniform","bounds":[1,1]}`, `{"name":"z","size":4,"distribution":"normal","more":1}`},
		"gantry.range":    {"", "[]", "[1]", "[1,1]", "[0,1,2]", "[0,1e39]", "[0,1] 2"},
		"gantry.data":     {"", `{"name":"x","sha256":"ab"}`, `{"name":"x","sha256":"` + strings.Repeat("AB", 32) + `"}`},
		"gantry.step":     {"", "-1", "1.5"},
		"gantry.golden":   {"", "{}", strings.Replace(props["gantry.golden"], "[[0.25],[-0.1]]", "[[0.25]]", 1), strings.Replace(props["gantry.golden"], "[3]", "[-3]", 1), strings.Replace(props["gantry.golden"], "0.00001", "0", 1), strings.Replace(props["gantry.golden"], "0101", "01", 1)},
		"gantry.unknown":  {"1"},
	} {
		old, had := props[key]
		for _, value := range bad {
			props[key] = value
			if got, err := onnx.ParseMetadata(props); err == nil || got != nil {
				t.Errorf("%s = %.40q: got %v, %v", key, value, got, err)
			}
		}
		delete(props, key)
		if _, err := onnx.ParseMetadata(props); (err == nil) != (key == "gantry.golden" || key == "gantry.unknown") {
			t.Errorf("without %s: got %v", key, err)
		}
		if had {
			props[key] = old
		}
	}
}

func TestParseSampling(t *testing.T) {
	const latent, values = `{"name":"z","size":4,"distribution":"uniform","bounds":[0,1]}`, "[-2,3]"
	for _, c := range []struct {
		props     map[string]string
		latent    bool
		values    bool
		wantError string
	}{
		{nil, false, false, ""},
		{map[string]string{"author": "someone", "gantry.version": "", "gantry.colour": "blue"}, false, false, ""},
		{map[string]string{"gantry.latent": latent, "gantry.new": "1"}, true, false, ""},
		{map[string]string{"gantry.range": values}, false, true, ""},
		{map[string]string{"gantry.latent": latent, "gantry.range": values}, true, true, ""},
		{map[string]string{"gantry.latent": `{"name":"z","size":4,"distribution":"cauchy"}`, "gantry.range": values}, false, false, "metadata gantry.latent"},
		{map[string]string{"gantry.latent": latent, "gantry.range": "[1,1]"}, false, false, "metadata gantry.range"},
		{map[string]string{"gantry.range": "[1," + strings.Repeat(" ", 1<<20) + "2]"}, false, false, "metadata gantry.range"},
	} {
		l, r, err := onnx.ParseSampling(c.props)
		if (l != nil) != c.latent || (r != nil) != c.values || (err != nil) != (c.wantError != "") || err != nil && !strings.Contains(err.Error(), c.wantError) {
			t.Errorf("%.100v: got %v, %v, %v", c.props, l, r, err)
		}
		if l != nil && (l.Bounds != [2]float32{0, 1} || l.Size != 4) || r != nil && *r != [2]float32{-2, 3} {
			t.Errorf("%v: got %+v, %v", c.props, l, r)
		}
	}
}

func testMetadata() *onnx.Metadata {
	m := &onnx.Metadata{
		Version: "0.1.0", Numerics: 1, Spec: json.RawMessage(`{"version":1}`), Range: [2]float32{-1, 1},
		Data: onnx.DataSet{Name: "mnist", SHA256: strings.Repeat("ab", 32)}, Step: 3000,
		Golden: &onnx.Golden{Indices: []uint64{0, 1}, Positions: []int{3}, Values: [][]float32{{0.25}, {-0.1}}, Bound: 1e-5, Pixels: strings.Repeat("01", 32)},
	}
	m.Latent.Name, m.Latent.Size, m.Latent.Distribution = "z", 4, "normal"
	return m
}

func FuzzMetadata(f *testing.F) {
	props, err := testMetadata().Encode()
	if err != nil {
		f.Fatal(err)
	}
	for key, value := range props {
		f.Add(key, value)
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		p := map[string]string{}
		for k, v := range props {
			p[k] = v
		}
		p[key] = value
		m, err := onnx.ParseMetadata(p)
		if err != nil {
			if m != nil {
				t.Fatal("a result with an error")
			}
			return
		}
		again, err := m.Encode()
		if err != nil {
			t.Fatalf("parsed but not encoded: %v", err)
		}
		if m2, err := onnx.ParseMetadata(again); err != nil || !reflect.DeepEqual(m, m2) {
			t.Fatalf("got %+v after a round trip, %v, want %+v", m2, err, m)
		}
	})
}
