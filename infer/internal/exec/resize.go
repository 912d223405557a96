package exec

import (
	"errors"
	"math"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Resize", Since: 10, MinIn: 1, MaxIn: 4, MaxOut: 1, New: newResize})
	plan.Register(plan.Operator{Name: "Upsample", MinIn: 1, MaxIn: 2, MaxOut: 1, New: newUpsample})
}

// Resize is ONNX Resize or Upsample. Coordinates are computed in float32; weights of taps in float64, and rounded.
type Resize struct {
	mode, coord, round, policy string
	axes                       []int64 // the attribute; nil for all
	fixed                      []float32
	roiAt, scalesAt, sizesAt   int     // inputs; 0 for none
	cubic                      float64 // cubic_coeff_a
	fill                       *plan.Tensor
	exclude, antialias, hwnc   bool
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
	r.readMode(d)
	return r, nil
}

func newResize(d *plan.Decl) (plan.Op, error) {
	r := &Resize{coord: "asymmetric", round: "simple", scalesAt: 1}
	if d.Opset > 10 {
		r.coord = d.Choice("coordinate_transformation_mode", "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
			"align_corners", "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize")
		r.round = d.Choice("nearest_mode", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
		r.cubic = float64(d.Float("cubic_coeff_a", -0.75))
		r.fill = floats(nil, d.Float("extrapolation_value", 0))
		r.exclude = d.Bool("exclude_outside", false)
		r.scalesAt, r.sizesAt = 2, 3
	}
	if d.Opset >= 18 {
		r.antialias = d.Bool("antialias", false)
		r.axes = d.Ints("axes")
		r.policy = d.Choice("keep_aspect_ratio_policy", "stretch", "not_larger", "not_smaller")
	}
	if r.coord == "tf_crop_and_resize" {
		if r.roiAt = 1; !d.Has(1) {
			return nil, errors.New("input roi is left out")
		}
	}
	if !d.Has(r.sizesAt) {
		r.sizesAt = 0
	}
	if !d.Has(r.scalesAt) {
		if r.scalesAt = 0; r.sizesAt == 0 {
			return nil, errors.New("inputs scales and sizes are both left out")
		}
	}
	r.readMode(d)
	return r, nil
}

func (r *Resize) readMode(d *plan.Decl) {
	modes := []string{"nearest", "linear", "bilinear"} // the last is an older name of linear
	if d.Opset > 10 {
		modes = append(modes, "cubic")
	}
	if r.mode = d.Choice("mode", modes...); r.mode == "bilinear" {
		r.mode = "linear"
	}
}

// HWNC returns the operator on HWNC images.
func (r *Resize) HWNC() plan.Op {
	h := *r
	h.hwnc = true
	return &h
}

// ValueArgs says that scales, sizes and the region of interest must be known.
func (r *Resize) ValueArgs() []int {
	var list []int
	for _, k := range [3]int{r.roiAt, r.scalesAt, r.sizesAt} {
		if k > 0 {
			list = append(list, k)
		}
	}
	return list
}

// resized is how one dimension is resized.
type resized struct {
	in, out    int
	scale      float32
	start, end float32 // the region of interest, in lengths of the input
	named      bool    // it is among the axes
}

// stays reports whether the dimension stays as it is.
func (a *resized) stays() bool {
	return a.in == a.out && a.scale == 1 && a.start == 0 && a.end == 1
}

// knownFloats returns the elements of a list of floats that is known while planning.
func knownFloats(what string, a *plan.Arg) ([]float32, error) {
	switch {
	case a.DType != plan.Float32 || len(a.Shape) != 1:
		return nil, errorf("%s is %v, want float32 of rank 1", what, a.Type)
	case a.Known == nil:
		return nil, errorf("%s %w", what, plan.ErrUnknownValue)
	}
	return a.Known.F, nil
}

// dimensions returns how the dimensions of the value are resized, in its order.
func (r *Resize) dimensions(in []*plan.Arg) ([]resized, error) {
	x := in[0].Shape
	scales, axes := r.fixed, r.axes
	var sizes []int64
	var roi []float32
	var err error
	if r.scalesAt > 0 {
		scales, err = knownFloats("scales", in[r.scalesAt])
	}
	if err == nil && r.sizesAt > 0 && len(scales) == 0 {
		sizes, err = plan.KnownInts("sizes", in[r.sizesAt])
	}
	if err == nil && r.roiAt > 0 {
		roi, err = knownFloats("roi", in[r.roiAt])
	}
	if err != nil {
		return nil, err
	}
	list := make([]resized, len(x))
	for k, n := range x {
		list[k] = resized{in: n, out: n, scale: 1, end: 1}
		if r.axes == nil {
			axes = append(axes, int64(k))
		}
	}
	if len(scales)+len(sizes) != len(axes) || r.roiAt > 0 && len(roi) != 2*len(axes) {
		return nil, errorf("has %d scales, %d sizes and a region of %d for %d dimensions", len(scales), len(sizes), len(roi), len(axes))
	}
	at, err := distinct(axes, len(x))
	if err != nil {
		return nil, err
	}
	shared := float32(0) // the scale that keeps the aspect ratio
	for i, k := range at {
		a := &list[place(k, len(x), r.hwnc)]
		a.named = true
		if roi != nil {
			a.start, a.end = roi[i], roi[len(axes)+i]
		}
		if sizes == nil {
			if a.scale = scales[i]; !(a.scale > 0) || float32(a.in)*a.scale > maxGrid {
				return nil, errorf("scales has %v in it for a dimension of %d, want above 0 and a result up to %d", a.scale, a.in, maxGrid)
			}
			a.out = int(float32(a.in) * a.scale)
		} else {
			if sizes[i] < 0 || sizes[i] > maxGrid {
				return nil, errorf("sizes has %d in it, want 0 to %d", sizes[i], maxGrid)
			}
			a.out = int(sizes[i])
			if a.scale = float32(a.out) / float32(a.in); a.in == a.out {
				a.scale = 1
			}
			if i == 0 || (r.policy == "not_larger") == (a.scale < shared) {
				shared = a.scale
			}
		}
	}
	for k := range list {
		a := &list[k]
		if a.named && sizes != nil && (r.policy == "not_larger" || r.policy == "not_smaller") {
			a.scale = shared
			a.out = int(min(float64(float32(a.in)*shared)+0.5, maxGrid+1))
		}
		if !a.stays() && (a.in < 1 || a.out < 1 || a.out > maxGrid) {
			return nil, errorf("a dimension of %d becomes %d, want both 1 to %d", a.in, a.out, maxGrid)
		}
	}
	return list, nil
}

// reach returns how far from a coordinate there is weight, in pixels of the smaller scale.
func (r *Resize) reach() float64 {
	if r.mode == "cubic" {
		return 2
	}
	return 1
}

// shrink returns by how much the antialiasing filter is wider than one for scales above 1.
func (r *Resize) shrink(a *resized) float64 {
	if !r.antialias {
		return 1
	}
	return min(float64(a.scale), 1)
}

// Infer returns the new size.
func (r *Resize) Infer(in []*plan.Arg) (plan.Result, error) {
	dims, err := r.dimensions(in)
	if err != nil {
		return plan.Result{}, err
	}
	shape, extra := make([]int, len(dims)), 0
	var order []int
	for k := len(dims) - 1; k >= 0; k-- {
		a := &dims[k]
		if shape[k] = a.out; !a.stays() {
			order = append(order, k)
		}
		extra += tapFloats(a.out, 2*r.reach()/r.shrink(a)+2)
	}
	res := result(in[0].DType, shape)
	res.Extra = extra
	if r.mode != "nearest" {
		res.Scratch = separableScratch(in[0].Shape, shape, order)
		err = plan.WantFloats(in[:1])
	}
	return res, err
}

// coordinate returns the place in the input that output i is about; outside says that it is none.
func (r *Resize) coordinate(a *resized, i int) (x float32, outside bool) {
	x = float32(i)
	last := float32(a.in - 1)
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
	case "tf_crop_and_resize":
		if a.out > 1 {
			x = float32(a.start*last) + float32(float32(x*(a.end-a.start))*last)/float32(a.out-1)
		} else {
			x = float32(float32(0.5*(a.start+a.end)) * last)
		}
		outside = !(x >= 0 && x <= last)
	default:
		if x = (x+0.5)/a.scale - 0.5; a.out == 1 && r.coord == "pytorch_half_pixel" {
			x = 0
		}
	}
	return x, outside
}

