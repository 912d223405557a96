package exec

import (
	"errors"
	"math"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Resize", MinIn: 1, MaxIn: 4, MaxOut: 1, New: newResize})
	plan.Register(plan.Operator{Name: "Upsample", MinIn: 1, MaxIn: 2, MaxOut: 1, New: newUpsample})
}

// Resize is ONNX Resize or Upsample of the spatial dimensions: nearest or linear.
type Resize struct {
	linear   bool
	coord    string
	round    string // which neighbour is nearest
	fixed    []float32
	scalesAt int // the input that holds the scales; 0 for none
	sizesAt  int // the input that holds the sizes instead; 0 for none
	hwnc     bool
}

func newUpsample(d *plan.Decl) (plan.Op, error) {
	r := &Resize{coord: "asymmetric", round: "simple"}
	switch {
	case d.Opset >= 10:
		return nil, errorf("ended with opset 9, and the model imports %d", d.Opset)
	case d.Opset == 9:
		r.scalesAt = 1
		if !d.Has(1) {
			return nil, errors.New("input scales is left out")
		}
	default:
		if r.fixed = d.Floats("scales"); r.fixed == nil || d.Has(1) {
			return nil, errors.New("wants its scales as an attribute")
		}
	}
	return r, r.readMode(d)
}

func newResize(d *plan.Decl) (plan.Op, error) {
	r := &Resize{coord: "asymmetric", round: "simple", scalesAt: 1}
	switch {
	case d.Opset < 10:
		return nil, errorf("begins with opset 10, and the model imports %d", d.Opset)
	case d.Opset > 10:
		r.coord = d.String("coordinate_transformation_mode", "half_pixel")
		r.round = d.String("nearest_mode", "round_prefer_floor")
		d.Float("cubic_coeff_a", 0)
		d.Float("extrapolation_value", 0)
		if d.Bool("exclude_outside", false) {
			return nil, errors.New("attribute exclude_outside is for cubic mode, which is not supported")
		}
		r.scalesAt, r.sizesAt = 2, 3
	}
	if d.Opset >= 18 {
		if d.Bool("antialias", false) || d.Given("axes") || d.String("keep_aspect_ratio_policy", "stretch") != "stretch" {
			return nil, errors.New("attributes antialias, axes and keep_aspect_ratio_policy are not supported")
		}
	}
	switch r.coord {
	case "half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric", "tf_half_pixel_for_nn":
	default:
		return nil, errorf("attribute coordinate_transformation_mode is %q, which is not supported", r.coord)
	}
	switch r.round {
	case "simple", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil":
	default:
		return nil, errorf("attribute nearest_mode is %q, want round_prefer_floor, round_prefer_ceil, floor or ceil", r.round)
	}
	if !d.Has(r.sizesAt) {
		r.sizesAt = 0
	}
	if !d.Has(r.scalesAt) {
		if r.scalesAt = 0; r.sizesAt == 0 {
			return nil, errors.New("inputs scales and sizes are both left out")
		}
	}
	return r, r.readMode(d)
}

func (r *Resize) readMode(d *plan.Decl) error {
	switch mode := d.String("mode", "nearest"); mode {
	case "nearest":
	case "linear", "bilinear":
		r.linear = true
	default:
		return errorf("attribute mode is %q, want nearest or linear", mode)
	}
	return nil
}

// HWNC returns the operator on HWNC images.
func (r *Resize) HWNC() plan.Op {
	h := *r
	h.hwnc = true
	return &h
}

// ValueArgs says that scales and sizes must be known.
func (r *Resize) ValueArgs() []int {
	var list []int
	for _, k := range [2]int{r.scalesAt, r.sizesAt} {
		if k > 0 {
			list = append(list, k)
		}
	}
	return list
}

// axis is how one dimension is resized.
type resizeAxis struct {
	in, out int
	scale   float32
}

// axes returns how the dimensions of the file's order are resized.
func (r *Resize) axes(in []*plan.Arg) ([]resizeAxis, error) {
	x := in[0].Shape
	if r.hwnc {
		x = nchw(x)
	}
	scales := r.fixed
	if r.scalesAt > 0 {
		a := in[r.scalesAt]
		switch {
		case a.DType != plan.Float32 || len(a.Shape) != 1:
			return nil, errorf("scales is %v, want float32 of rank 1", a.Type)
		case a.Known == nil:
			return nil, errorf("scales %w", plan.ErrUnknownValue)
		}
		scales = a.Known.F
	}
	var sizes []int64
	if r.sizesAt > 0 && len(scales) == 0 {
		var err error
		if sizes, err = plan.KnownInts("sizes", in[r.sizesAt]); err != nil {
			return nil, err
		}
	}
	if len(scales)+len(sizes) != len(x) {
		return nil, errorf("has %d scales and %d sizes for an input of rank %d", len(scales), len(sizes), len(x))
	}
	if len(x) < 3 || len(x) > 4 {
		return nil, errorf("input is %s, want rank 3 or 4", plan.ShapeString(x))
	}
	list := make([]resizeAxis, len(x))
	for i, n := range x {
		a := resizeAxis{in: n}
		if sizes != nil {
			if sizes[i] < 0 || sizes[i] > maxGrid {
				return nil, errorf("sizes has %d in it, want 0 to %d", sizes[i], maxGrid)
			}
			a.out = int(sizes[i])
			a.scale = float32(a.out) / float32(n)
		} else {
			a.scale = scales[i]
			if !(a.scale > 0) || float32(n)*a.scale > maxGrid {
				return nil, errorf("scales has %v in it for a dimension of %d, want above 0 and a result up to %d", a.scale, n, maxGrid)
			}
			a.out = int(float32(n) * a.scale)
		}
		if i < 2 && a.out != n || i >= 2 && (n < 1 || a.out < 1) {
			return nil, errorf("dimension %d of %s becomes %d: the batch and the channels must stay, the others cannot be empty", i, plan.ShapeString(x), a.out)
		}
		list[i] = a
	}
	return list, nil
}

