package export

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/fold"
	"gantry/internal/graph"
)

// A network is a generator, or another network, as ONNX nodes.
type network struct {
	input   port
	outputs []port
	nodes   []node   // sorted: arguments first
	weights []weight // in the order in which nodes use them
	folded  int      // batch norms that are gone
}

// A port is an input or an output; its shape is that of one sample.
type port struct {
	name  string
	shape []int
}

// A node is an ONNX node with one output.
type node struct {
	name, op string
	attrs    map[string]any // int64, float32, string or []int64
	in       []string
	out      string
}

// A weight is an initializer: f or i is nil.
type weight struct {
	name  string
	shape []int
	f     []float32
	i     []int64
}

// lower walks the sampling graph of the model's generator from its output to its
// inputs. Every operation states its own ONNX node ([graph.Lowering]). The
// weights alias the model's, except folded ones.
func lower(m *graph.Model, o Options) (*network, error) {
	s, err := graph.NewSampler(m, 1, nil)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return lowerGraph(s.Input(), m.Spec.Inputs[0].Name, gorgonia.Nodes{s.Output()}, []string{outputName(m)}, o)
}

// lowerGraph walks a sampling graph from some outputs to its input. They get the
// given names in the file.
func lowerGraph(input *gorgonia.Node, inputName string, outputs gorgonia.Nodes, names []string, o Options) (*network, error) {
	w := &walker{
		net:   &network{input: port{inputName, input.Shape()[1:]}},
		input: input,
		value: map[*gorgonia.Node]string{},
		names: map[string]bool{},
	}
	for i, y := range outputs {
		v, err := w.visit(y, "output")
		if err != nil {
			return nil, err
		}
		w.net.rename(v, names[i])
		w.value[y] = names[i]
		w.net.outputs = append(w.net.outputs, port{names[i], y.Shape()[1:]})
	}
	if o.Fold {
		w.net.fold()
	}
	return w.net, nil
}

// rename gives the result of a node another name.
func (n *network) rename(from, to string) {
	for i := range n.nodes {
		x := &n.nodes[i]
		if x.out == from {
			x.out = to
		}
		for j, v := range x.in {
			if v == from {
				x.in[j] = to
			}
		}
	}
}

// outputName returns "image" for a sample of rank 3 and "sample" for a vector.
func outputName(m *graph.Model) string {
	if len(m.Spec.Sample.Shape) == 3 {
		return "image"
	}
	return "sample"
}

// A walker visits the nodes of an expression graph.
type walker struct {
	net   *network
	input *gorgonia.Node
	value map[*gorgonia.Node]string // ONNX names of what has been visited
	names map[string]bool           // of nodes
}

// visit adds n, after its arguments, and returns the name of its value. Layers
// have names in the expression graph; an operation that is only a part of one is
// named after the layer it belongs to.
func (w *walker) visit(n *gorgonia.Node, layer string) (string, error) {
	if v, ok := w.value[n]; ok {
		return v, nil
	}
	var (
		v   string
		err error
	)
	switch {
	case n == w.input:
		v = w.net.input.name
	case n.Op() == nil:
		v, err = w.parameter(n)
	default:
		v, err = w.operation(n, layer)
	}
	w.value[n] = v
	return v, err
}

func (w *walker) parameter(n *gorgonia.Node) (string, error) {
	t, ok := n.Value().(*tensor.Dense)
	if !ok || t.Dtype() != tensor.Float32 {
		return "", fmt.Errorf("export: tensor %q is a %T, want a dense float32 tensor", n.Name(), n.Value())
	}
	data := t.Float32s()
	for i, v := range data {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return "", fmt.Errorf("export: tensor %q: element %d is %v, want finite weights", n.Name(), i, v)
		}
	}
	w.net.weights = append(w.net.weights, weight{name: n.Name(), shape: t.Shape().Clone(), f: data})
	return n.Name(), nil
}

