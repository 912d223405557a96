package infer

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"gantry/infer/internal/plan"
	"gantry/infer/internal/ref"
	"gantry/internal/atomicfile"
	"gantry/internal/npy"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// filled returns a tensor of what next returns, element by element.
func filled(name string, next func() float32, dims ...int64) *onnx.TensorProto {
	n := int64(1)
	for _, d := range dims {
		n *= d
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = next()
	}
	return onnxtest.Floats(name, x, dims...)
}

// dcgan returns a generator of images of size pixels (28, 32 or 64), as Radford et al. (2016) build it:
// transposed convolutions with batch norm and ReLU, tanh at the end. ngf is the width of the last hidden layer.
func dcgan(pixels, nz, ngf, colours int) []byte {
	r := rand.New(rand.NewPCG(uint64(pixels), uint64(ngf)))
	g := &onnx.GraphProto{Name: "dcgan", Input: []*onnx.ValueInfoProto{onnxtest.Value("z", "N", nz)},
		Output: []*onnx.ValueInfoProto{onnxtest.Value("image", "N", colours, pixels, pixels)}}
	weight := func(name string, mean, deviation float64, dims ...int64) {
		next := func() float32 { return float32(mean + deviation*r.NormFloat64()) }
		g.Initializer = append(g.Initializer, filled(name, next, dims...))
	}
	x := ""
	node := func(op string, in []string, attrs ...*onnx.AttributeProto) {
		x = fmt.Sprint("v", len(g.Node))
		g.Node = append(g.Node, &onnx.NodeProto{Name: x, OpType: op, Input: in, Output: []string{x}, Attribute: attrs})
	}
	g.Initializer = append(g.Initializer, onnxtest.Ints("shape", []int64{-1, int64(nz), 1, 1}, 4))
	node("Reshape", []string{"z", "shape"})
	size := map[int]int{28: 7, 32: 4, 64: 4}[pixels]
	in, out := nz, ngf*pixels/size/2
	for at := 1; at < pixels; in, out = out, out/2 {
		taps, stride, pad := 4, 2, 1
		if at == 1 {
			taps, stride, pad = size, 1, 0
		}
		if at = (at-1)*stride + taps - 2*pad; at == pixels {
			out = colours
		}
		w := fmt.Sprint("w", at)
		weight(w, 0, math.Sqrt(2/float64(in)/math.Pow(float64(taps/stride), 2)), int64(in), int64(out), int64(taps), int64(taps))
		node("ConvTranspose", []string{x, w}, ints("kernel_shape", taps, taps), ints("strides", stride, stride), ints("pads", pad, pad, pad, pad))
		if at == pixels {
			break
		}
		args := []string{x}
		for _, p := range []struct {
			name            string
			mean, deviation float64
		}{{"scale", 1, 0.02}, {"shift", 0, 0.1}, {"mean", 0, 0.1}, {"var", 1, 0.05}} {
			args = append(args, fmt.Sprint(p.name, at))
			weight(args[len(args)-1], p.mean, p.deviation, int64(out))
		}
		node("BatchNormalization", args)
		node("Relu", []string{x})
	}
	node("Tanh", []string{x})
	g.Node[len(g.Node)-1].Output[0] = "image"
	return onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 13}}, Graph: g})
}

func latents(n, nz int) Tensor {
	r := rand.New(rand.NewPCG(3, 4))
	z := Tensor{DType: Float32, Shape: []int{n, nz}, F32: make([]float32, n*nz)}
	for i := range z.F32 {
		z.F32[i] = float32(r.NormFloat64())
	}
	return z
}

