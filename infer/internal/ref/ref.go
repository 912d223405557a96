// Package ref runs graphs naively: each node by itself, in float64, element by element, reading the
// attributes as the file has them. Plans are compared with it in tests.
//
// Beside each value it carries a bound on how far a float32 computation in any order may end from
// it, by running error analysis (Wilkinson 1963; Higham, Accuracy and Stability of Numerical
// Algorithms, section 3.3), so that tests need no tolerance of their own.
package ref

import (
	"fmt"
	"math"

	"gantry/infer/internal/plan"
)

// Tensor is a dense array in C order. A tensor of integers has I; one of floats V, and E beside it.
type Tensor struct {
	DType plan.DType // 0 of what an operator returns is int64
	Shape []int
	V     []float64
	E     []float64 // a correct float32 result is within E[i] of V[i]
	I     []int64
}

// unit is the relative error of one float32 operation, twice the unit roundoff to cover what is
// left out: errors of errors, and functions that are right to an ulp.
const unit = 1.0 / (1 << 23)

// tiny covers results in the range of subnormal numbers.
const tiny = 1e-40

// From returns x as exact numbers.
func From(x *plan.Tensor) *Tensor {
	t := &Tensor{DType: x.DType, Shape: x.Shape, I: x.I}
	if x.DType == plan.Float32 {
		t.V, t.E = make([]float64, len(x.F)), make([]float64, len(x.F))
		for i, v := range x.F {
			t.V[i] = float64(v)
		}
	}
	return t
}

// Differ returns an error unless got is within the bounds of want.
func Differ(got *plan.Tensor, want *Tensor) error {
	if !plan.SameShape(got.Shape, want.Shape) {
		return fmt.Errorf("shape is %v, want %v", got.Shape, want.Shape)
	}
	if got.DType != want.DType || len(got.I) != len(want.I) || len(got.F) != len(want.V) {
		return fmt.Errorf("%v has %d floats and %d integers, want %v, %d and %d", got.DType, len(got.F), len(got.I), want.DType, len(want.V), len(want.I))
	}
	for i, v := range want.I {
		if got.I[i] != v {
			return fmt.Errorf("element %d is %d, want %d", i, got.I[i], v)
		}
	}
	for i, v := range want.V {
		d := math.Abs(float64(got.F[i]) - v)
		if !(d <= want.E[i]) && !math.IsNaN(v) && !math.IsInf(want.E[i], 0) && !math.IsNaN(want.E[i]) && math.Abs(v) < math.MaxFloat32 {
			return fmt.Errorf("element %d is %v, want %v within %g", i, got.F[i], v, want.E[i])
		}
	}
	return nil
}

// Run computes all values of g in order and returns its outputs.
func Run(g *plan.Graph, in []*Tensor) ([]*Tensor, error) {
	values := make([]*Tensor, len(g.Values))
	for v := range g.Values {
		if c := g.Values[v].Const; c != nil {
			values[v] = From(c)
		}
	}
	for i, v := range g.Inputs {
		values[v] = in[i]
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		args := make([]*Tensor, len(n.In))
		for k, v := range n.In {
			if v != plan.Absent {
				args[k] = values[v]
			}
		}
		f := operators[n.Kind]
		if f == nil {
			return nil, fmt.Errorf("%s: the reference has no such operator", n.Where())
		}
		for k, v := range n.Out {
			out, err := f(node{n.Attrs, g.Opset, n.Index, k, len(n.Out)}, args)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", n.Where(), err)
			}
			if values[v] = out; out.DType == 0 {
				out.DType = plan.Int64
			}
		}
	}
	out := make([]*Tensor, len(g.Outputs))
	for i, v := range g.Outputs {
		out[i] = values[v]
	}
	return out, nil
}

// node is what an operator knows besides its arguments.
type node struct {
	attrs map[string]any
	opset int64
	index int // of the node in the file

	result, results int // which of how many results is wanted
}

func (n node) int(name string, def int64) int64 {
	if v, ok := n.attrs[name].(int64); ok {
		return v
	}
	return def
}

func (n node) float(name string, def float32) float64 {
	if v, ok := n.attrs[name].(float32); ok {
		return float64(v)
	}
	return float64(def)
}

// axis returns the attribute axis, counted from the front of rank dimensions.
func (n node) axis(def int64, rank int) int {
	axis := int(n.int("axis", def))
	if axis < 0 {
		axis += rank
	}
	return axis
}

func (n node) text(name, def string) string {
	if v, ok := n.attrs[name].(string); ok && v != "" {
		return v
	}
	return def
}

// operators holds the reference of each operator, which computes the result that the node says; its file adds it.
var operators = map[string]func(n node, in []*Tensor) (*Tensor, error){}

// size returns the product of shape.
func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// newFloats returns zeros.
func newFloats(shape []int) *Tensor {
	return &Tensor{DType: plan.Float32, Shape: shape, V: make([]float64, size(shape)), E: make([]float64, size(shape))}
}

// newLike returns zeros of x's type.
func newLike(x *Tensor, shape []int) *Tensor {
	if x.V == nil {
		return &Tensor{DType: x.DType, Shape: shape, I: make([]int64, size(shape))}
	}
	return newFloats(shape)
}

// set stores v, which one float32 operation rounds, with the error e of what it was computed from.
func (t *Tensor) set(i int, v, e float64) {
	t.V[i], t.E[i] = v, e+unit*(math.Abs(v)+e)+tiny
}

// move copies element j of x to element i of t.
func (t *Tensor) move(i int, x *Tensor, j int) {
	if x.V == nil {
		t.I[i] = x.I[j]
	} else {
		t.V[i], t.E[i] = x.V[j], x.E[j]
	}
}

// index returns the place of the element at coordinates c of the broadcast shape in an array of
// shape s.
func index(c, s []int) int {
	at := 0
	for k, d := range s {
		i := c[len(c)-len(s)+k]
		if d == 1 {
			i = 0
		}
		at = at*d + i
	}
	return at
}

// each calls f for all coordinates of shape, in C order. f must not keep c.
func each(shape []int, f func(i int, c []int)) {
	c := make([]int, len(shape))
	for i := range size(shape) {
		f(i, c)
		for k := len(c) - 1; k >= 0; k-- {
			if c[k]++; c[k] < shape[k] {
				break
			}
			c[k] = 0
		}
	}
}
