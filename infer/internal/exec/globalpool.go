package exec

import (
	"errors"
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	for _, most := range []bool{false, true} {
		plan.Register(plan.Operator{Name: map[bool]string{false: "GlobalAveragePool", true: "GlobalMaxPool"}[most], MinIn: 1, MaxIn: 1, MaxOut: 1,
			New: func(*plan.Decl) (plan.Op, error) { return &GlobalPool{most: most}, nil }})
	}
}

// GlobalPool is ONNX GlobalAveragePool or GlobalMaxPool: the mean or the largest over the spatial dimensions, which stay with length 1.
// Sums are taken in float64, pixel by pixel.
type GlobalPool struct{ most, hwnc bool }

// HWNC returns the operator on HWNC images.
func (g *GlobalPool) HWNC() plan.Op { return &GlobalPool{g.most, true} }

// Infer returns the shape with spatial dimensions of 1.
func (g *GlobalPool) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := plan.WantFloats(in); err != nil {
		return plan.Result{}, err
	}
	x := in[0].Shape
	if len(x) < 3 {
		return plan.Result{}, errors.New("input has no spatial dimensions, want rank 3 or more")
	}
	shape := slices.Clone(x)
	spatial := shape[2:]
	if g.hwnc {
		spatial = shape[:len(x)-2]
	}
	for i, d := range spatial {
		if d == 0 {
			return plan.Result{}, errors.New("pools an empty dimension")
		}
		spatial[i] = 1
	}
	return result(plan.Float32, shape), nil
}

// Run computes the means or the maxima.
func (g *GlobalPool) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0].F, out[0].F
	if len(y) == 0 {
		return nil
	}
	pixels := len(x) / len(y)
	image, pixel, count := pixels, 1, float64(pixels) // steps in x
	if g.hwnc {
		image, pixel = 1, len(y)
	}
	if g.most {
		count = 1
	}
	each(c, len(y), pixels, func(lo, hi int) {
		var sums [64]float64
		for ; lo < hi; lo += len(sums) {
			n := min(len(sums), hi-lo)
			clear(sums[:n])
			for p := range pixels {
				for i := range n {
					v := float64(x[(lo+i)*image+p*pixel])
					if !g.most {
						sums[i] += v
					} else if p == 0 || v > sums[i] || v != v {
						sums[i] = v
					}
				}
			}
			for i := range n {
				y[lo+i] = float32(sums[i] / count)
			}
		}
	})
	return nil
}
