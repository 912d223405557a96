package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"

	"gantry/internal/kernel"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// load loads a model of one input.
func load(t *testing.T, in *onnx.ValueInfoProto, out []string, weights []*onnx.TensorProto, nodes []*onnx.NodeProto, o Options) *Model {
	t.Helper()
	g := &onnx.GraphProto{Name: "g", Input: []*onnx.ValueInfoProto{in}, Initializer: weights, Node: nodes}
	for _, name := range out {
		g.Output = append(g.Output, &onnx.ValueInfoProto{Name: name})
	}
	m, err := LoadBytes(onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 13}}, Graph: g}), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestManyOutputs makes twenty views of one sum, which the arena holds once and copies would not.
func TestManyOutputs(t *testing.T) {
	const n, views = 1 << 16, 20
	nodes := []*onnx.NodeProto{{OpType: "Add", Input: []string{"x", "x"}, Output: []string{"sum"}}}
	var out []string
	for i := range views {
		out = append(out, fmt.Sprint("y", i))
		nodes = append(nodes, &onnx.NodeProto{OpType: "Reshape", Input: []string{"sum", "shape"}, Output: []string{out[i]}})
	}
	shape := []*onnx.TensorProto{onnxtest.Ints("shape", []int64{-1}, 1)}
	in := map[string]Tensor{"x": {DType: Float32, Shape: []int{1, n}, F32: make([]float32, n)}}
	for _, c := range []struct {
		limit int64
		ok    bool
	}{{4 * n * views, true}, {4*n*views - 1, false}} {
		m := load(t, onnxtest.Value("x", 1, n), out, shape, nodes, Options{Limits: Limits{ArenaBytes: c.limit}})
		s := m.NewSession()
		var results map[string]Tensor
		var err error
		spent := allocated(func() { results, err = s.Run(context.Background(), in) })
		if c.ok && (err != nil || len(results) != views) || !c.ok && (!errors.Is(err, ErrLimit) || spent > 8*n) {
			t.Errorf("limit %d: got %d results, %v, %d bytes", c.limit, len(results), err, spent)
		}
	}
}

// TestListsCount: lists of the places that elements move from or to are memory of a run, which a limit bounds, too.
func TestListsCount(t *testing.T) {
	const n = 1 << 16
	weights := []*onnx.TensorProto{
		onnxtest.Ints("zero", []int64{0}, 1), onnxtest.Ints("end", []int64{n}, 1), onnxtest.Ints("two", []int64{2}, 1),
		onnxtest.Ints("pads", []int64{1, 1}, 2), onnxtest.Ints("index", make([]int64, n), n),
	}
	split := &onnx.NodeProto{OpType: "Split", Output: []string{"y", "z"}, Input: []string{"x"}}
	for _, node := range []*onnx.NodeProto{
		{OpType: "Slice", Input: []string{"x", "zero", "end", "zero", "two"}}, {OpType: "Tile", Input: []string{"x", "two"}},
		{OpType: "Pad", Input: []string{"x", "pads"}}, {OpType: "Gather", Input: []string{"x", "index"}}, split,
	} {
		if node != split {
			node.Output = []string{"y"}
		}
		refused := false
		for limit := int64(1 << 17); limit <= 1<<23; limit *= 2 {
			m := load(t, onnxtest.Value("x", n), []string{"y"}, weights, []*onnx.NodeProto{node}, Options{Threads: 1, Limits: Limits{ArenaBytes: limit}})
			s := m.NewSession()
			spent := allocated(func() {
				_, err := s.Run(context.Background(), map[string]Tensor{"x": {DType: Float32, Shape: []int{n}, F32: make([]float32, n)}})
				if refused = errors.Is(err, ErrLimit); err != nil && !refused {
					t.Errorf("%s: %v", node.OpType, err)
				}
			})
			if most := 3*uint64(limit) + 4*n + 1<<16; spent > most { // the arena, the lists, the copy of the result; the input
				t.Errorf("%s within %d bytes takes %d, want at most %d", node.OpType, limit, spent, most)
			}
		}
		if refused {
			t.Errorf("%s: refused within 8 MiB", node.OpType)
		}
	}
}

