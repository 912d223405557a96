package export

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gantry/infer"
	"gantry/internal/graph"
	"gantry/internal/onnx"
	"gantry/internal/rng"
	"gantry/models"
)

// bound is the largest difference from the sampling graph, or from the golden,
// that a correct runtime may show, as a share of the value range. Summing in
// another order costs about 1e-6.
const bound = 1e-5

// A DifferenceError says that infer and the Gorgonia sampling graph do not agree,
// although every weight of the file is right. Where activations are huge, the
// rounding of a folded batch norm is enough for that.
type DifferenceError struct {
	Batch int     // samples in the run
	Diff  float64 // the largest difference, as a share of the value range; +Inf if one is not a number
	Bound float64 // the largest allowed
}

func (e *DifferenceError) Error() string {
	return fmt.Sprintf("export: batch %d: infer and the sampling graph differ by %.3g of the value range, want at most %g", e.Batch, e.Diff, e.Bound)
}

// batches are the batch sizes at which a file is compared with the graph.
var batches = [...]int{1, 2, 17}

// Verify reads a file back, through the same path as every user of it, and
// compares it with the model it was written from:
//
//   - opset, IR version, names and shapes are those that the format promises;
//   - every weight is there, equal to the model's bit for bit (folded ones to the
//     fold of the model's), and no other;
//   - infer and the Gorgonia sampling graph agree at batch 1, 2 and 17 within
//     [Report.Bound]; if not, the error is a *DifferenceError;
//   - the samples of the golden in its metadata are reproduced.
//
// The error says what differs: for a weight, its tensor and element. The file
// must not change meanwhile.
func Verify(file []byte, m *graph.Model) (*Report, error) {
	_, info, err := onnx.Prepare(file, onnx.Limits{})
	if err != nil {
		return nil, fmt.Errorf("export: reading back: %w", err)
	}
	if err := verifyInterface(info, m); err != nil {
		return nil, err
	}
	r := &Report{Nodes: len(info.Nodes) - len(info.Outputs), Bytes: len(file), Bound: bound}
	if err := verifyWeights(info, func(o Options) (*network, error) { return lower(m, o) }, r); err != nil {
		return nil, err
	}
	model, err := infer.LoadBytes(file, infer.Options{})
	if err != nil {
		return nil, fmt.Errorf("export: reading back: %w", err)
	}
	for _, n := range batches {
		d, err := difference(model, info, m, n)
		if err != nil {
			return nil, err
		}
		if r.MaxDiff = max(r.MaxDiff, d); !(d <= bound) {
			return nil, &DifferenceError{Batch: n, Diff: d, Bound: bound}
		}
	}
	if _, err := infer.Verify(context.Background(), model); err != nil {
		return nil, fmt.Errorf("export: golden: %w", err)
	}
	return r, nil
}

// verifyInterface checks what a user of the file relies on.
func verifyInterface(info *onnx.Info, m *graph.Model) error {
	if info.Opset != opset || info.IR != irVersion {
		return fmt.Errorf("export: file has opset %d and IR version %d, want %d and %d", info.Opset, info.IR, opset, irVersion)
	}
	for _, v := range []struct {
		what  string
		got   []onnx.Value
		name  string
		shape []int
	}{
		{"input", info.Inputs, m.Spec.Inputs[0].Name, m.G.Input},
		{"output", info.Outputs, outputName(m), m.Spec.Sample.Shape},
	} {
		dims, sym := []int64{-1}, []string{batchName}
		for _, d := range v.shape {
			dims, sym = append(dims, int64(d)), append(sym, "")
		}
		if len(v.got) != 1 {
			return fmt.Errorf("export: file has %d %ss, want one", len(v.got), v.what)
		}
		if x := v.got[0]; x.Name != v.name || x.Type != onnx.Float32 || !slices.Equal(x.Dims, dims) || !slices.Equal(x.Sym, sym) {
			return fmt.Errorf("export: %s is %q %v %v %q, want %q FLOAT %v %q", v.what, x.Name, x.Type, x.Dims, x.Sym, v.name, dims, sym)
		}
	}
	meta, err := onnx.ParseMetadata(info.Metadata)
	if err != nil {
		return fmt.Errorf("export: reading back: %w", err)
	}
	if meta == nil {
		return fmt.Errorf("export: file has no gantry metadata")
	}
	spec, err := m.Spec.JSON()
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if string(meta.Spec) != string(spec) {
		return fmt.Errorf("export: metadata: the spec is not the model's")
	}
	return nil
}

