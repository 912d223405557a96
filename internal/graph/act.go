package graph

import (
	"gorgonia.org/gorgonia"

	"gantry/internal/kernel"
)

// act is an activation y = f(x), actGrad its backward pass g·f'(x). The
// derivative is taken from the output y, so that x need not be kept: relu and
// leaky_relu (alpha > 0) by y's sign, tanh as 1-y², sigmoid as y(1-y).
type (
	act struct {
		kind  kernel.Act
		alpha float32
	}
	actGrad struct{ act }
)

func (o act) name() string {
	switch o.kind {
	case kernel.Relu:
		return "relu"
	case kernel.LeakyRelu:
		return "leaky_relu"
	case kernel.Tanh:
		return "tanh"
	case kernel.Sigmoid:
		return "sigmoid"
	}
	return "identity"
}

func (o act) run(c *Context, dst []float32, in [][]float32) {
	kernel.Apply(c.Pool, o.kind, o.alpha, dst, in[0])
}

func (o act) wrt() []bool { return []bool{true} }

func (o act) grad(c *Context, _ gorgonia.Nodes, y, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(elementwise(c, actGrad{o}, y, g))
}

func (o act) ONNX() (string, map[string]any, []any) {
	switch o.kind {
	case kernel.Relu:
		return "Relu", nil, nil
	case kernel.LeakyRelu:
		return "LeakyRelu", map[string]any{"alpha": o.alpha}, nil
	case kernel.Tanh:
		return "Tanh", nil, nil
	case kernel.Sigmoid:
		return "Sigmoid", nil, nil
	}
	return "Identity", nil, nil
}

func (o actGrad) name() string { return o.act.name() + "_grad" }

func (o actGrad) run(c *Context, dst []float32, in [][]float32) {
	kernel.ApplyGrad(c.Pool, o.kind, o.alpha, dst, in[0], in[1])
}

// wrt leaves y out where f is linear in pieces: f” is 0.
func (o actGrad) wrt() []bool { return []bool{o.kind == kernel.Tanh || o.kind == kernel.Sigmoid, true} }

// grad returns, for z = g·f'(y) and h = ∂L/∂z, the nodes h·g·∂f'/∂y and h·f'(y).
func (o actGrad) grad(c *Context, x gorgonia.Nodes, _, h *gorgonia.Node) (gorgonia.Nodes, error) {
	y, g := x[0], x[1]
	gg, err := elementwise(c, actGrad{o.act}, y, h)
	if err != nil || !o.wrt()[0] {
		return gorgonia.Nodes{nil, gg}, err
	}
	scale, shift := float32(-2), float32(0) // tanh: (1-y²)' = -2y
	if o.kind == kernel.Sigmoid {
		shift = 1 // (y-y²)' = 1-2y
	}
	slope, err := affineOf(c, y, scale, shift)
	if err != nil {
		return nil, err
	}
	hg, err := mulOf(c, h, g)
	if err != nil {
		return nil, err
	}
	gy, err := mulOf(c, hg, slope)
	return gorgonia.Nodes{gy, gg}, err
}
