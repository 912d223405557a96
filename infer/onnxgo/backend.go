// Package onnxgo is a backend of github.com/owulveryck/onnx-go that runs models on the CPU with
// Gantry's kernels: float32, no cgo, no Gorgonia.
//
//	b := onnxgo.New(onnxgo.WithOpset(13))
//	m := onnx.NewModel(b)
//	err := m.UnmarshalBinary(file)
//	err = m.SetInput(0, x)
//	err = b.Run()
//	y, err := m.GetOutputTensors()
//
// onnx-go trusts its files: a hostile one can crash the process before a backend sees it. For files
// from elsewhere, and for speed, use package infer, which stands on this backend.
//
// # What onnx-go does not say
//
// The opset: state it with [WithOpset]. The name and domain of a node. Which input SetInput sets: it
// counts initializers that the file lists among its inputs, as files of before 2019 do, so it may set a
// weight; Run returns an error when an input that the model needs was never set.
package onnxgo

import (
	"errors"
	"fmt"
	"strings"

	"github.com/owulveryck/onnx-go"
	"gonum.org/v1/gonum/graph"
	"gorgonia.org/tensor"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

// Backend is an onnx-go backend for one model: make a fresh one for each. It must not be used by two
// goroutines at once.
type Backend struct {
	directed // the graph.Directed half, which onnx-go never calls
	opset    int64
	pool     *kernel.Pool
	values   []*value
	declared int // values that stood before the first operation: inputs, outputs, weights
	nodes    []node
	applied  int // operations handed over
	err      error
	runner   *runner // made by Run; nil after a change
}

type directed struct{ graph.Directed }

// Option changes a Backend that New makes.
type Option func(*Backend)

// WithOpset states the opset that the model imports, 7 to 28; without it, 13 is assumed. Operators
// whose meaning changed (Squeeze, for one) are wrong or refused under the wrong opset.
func WithOpset(n int64) Option { return func(b *Backend) { b.opset = n } }

// WithThreads lets a Run use n threads; without it, it uses one. The results do not depend on it.
func WithThreads(n int) Option { return func(b *Backend) { b.pool = kernel.NewPool(n) } }

// New returns an empty backend.
func New(opts ...Option) *Backend {
	b := &Backend{opset: 13}
	for _, o := range opts {
		o(b)
	}
	return b
}

// Close ends the threads of WithThreads. A backend without them needs no Close.
func (b *Backend) Close() { b.pool.Close() }

// value is a tensor of the model. It is onnx-go's graph.Node, Namer and DataCarrier: in onnx-go, the
// nodes of the graph are values, and edges lead from a result to its arguments.
type value struct {
	b       *Backend
	id      int64
	name    string
	in      []*value // arguments of the operation that computes it; nil = left out
	defined bool     // an operation computes it
	filled  int      // how often the file set a tensor: a placeholder, then perhaps an initializer
	fed     bool     // the user set a tensor
	data    tensor.Tensor
}

func (v *value) ID() int64                { return v.id }
func (v *value) SetName(s string)         { v.name = s }
func (v *value) GetName() string          { return v.name }
func (v *value) GetTensor() tensor.Tensor { return v.data }
func (v *value) SetTensor(t tensor.Tensor) error {
	if t == nil {
		return fmt.Errorf("onnxgo: value %q: tensor is nil", v.name)
	}
	v.data = t
	switch {
	case v.b.declared == 0: // still decoding
		v.filled++
	case !v.fed:
		v.fed, v.b.runner = true, nil
	}
	return nil
}

// node is an operation of the model.
type node struct {
	index int // among the operations of the model
	kind  string
	attrs map[string]any
	op    plan.Op
	in    []*value
	out   []*value // nil = nobody wants it
}

// NewNode returns a new value.
func (b *Backend) NewNode() graph.Node {
	v := &value{b: b, id: int64(len(b.values))}
	b.values = append(b.values, v)
	return v
}

// AddNode does nothing: NewNode has added the value.
func (b *Backend) AddNode(graph.Node) {}

// Node returns the value with the given ID, or nil.
func (b *Backend) Node(id int64) graph.Node {
	if id < 0 || id >= int64(len(b.values)) {
		return nil // not a nil *value: onnx-go compares with nil
	}
	return b.values[id]
}

// edge leads from a result to its argument number w.
type edge struct {
	from, to *value
	w        float64
}

func (e edge) From() graph.Node         { return e.from }
func (e edge) To() graph.Node           { return e.to }
func (e edge) ReversedEdge() graph.Edge { return edge{e.to, e.from, e.w} }
func (e edge) Weight() float64          { return e.w }

// NewWeightedEdge returns an edge that SetWeightedEdge takes.
func (b *Backend) NewWeightedEdge(from, to graph.Node, w float64) graph.WeightedEdge {
	f, _ := from.(*value)
	t, _ := to.(*value)
	return edge{f, t, w}
}

// SetWeightedEdge makes the edge's end argument number Weight of its beginning. What is wrong with it
// is returned by ApplyOperation.
func (b *Backend) SetWeightedEdge(e graph.WeightedEdge) {
	if b.declared == 0 {
		b.declared = len(b.values)
	}
	x, ok := e.(edge)
	switch {
	case !ok || x.from == nil || x.to == nil:
		b.fail("an edge is not one of this backend")
	case x.from.name == "": // an output that nobody wants, which all such outputs of a model share
	case x.from == x.to:
		b.fail("value %q feeds itself", x.from.name)
	case x.from.defined || int(x.w) != len(x.from.in):
		b.fail("value %q is defined twice", x.from.name)
	case x.to.name == "":
		x.from.in = append(x.from.in, nil)
	default:
		x.from.in = append(x.from.in, x.to)
	}
}

func (b *Backend) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("onnxgo: "+format, args...)
	}
}