// nearest returns the elements that are nearest to the coordinates, -1 for outside.
func (r *Resize) nearest(a *resized) []int {
	list := make([]int, a.out)
	for i := range list {
		x, outside := r.coordinate(a, i)
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
		if list[i] = -1; !outside {
			list[i] = int(min(max(v, 0), float64(a.in-1)))
		}
	}
	return list
}

// taps returns the weights of the elements around the coordinates.
func (r *Resize) taps(a *resized) *taps {
	t := &taps{in: a.in}
	s := r.shrink(a)
	first := int(math.Floor(-r.reach()/s)) + 1
	var weights []float64
	for i := range a.out {
		begin := len(t.list)
		if x, outside := r.coordinate(a, i); !outside {
			base := math.Floor(float64(x))
			sum := 0.0
			weights = weights[:0]
			for k := first; k <= 1-first; k++ {
				w := r.weight(math.Abs(float64(s * (float64(k) - (float64(x) - base)))))
				at := int(base) + k
				if w == 0 || r.exclude && (at < 0 || at >= a.in) {
					continue
				}
				sum += w
				at = min(max(at, 0), a.in-1) // the edge goes on outside
				if n := len(t.list); n > begin && t.list[n-1].at == at {
					weights[n-1-begin] += w
				} else {
					t.list, weights = append(t.list, tap{at: at}), append(weights, w)
				}
			}
			for j, w := range weights {
				if r.exclude || r.antialias {
					w /= sum
				}
				t.list[begin+j].weight = float32(w)
			}
		}
		t.ends = append(t.ends, len(t.list))
	}
	return t
}

