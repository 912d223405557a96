package exec

import (
	"errors"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func init() {
	plan.Register(plan.Operator{Name: "Conv", MinIn: 2, MaxIn: 3, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) { return newConv(d, false) }})
	plan.Register(plan.Operator{Name: "ConvTranspose", MinIn: 2, MaxIn: 3, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) { return newConv(d, true) }})
}

// Conv is ONNX Conv or ConvTranspose over one or two spatial dimensions, for weights that are computed at run time. With
// constant weights it becomes a [Convolution].
type Conv struct {
	Transposed  bool
	groups      int
	window      window
	outputPad   []int // of ConvTranspose; nil where left out
	outputShape []int
}

func newConv(d *plan.Decl, transposed bool) (plan.Op, error) {
	c := &Conv{Transposed: transposed}
	g := d.Int("group", 1)
	if g < 1 || g > maxWindow {
		return nil, errorf("attribute group is %d, want 1 to %d", g, maxWindow)
	}
	c.groups = int(g)
	var err error
	if c.window, err = readWindow(d); err != nil || !transposed {
		return c, err
	}
	if c.outputPad, err = readSizes(d, "output_padding", 0); err != nil {
		return c, err
	}
	c.outputShape, err = readSizes(d, "output_shape", 1)
	return c, err
}

// CheckWeights returns an error unless w is a shape of weights and bias one that fits; bias is nil
// where there is none.
func (c *Conv) CheckWeights(w, bias []int) error {
	if len(w) < 3 {
		return errorf("weight is %s, want rank 3 or 4", plan.ShapeString(w))
	}
	if err := c.window.checkRank(len(w) - 2); err != nil {
		return err
	}
	for i, k := range c.window.kernel {
		if len(c.window.kernel) != len(w)-2 || w[2+i] != k {
			return errorf("weight is %s, but attribute kernel_shape is %v", plan.ShapeString(w), c.window.kernel)
		}
	}
	for _, d := range w {
		if d < 1 {
			return errorf("weight is %s, which is empty", plan.ShapeString(w))
		}
		if d > maxWindow {
			return errorf("weight is %s, want dimensions up to %d", plan.ShapeString(w), maxWindow)
		}
	}
	if w[0]%c.groups != 0 {
		return errorf("weight is %s, whose first dimension is no multiple of group, %d", plan.ShapeString(w), c.groups)
	}
	if _, out := c.channels(w); bias != nil && (len(bias) != 1 || bias[0] != out) {
		return errorf("bias is %s, but weight is %s in groups of %d, so it needs [%d]", plan.ShapeString(bias), plan.ShapeString(w), c.groups, out)
	}
	return nil
}

// channels returns the numbers of channels of the input and of the result for weights of shape w.
func (c *Conv) channels(w []int) (in, out int) {
	if c.Transposed {
		return w[0], w[1] * c.groups
	}
	return w[1] * c.groups, w[0]
}

// maxGrid bounds the spatial dimensions.
const maxGrid = 1 << 24

// maxPhases bounds the parts into which the strides cut a transposed convolution.
const maxPhases = 1 << 12

// geometry returns the shape of the result for an input x [N C spatial...] and weights w that CheckWeights accepts, and
// how the kernels see it. One spatial dimension is a grid of one row.
func (c *Conv) geometry(x, w []int) (*kernel.ConvShape, []int, error) {
	in, out := c.channels(w)
	if len(x) != len(w) || x[1] != in {
		return nil, nil, errorf("input is %s, but weight is %s in groups of %d, so it needs rank %d and %d channels",
			plan.ShapeString(x), plan.ShapeString(w), c.groups, len(w), in)
	}
	n := len(w) - 2
	spans := [2]span{{taps: 1, stride: 1, dilation: 1}, {}}
	grid, made := [2]int{1, 1}, [2]int{1, 1}
	y := []int{x[0], out}
	for i := range n {
		a := 2 - n + i // H and W, or W alone
		s := &spans[a]
		err := c.window.along(s, i, n, w[2+i])
		if grid[a] = x[2+i]; err == nil {
			err = checkGrid("input", grid[a])
		}
		if err == nil && c.Transposed {
			made[a], err = c.transposed(s, grid[a], i, n)
		} else if err == nil {
			made[a], err = s.outputs(grid[a], c.window.auto)
		}
		if err == nil {
			err = checkGrid("result", made[a])
		}
		if err != nil {
			return nil, nil, errorf("spatial dimension %d of %s: %w", i, plan.ShapeString(x), err)
		}
		y = append(y, made[a])
	}
	h, v := &spans[0], &spans[1]
	s := &kernel.ConvShape{H: grid[0], W: grid[1], C: in, OH: made[0], OW: made[1], K: out, R: h.taps, S: v.taps, StrideH: h.stride, StrideW: v.stride,
		PadH: h.before, PadW: v.before, DilationH: h.dilation, DilationW: v.dilation, Groups: c.groups}
	if c.Transposed {
		s.H, s.W, s.C, s.OH, s.OW, s.K = s.OH, s.OW, s.K, s.H, s.W, s.C
		if phases := min(h.stride, s.H) * min(v.stride, s.W); phases > maxPhases {
			return nil, nil, errorf("strides of %d and %d make %d phases, want at most %d", h.stride, v.stride, phases, maxPhases)
		}
	}
	return s, y, nil
}

