package exec

import (
	"errors"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func init() {
	plan.Register(plan.Operator{Name: "BatchNormalization", MinIn: 5, MaxIn: 5, MaxOut: 5, New: newBatchNorm})
}

// BatchNorm is ONNX BatchNormalization in inference: (x-mean)/sqrt(var+eps)·scale + bias in each
// channel, which is dimension 1; a vector is of one channel.
type BatchNorm struct {
	Eps  float32
	Last bool // the channels are the last dimension instead: images are HWNC
}

func newBatchNorm(d *plan.Decl) (plan.Op, error) {
	b := &BatchNorm{Eps: d.Float("epsilon", 1e-5)}
	d.Float("momentum", 0.9) // used in training only
	if d.Opset < 9 && !d.Bool("spatial", true) {
		return nil, errors.New("attribute spatial is 0: statistics for each element are not supported")
	}
	if d.Opset >= 14 && d.Bool("training_mode", false) || d.Outs > 1 {
		return nil, errors.New("is in training mode: export the model in inference mode (model.eval() in PyTorch)")
	}
	return b, nil
}

// HWNC returns the operator on HWNC images.
func (b *BatchNorm) HWNC() plan.Op { return &BatchNorm{b.Eps, true} }

// channels returns the number of channels of x.
func (b *BatchNorm) channels(x []int) int {
	switch {
	case b.Last:
		return x[len(x)-1]
	case len(x) == 1:
		return 1
	}
	return x[1]
}

// Infer returns the type of x, N x C x any.
func (b *BatchNorm) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := plan.WantFloats(in); err != nil {
		return plan.Result{}, err
	}
	x := in[0].Shape
	if len(x) == 0 {
		return plan.Result{}, errors.New("x is a scalar, want rank 1 or more")
	}
	channels := b.channels(x)
	for i, name := range []string{"scale", "B", "mean", "var"} {
		if s := in[i+1].Shape; len(s) != 1 || s[0] != channels {
			return plan.Result{}, errorf("%s is %s, but x is %s, so it needs [%d]", name, plan.ShapeString(s), plan.ShapeString(x), channels)
		}
	}
	r := result(plan.Float32, x)
	r.Scratch = channels
	return r, nil
}

// InPlace allows the result to overwrite x.
func (*BatchNorm) InPlace() []int { return []int{0} }

// Run computes the result.
func (b *BatchNorm) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0].F, out[0].F
	scale, bias, mean, variance := in[1].F, in[2].F, in[3].F, in[4].F
	if len(x) == 0 {
		return nil
	}
	channels := b.channels(in[0].Shape)
	inv := c.Scratch[:channels]
	for i, v := range variance {
		inv[i] = inverseRoot(float64(v), b.Eps)
	}
	if b.Last || len(in[0].Shape) <= 2 {
		kernel.BatchNormApply(c.Pool, y, x, mean, inv, scale, bias, len(x)/channels, channels, kernel.Identity, 0)
		return nil
	}
	inner := plan.Count(in[0].Shape[2:])
	each(c, len(x)/inner, inner, func(lo, hi int) {
		for p := lo; p < hi; p++ {
			k := p % channels
			m, s, g, t := mean[k], inv[k], scale[k], bias[k]
			dst := y[p*inner : (p+1)*inner]
			for i, v := range x[p*inner : (p+1)*inner] {
				dst[i] = float32(float32((v-m)*s)*g) + t
			}
		}
	})
	return nil
}
