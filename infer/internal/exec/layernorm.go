package exec

import (
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "LayerNormalization", MinIn: 2, MaxIn: 3, MaxOut: 3, Since: 17, New: func(d *plan.Decl) (plan.Op, error) {
		return newLayerNorm(d, false), nil
	}})
	plan.Register(plan.Operator{Name: "RMSNormalization", MinIn: 2, MaxIn: 2, MaxOut: 1, Since: 23, New: func(d *plan.Decl) (plan.Op, error) {
		return newLayerNorm(d, true), nil
	}})
}

// LayerNorm is ONNX LayerNormalization or RMSNormalization: (x-mean)/sqrt(var+eps)·scale + bias with the statistics of all dimensions from
// the axis on; in RMSNormalization, the mean is taken as 0. Results 1 and 2 are mean and 1/sqrt(var+eps).
type LayerNorm struct {
	axis int64
	eps  float32
	rms  bool
}

func newLayerNorm(d *plan.Decl, rms bool) *LayerNorm {
	d.Int("stash_type", 1) // statistics are exact to float64
	return &LayerNorm{d.Int("axis", -1), d.Float("epsilon", 1e-5), rms}
}

// Infer returns the type of x, and those of the statistics.
func (l *LayerNorm) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := plan.WantFloats(in); err != nil {
		return plan.Result{}, err
	}
	x := in[0].Shape
	axis, err := plan.Axis(l.axis, len(x))
	if err != nil {
		return plan.Result{}, err
	}
	if plan.Count(x[axis:]) == 0 && plan.Count(x[:axis]) > 0 {
		return plan.Result{}, errEmptyMean
	}
	for i, name := range []string{"scale", "bias"} {
		if i+1 >= len(in) {
			continue
		}
		s := in[i+1].Shape
		if both, err := plan.Broadcast(x, s); err != nil || !plan.SameShape(both, x) {
			return plan.Result{}, errorf("%s is %s, which does not broadcast to %s", name, plan.ShapeString(s), plan.ShapeString(x))
		}
	}
	r := result(plan.Float32, x)
	stats := slices.Clone(x)
	for i := range stats[axis:] {
		stats[axis+i] = 1
	}
	if !l.rms {
		r.Out = append(r.Out, plan.Type{DType: plan.Float32, Shape: stats}, plan.Type{DType: plan.Float32, Shape: stats})
	}
	return r, nil
}

// InPlace allows the result to overwrite x.
func (*LayerNorm) InPlace() []int { return []int{0} }

// Run computes the result.
func (l *LayerNorm) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0].F, out[0].F
	axis, err := plan.Axis(l.axis, len(in[0].Shape))
	if err != nil || len(x) == 0 {
		return err
	}
	n := plan.Count(in[0].Shape[axis:])
	each(c, len(x)/n, n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row, dst := x[i*n:(i+1)*n], y[i*n:(i+1)*n]
			var mean, variance float64
			if l.rms {
				variance = squares(row) / float64(n)
			} else {
				mean, variance = moments(row)
			}
			m, inv := float32(mean), inverseRoot(variance, l.eps)
			for k, t := range out[1:] {
				t.F[i] = [2]float32{m, inv}[k]
			}
			for j, v := range row {
				dst[j] = (v - m) * inv
			}
		}
	})
	if err := Mul.apply(c, out[0], out[0], in[1]); err != nil || len(in) < 3 {
		return err
	}
	return Add.apply(c, out[0], out[0], in[2])
}

// squares returns the sum of the squares of x, in order.
func squares(x []float32) float64 {
	var s float64
	for _, v := range x {
		s += float64(float64(v) * float64(v))
	}
	return s
}
