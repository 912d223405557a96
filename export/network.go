package export

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"

	"gantry/infer"
	"gantry/internal/graph"
	"gantry/internal/onnx"
	"gantry/internal/rng"
	"gantry/models"
)

// An Output is a result of a network: what the layer of that name gives, a vector
// for each sample, under the name that it gets in the file.
type Output struct{ Name, Layer string }

// Network returns a network that is no generator, such as a classifier, as an
// ONNX file: its input, under the given name, float32 [N ...], and some outputs,
// float32 [N d]. Batch norms are folded. props are the file's metadata.
//
// Like a generator's file it is read back first: its weights are those of the
// network bit for bit, and its outputs at batch 1, 2 and 17, for inputs in
// [0, 1], those of the sampling graph within [Report.Bound] of the largest.
func Network(net *graph.Net, input string, outputs []Output, props map[string]string) ([]byte, *Report, error) {
	lower := func(o Options) (*network, error) {
		x, ys, err := sampling(net, input, outputs, 1)
		if err != nil {
			return nil, err
		}
		names := make([]string, len(outputs))
		for i, y := range outputs {
			names[i] = y.Name
		}
		return lowerGraph(x, input, ys, names, o)
	}
	lowered, err := lower(Options{Fold: true})
	if err != nil {
		return nil, nil, err
	}
	file, err := encode(lowered, net.Name, props)
	if err != nil {
		return nil, nil, err
	}
	_, info, err := onnx.Prepare(file, onnx.Limits{})
	if err != nil {
		return nil, nil, fmt.Errorf("export: reading back: %w", err)
	}
	r := &Report{Nodes: len(lowered.nodes), Bytes: len(file), Bound: bound}
	if err := verifyWeights(info, lower, r); err != nil {
		return nil, nil, err
	}
	model, err := infer.LoadBytes(file, infer.Options{})
	if err != nil {
		return nil, nil, fmt.Errorf("export: reading back: %w", err)
	}
	for _, n := range batches {
		d, err := networkDifference(model, net, input, outputs, n)
		if err != nil {
			return nil, nil, err
		}
		if r.MaxDiff = max(r.MaxDiff, d); !(d <= bound) {
			return nil, nil, &DifferenceError{Batch: n, Diff: d, Bound: bound}
		}
	}
	return file, r, nil
}

// sampling returns the sampling graph of a network: its input, and the nodes of
// the outputs.
func sampling(net *graph.Net, input string, outputs []Output, batch int) (*gorgonia.Node, gorgonia.Nodes, error) {
	g := gorgonia.NewGraph()
	x := graph.Input(g, input, append([]int{batch}, net.Input...)...)
	if _, err := graph.Build(g, net, x, graph.Sampling, new(graph.Context), nil); err != nil {
		return nil, nil, fmt.Errorf("export: %w", err)
	}
	var ys gorgonia.Nodes
	for _, o := range outputs {
		found := g.ByName(net.Prefix + "." + o.Layer)
		if len(found) != 1 || found[0].Dims() != 2 {
			return nil, nil, fmt.Errorf("export: output %q: %s has no layer %q whose result is a vector", o.Name, net.Name, o.Layer)
		}
		ys = append(ys, found[0])
	}
	return x, ys, nil
}

// networkDifference runs n random inputs through the loaded file and through the
// sampling graph, and returns the largest difference of an output as a share of
// its largest element.
func networkDifference(model *infer.Model, net *graph.Net, input string, outputs []Output, n int) (float64, error) {
	x, ys, err := sampling(net, input, outputs, n)
	if err != nil {
		return 0, err
	}
	rng.Uniform(graph.Floats(x), 0, 1, uint64(n), rng.SampleLatent, 0, 0)
	vm, err := graph.NewVM(ys)
	if err == nil {
		err = vm.Run(0)
	}
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	shape := append([]int{n}, net.Input...)
	results, err := model.NewSession().Run(context.Background(), map[string]infer.Tensor{input: {DType: infer.Float32, Shape: shape, F32: graph.Floats(x)}})
	if err != nil {
		return 0, fmt.Errorf("export: batch %d: %w", n, err)
	}
	worst := 0.0
	for i, o := range outputs {
		got, want := results[o.Name], graph.Floats(ys[i])
		if !slices.Equal(got.Shape, ys[i].Shape()) || models.Elements(got.Shape) != len(want) {
			return 0, fmt.Errorf("export: batch %d: output %q has shape %v, want %v", n, o.Name, got.Shape, ys[i].Shape())
		}
		most := 0.0
		for _, v := range want {
			most = max(most, math.Abs(float64(v)))
		}
		worst = max(worst, spread(got.F32, want)/max(most, 1e-30))
	}
	return worst, nil
}
