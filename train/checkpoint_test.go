package train

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// FuzzCheckpoint decodes metadata as they may stand in a file whose digest is
// right. (What surrounds them is for the fuzzers of safetensors.)
func FuzzCheckpoint(f *testing.F) {
	c := smallCheckpoint(f)
	m, err := c.metadata()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m[keySpec], m[keyRecipe], m[keySeed], m[keyData], m[keyStep], m[keyNumerics])
	f.Add(m[keySpec], m[keyRecipe], m[keySeed], m[keyData], "1000000000", m[keyNumerics])
	f.Add("{}", "{}", "-1", "[]", "1e9", "")
	f.Fuzz(func(t *testing.T, spec, recipe, seed, data, step, numerics string) {
		got, err := decodeMetadata(map[string]string{keySpec: spec, keyRecipe: recipe, keySeed: seed, keyData: data, keyStep: step, keyNumerics: numerics})
		if err != nil {
			if got != nil {
				t.Errorf("a checkpoint came with the error %v", err)
			}
			return
		}
		if _, _, err := got.Spec.Networks(); err != nil || got.Recipe.Validate() != nil || got.Step < 0 || got.Step > maxSteps {
			t.Errorf("got %+v", got)
		}
		got.Tensors = c.Tensors
		got.Model() // an error where the tensors do not fit
	})
}

func smallCheckpoint(t testing.TB) *Checkpoint {
	t.Helper()
	s := smallSettings(t, 1)
	x, err := NewTrainer(s.Spec, s.Recipe, smallData(30), 1, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return newCheckpoint(x, "")
}

func TestCheckpointFile(t *testing.T) {
	c := smallCheckpoint(t)
	path := filepath.Join(t.TempDir(), "c")
	if err := c.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	got, err := ReadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	again := path + "2"
	if err := got.WriteFile(again); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(path)
	b, _ := os.ReadFile(again)
	if !bytes.Equal(a, b) {
		t.Error("reading and writing changed the file")
	}
	m, err := got.Model()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range modelTensors(m) {
		i := slices.IndexFunc(c.Tensors, func(y NamedTensor) bool { return y.Name == x.Name })
		if i < 0 || !slices.Equal(c.Tensors[i].Data, x.Data) {
			t.Errorf("%s: got %v", x.Name, x.Data)
		}
	}
	good, err := decodeCheckpoint(a)
	if err != nil {
		t.Fatal(err)
	}
	// A flipped bit shows, unless it does not matter (JSON's "shape" may be
	// spelled "Shape"), and every cut does.
	for i := range a {
		bad := bytes.Clone(a)
		bad[i] ^= 1 << (i % 8)
		if got, err := decodeCheckpoint(bad); err == nil && !reflect.DeepEqual(got, good) {
			t.Fatalf("a flipped bit in byte %d went unnoticed", i)
		}
		if i%16 == 0 {
			if _, err := decodeCheckpoint(a[:i]); err == nil {
				t.Fatalf("a file cut after %d bytes was accepted", i)
			}
		}
	}
}