// TestFoldedLists: so they are when a model is loaded, though the tensors are empty.
func TestFoldedLists(t *testing.T) {
	one := func(name string, v int64) *onnx.TensorProto { return onnxtest.Ints(name, []int64{v}, 1) }
	weights := []*onnx.TensorProto{one("zero", 0), one("one", 1), one("two", 2), one("end", math.MaxInt64), onnxtest.Ints("shape", []int64{0, 1 << 26}, 2)}
	spent := allocated(func() {
		load(t, onnxtest.Value("x", 1), []string{"y"}, weights, []*onnx.NodeProto{
			node("ConstantOfShape", "shape", "c"), node("Slice", "c,zero,end,one,two", "y")}, Options{Threads: 1})
	})
	if spent > 1<<20 {
		t.Errorf("took %d bytes, want at most 1 MiB", spent)
	}
}

// TestLatentsCount: a sampler's own memory is within the limit too.
func TestLatentsCount(t *testing.T) {
	const nz = 1 << 16
	m := load(t, onnxtest.Value("z", "N", nz), []string{"y"}, nil,
		[]*onnx.NodeProto{{OpType: "ReduceMax", Input: []string{"z"}, Output: []string{"y"}, Attribute: []*onnx.AttributeProto{ints("axes", 1)}}},
		Options{Limits: Limits{ArenaBytes: 1 << 20}})
	spent := allocated(func() {
		if _, err := NewSampler(m, SamplerOptions{Batch: 64}); !errors.Is(err, ErrLimit) {
			t.Errorf("batch 64 of %d latents: got %v, want %v", nz, err, ErrLimit)
		}
		s, err := NewSampler(m, SamplerOptions{})
		if err != nil || s.batch != 2 {
			t.Errorf("got %v, %v, want a batch of 2", s, err)
		}
	})
	if spent > 1<<20 {
		t.Errorf("took %d bytes, want at most 1 MiB", spent)
	}
}

// TestSharedWeights loads many nodes that share one matrix, each of which would like copies of its
// own: scaled by alpha, with a batch norm folded in, packed.
func TestSharedWeights(t *testing.T) {
	const n, layers = 512, 400
	const weights = n*n + n
	ones := make([]float32, n*n)
	for i := range ones {
		ones[i] = 1
	}
	initializers := []*onnx.TensorProto{onnxtest.Floats("w", ones, n, n), onnxtest.Floats("one", ones[:n], n)}
	for _, alpha := range []float32{1, 2} {
		var nodes []*onnx.NodeProto
		x := "x"
		for i := range layers {
			h, y := fmt.Sprint("h", i), fmt.Sprint("y", i)
			nodes = append(nodes,
				&onnx.NodeProto{OpType: "Gemm", Input: []string{x, "w"}, Output: []string{h}, Attribute: []*onnx.AttributeProto{onnxtest.Float("alpha", alpha)}},
				&onnx.NodeProto{OpType: "BatchNormalization", Input: []string{h, "one", "one", "one", "one"}, Output: []string{y}})
			x = y
		}
		var m *Model
		spent := allocated(func() { m = load(t, onnxtest.Value("x", 8, n), []string{x}, initializers, nodes, Options{Threads: 1}) })
		in := map[string]Tensor{"x": {DType: Float32, Shape: []int{8, n}, F32: make([]float32, 8*n)}}
		spent += allocated(func() {
			if _, err := m.NewSession().Run(context.Background(), in); err != nil { // packs
				t.Error(err)
			}
		})
		if most := uint64(4*(2*weights) + 64<<20 + 8<<20); spent > most { // 8 MiB for the file and the graph
			t.Errorf("alpha %v: loading and a run take %d MiB in all, want at most %d", alpha, spent>>20, most>>20)
		}
	}
}

// TestThreadsAreBounded: a mistyped number costs no memory.
func TestThreadsAreBounded(t *testing.T) {
	if n := small(t, Options{Threads: 1 << 30}).pool.Threads(); n != kernel.MaxThreads {
		t.Errorf("%d threads, want %d", n, kernel.MaxThreads)
	}
}
