package exec

import (
	"errors"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "GlobalAveragePool", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) { return &GlobalAveragePool{}, nil }})
}

// GlobalAveragePool is ONNX GlobalAveragePool: the mean over the spatial dimensions, which stay with length 1. Sums
// are taken in float64, pixel by pixel.
type GlobalAveragePool struct{ hwnc bool }

// HWNC returns the operator on HWNC images.
func (*GlobalAveragePool) HWNC() plan.Op { return &GlobalAveragePool{hwnc: true} }

// Infer returns the shape with spatial dimensions of 1.
func (g *GlobalAveragePool) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := plan.WantFloats(in); err != nil {
		return plan.Result{}, err
	}
	x := in[0].Shape
	if len(x) < 3 {
		return plan.Result{}, errors.New("input has no spatial dimensions, want rank 3 or more")
	}
	shape := append([]int{}, x...)
	spatial := shape[2:]
	if g.hwnc {
		spatial = shape[:len(x)-2]
	}
	for i, d := range spatial {
		if d == 0 {
			return plan.Result{}, errors.New("averages over an empty dimension")
		}
		spatial[i] = 1
	}
	return result(plan.Float32, shape), nil
}

// Run computes the means.
func (g *GlobalAveragePool) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0].F, out[0].F
	if len(y) == 0 {
		return nil
	}
	pixels := len(x) / len(y)
	image, pixel := pixels, 1 // steps in x
	if g.hwnc {
		image, pixel = 1, len(y)
	}
	each(c, len(y), pixels, func(lo, hi int) {
		var sums [64]float64
		for ; lo < hi; lo += len(sums) {
			n := min(len(sums), hi-lo)
			clear(sums[:n])
			for p := range pixels {
				for i := range n {
					sums[i] += float64(x[(lo+i)*image+p*pixel])
				}
			}
			for i := range n {
				y[lo+i] = float32(sums[i] / float64(pixels))
			}
		}
	})
	return nil
}
