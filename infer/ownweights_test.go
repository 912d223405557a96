package infer

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// sharedWeights returns z [N 4] -> y [N 4], a chain of products with batch norms behind them: two by one matrix, one by a view of another,
// one by that itself, and one by a matrix of its own.
func sharedWeights() []byte {
	g := &onnx.GraphProto{Name: "shared", Input: []*onnx.ValueInfoProto{onnxtest.Value("z", "N", 4)}, Output: []*onnx.ValueInfoProto{onnxtest.Value("y", "N", 4)}}
	number := float32(0)
	next := func() float32 { number++; return number / 64 }
	for _, name := range []string{"twice", "viewed", "own"} {
		g.Initializer = append(g.Initializer, filled(name, next, 4, 4))
	}
	for _, name := range []string{"scale", "shift", "mean", "var"} {
		g.Initializer = append(g.Initializer, filled(name, next, 4))
	}
	g.Initializer = append(g.Initializer, onnxtest.Ints("square", []int64{4, 4}, 2))
	node := func(op, out string, in ...string) {
		g.Node = append(g.Node, &onnx.NodeProto{OpType: op, Input: in, Output: []string{out}})
	}
	node("Reshape", "view", "viewed", "square")
	node("Identity", "same", "view")
	x := "z"
	for i, w := range []string{"twice", "view", "own", "same", "twice"} {
		node("Gemm", fmt.Sprint("h", i), x, w)
		x = fmt.Sprint("n", i)
		node("BatchNormalization", x, fmt.Sprint("h", i), "scale", "shift", "mean", "var")
	}
	node("Identity", "y", x)
	return onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 13}}, Graph: g})
}

// TestOwnWeights: LoadFile, whose weights are its own, folds batch norms into them where they lie, unless something else reads them;
// LoadBytes changes nothing of what it is given. Both models give the same bits.
func TestOwnWeights(t *testing.T) {
	const nz = 16
	for name, c := range map[string]struct {
		file []byte
		nz   int
	}{"shared": {sharedWeights(), 4}, "dcgan": {dcgan(28, nz, 64, 1), nz}} {
		path := filepath.Join(t.TempDir(), "g.onnx")
		if err := os.WriteFile(path, c.file, 0o666); err != nil {
			t.Fatal(err)
		}
		run := func(m *Model, err error) []float32 {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			z := make([]float32, 3*c.nz)
			for i := range z {
				z[i] = float32(i%5) - 2
			}
			out, err := m.NewSession().Run(context.Background(), map[string]Tensor{"z": {DType: Float32, Shape: []int{3, c.nz}, F32: z}})
			if err != nil {
				t.Fatal(err)
			}
			for _, y := range out {
				return y.F32
			}
			return nil
		}
		before := slices.Clone(c.file)
		want := run(LoadBytes(c.file, Options{Threads: 1}))
		if !bytes.Equal(c.file, before) {
			t.Errorf("%s: LoadBytes has changed the file", name)
		}
		if got := run(LoadFile(path, Options{Threads: 1})); !slices.Equal(got, want) {
			t.Errorf("%s: got %v from the file, want %v", name, got[:4], want[:4])
		}
	}
	file := dcgan(28, nz, 64, 1)
	path := filepath.Join(t.TempDir(), "g.onnx")
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := LoadFile(path, Options{Threads: 1})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if n := int(after.TotalAlloc - before.TotalAlloc); n > len(file)*3/2 {
		t.Errorf("LoadFile allocates %d bytes for a file of %d, want no copy of the weights", n, len(file))
	}
	runtime.KeepAlive(m)
}