// checkGrid returns an error unless a spatial dimension can be one.
func checkGrid(what string, n int) error {
	if n < 1 || n > maxGrid {
		return errorf("the %s has %d, want 1 to %d", what, n, maxGrid)
	}
	return nil
}

// transposed returns the length of the result along spatial dimension i of n for size inputs, and
// settles the padding.
func (c *Conv) transposed(s *span, size, i, n int) (int, error) {
	pad := 0
	if c.outputPad != nil {
		if len(c.outputPad) != n {
			return 0, errorf("attribute output_padding has %d elements, want %d", len(c.outputPad), n)
		}
		if pad = c.outputPad[i]; pad >= max(s.stride, s.dilation) {
			return 0, errorf("output_padding %d is not below stride %d or dilation %d", pad, s.stride, s.dilation)
		}
	}
	full := (size-1)*s.stride + s.reach() + pad
	var want int
	switch {
	case c.outputShape != nil:
		if len(c.outputShape) != n {
			return 0, errorf("attribute output_shape has %d elements, want %d", len(c.outputShape), n)
		}
		if want = c.outputShape[i]; want >= full+max(s.stride, s.dilation) {
			return 0, errorf("output_shape wants %d, but the kernel reaches %d", want, full)
		}
	case c.window.auto == sameUpper || c.window.auto == sameLower:
		want = min(size*s.stride, full) // the specification says size·stride, ONNX Runtime and onnx.checker this
	default:
		if want = full - s.before - s.after; want < 1 {
			return 0, errorf("padding of %d and %d leaves nothing of %d", s.before, s.after, full)
		}
		return want, nil
	}
	total := max(full-want, 0)
	s.before = total / 2
	if c.window.auto != sameUpper {
		s.before = total - total/2
	}
	return want, nil
}

// Infer returns the shape of the result.
func (c *Conv) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := plan.WantFloats(in); err != nil {
		return plan.Result{}, err
	}
	var bias []int
	if len(in) > 2 && in[2] != nil {
		bias = in[2].Shape
	}
	w := in[1].Shape
	if err := c.CheckWeights(w, bias); err != nil {
		return plan.Result{}, err
	}
	s, y, err := c.geometry(in[0].Shape, w)
	if err != nil {
		return plan.Result{}, err
	}
	r := result(plan.Float32, y)
	r.Scratch = in[0].Count() + plan.Count(y)
	r.Extra = max(c.packedSize(w), workspace(s, c.Transposed, y[0]))
	return r, nil
}

// packedSize returns the elements that packed weights of shape w take at most: kernels pad the
// channels of a group to a multiple of a vector.
func (c *Conv) packedSize(w []int) int {
	_, out := c.channels(w)
	width := out / c.groups
	return plan.Count(w) / width * ((width + 15) / 16 * 16)
}

// workspace returns the elements that a thread takes at most to convolve n images: for few output channels, the
// products of some rows of pixels with all taps.
func workspace(s *kernel.ConvShape, transposed bool, n int) int {
	rows, cols, out, reach := s.H, s.W, s.K, (s.R-1)*s.DilationH+1
	if transposed {
		rows, cols, out, reach = s.OH, s.OW, s.C, reach/s.StrideH+1
	}
	if out > 4 || s.Groups > 1 {
		return 0
	}
	return int(min(float64(min(rows, reach))*float64(cols)*float64(min(n, 32)*out)*float64(s.R*s.S), 1<<50))
}

// Bind returns the convolution of images of one size.
func (c *Conv) Bind(in []*plan.Arg) plan.Runner {
	s, _, err := c.geometry(in[0].Shape, in[1].Shape)
	if err != nil {
		return c // Infer has seen the error
	}
	return &boundConv{c.Transposed, kernel.NewConv(*s)}
}

// Run is called for convolutions that were not bound.
func (*Conv) Run(*plan.Context, []*plan.Tensor, []*plan.Tensor) error {
	return errors.New("exec: internal error: a convolution is not bound")
}

// boundConv is a Conv in a plan.
type boundConv struct {
	transposed bool
	conv       *kernel.Conv
}

// Run converts to the kernels' layout, convolves, and converts back.
func (c *boundConv) Run(ctx *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0], out[0]
	ep := kernel.Epilogue{}
	if len(in) > 2 && in[2] != nil {
		ep.Bias = in[2].F
	}
	n := x.Shape[0]
	from, to := ctx.Scratch[:len(x.F)], ctx.Scratch[len(x.F):][:len(y.F)]
	kernel.ToHWNC(ctx.Pool, from, x.F, n, x.Shape[1], plan.Count(x.Shape[2:]))
	if c.transposed {
		c.conv.Transposed(ctx.Pool, to, from, in[1].F, n, ep)
	} else {
		c.conv.Forward(ctx.Pool, to, from, in[1].F, n, ep)
	}
	kernel.FromHWNC(ctx.Pool, y.F, to, n, y.Shape[1], plan.Count(y.Shape[2:]))
	return nil
}
