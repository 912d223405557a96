package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// small returns onnxtest's small generator, z [N 4] -> image [N 1 2 3].
func small(t testing.TB, o Options) *Model {
	t.Helper()
	m, err := LoadBytes(onnxtest.Bytes(onnxtest.Small()), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func bitsOf(x []float32) []uint32 {
	b := make([]uint32, len(x))
	for i, v := range x {
		b[i] = math.Float32bits(v)
	}
	return b
}

// draw returns all samples of keys, one after another.
func draw(t testing.TB, m *Model, o SamplerOptions, keys []Key) []float32 {
	t.Helper()
	s, err := NewSampler(m, o)
	if err != nil {
		t.Fatal(err)
	}
	var all []float32
	err = s.Sample(context.Background(), keys, func(i int, x []float32) error {
		if len(all) != i*len(x) {
			t.Fatalf("emit got sample %d after %d values", i, len(all))
		}
		all = append(all, x...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSampleSameBits(t *testing.T) {
	keys := Range(7, 5000, 1000)
	want := bitsOf(draw(t, small(t, Options{Threads: 1}), SamplerOptions{Batch: 1}, keys))
	for _, threads := range []int{1, 2, 3} {
		m := small(t, Options{Threads: threads})
		for _, batch := range []int{0, 1, 2, 17, 256, 1000, 5000} {
			t.Run(fmt.Sprintf("threads=%d/batch=%d", threads, batch), func(t *testing.T) {
				if got := bitsOf(draw(t, m, SamplerOptions{Batch: batch}, keys)); !slices.Equal(got, want) {
					t.Error("samples differ from those of batch 1 and one thread")
				}
			})
		}
		for parts := range 8 {
			part := Range(7, uint64(5000+parts*125), 125)
			if got := bitsOf(draw(t, m, SamplerOptions{}, part)); !slices.Equal(got, want[parts*125*6:(parts+1)*125*6]) {
				t.Errorf("range %d of 8 differs from the whole", parts)
			}
		}
	}
}

func TestSampleFixedBatch(t *testing.T) {
	m := onnxtest.Small()
	m.Graph.Input[0] = onnxtest.Value("z", 3, 4)
	fixed, err := LoadBytes(onnxtest.Bytes(m), Options{})
	if err != nil {
		t.Fatal(err)
	}
	keys := Range(1, 0, 10)
	want := bitsOf(draw(t, small(t, Options{}), SamplerOptions{}, keys))
	if got := bitsOf(draw(t, fixed, SamplerOptions{}, keys)); !slices.Equal(got, want) {
		t.Error("a model with a fixed batch of 3 gives other samples")
	}
}

func TestSampleStops(t *testing.T) {
	s, err := NewSampler(small(t, Options{}), SamplerOptions{Batch: 10})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err = s.Sample(ctx, Range(0, 0, 100), func(i int, _ []float32) error {
		if n++; i == 25 {
			cancel()
		}
		return nil
	})
	if err != context.Canceled || n != 30 {
		t.Errorf("got %v after %d samples, want %v after the 30 of three batches", err, n, context.Canceled)
	}
	stop := errors.New("stop")
	if err := s.Sample(context.Background(), Range(0, 0, 100), func(int, []float32) error { return stop }); err != stop {
		t.Errorf("got %v, want emit's error", err)
	}
}

func TestSamplerRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(g *onnx.GraphProto)
		want   string
	}{
		"two inputs":   {func(g *onnx.GraphProto) { g.Input = append(g.Input, onnxtest.Value("x", 1)) }, `inputs are ["z" "x"]; beside latents and labels, ["x"] must be given`},
		"open latent":  {func(g *onnx.GraphProto) { g.Input[0] = onnxtest.Value("z", "N", "K") }, "want [N, nz] with a fixed nz"},
		"rank 1":       {func(g *onnx.GraphProto) { g.Input[0] = onnxtest.Value("z", 4) }, "want [N, nz]"},
		"no shape":     {func(g *onnx.GraphProto) { g.Input[0].Type.TensorType.Shape = nil }, `input "z" has shape any shape, want [N, nz]`},
		"wrong latent": {func(g *onnx.GraphProto) { g.Input[0] = onnxtest.Value("z", "N", 5) }, `node 0 "fc0" (Gemm): weight is [4 5], so input needs 4`},
		"shape latent": {func(g *onnx.GraphProto) {
			for _, n := range g.Node {
				if n.OpType == "Reshape" {
					n.Input[1] = "z"
				}
			}
		}, `input "z" decides shapes, so a plan needs its elements`},
		"no batch": {func(g *onnx.GraphProto) { g.Initializer[4] = onnxtest.Ints("shape", []int64{1, 1, -1, 3}, 4) }, "want float32 [N ...]"},
	} {
		t.Run(name, func(t *testing.T) {
			p := onnxtest.Small()
			c.change(p.Graph)
			m, err := LoadBytes(onnxtest.Bytes(p), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = NewSampler(m, SamplerOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

// TestConcurrent runs sessions and samplers of one model at once; -race looks on.
func TestConcurrent(t *testing.T) {
	m := small(t, Options{Threads: 2})
	want := bitsOf(draw(t, m, SamplerOptions{Batch: 1}, Range(3, 0, 50)))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s, err := NewSampler(m, SamplerOptions{Batch: i + 1})
			if err != nil {
				t.Error(err)
				return
			}
			for range 5 {
				err := s.Sample(context.Background(), Range(3, 0, 50), func(k int, x []float32) error {
					if !slices.Equal(bitsOf(x), want[6*k:6*k+6]) {
						return fmt.Errorf("sample %d has other bits", k)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestSessionReuse switches between shapes, so that plans are kept, thrown away and bound anew.
func TestSessionReuse(t *testing.T) {
	m := small(t, Options{})
	s := m.NewSession()
	for round := range 3 {
		for n := range 40 {
			n = (n*17 + round) % 40
			in := map[string]Tensor{"z": {DType: Float32, Shape: []int{n, 4}, F32: make([]float32, 4*n)}}
			for i := range in["z"].F32 {
				in["z"].F32[i] = float32(i%13) - 6
			}
			got, err := s.Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			want, err := m.NewSession().Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			if err := equalTensors(got, want); err != nil {
				t.Fatalf("batch %d: %v", n, err)
			}
		}
	}
}

func TestRunAllocates(t *testing.T) {
	m := small(t, Options{Threads: 1})
	s := m.NewSession()
	in := map[string]Tensor{"z": {DType: Float32, Shape: []int{64, 4}, F32: make([]float32, 256)}}
	run := func() {
		if _, err := s.Run(context.Background(), in); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(100, run); n > 10 {
		t.Errorf("a second run allocates %v times, want at most 10: the results and their map", n)
	}
}
