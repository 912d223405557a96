package graph

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/kernel"
	"gantry/internal/rng"
)

// An opCase is a function of some inputs made of one operation.
type opCase struct {
	name   string
	shapes [][]int
	build  func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error)
	kinks  bool // the function has kinks: spread inputs away from 0 and from each other
	fused  bool // the second derivative is not written, and says so
}

var opCases = []opCase{
	{name: "gemm nn", shapes: [][]int{{4, 3}, {3, 5}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return gemmOf(c, kernel.NN, x[0], x[1]) }},
	{name: "gemm nt", shapes: [][]int{{4, 3}, {5, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return gemmOf(c, kernel.NT, x[0], x[1]) }},
	{name: "gemm tn", shapes: [][]int{{4, 3}, {4, 5}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return gemmOf(c, kernel.TN, x[0], x[1]) }},
	{name: "linear without bias", shapes: [][]int{{4, 3}, {5, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return linearOf(c, x[0], x[1], nil) }},
	{name: "linear", shapes: [][]int{{4, 3}, {5, 3}, {5}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return linearOf(c, x[0], x[1], x[2]) }},
	{name: "col_sum", shapes: [][]int{{4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return colSumOf(c, x[0]) }},
	{name: "row_broadcast", shapes: [][]int{{3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		return rowBroadcastOf(c, x[0], tensor.Shape{4, 3})
	}},
	{name: "add", shapes: [][]int{{4, 3}, {4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return Add(c, x[0], x[1]) }},
	{name: "add twice the same", shapes: [][]int{{4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return Add(c, x[0], x[0]) }},
	{name: "mul", shapes: [][]int{{4, 3}, {4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return mulOf(c, x[0], x[1]) }},
	{name: "square", shapes: [][]int{{4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return mulOf(c, x[0], x[0]) }},
	{name: "affine", shapes: [][]int{{4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return affineOf(c, x[0], -1.5, 0.25) }},
	{name: "relu", kinks: true, shapes: [][]int{{4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		return elementwise(c, act{kernel.Relu, 0}, x[0])
	}},
	{name: "leaky_relu", kinks: true, shapes: [][]int{{4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		return elementwise(c, act{kernel.LeakyRelu, 0.2}, x[0])
	}},
	{name: "tanh", shapes: [][]int{{4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		return elementwise(c, act{kernel.Tanh, 0}, x[0])
	}},
	{name: "sigmoid", shapes: [][]int{{4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		return elementwise(c, act{kernel.Sigmoid, 0}, x[0])
	}},
	{name: "max", kinks: true, shapes: [][]int{{4, 6}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return maxPiecesOf(c, x[0], 3) }},
	{name: "max of rank 3", kinks: true, shapes: [][]int{{4, 2, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return maxPiecesOf(c, x[0], 3) }},
	{name: "dropout", shapes: [][]int{{4, 6}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		return dropoutOf(c, x[0], &Pass{Number: 3}, 7, 0.5, 2)
	}},
	{name: "reshape", shapes: [][]int{{4, 6}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return reshapeOf(c, x[0], false, 2, 3) }},
	{name: "flatten", shapes: [][]int{{4, 2, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return reshapeOf(c, x[0], true, 6) }},
	{name: "batch_norm", fused: true, shapes: [][]int{{8, 3}, {3}, {3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		y, _, err := normOf(c, x[0], x[1], x[2], 1e-5, act{})
		return y, err
	}},
	{name: "batch_norm of images", fused: true, shapes: [][]int{{2, 2, 3, 2}, {2}, {2}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		y, _, err := normOf(c, x[0], x[1], x[2], 1e-5, act{})
		return y, err
	}},
	{name: "conv", shapes: [][]int{{5, 4, 2, 3}, {2, 3, 4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		return convOf(c, x[0], x[1], nil, 2, 1, act{})
	}},
	{name: "conv, bias and tanh", shapes: [][]int{{3, 3, 2, 1}, {2, 1, 2, 2}, {2}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		return convOf(c, x[0], x[1], x[2], 1, 0, act{kind: kernel.Tanh})
	}},
	{name: "conv_transpose", shapes: [][]int{{2, 3, 2, 3}, {3, 2, 4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		return convTransposeOf(c, x[0], x[1], nil, 2, 1, 1, act{})
	}},
	{name: "conv_transpose, bias and sigmoid", shapes: [][]int{{1, 1, 3, 2}, {2, 3, 2, 2}, {3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		return convTransposeOf(c, x[0], x[1], x[2], 1, 0, 0, act{kind: kernel.Sigmoid})
	}},
	{name: "conv_weight", shapes: [][]int{{4, 4, 2, 2}, {2, 2, 2, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		return convWeight{kernel.NewConv(kernel.ConvShape{H: 4, W: 4, C: 2, OH: 2, OW: 2, K: 3, R: 3, S: 3, StrideH: 2, StrideW: 2,
			PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 1}), 2}.apply(c, x[0], x[1])
	}},
	{name: "col_sum of images", shapes: [][]int{{2, 3, 2, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return colSumOf(c, x[0]) }},
	{name: "to_hwnc", shapes: [][]int{{2, 3, 4, 2}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return layoutOf(c, x[0], true) }},
	{name: "from_hwnc", shapes: [][]int{{2, 3, 4, 2}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return layoutOf(c, x[0], false) }},
	{name: "upsample", shapes: [][]int{{2, 3, 2, 2}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return upsampleOf(c, x[0], 3) }},
	{name: "global_avg_pool", shapes: [][]int{{2, 3, 2, 2}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return meanPixelsOf(c, x[0]) }},
	{name: "softplus_mean", fused: true, shapes: [][]int{{6, 1}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return Softplus(c, x[0], 1, 0.5) }},
	{name: "softplus_mean of -x", fused: true, shapes: [][]int{{6, 1}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return Softplus(c, x[0], -1, 2) }},
	{name: "cross_entropy", fused: true, shapes: [][]int{{4, 3}}, build: func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
		y := Input(x[0].Graph(), "probabilities", 4, 3)
		copy(Floats(y), []float32{1, 0, 0, 0, 0, 1, 0.25, 0.5, 0.25, 0, 1, 0})
		return CrossEntropy(c, x[0], y)
	}},
}

// inputsFor adds the inputs of a case to a graph and fills them.
func inputsFor(g *gorgonia.ExprGraph, o opCase) []*gorgonia.Node {
	var x []*gorgonia.Node
	for i, s := range o.shapes {
		n := Input(g, fmt.Sprintf("x%d", i), s...)
		fillCase(Floats(n), o.kinks && i == 0, uint64(i))
		x = append(x, n)
	}
	return x
}

// fillCase fills v with values in [-1.5, 1.5]; where the function has kinks,
// all values and 0 are at least 0.1 apart.
func fillCase(v []float32, kinks bool, index uint64) {
	rng.Uniform(v, -1.5, 1.5, 42, rng.Augment, 0, index)
	if kinks {
		order := make([]uint32, len(v))
		rng.Permutation(order, 42, rng.Order, index)
		for i, p := range order {
			v[i] = 0.1*float32(p) + 0.05 - 0.05*float32(len(v)&^1)
			if v[i] < 0 {
				v[i] -= 0.05
			} else {
				v[i] += 0.05
			}
		}
	}
}

func TestGradients(t *testing.T) {
	for _, o := range opCases {
		t.Run(o.name, func(t *testing.T) {
			g := gorgonia.NewGraph()
			x := inputsFor(g, o)
			y, err := o.build(&Context{}, x)
			if err != nil {
				t.Fatal(err)
			}
			checkGradient(t, y, x)
		})
	}
}

// TestSecondGradients differentiates the gradients of each closed operation
// once more, with respect to the operation's inputs and to what came from above.
func TestSecondGradients(t *testing.T) {
	for _, o := range opCases {
		t.Run(o.name, func(t *testing.T) {
			g := gorgonia.NewGraph()
			x := inputsFor(g, o)
			y, err := o.build(&Context{}, x)
			if err != nil {
				t.Fatal(err)
			}
			gy := Input(g, "gy", y.Shape()...)
			fillCase(Floats(gy), false, 99)
			first, err := Grad(y, gy, x...)
			if err != nil {
				t.Fatal(err)
			}
			for i, gx := range first {
				if !o.fused {
					checkGradient(t, gx, append(x, gy))
					continue
				}
				ggx := Input(g, fmt.Sprintf("ggx%d", i), gx.Shape()...)
				if _, err := Grad(gx, ggx, x[0]); err == nil {
					t.Errorf("a second gradient of a fused operation gave no error")
				}
			}
		})
	}
}

// checkGradient compares Grad of Σ c·y, for random c, with central differences
// D(h) = (f(x+h)-f(x-h))/2h. Their error has two parts. That of the formula is
// h²/6·f”' and is less than |D(2h)-D(h)|, which is three times as large. That of
// rounding is at most the error of f over h: y is computed in float32 with an
// error of some u·Σ|terms| for each element.
func checkGradient(t *testing.T, y *gorgonia.Node, x []*gorgonia.Node) {
	t.Helper()
	const h, u = 1.0 / 64, 1.0 / (1 << 24)
	g := y.Graph()
	gy := Input(g, fmt.Sprintf("weights of %d", y.ID()), y.Shape()...)
	weights := Floats(gy)
	fillCase(weights, false, 77)
	vm, err := NewVM(gorgonia.Nodes{y})
	if err != nil {
		t.Fatal(err)
	}
	var size float64 // of Σ |c·y|, and of what y is made of
	f := func() float64 {
		if err := vm.Run(0); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		size = 0
		for i, v := range Floats(y) {
			sum += float64(weights[i]) * float64(v)
			size += math.Abs(float64(weights[i])) * (math.Abs(float64(v)) + 4)
		}
		return sum
	}
	for _, in := range x {
		var got []float32
		if gs, err := Grad(y, gy, in); err == nil {
			vm, err := NewVM(gs)
			if err != nil {
				t.Fatal(err)
			}
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			got = append(got, Floats(gs[0])...)
		} else { // constant in this input, says Grad: the differences must be 0
			got = make([]float32, len(Floats(in)))
		}
		// gs[0]'s machine shares y's nodes: bind them to vm's tensors again
		if vm, err = NewVM(gorgonia.Nodes{y}); err != nil {
			t.Fatal(err)
		}
		v := Floats(in)
		for i := range v {
			old := v[i]
			d := func(h float32) float64 {
				v[i] = old + h
				hi := v[i]
				a := f()
				v[i] = old - h
				step := float64(hi) - float64(v[i])
				b := f()
				v[i] = old
				return (a - b) / step
			}
			d1, d2 := d(h), d(2*h)
			want := d1 + (d1-d2)/3
			bound := math.Abs(d1-d2) + 4*u*size/h
			if diff := math.Abs(float64(got[i]) - want); !(diff <= bound) {
				t.Errorf("d%s/d%s[%d]: got %v, want %v within %.2g", y.Op(), in.Name(), i, got[i], want, bound)
			}
			if bound > 0.05*(1+math.Abs(want)) {
				t.Errorf("d%s/d%s[%d]: the bound %v says nothing about %v", y.Op(), in.Name(), i, bound, want)
			}
		}
	}
}

// TestGradTwiceInOneGraph takes the gradients of two losses that share nodes,
// which gorgonia.Grad cannot.
func TestGradTwiceInOneGraph(t *testing.T) {
	g := gorgonia.NewGraph()
	c := &Context{}
	x := Input(g, "x", 2)
	copy(Floats(x), []float32{3, -2})
	sq, _ := mulOf(c, x, x)
	cube, _ := mulOf(c, sq, x)
	ones := Input(g, "ones", 2)
	fill(Floats(ones), 1)
	a, err := Grad(sq, ones, x)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Grad(cube, ones, x, sq)
	if err != nil {
		t.Fatal(err)
	}
	bb, err := Grad(b[0], ones, x)
	if err != nil {
		t.Fatal(err)
	}
	vm, err := NewVM(gorgonia.Nodes{a[0], b[0], b[1], bb[0]})
	if err != nil {
		t.Fatal(err)
	}
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float32{{6, -4}, {27, 12}, {3, -2}, {18, -12}} {
		n := gorgonia.Nodes{a[0], b[0], b[1], bb[0]}[i]
		if got := Floats(n); got[0] != want[0] || got[1] != want[1] {
			t.Errorf("gradient %d: got %v, want %v", i, got, want)
		}
	}
}

func TestGradErrors(t *testing.T) {
	g := gorgonia.NewGraph()
	c := &Context{}
	x, z := Input(g, "x", 2), Input(g, "z", 2)
	y, _ := mulOf(c, x, x)
	if _, err := Grad(y, x, z); err == nil {
		t.Error("gradient with respect to a node y does not depend on: got no error")
	}
	if _, err := Grad(y, Input(g, "gy", 3), x); err == nil {
		t.Error("gradient of another shape than y: got no error")
	}
	if _, err := mulOf(c, x, Input(g, "w", 3)); err == nil {
		t.Error("product of two shapes: got no error")
	}
	if _, err := linearOf(c, Input(g, "m", 2, 3), Input(g, "v", 4, 2), Input(g, "b", 4)); err == nil {
		t.Error("linear with a weight of the wrong width: got no error")
	}
}

// TestPanicBecomesError gives a kernel slices it must refuse.
func TestPanicBecomesError(t *testing.T) {
	g := gorgonia.NewGraph()
	x := Input(g, "x", 4, 3)
	y, err := apply(&Context{}, panics{}, tensor.Shape{4, 3}, x)
	if err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(...gorgonia.Nodes) (Machine, error){"vm": NewVM, "tape": NewTape} {
		vm, err := make(gorgonia.Nodes{y})
		if err != nil {
			t.Fatal(err)
		}
		if err := vm.Run(0); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

type panics struct{}

func (panics) name() string                         { return "panics" }
func (panics) run(*Context, []float32, [][]float32) { panic("on purpose") }