// weight returns the weight of an element at distance d.
func (r *Resize) weight(d float64) float64 {
	a := r.cubic
	switch {
	case r.mode == "linear":
		return max(1-d, 0)
	case d <= 1: // Keys, Cubic convolution interpolation for digital image processing (1981)
		return float64((float64((a+2)*d)-(a+3))*float64(d*d)) + 1
	case d < 2:
		return float64((float64((float64(d-5))*d)+8)*float64(a*d)) - float64(4*a)
	}
	return 0
}

// Run resizes.
func (r *Resize) Run(c *plan.Context, in, out []*plan.Tensor) error {
	dims, err := r.dimensions(asArgs(in))
	if err != nil {
		return err
	}
	x, y := in[0], out[0]
	lists := make([][]int, len(dims))
	var order []int
	var all []*taps
	for k := len(dims) - 1; k >= 0; k-- {
		switch a := &dims[k]; {
		case a.stays():
		case r.mode == "nearest":
			lists[k] = r.nearest(a)
		default:
			order, all = append(order, k), append(all, r.taps(a))
		}
	}
	if r.mode == "nearest" {
		fill := r.fill
		if fill != nil && y.DType.Integer() {
			fill = ints(nil, int64(fill.F[0]))
		}
		remap(c, y, x, lists, fill)
		return nil
	}
	separable(c, y.F, x.F, x.Shape, order, all, false)
	if r.coord != "tf_crop_and_resize" {
		return nil
	}
	for i, t := range all {
		inner := plan.Count(y.Shape[order[i]+1:])
		for at := range y.F {
			if len(t.of(at/inner%len(t.ends))) == 0 {
				y.F[at] = r.fill.F[0]
			}
		}
	}
	return nil
}
