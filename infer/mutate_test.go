package infer

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// mutated returns a random model with a few random changes that leave it a well-formed message: most
// are wrong, none may do more than give an error.
func mutated(seed uint64) []byte {
	m := newRandomModel(seed)
	r := rand.New(rand.NewPCG(seed, 2))
	extreme := func() int64 {
		return []int64{0, 1, -1, 2, -2, 7, 1 << 20, 1 << 31, 1 << 62, math.MaxInt64, math.MinInt64, -1 << 31}[r.IntN(12)]
	}
	value := func() string {
		if n := len(m.g.Initializer); n > 0 && r.IntN(2) == 0 {
			return m.g.Initializer[r.IntN(n)].Name
		}
		return m.values[r.IntN(len(m.values))].name
	}
	kinds := plan.Operators()
	for range 1 + r.IntN(3) {
		n := m.g.Node[r.IntN(len(m.g.Node))]
		switch r.IntN(13) {
		case 0:
			n.OpType = kinds[r.IntN(len(kinds))]
		case 1:
			n.Attribute = nil
		case 2:
			if len(n.Input) > 0 {
				n.Input[r.IntN(len(n.Input))] = ""
			}
		case 3:
			if len(n.Input) > 0 {
				n.Input[r.IntN(len(n.Input))] = value()
			}
		case 4:
			n.Input = append(n.Input, []string{"", value()}[r.IntN(2)])
		case 5:
			n.Input = n.Input[:r.IntN(len(n.Input)+1)]
		case 6:
			names := []string{"axis", "axes", "transA", "transB", "alpha", "epsilon", "keepdims", "allowzero", "noop_with_empty_axes", "value_ints", "training_mode", "spatial",
				"strides", "pads", "dilations", "kernel_shape", "group", "output_shape", "output_padding", "to", "starts", "ends", "split", "num_outputs", "start", "end", "batch_dims", "largest", "mode"}
			name := names[r.IntN(len(names))]
			a := onnxtest.Int(name, extreme())
			switch r.IntN(4) {
			case 0:
				a = onnxtest.Float(name, math.Float32frombits(r.Uint32()))
			case 1:
				a = ints(name, int(extreme()), int(extreme()))
			}
			n.Attribute = append(n.Attribute, a)
		case 7:
			for _, a := range n.Attribute {
				a.I = extreme()
				for i := range a.Ints {
					a.Ints[i] = extreme()
				}
			}
		case 8, 9:
			if len(m.g.Initializer) == 0 {
				continue
			}
			t := m.g.Initializer[r.IntN(len(m.g.Initializer))]
			if n := int64(len(*t.RawData)); t.DataType == int32(onnx.Int64) {
				v := make([]int64, n/8)
				for i := range v {
					v[i] = extreme()
				}
				*t = *onnxtest.Ints(t.Name, v, t.Dims...)
			} else {
				n /= 4
				t.Dims = [][]int64{{n}, {1, n}, {n, 1}, {1, 1, n}, {n, 1, 1, 1}}[r.IntN(5)]
			}
		case 10:
			dims := make([]any, r.IntN(6))
			for i := range dims {
				if dims[i] = 1 + r.IntN(4); r.IntN(2) == 0 {
					dims[i] = "N"
				} else if r.IntN(8) == 0 {
					dims[i] = 0
				}
			}
			i := r.IntN(len(m.g.Input))
			m.g.Input[i] = onnxtest.Value(m.g.Input[i].Name, dims...)
			if r.IntN(3) == 0 {
				m.g.Input[i].Type.TensorType.ElemType = int32(1 + r.IntN(16))
			}
		case 11:
			if len(m.g.Initializer) > 0 { // elements of another type, perhaps in place of as many bytes
				t := m.g.Initializer[r.IntN(len(m.g.Initializer))]
				t.DataType = int32(1 + r.IntN(16))
				if len(t.Dims) > 0 && r.IntN(2) == 0 {
					t.Dims = []int64{int64(len(*t.RawData)) / []int64{1, 2, 4, 8}[r.IntN(4)]}
				}
			}
		case 12:
			n.Output[r.IntN(len(n.Output))] = ""
		}
	}
	return m.bytes()
}

// TestMutated loads and runs changed models: errors are fine, panics and much memory are not.
func TestMutated(t *testing.T) {
	const most = 16 << 20 // bytes that the tight limits allow, twice, and what the models are made of
	models, ran := 4000, 0
	for seed := range models {
		b := mutated(uint64(seed))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if tryRun(b, tight) == nil {
			ran++
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > most {
			t.Errorf("seed %d: took %d bytes in all, want at most %d", seed, used, most)
		}
	}
	if t.Logf("%d of %d changed models still run", ran, models); ran < models/50 || ran > models*9/10 {
		t.Errorf("%d of %d changed models run: the changes are too wild or too tame", ran, models)
	}
}

func FuzzMutated(f *testing.F) {
	f.Add(uint64(1) << 33)
	f.Fuzz(func(t *testing.T, seed uint64) { tryRun(mutated(seed), tight) })
}
