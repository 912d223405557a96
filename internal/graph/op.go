package graph

import (
	"fmt"
	"hash"
	"sync/atomic"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// A Lowering is an operation that can stand in a sampling graph: it says which
// ONNX node (opset 13) it is. Every operation that [Build] makes in [Sampling]
// mode has it; dropout is not among them because Build leaves it out.
//
// The node's inputs are the operation's arguments in order ([Children] of the
// graph node), followed by one initializer for each of consts. Its output has the
// graph node's shape, with the batch in front: images that are HWNC here are
// NCHW there. An operation that only changes the layout has the type "": it is no
// node, and its result is its argument.
//
//	linear           Gemm                transB=1                      x [N,K], weight [M,K], bias [M] or none
//	conv             Conv                kernel_shape, strides, pads   x [N,C,H,W], weight [K,C,R,S], bias [K] or none
//	conv_transpose   ConvTranspose       and output_padding            x [N,K,H,W], weight [K,C,R,S], bias [C] or none
//	relu             Relu
//	leaky_relu       LeakyRelu           alpha
//	tanh             Tanh
//	sigmoid          Sigmoid
//	batch_norm       BatchNormalization  epsilon                       x [N,C] or [N,C,H,W], scale, bias, mean, variance [C]
//	upsample         Resize              mode=nearest          consts none, scales
//	global_avg_pool  GlobalAveragePool
//	reshape          Reshape                                   consts [-1 ...]
//	flatten          Flatten             axis=1
//	maxout           Gemm, Reshape to [-1 units pieces], ReduceMax axes=[-1] keepdims=0
//
// An argument that has no operation (Op() == nil) is the input "z" or a
// parameter under its name in the model, such as "g.2.weight". The node of a
// layer has the layer's ID as its name, "g.2"; the two before a maxout's last
// are "g.2.linear" and "g.2.pieces".
type Lowering interface {
	// ONNX returns the node's type, its attributes (values of type int64, float32,
	// string or []int64) and its constant inputs ([]int64, []float32, or nil for one
	// that is left out). The caller may keep them.
	ONNX() (opType string, attrs map[string]any, consts []any)
}

// Children returns the arguments of a node, in order.
func Children(n *gorgonia.Node) []*gorgonia.Node {
	g := n.Graph()
	if g == nil || !g.Has(n.ID()) {
		return nil
	}
	var cs []*gorgonia.Node
	for it := g.From(n.ID()); it.Next(); {
		cs = append(cs, it.Node().(*gorgonia.Node))
	}
	return cs
}

// A body is what one operation computes. Its sizes are fixed when the node is
// made, because a graph has one batch size.
type body interface {
	name() string
	// run writes all of dst, which overlaps none of the inputs, and changes
	// nothing else that outlasts the run.
	run(c *Context, dst []float32, in [][]float32)
}

// A viewer is a body whose result may be the elements of its only argument, in
// their order: a machine that knows need not run it.
type viewer interface{ view() bool }

// A differentiable body gives the nodes of its gradient: x are the arguments,
// y is the result and g the gradient with respect to y. wrt says which of the
// arguments have a gradient; the others' entries are nil. An argument is left
// out where the result does not depend on it, or is constant wherever it has a
// derivative; where the gradient is merely not written, grad returns an error.
type differentiable interface {
	wrt() []bool
	grad(c *Context, x gorgonia.Nodes, y, g *gorgonia.Node) (gorgonia.Nodes, error)
}

// op makes a Gorgonia operation of a body.
type op struct {
	body
	c   *Context
	id  int64
	in  []int // dimensions of each argument
	out tensor.Shape
	buf [][]float32 // arguments of the run in progress
}

// lowered is an op that also is a [Lowering].
type lowered struct {
	*op
	Lowering
}

var opCount atomic.Int64

// apply adds a node that computes b to the graph of the arguments. Its result
// has the given shape, in float32.
func apply(c *Context, b body, shape tensor.Shape, args ...*gorgonia.Node) (*gorgonia.Node, error) {
	o := &op{body: b, c: c, id: opCount.Add(1), out: shape, in: make([]int, len(args)), buf: make([][]float32, len(args))}
	for i, a := range args {
		o.in[i] = a.Shape().Dims()
	}
	var g gorgonia.Op = o
	if l, ok := b.(Lowering); ok {
		g = &lowered{o, l}
	}
	n, err := gorgonia.ApplyOp(g, args...)
	if err != nil {
		return nil, fmt.Errorf("graph: %s: %w", b.name(), err)
	}
	return n, nil
}

// opOf returns the operation that computes n; nil if n is an input, or an
// operation that is not of this package.
func opOf(n *gorgonia.Node) *op {
	switch o := n.Op().(type) {
	case *op:
		return o
	case *lowered:
		return o.op
	}
	return nil
}

// Arity returns the number of arguments.
func (o *op) Arity() int { return len(o.in) }

// Type returns the operation's type: tensors of fixed rank over one element type.
func (o *op) Type() hm.Type {
	a := hm.TypeVariable('a')
	ts := make([]hm.Type, 0, len(o.in)+1)
	for _, d := range o.in {
		ts = append(ts, gorgonia.TensorType{Dims: d, Of: a})
	}
	return hm.NewFnType(append(ts, gorgonia.TensorType{Dims: o.out.Dims(), Of: a})...)
}

// InferShape returns the shape that was fixed when the node was made.
func (o *op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return o.out.Clone(), nil }

// ReturnsPtr says that results are pointers to tensors.
func (o *op) ReturnsPtr() bool { return true }

// CallsExtern makes Gorgonia allocate the result before the operation runs.
func (o *op) CallsExtern() bool { return true }

// OverwritesInput says that no argument is ever overwritten.
func (o *op) OverwritesInput() int { return -1 }

// WriteHash writes an identity that no other operation of the process has:
// Gorgonia merges nodes whose hashes agree.
func (o *op) WriteHash(h hash.Hash) { fmt.Fprintf(h, "gantry %s#%d", o.name(), o.id) }

// Hashcode returns a number that no other operation of the process has, so that
// Gorgonia's comparison of nodes with equal hashes keeps them apart.
func (o *op) Hashcode() uint32 { return uint32(o.id) }

// String names the operation.
func (o *op) String() string { return o.name() }

// Do computes into a fresh tensor.
func (o *op) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return o.UsePreallocDo(tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(o.out...)), in...)
}