// Infer returns the new size.
func (r *Resize) Infer(in []*plan.Arg) (plan.Result, error) {
	if in[0].DType != plan.Float32 {
		return plan.Result{}, errorf("input is %v, want float32", in[0].Type)
	}
	axes, err := r.axes(in)
	if err != nil {
		return plan.Result{}, err
	}
	var shape []int
	for _, a := range axes {
		shape = append(shape, a.out)
	}
	if r.hwnc {
		shape = hwnc(shape)
	}
	h, w := 1, axes[len(axes)-1].out
	if len(axes) == 4 {
		h = axes[2].out
	}
	res := result(plan.Float32, shape)
	res.Extra = 6 * (h + w) // samples
	return res, nil
}

// sample is where an output of one dimension comes from: x[at]·(1-part) + x[next]·part.
type sample struct {
	at, next int
	part     float32
}

// samples returns the samples of a dimension.
func (r *Resize) samples(a resizeAxis) []sample {
	list := make([]sample, a.out)
	last := float32(a.in - 1)
	for i := range list {
		x := float32(i)
		switch r.coord {
		case "asymmetric":
			x /= a.scale
		case "tf_half_pixel_for_nn":
			x = (x + 0.5) / a.scale
		case "align_corners":
			if a.out > 1 {
				x = float32(x*last) / float32(a.out-1)
			}
		case "half_pixel_symmetric":
			middle := float32(a.in) / 2
			x = float32(middle*(1-float32(a.out)/float32(float32(a.in)*a.scale))) + ((x+0.5)/a.scale - 0.5)
		default:
			if x = (x+0.5)/a.scale - 0.5; a.out == 1 && r.coord == "pytorch_half_pixel" {
				x = 0
			}
		}
		if r.linear {
			x = min(max(x, 0), last)
			at := int(x)
			list[i] = sample{at, min(at+1, a.in-1), x - float32(at)}
			continue
		}
		v := float64(x)
		switch {
		case r.round == "ceil" || r.round == "simple" && a.scale < 1:
			v = math.Ceil(v)
		case r.round == "round_prefer_floor":
			v = math.Ceil(v - 0.5)
		case r.round == "round_prefer_ceil":
			v = math.Floor(v + 0.5)
		default:
			v = math.Floor(v)
		}
		list[i].at = min(max(int(v), 0), a.in-1)
	}
	return list
}

// Bind prepares the samples.
func (r *Resize) Bind(in []*plan.Arg) plan.Runner {
	axes, err := r.axes(in)
	if err != nil {
		return r // Infer has seen the error
	}
	b := &boundResize{linear: r.linear, rows: []sample{{}}, inH: 1}
	if len(axes) == 4 {
		b.rows, b.inH = r.samples(axes[2]), axes[2].in
	}
	last := axes[len(axes)-1]
	b.cols, b.inW = r.samples(last), last.in
	b.outer, b.inner = axes[0].in*axes[1].in, 1
	if r.hwnc {
		b.outer, b.inner = 1, b.outer
	}
	return b
}

// Run is called for operators that were not bound.
func (*Resize) Run(*plan.Context, []*plan.Tensor, []*plan.Tensor) error {
	return errors.New("exec: internal error: a resize is not bound")
}

// boundResize resizes [outer inH inW inner].
type boundResize struct {
	linear       bool
	rows, cols   []sample
	inH, inW     int
	outer, inner int
}

// Run computes the samples, one row of the result after the other.
func (b *boundResize) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0].F, out[0].F
	h, w, n := len(b.rows), len(b.cols), b.inner
	each(c, b.outer*h, w*n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := b.rows[i%h]
			top := x[(i/h*b.inH+row.at)*b.inW*n:]
			bottom := x[(i/h*b.inH+row.next)*b.inW*n:]
			dst := y[i*w*n : (i+1)*w*n]
			for k, col := range b.cols {
				switch {
				case !b.linear && n == 1:
					dst[k] = top[col.at]
				case !b.linear:
					copy(dst[k*n:(k+1)*n], top[col.at*n:])
				default:
					for j := range n {
						p, q := col.at*n+j, col.next*n+j
						dst[k*n+j] = mix(mix(top[p], top[q], col.part), mix(bottom[p], bottom[q], col.part), row.part)
					}
				}
			}
		}
	})
	return nil
}

// mix returns a·(1-part) + b·part.
func mix(a, b, part float32) float32 { return float32(a*(1-part)) + float32(b*part) }