// ApplyOperation makes outs the results of an operation on the arguments that SetWeightedEdge gave them. It
// returns an *onnx.ErrNotImplemented for an operator that does not exist here.
func (b *Backend) ApplyOperation(o onnx.Operation, outs ...graph.Node) error {
	if b.err != nil {
		return b.err
	}
	n, wanted := node{index: b.applied, kind: o.Name, attrs: o.Attributes}, false
	for _, out := range outs {
		v, ok := out.(*value)
		if !ok {
			return fmt.Errorf("onnxgo: %s: an output is not a value of this backend", o.Name)
		}
		if v.name == "" {
			n.out = append(n.out, nil)
			continue
		}
		wanted = wanted || !strings.HasPrefix(v.name, unused)
		if v.defined {
			return fmt.Errorf("onnxgo: %s: value %q is defined twice", o.Name, v.name)
		}
		v.defined = true
		n.in = v.in
		n.out = append(n.out, v)
	}
	switch o.Name {
	case "Constant", "RandomNormal", "RandomUniform":
		n.in = nil // onnx-go invents an argument for nodes that have none
	}
	if wanted {
		op, err := b.newOp(&n)
		if err != nil {
			return err
		}
		n.op = op
		b.nodes = append(b.nodes, n)
	}
	b.applied++
	return nil
}

// newOp checks n and returns its Op.
func (b *Backend) newOp(n *node) (plan.Op, error) {
	d := &plan.Decl{Opset: b.opset, List: len(n.out), In: make([]bool, len(n.in)), Attrs: map[string]any{}}
	for i, v := range n.in {
		d.In[i] = v != nil
	}
	for i, v := range n.out {
		if v != nil && !strings.HasPrefix(v.name, unused) {
			d.Outs = i + 1
		}
	}
	for name, a := range n.attrs {
		if t, ok := a.(tensor.Tensor); ok {
			x, err := fromTensor(t)
			if err != nil {
				return nil, &OperationError{n.index, n.kind, fmt.Errorf("attribute %q: %w", name, err)}
			}
			if s, ok := strings.CutSuffix(name, uint8Suffix); ok {
				name, x.DType = s, plan.Uint8
			}
			a = x
		}
		d.Attrs[name] = a
	}
	n.attrs = d.Attrs
	op, err := plan.NewOp(n.kind, d)
	if u := (*plan.UnsupportedError)(nil); errors.As(err, &u) { // the type that onnx-go's users test for
		return nil, &onnx.ErrNotImplemented{Operator: u.Op, Message: fmt.Sprintf("opset %d; %s", u.Opset, u.Hint)}
	}
	if err != nil {
		return nil, &OperationError{n.index, n.kind, err}
	}
	n.in, n.out = n.in[:len(d.In)], n.out[:d.Outs]
	return op, nil
}

// OperationError says what is wrong with an operation of a model.
type OperationError struct {
	Index int // among the operations, from 0
	Op    string
	Err   error
}

func (e *OperationError) Error() string {
	return fmt.Sprintf("onnxgo: operation %d (%s): %v", e.Index, e.Op, e.Err)
}

// Unwrap returns the cause.
func (e *OperationError) Unwrap() error { return e.Err }

// unused is how the names begin that internal/onnx gives to outputs nobody wants.
const unused = "\x00unused"

// uint8Suffix ends the names that it gives to attributes whose tensor is uint8, which onnx-go cannot read.
const uint8Suffix = "\x00uint8"