// UsePreallocDo computes into pre, a float32 tensor of the result's shape. A
// panic on this goroutine, such as a kernel's that refuses shapes before it
// begins, becomes an error: Gorgonia runs operations in a goroutine of its own,
// where it would end the process. One on a worker of the pool still does.
func (o *op) UsePreallocDo(pre gorgonia.Value, in ...gorgonia.Value) (out gorgonia.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("graph: %s: %v", o.name(), r)
		}
	}()
	if len(in) != len(o.in) {
		return nil, fmt.Errorf("graph: %s: got %d arguments, want %d", o.name(), len(in), len(o.in))
	}
	for i, v := range in {
		d, ok := v.(*tensor.Dense)
		if !ok {
			return nil, fmt.Errorf("graph: %s: argument %d is a %T, want a dense tensor", o.name(), i, v)
		}
		o.buf[i] = d.Float32s()
	}
	d, ok := pre.(*tensor.Dense)
	if !ok || !d.Shape().Eq(o.out) {
		return nil, fmt.Errorf("graph: %s: the result's tensor is %v, want a dense one of shape %v", o.name(), pre.Shape(), o.out)
	}
	o.run(o.c, d.Float32s(), o.buf)
	return pre, nil
}

// DiffWRT says with respect to which arguments the operation has a gradient.
func (o *op) DiffWRT(n int) []bool {
	if d, ok := o.body.(differentiable); ok {
		return d.wrt()
	}
	return make([]bool, n)
}

// SymDiff returns the nodes of the gradients with respect to the arguments.
func (o *op) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	d, ok := o.body.(differentiable)
	if !ok {
		return nil, fmt.Errorf("graph: %s: has no gradient", o.name())
	}
	return d.grad(o.c, in, out, grad)
}

// one is the list of a single gradient.
func one(n *gorgonia.Node, err error) (gorgonia.Nodes, error) { return gorgonia.Nodes{n}, err }

// two collects a pair of nodes, or the first error.
func two(a *gorgonia.Node, err error) func(*gorgonia.Node, error) (gorgonia.Nodes, error) {
	return func(b *gorgonia.Node, err2 error) (gorgonia.Nodes, error) {
		if err == nil {
			err = err2
		}
		if err != nil {
			return nil, err
		}
		return gorgonia.Nodes{a, b}, nil
	}
}