// verifyWeights compares the constants of the file with those that lowering the
// model gives, with and without folding, as the names in the file tell.
func verifyWeights(info *onnx.Info, lower func(Options) (*network, error), r *Report) error {
	folded := false
	for name := range info.Consts {
		folded = folded || strings.Contains(name, foldedMark)
	}
	net, err := lower(Options{Fold: folded})
	if err != nil {
		return err
	}
	for _, w := range net.weights {
		c, ok := info.Consts[w.name]
		if !ok || !slices.Equal(c.Shape, w.shape) {
			return fmt.Errorf("export: tensor %q: shape is %v in the file, want %v", w.name, c.Shape, w.shape)
		}
		if !slices.Equal(c.I, w.i) || len(c.F) != len(w.f) {
			return fmt.Errorf("export: tensor %q: %v in the file, want %v", w.name, c.I, w.i)
		}
		for i, want := range w.f {
			if got := c.F[i]; math.Float32bits(got) != math.Float32bits(want) {
				return fmt.Errorf("export: tensor %q: element %d is %g (0x%08x) in the file, want %g (0x%08x)", w.name, i, got, math.Float32bits(got), want, math.Float32bits(want))
			}
		}
		r.Params += len(w.f)
	}
	if len(info.Consts) != len(net.weights) {
		return fmt.Errorf("export: file has %d tensors, want %d", len(info.Consts), len(net.weights))
	}
	r.Folded = net.folded
	return nil
}

// difference runs n latents through the loaded file and through the sampling
// graph, and returns the largest difference as a share of the value range.
func difference(model *infer.Model, info *onnx.Info, m *graph.Model, n int) (float64, error) {
	z := latents(m.Spec.Inputs[0], n)
	s, err := graph.NewSampler(m, n, nil)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	want, err := s.Run(z)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	in, out := info.Inputs[0].Name, info.Outputs[0].Name
	results, err := model.NewSession().Run(context.Background(), map[string]infer.Tensor{
		in: {DType: infer.Float32, Shape: append([]int{n}, m.G.Input...), F32: z},
	})
	if err != nil {
		return 0, fmt.Errorf("export: batch %d: %w", n, err)
	}
	got := results[out]
	if shape := append([]int{n}, m.Spec.Sample.Shape...); !slices.Equal(got.Shape, shape) || len(got.F32) != len(want) {
		return 0, fmt.Errorf("export: batch %d: output has shape %v and %d elements, want %v and %d", n, got.Shape, len(got.F32), shape, len(want))
	}
	lo, hi := m.Spec.Sample.Range[0], m.Spec.Sample.Range[1]
	return spread(got.F32, want) / (float64(hi) - float64(lo)), nil
}

// spread returns the largest difference between elements of a and b, +Inf if one
// is not a number.
func spread(a, b []float32) float64 {
	most := 0.0
	for i := range a {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		most = max(most, d)
	}
	return most
}

// latents returns latents 0 to n-1 of seed n: those of the golden are not among
// them.
func latents(in models.Input, n int) []float32 {
	z := make([]float32, n*in.Size)
	for i := range n {
		row := z[i*in.Size : (i+1)*in.Size]
		if in.Distribution == models.Uniform {
			rng.Uniform(row, in.Bounds[0], in.Bounds[1], uint64(n), rng.SampleLatent, 0, uint64(i))
		} else {
			rng.Normal(row, uint64(n), rng.SampleLatent, 0, uint64(i))
		}
	}
	return z
}