func (w *walker) operation(n *gorgonia.Node, layer string) (string, error) {
	l, ok := n.Op().(graph.Lowering)
	if !ok {
		return "", fmt.Errorf("export: layer %q: operation %v has no ONNX form", layer, n.Op())
	}
	op, attrs, consts := l.ONNX()
	if op == "" {
		return w.visit(graph.Children(n)[0], layer)
	}
	name := n.Name()
	if own := !strings.Contains(name, "("); own { // otherwise Gorgonia made it up from the operation
		layer = name
	} else {
		name = layer + "." + strings.ToLower(op)
	}
	if w.names[name] {
		return "", fmt.Errorf("export: layer %q: two nodes have the name %q", layer, name)
	}
	w.names[name] = true
	x := node{name: name, op: op, attrs: attrs, out: name}
	for _, c := range graph.Children(n) {
		v, err := w.visit(c, layer)
		if err != nil {
			return "", err
		}
		x.in = append(x.in, v)
	}
	for k, c := range consts {
		v := name + ".const"
		if k > 0 {
			v = fmt.Sprint(v, k)
		}
		switch c := c.(type) {
		case []int64:
			w.net.weights = append(w.net.weights, weight{name: v, shape: []int{len(c)}, i: c})
		case []float32:
			w.net.weights = append(w.net.weights, weight{name: v, shape: []int{len(c)}, f: c})
		default:
			v = "" // left out
		}
		x.in = append(x.in, v)
	}
	w.net.nodes = append(w.net.nodes, x)
	return x.out, nil
}

// foldedMark is in the names of folded weights: they are not the model's.
const foldedMark = ".folded."

// foldable lists the nodes into which a batch norm behind them can be folded.
var foldable = []string{"Gemm", "Conv", "ConvTranspose"}

// fold puts each BatchNormalization whose argument is a Gemm, Conv or
// ConvTranspose of its own into that node, under new names.
func (n *network) fold() {
	uses := map[string]int{}
	made := map[string]int{} // value -> node
	for i, x := range n.nodes {
		for _, v := range x.in {
			uses[v]++
		}
		made[x.out] = i
	}
	for _, y := range n.outputs {
		uses[y.name]++
	}
	gone := map[string]bool{} // nodes, by name
	for _, x := range n.nodes {
		if x.op != "BatchNormalization" {
			continue
		}
		at, ok := made[x.in[0]]
		if !ok {
			continue
		}
		g := &n.nodes[at]
		eps, ok := x.attrs["epsilon"].(float32)
		if !ok || !slices.Contains(foldable, g.op) || uses[g.out] != 1 || uses[g.in[1]] != 1 || len(g.in) == 3 && uses[g.in[2]] != 1 {
			continue
		}
		// A node without a bias gets one, in the place of the norm's.
		weights, bias, before := n.weight(g.in[1]), n.weight(x.in[2]), []float32(nil)
		if len(g.in) == 3 {
			bias = n.weight(g.in[2])
			before = bias.f
		}
		gamma, beta, mean, variance := n.weight(x.in[1]).f, n.weight(x.in[2]).f, n.weight(x.in[3]).f, n.weight(x.in[4]).f
		switch g.op {
		case "Gemm":
			weights.f, bias.f = fold.BatchNorm(nil, weights.f, before, gamma, beta, mean, variance, eps, false)
		case "Conv":
			weights.f, bias.f = fold.Conv(nil, weights.f, before, gamma, beta, mean, variance, eps)
		case "ConvTranspose":
			weights.f, bias.f = fold.ConvTranspose(nil, weights.f, before, gamma, beta, mean, variance, eps, weights.shape[0], 1)
		}
		weights.name, bias.name = g.name+foldedMark+"weight", g.name+foldedMark+"bias"
		g.in = []string{g.in[0], weights.name, bias.name}
		g.out = x.out
		gone[x.name] = true
		n.folded++
	}
	if n.folded == 0 {
		return
	}
	var nodes []node
	for _, x := range n.nodes {
		if !gone[x.name] {
			nodes = append(nodes, x)
		}
	}
	used := map[string]bool{}
	for _, x := range nodes {
		for _, v := range x.in {
			used[v] = true
		}
	}
	var weights []weight
	for _, t := range n.weights {
		if used[t.name] {
			weights = append(weights, t)
		}
	}
	n.nodes, n.weights = nodes, weights
}

// weight returns the weight of that name.
func (n *network) weight(name string) *weight {
	for i := range n.weights {
		if n.weights[i].name == name {
			return &n.weights[i]
		}
	}
	panic("export: internal error: no weight " + name)
}

// String returns the network as text, one node on a line, for people and tests.
func (n *network) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "input %s\n", n.input.name)
	for _, w := range n.weights {
		fmt.Fprintf(&b, "weight %s %v\n", w.name, w.shape)
	}
	for _, x := range n.nodes {
		fmt.Fprintf(&b, "%s = %s(%s)", x.out, x.op, strings.Join(x.in, ", "))
		for _, key := range slices.Sorted(maps.Keys(x.attrs)) {
			fmt.Fprintf(&b, " %s=%v", key, x.attrs[key])
		}
		fmt.Fprintf(&b, "    # %s\n", x.name)
	}
	for _, y := range n.outputs {
		fmt.Fprintf(&b, "output %s\n", y.name)
	}
	return b.String()
}
