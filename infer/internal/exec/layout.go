package exec

import (
	"slices"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

// Images of the kernels are HWNC: the spatial dimensions first, then the batch, then the channels. A
// value in that layout is a tensor of that shape, so operators that treat all dimensions alike run on
// it as they are. ToHWNC and FromHWNC stand where the layout changes; they are no operators of ONNX.

// Imager is an Op whose argument 0 is images and that exists for either layout.
type Imager interface {
	HWNC() plan.Op // nil where this one does not, after all
}

// ToHWNC turns N C spatial... into spatial... N C.
type ToHWNC struct{ Rank int }

// Infer returns the new shape.
func (t *ToHWNC) Infer(in []*plan.Arg) (plan.Result, error) {
	x := in[0].Shape
	if in[0].DType != plan.Float32 || len(x) != t.Rank {
		return plan.Result{}, errorf("input is %v, want float32 of rank %d", in[0].Type, t.Rank)
	}
	return changed(x, hwnc(x)), nil
}

// Run copies the images.
func (*ToHWNC) Run(c *plan.Context, in, out []*plan.Tensor) error {
	s := in[0].Shape
	kernel.ToHWNC(c.Pool, out[0].F, in[0].F, s[0], s[1], plan.Count(s[2:]))
	return nil
}

// Describe names the change.
func (*ToHWNC) Describe() string { return "to_hwnc" }

// FromHWNC turns spatial... N C into N C spatial...
type FromHWNC struct{ Rank int }

// Infer returns the new shape.
func (t *FromHWNC) Infer(in []*plan.Arg) (plan.Result, error) {
	x := in[0].Shape
	if in[0].DType != plan.Float32 || len(x) != t.Rank {
		return plan.Result{}, errorf("input is %v, want float32 of rank %d", in[0].Type, t.Rank)
	}
	return changed(nchw(x), nchw(x)), nil
}

// Run copies the images.
func (*FromHWNC) Run(c *plan.Context, in, out []*plan.Tensor) error {
	s := out[0].Shape
	kernel.FromHWNC(c.Pool, out[0].F, in[0].F, s[0], s[1], plan.Count(s[2:]))
	return nil
}

// Describe names the change.
func (*FromHWNC) Describe() string { return "from_hwnc" }

// changed returns the result of a change of layout of images x, as the file sees them. It moves nothing if the
// images are single pixels or there is one image of one channel.
func changed(x, shape []int) plan.Result {
	if plan.Count(x[2:]) == 1 || x[0] == 1 && x[1] == 1 {
		return viewed(plan.Float32, shape)
	}
	return result(plan.Float32, shape)
}

// nchw returns the shape of an HWNC value as the file sees it.
func nchw(x []int) []int {
	k := len(x) - 2
	return slices.Concat(x[k:], x[:k])
}

// hwnc returns the shape of an NCHW value in the kernels' layout.
func hwnc(x []int) []int { return slices.Concat(x[2:], x[:2]) }

// place returns where dimension k of a value of the file stands, for values of the given rank.
func place(k, rank int, hwnc bool) int {
	if hwnc {
		return (k + rank - 2) % rank
	}
	return k
}