// TestDCGANBatches draws the same images in batches of several sizes and with several numbers of threads:
// their bytes are the same, and those of the reference within its bounds.
func TestDCGANBatches(t *testing.T) {
	const n, nz = 17, 10
	z := latents(n, nz)
	for _, pixels := range []int{28, 32, 64} {
		b := dcgan(pixels, nz, 6, 3)
		var want []float32
		for _, threads := range []int{1, 2, 3} {
			m, err := LoadBytes(b, Options{Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			s := m.NewSession()
			for _, batch := range []int{17, 1, 2, 7} {
				var got []float32
				for i := 0; i < n; i += batch {
					k := min(batch, n-i)
					out, err := s.Run(context.Background(), map[string]Tensor{"z": {DType: Float32, Shape: []int{k, nz}, F32: z.F32[i*nz : (i+k)*nz]}})
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, out["image"].F32...)
				}
				if want == nil {
					want = got
				} else if !slices.Equal(got, want) {
					t.Errorf("%d pixels, %d threads, batch %d: other bytes", pixels, threads, batch)
				}
			}
		}
		raw, _, err := decode("", b, onnx.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		exact, err := ref.Run(raw, []*ref.Tensor{ref.From(&plan.Tensor{Type: plan.Type{DType: plan.Float32, Shape: []int{1, nz}}, F: z.F32[:nz]})})
		if err != nil {
			t.Fatal(err)
		}
		shape := []int{1, 3, pixels, pixels}
		if err := ref.Differ(&plan.Tensor{Type: plan.Type{DType: plan.Float32, Shape: shape}, F: want[:plan.Count(shape)]}, exact[0]); err != nil {
			t.Errorf("%d pixels: %v", pixels, err)
		}
	}
}

// TestConcurrentConvolutions runs sessions of one model at once, from the first run on, which packs the weights, and
// with grids of several sizes: the small ones want the plain weights, which a model from a file has given back by then.
// -race looks on.
func TestConcurrentConvolutions(t *testing.T) {
	g := &onnx.GraphProto{Name: "g", Input: []*onnx.ValueInfoProto{onnxtest.Value("x", "N", 5, "H", "W")}, Output: []*onnx.ValueInfoProto{{Name: "y"}}}
	g.Initializer = []*onnx.TensorProto{onnxtest.Floats("w", latents(5, 300*9).F32, 5, 300, 3, 3), onnxtest.Floats("v", latents(7, 300*9).F32, 7, 300, 3, 3)}
	g.Node = []*onnx.NodeProto{
		{OpType: "ConvTranspose", Input: []string{"x", "w"}, Output: []string{"h"}, Attribute: []*onnx.AttributeProto{ints("strides", 3, 3), ints("pads", 1, 1, 1, 1)}},
		{OpType: "Conv", Input: []string{"h", "v"}, Output: []string{"y"}, Attribute: []*onnx.AttributeProto{ints("pads", 1, 1, 1, 1)}},
	}
	b := onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 13}}, Graph: g})
	input := func(size int) map[string]Tensor {
		x := latents(1, 5*size*(size+1)).F32
		return map[string]Tensor{"x": {DType: Float32, Shape: []int{1, 5, size, size + 1}, F32: x}}
	}
	want := make([]map[string]Tensor, 5)
	for i := range want { // each by a model of its own, which packs for that grid
		m, err := LoadBytes(b, Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if want[i], err = m.NewSession().Run(context.Background(), input(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "g.onnx")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	file := func() (*Model, error) { return LoadFile(path, Options{Threads: 2}) }
	for name, c := range map[string]struct {
		load     func() (*Model, error)
		sessions int
	}{
		"bytes": {func() (*Model, error) { return LoadBytes(b, Options{Threads: 2}) }, 4},
		"file":  {file, 4}, "file, large grids first": {file, 1},
	} {
		m, err := c.load()
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for k := range c.sessions {
			wg.Go(func() {
				s := m.NewSession()
				for i := range 20 {
					size := len(want) - (i+k)%len(want)
					got, err := s.Run(context.Background(), input(size))
					if err == nil {
						err = equalTensors(got, want[size-1])
					}
					if err != nil {
						t.Errorf("%s: grid %d: %v", name, size, err)
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestDCGANAllocations: once it has its memory, a plan takes no more.
func TestDCGANAllocations(t *testing.T) {
	m, err := LoadBytes(dcgan(32, 10, 8, 3), Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	s := m.NewSession()
	z := latents(3, 10)
	*s.args[0] = plan.Tensor{Type: plan.Type{DType: plan.Float32, Shape: z.Shape}, F: z.F32}
	if n := testing.AllocsPerRun(20, func() {
		if _, err := s.run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations in a run, want none", n)
	}
}

// TestDCGANMatchesORT compares whole generators with ONNX Runtime, within 1e-5 of the range of images.
func TestDCGANMatchesORT(t *testing.T) {
	runORT := ortRunner(t)
	const nz = 100
	type run struct{ pixels, batch int }
	var runs []run
	dir := t.TempDir()
	file := func(n int, what string) string { return filepath.Join(dir, fmt.Sprintf("%d.%s", n, what)) }
	for _, pixels := range []int{28, 32, 64} {
		for _, batch := range []int{1, 2, 17} {
			if err := os.WriteFile(file(len(runs), "onnx"), dcgan(pixels, nz, 32, 3), 0o666); err != nil {
				t.Fatal(err)
			}
			z := latents(batch, nz)
			if err := atomicfile.WriteFileAtomic(file(len(runs), "in0.npy"), func(w io.Writer) error {
				return npy.Write(w, &npy.Array{DType: npy.Float32, Shape: z.Shape, F32: z.F32})
			}); err != nil {
				t.Fatal(err)
			}
			runs = append(runs, run{pixels, batch})
		}
	}
	runORT(dir)
	for n, r := range runs {
		m, err := LoadFile(file(n, "onnx"), Options{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.NewSession().Run(context.Background(), map[string]Tensor{"z": latents(r.batch, nz)})
		if err != nil {
			t.Fatal(err)
		}
		want, err := npy.ReadFile(file(n, "out0.npy"), 1<<24)
		if err != nil {
			t.Fatal(err)
		}
		most, spread := 0.0, 0.0
		for i, v := range want.F32 {
			most, spread = max(most, math.Abs(float64(v)-float64(got["image"].F32[i]))), max(spread, math.Abs(float64(v)))
		}
		if t.Logf("%d pixels, batch %d: largest difference %.2g, values up to %.2g", r.pixels, r.batch, most, spread); most > 2e-5 || spread < 0.5 {
			t.Errorf("%d pixels, batch %d: differs by %g, want at most 2e-5, values up to %g", r.pixels, r.batch, most, spread)
		}
	}
}

// BenchmarkDCGAN64 runs the generator of the DCGAN tutorial with float output. The result's images/s count
// the copy that Session.Run makes, too.
func BenchmarkDCGAN64(b *testing.B) {
	const nz = 100
	m, err := LoadBytes(dcgan(64, nz, 64, 3), Options{Threads: 2})
	if err != nil {
		b.Fatal(err)
	}
	for _, batch := range []int{1, 64} {
		b.Run(fmt.Sprint("batch", batch), func(b *testing.B) {
			s, in := m.NewSession(), map[string]Tensor{"z": latents(batch, nz)}
			if _, err := s.Run(context.Background(), in); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Run(context.Background(), in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
