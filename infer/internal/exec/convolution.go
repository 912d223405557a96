package exec

import (
	"errors"
	"fmt"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

// Convolution is what passes make of Conv and ConvTranspose with constant weights: act(x ⋆ W + bias)
// in the kernels' layout, HWNC. It is no operator of ONNX.
type Convolution struct {
	Fused
	Conv    *Conv
	W       []float32
	Shape   []int        // of W, as in the file
	Own     bool         // nothing else reads W
	Fast    bool         // in a fast form, where that pays
	weights *convWeights // made by Settle
}

// Rank returns the rank of the input and of the result.
func (c *Convolution) Rank() int { return len(c.Shape) }

// Outputs returns the number of channels of the result.
func (c *Convolution) Outputs() int { _, out := c.Conv.channels(c.Shape); return out }

// Inputs returns the number of channels of the input.
func (c *Convolution) Inputs() int { in, _ := c.Conv.channels(c.Shape); return in }

// Groups returns the number of groups.
func (c *Convolution) Groups() int { return c.Conv.groups }

// PackedSize returns the elements that the packed weights take.
func (c *Convolution) PackedSize() int { return c.Conv.packedSize(c.Shape) }

// FastSize returns the elements that they take at most in a fast form, or 0 if there is none.
func (c *Convolution) FastSize() int {
	s, _, err := c.Conv.geometry([]int{1, c.Inputs(), 64, 64}[:len(c.Shape)], c.Shape) // any grid
	if err != nil {
		return 0
	}
	return s.MaxFastWeights()
}

// Fuse returns the same convolution with another epilogue.
func (c *Convolution) Fuse(f Fused) plan.Op {
	d := *c
	d.Fused = f
	return &d
}

// Settle returns the same convolution, ready to run. Nothing may change its weights afterwards.
func (c *Convolution) Settle() plan.Op {
	d := *c
	d.weights = &convWeights{transposed: c.Conv.Transposed, plain: c.W, own: c.Own}
	d.W = nil
	return &d
}

// Infer returns the shape of the result.
func (c *Convolution) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := plan.WantFloats(in); err != nil {
		return plan.Result{}, err
	}
	if len(in[0].Shape) != len(c.Shape) {
		return plan.Result{}, errorf("input is %v, want rank %d", in[0].Type, len(c.Shape))
	}
	s, y, err := c.Conv.geometry(nchw(in[0].Shape), c.Shape)
	if err != nil {
		return plan.Result{}, err
	}
	r := result(plan.Float32, hwnc(y))
	r.Extra = workspace(&s.ConvShape, c.Conv.Transposed, y[0])
	return r, nil
}

// Bind returns the convolution of images of one size.
func (c *Convolution) Bind(in []*plan.Arg) plan.Runner {
	s, _, err := c.Conv.geometry(nchw(in[0].Shape), c.Shape)
	if err != nil || c.weights == nil {
		return c // Infer has seen the error; the rest fails when it runs
	}
	conv := kernel.NewConv(s.ConvShape)
	if c.Fast {
		conv = kernel.NewFastConv(s.ConvShape, kernel.OneImage)
	}
	return &boundConvolution{weights: c.weights, conv: conv, epilogue: kernel.Epilogue{Bias: c.Bias, Act: c.Act, Alpha: c.Alpha}}
}

// Run is called for convolutions that were not bound.
func (*Convolution) Run(*plan.Context, []*plan.Tensor, []*plan.Tensor) error {
	return errors.New("exec: internal error: a convolution is not settled")
}

// Describe says what rides in the epilogue.
func (c *Convolution) Describe() string {
	name := "conv"
	if c.Conv.Transposed {
		name = "conv_transpose"
	}
	s := c.Shape[2:]
	taps := fmt.Sprint(s[0])
	if len(s) > 1 {
		taps += fmt.Sprintf("x%d", s[1])
	}
	return name + " " + taps + c.describe()
}

// boundConvolution is a Convolution in a plan.
type boundConvolution struct {
	weights  *convWeights
	conv     *kernel.Conv
	epilogue kernel.Epilogue
	packed   *kernel.PackedConv // from the first run on
}

// Run computes the convolution with its epilogue.
func (c *boundConvolution) Run(ctx *plan.Context, in, out []*plan.Tensor) error {
	n := in[0].Shape[len(in[0].Shape)-2]
	var plain []float32
	if c.packed == nil {
		c.packed, plain = c.weights.pack(c.conv)
	}
	switch {
	case c.packed != nil:
		c.packed.Run(ctx.Pool, out[0].F, in[0].F, n, c.epilogue)
	case c.weights.transposed:
		c.conv.Transposed(ctx.Pool, out[0].F, in[0].F, plain, n, c.epilogue)
	default:
		c.conv.Forward(ctx.Pool, out[0].F, in[0].F, plain, n, c.epilogue)
	}
	return nil
}
