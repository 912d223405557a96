package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/kernel"
)

// upsample repeats each pixel of x [H W N C] factor times in both directions,
// upsampleGrad adds the pixels that are one; meanPixels takes x to [1 1 N C], the
// mean of all pixels, meanPixelsGrad gives each pixel its share of g. In both
// pairs each is the other's derivative.
type (
	upsample       struct{ h, w, row, factor int } // row: batch times channels
	upsampleGrad   struct{ upsample }
	meanPixels     struct{ h, w, row int }
	meanPixelsGrad struct{ meanPixels }
)

func upsampleOf(c *Context, x *gorgonia.Node, factor int) (*gorgonia.Node, error) {
	s := x.Shape()
	if s.Dims() != 4 {
		return nil, fmt.Errorf("graph: upsample: argument is %v, want [H W N C]", s)
	}
	return apply(c, upsample{s[0], s[1], s[2] * s[3], factor}, tensor.Shape{s[0] * factor, s[1] * factor, s[2], s[3]}, x)
}

func (upsample) name() string { return "upsample" }

func (o upsample) run(c *Context, dst []float32, in [][]float32) {
	kernel.Upsample(c.Pool, dst, in[0], o.h, o.w, o.row, o.factor)
}

func (upsample) wrt() []bool { return []bool{true} }

func (o upsample) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(apply(c, upsampleGrad{o}, x[0].Shape().Clone(), g))
}

func (o upsample) ONNX() (string, map[string]any, []any) {
	return "Resize", map[string]any{"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
		[]any{nil, []float32{1, 1, float32(o.factor), float32(o.factor)}}
}

func (upsampleGrad) name() string { return "upsample_grad" }

func (o upsampleGrad) run(c *Context, dst []float32, in [][]float32) {
	kernel.UpsampleGrad(c.Pool, dst, in[0], o.h, o.w, o.row, o.factor)
}

func (o upsampleGrad) grad(c *Context, _ gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(upsampleOf(c, g, o.factor))
}

func meanPixelsOf(c *Context, x *gorgonia.Node) (*gorgonia.Node, error) {
	s := x.Shape()
	if s.Dims() != 4 {
		return nil, fmt.Errorf("graph: global_avg_pool: argument is %v, want [H W N C]", s)
	}
	return apply(c, meanPixels{s[0], s[1], s[2] * s[3]}, tensor.Shape{1, 1, s[2], s[3]}, x)
}

func (meanPixels) name() string { return "global_avg_pool" }

func (o meanPixels) run(c *Context, dst []float32, in [][]float32) {
	kernel.MeanPixels(c.Pool, dst, in[0], o.h*o.w, o.row)
}

func (meanPixels) wrt() []bool { return []bool{true} }

func (o meanPixels) grad(c *Context, x gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(apply(c, meanPixelsGrad{o}, x[0].Shape().Clone(), g))
}

func (meanPixels) ONNX() (string, map[string]any, []any) { return "GlobalAveragePool", nil, nil }

func (meanPixelsGrad) name() string { return "global_avg_pool_grad" }

func (o meanPixelsGrad) run(c *Context, dst []float32, in [][]float32) {
	kernel.MeanPixelsGrad(c.Pool, dst, in[0], o.h*o.w, o.row)
}

func (o meanPixelsGrad) grad(c *Context, _ gorgonia.Nodes, _, g *gorgonia.Node) (gorgonia.Nodes, error) {
	return one(meanPixelsOf(c, g))
}
