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

// Conv is ONNX Conv or ConvTranspose over one to three spatial dimensions. With constant weights and at most two dimensions it
// becomes a [Convolution].
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
	if len(w) < 3 || len(w) > 5 {
		return errorf("weight is %s, want rank 3 to 5", plan.ShapeString(w))
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
// how the kernels see it: one spatial dimension is a grid of one row, three are grids one behind the other.
func (c *Conv) geometry(x, w []int) (*grids, []int, error) {
	in, out := c.channels(w)
	if len(x) != len(w) || x[1] != in {
		return nil, nil, errorf("input is %s, but weight is %s in groups of %d, so it needs rank %d and %d channels",
			plan.ShapeString(x), plan.ShapeString(w), c.groups, len(w), in)
	}
	n := len(w) - 2
	one := span{taps: 1, stride: 1, dilation: 1}
	spans := [3]span{one, one, one}
	grid, made := [3]int{1, 1, 1}, [3]int{1, 1, 1}
	y := []int{x[0], out}
	for i := range n {
		a := 3 - n + i // depth, H and W, or the last of these
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
	h, v := &spans[1], &spans[2]
	s := &grids{depth: spans[0], in: grid[0], out: made[0]}
	s.ConvShape = kernel.ConvShape{H: grid[1], W: grid[2], C: in, OH: made[1], OW: made[2], K: out, R: h.taps, S: v.taps, StrideH: h.stride, StrideW: v.stride,
		PadH: h.before, PadW: v.before, DilationH: h.dilation, DilationW: v.dilation, Groups: c.groups}
	if c.Transposed {
		s.H, s.W, s.C, s.OH, s.OW, s.K = s.OH, s.OW, s.K, s.H, s.W, s.C
		if phases := min(h.stride, s.H) * min(v.stride, s.W); phases > maxPhases {
			return nil, nil, errorf("strides of %d and %d make %d phases, want at most %d", h.stride, v.stride, phases, maxPhases)
		}
	}
	s.C *= s.depth.taps
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
	fine, coarse := s.sizes(y[0], c.Transposed)
	r.Scratch = fine + coarse
	if s.deep() {
		r.Scratch += max(fine, coarse)
	}
	r.Extra = max(c.packedSize(w), workspace(&s.ConvShape, c.Transposed, s.images(y[0], c.Transposed)))
	return r, nil
}

// packedSize returns the elements that packed weights of shape w take at most: kernels pad the
// channels of a group to a multiple of a vector.
func (c *Conv) packedSize(w []int) int {
	_, out := c.channels(w)
	width := out / c.groups
	if c.Transposed && len(w) == 5 {
		width *= w[2]
	}
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
	return &boundConv{c.Transposed, s, kernel.NewConv(s.ConvShape)}
}

// Run is called for convolutions that were not bound.
func (*Conv) Run(*plan.Context, []*plan.Tensor, []*plan.Tensor) error {
	return errors.New("exec: internal error: a convolution is not bound")
}

// boundConv is a Conv in a plan.
type boundConv struct {
	transposed bool
	grids      *grids
	conv       *kernel.Conv
}

// Run converts to the kernels' layout, convolves, and converts back.
func (c *boundConv) Run(ctx *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0], out[0]
	if y.Count() == 0 {
		return nil
	}
	var ep kernel.Epilogue
	if len(in) > 2 && in[2] != nil {
		ep.Bias = in[2].F
	}
	g, from, to, bias := c.grids, x.F, y.F, ep.Bias
	n := g.images(x.Shape[0], c.transposed)
	fine, coarse := g.sizes(x.Shape[0], c.transposed)
	a, b, spare := ctx.Scratch[:fine], ctx.Scratch[fine:][:coarse], ctx.Scratch[fine+coarse:]
	reads, makes := n*g.C, n*g.K // channels of all images
	if c.transposed {
		a, b, reads, makes = b, a, makes, reads
	}
	if g.deep() {
		from, to = spare[:len(a)], spare[:len(b)]
		g.enter(ctx, from, x.F, c.transposed, len(a)/reads)
		if c.transposed {
			ep.Bias = nil
		}
	}
	kernel.ToHWNC(ctx.Pool, a, from, 1, reads, len(a)/reads)
	if c.transposed {
		c.conv.Transposed(ctx.Pool, b, a, in[1].F, n, ep)
	} else {
		c.conv.Forward(ctx.Pool, b, a, in[1].F, n, ep)
	}
	kernel.FromHWNC(ctx.Pool, to, b, 1, makes, len(b)/makes)
	if g.deep() {
		g.leave(ctx, y.F, to, c.transposed, len(b)/makes, bias)
	}
	return nil
}
