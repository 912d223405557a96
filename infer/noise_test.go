package infer

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
	"gantry/internal/rng"
)

// noiseModel gives z [N 6] with noise of three kinds: a row for each sample, one row for all that has the attribute seed, and one that
// follows from a constant.
func noiseModel() []byte {
	node := func(op, in, out string, attrs ...*onnx.AttributeProto) *onnx.NodeProto {
		n := &onnx.NodeProto{OpType: op, Output: []string{out}, Attribute: attrs}
		if in != "" {
			n.Input = []string{in}
		}
		return n
	}
	add := func(a, b, out string) *onnx.NodeProto {
		return &onnx.NodeProto{OpType: "Add", Input: []string{a, b}, Output: []string{out}}
	}
	return onnxtest.Bytes(&onnx.ModelProto{IrVersion: 8, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 17}}, Graph: &onnx.GraphProto{
		Name:  "noise",
		Input: []*onnx.ValueInfoProto{onnxtest.Value("z", "N", 6)}, Output: []*onnx.ValueInfoProto{{Name: "sample"}},
		Initializer: []*onnx.TensorProto{onnxtest.Floats("c", make([]float32, 6), 1, 6)},
		Node: []*onnx.NodeProto{
			node("RandomNormalLike", "z", "a", onnxtest.Float("mean", 10)),
			node("RandomUniform", "", "b", ints("shape", 1, 6), onnxtest.Float("seed", 2.5), onnxtest.Float("low", 100), onnxtest.Float("high", 200)),
			node("RandomNormalLike", "c", "d", onnxtest.Float("scale", 1000)),
			add("z", "a", "x"), add("x", "b", "y"), add("y", "d", "sample"),
		},
	}})
}

// TestNoise draws samples whose noise must be that of their keys, in batches of any size on any number of threads.
func TestNoise(t *testing.T) {
	keys := append(Range(7, 3, 9), Seeds([]uint64{5, 7, 1 << 40})...)
	want := make([][]float32, len(keys))
	uniform, fixed := make([]float32, 6), make([]float32, 6)
	rng.Uniform(uniform, 100, 200, 0x40200000, rng.Noise, 1, 0) // the bits of 2.5
	rng.Normal(fixed, 11, rng.Noise, 2, 0)
	for i, k := range keys {
		z, noise := make([]float32, 6), make([]float32, 6)
		rng.Normal(z, k.Seed, rng.SampleLatent, 0, k.Index)
		rng.Normal(noise, k.Seed, rng.Noise, 0, k.Index)
		for j := range z {
			z[j] = z[j] + (10 + noise[j]) + uniform[j] + float32(1000*fixed[j])
		}
		want[i] = z
	}
	for _, batch := range []int{1, 2, 5, 64} {
		for threads := 1; threads <= 2; threads++ {
			m, err := LoadBytes(noiseModel(), Options{Threads: threads, Seed: 11})
			if err != nil {
				t.Fatal(err)
			}
			s, err := NewSampler(m, SamplerOptions{Batch: batch})
			if err != nil {
				t.Fatal(err)
			}
			err = s.Sample(context.Background(), keys, func(i int, x []float32) error {
				if !slices.Equal(x, want[i]) {
					return fmt.Errorf("sample %d is %v, want %v", i, x, want[i])
				}
				return nil
			})
			if err != nil {
				t.Errorf("batch %d, %d threads: %v", batch, threads, err)
			}
			z := Tensor{DType: Float32, Shape: []int{2, 6}, F32: make([]float32, 12)}
			got, err := m.NewSession().Run(context.Background(), map[string]Tensor{"z": z})
			if err != nil {
				t.Fatal(err)
			}
			row := make([]float32, 6)
			rng.Normal(row, 11, rng.Noise, 0, 1)
			for j, v := range row {
				if y := got["sample"].F32[6+j]; y != 10+v+uniform[j]+float32(1000*fixed[j]) {
					t.Errorf("a run of its own: row 1 has %v at %d", y, j)
				}
			}
		}
	}
}
