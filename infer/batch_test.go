package infer

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// TestBatchesSameBits runs what sums or normalizes an image on batches, on one image at a time, and on one thread and two: each image must
// get the same bits, whether its values are HWNC or as the file has them, and whatever dimensions are single. The sum of them all is the same on
// all machines and tiers, too.
func TestBatchesSameBits(t *testing.T) {
	const want = 0x80950080d2e83523
	all := fnv.New64a()
	for _, channels := range []int{1, 3, 20} {
		for _, conv := range []bool{false, true} {
			m := &randomModel{r: rand.New(rand.NewPCG(uint64(channels), 7)), g: &onnx.GraphProto{Name: "batches"}, opset: 21}
			shape := []int{5, channels, 6, 6}
			x := "x"
			m.inputs = []randomValue{{name: x, shape: shape}}
			m.values = m.inputs
			m.g.Input = append(m.g.Input, onnxtest.Value(x, "n", channels, 6, 6))
			add := func(op string, in []string, attrs ...*onnx.AttributeProto) string {
				m.add(op, shape, in, attrs...)
				return m.values[len(m.values)-1].name
			}
			out := func(name string) {
				m.g.Output = append(m.g.Output, &onnx.ValueInfoProto{Name: name})
			}
			if conv {
				x = add("Conv", []string{x, m.weight(channels, channels, 3, 3)}, ints("pads", 1, 1, 1, 1))
			}
			out(add("InstanceNormalization", []string{x, m.weight(channels), m.weight(channels)}))
			out(add("GroupNormalization", []string{x, m.weight(channels), m.weight(channels)}, onnxtest.Int("num_groups", 1)))
			out(add("LayerNormalization", []string{x, m.weight(6)}))
			out(add("PRelu", []string{x, m.weight(channels, 1, 1)}))
			for _, op := range []string{"Gelu", "Erf", "Selu", "Mish", "Softplus", "HardSwish", "Sin", "Cos"} {
				out(add(op, []string{x}))
			}
			out(add("Pow", []string{add("Sigmoid", []string{x}), m.weight()}))
			for _, axes := range [][]int{{1}, {2, 3}, {1, 2, 3}, {2}} {
				out(add("ReduceMean", []string{x, m.intWeight(axes...)}))
				out(add("ReduceLogSumExp", []string{x, m.intWeight(axes...)}, onnxtest.Int("keepdims", 0)))
			}
			for axis := 1; axis < 4; axis++ {
				out(add("Softmax", []string{x}, onnxtest.Int("axis", int64(axis))))
			}
			out(add("Resize", []string{x, "", m.scales(1, 1, 1.5, 0.5)}, text("mode", "cubic"), onnxtest.Int("antialias", 1)))
			out(add("Resize", []string{x, "", m.scales(1, 1, 2, 3)}, text("mode", "linear")))
			out(add("AveragePool", []string{x}, ints("kernel_shape", 3, 2), ints("strides", 2, 1), ints("pads", 1, 0, 1, 1)))
			out(add("MaxPool", []string{x}, ints("kernel_shape", 2, 2)))
			out(add("Pad", []string{add("GlobalMaxPool", []string{x}), m.intWeight(0, 0, 1, 2, 0, 0, 0, 1)}, text("mode", "edge")))
			out(add("Einsum", []string{x, x}, text("equation", "nchw, ndhw -> ncd")))
			deep := add("Reshape", []string{x, m.intWeight(0, channels, 2, 3, 6)})
			for _, op := range []string{"Conv", "ConvTranspose"} {
				out(add(op, []string{deep, m.weight(channels, channels, 2, 3, 3), m.weight(channels)}, ints("pads", 1, 0, 1, 0, 1, 1), ints("strides", 1, 2, 1)))
			}
			out(add("MatMul", []string{x, add("Transpose", []string{x}, ints("perm", 0, 1, 3, 2))}))
			batch := Tensor{DType: Float32, Shape: shape, F32: m.floats(180 * channels)}
			whole := runBatch(t, m, 2, batch)
			for _, name := range slices.Sorted(maps.Keys(whole)) {
				binary.Write(all, binary.LittleEndian, whole[name].F32)
			}
			if err := equalTensors(runBatch(t, m, 1, batch), whole); err != nil {
				t.Errorf("one thread, two threads: %v", err)
			}
			for i := range 5 {
				n := 36 * channels
				one := runBatch(t, m, 2, Tensor{DType: Float32, Shape: []int{1, channels, 6, 6}, F32: batch.F32[i*n : (i+1)*n]})
				want := map[string]Tensor{}
				for name, y := range whole {
					k := len(y.F32) / 5
					want[name] = Tensor{DType: Float32, Shape: append([]int{1}, y.Shape[1:]...), F32: y.F32[i*k : (i+1)*k]}
				}
				if err := equalTensors(one, want); err != nil {
					t.Errorf("%d channels, convolution %v, image %d: %v", channels, conv, i, err)
				}
			}
		}
	}
	if got := all.Sum64(); got != want {
		t.Errorf("the bits of all results have the sum %#x, want %#x", got, uint64(want))
	}
}

// scales adds a constant of floats.
func (m *randomModel) scales(x ...float32) string {
	name := m.weight(len(x))
	*m.g.Initializer[len(m.g.Initializer)-1] = *onnxtest.Floats(name, x, int64(len(x)))
	return name
}

func runBatch(t *testing.T, m *randomModel, threads int, x Tensor) map[string]Tensor {
	t.Helper()
	model, err := LoadBytes(m.bytes(), Options{Threads: threads})
	if err != nil {
		t.Fatal(fmt.Errorf("%w\n%v", err, m.g))
	}
	y, err := model.NewSession().Run(context.Background(), map[string]Tensor{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	return cloneTensors(y)
}
