package exec

import (
	"errors"
	"math"
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "AveragePool", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) { return newPool(d, false) }})
	plan.Register(plan.Operator{Name: "MaxPool", MinIn: 1, MaxIn: 1, MaxOut: 2, New: func(d *plan.Decl) (plan.Op, error) { return newPool(d, true) }})
}

// Pool is ONNX AveragePool or MaxPool over any number of spatial dimensions. The mean of a window is the mean along one dimension of the
// means along the next; of a maximum that several elements have, the first counts.
type Pool struct {
	window
	most      bool
	ceil      bool // the result may have one more, whose window ends outside
	wholePads bool // padding counts in a mean
	byColumns bool // Indices count the first spatial dimension fastest
	hwnc      bool
}

func newPool(d *plan.Decl, most bool) (plan.Op, error) {
	p := &Pool{most: most}
	since := int64(19)
	if most {
		since = 10
	}
	if d.Opset < since && d.Given("dilations") {
		return nil, errorf("attribute dilations begins with opset %d", since)
	}
	if d.Opset >= 10 {
		p.ceil = d.Bool("ceil_mode", false)
	}
	if most && d.Opset >= 8 {
		p.byColumns = d.Bool("storage_order", false)
	}
	if !most {
		p.wholePads = d.Bool("count_include_pad", false)
	}
	var err error
	if p.window, err = readWindow(d); err == nil && p.kernel == nil {
		err = errors.New("attribute kernel_shape is left out")
	}
	return p, err
}

// HWNC returns the operator on HWNC images.
func (p *Pool) HWNC() plan.Op {
	h := *p
	h.hwnc = true
	return &h
}

// pooled is a window along one dimension of the value.
type pooled struct {
	span
	at, in, out int // the dimension, and its lengths
}

// dimensions returns the windows of the spatial dimensions of x.
func (p *Pool) dimensions(x []int) ([]pooled, error) {
	n := len(p.kernel)
	if len(x) != n+2 {
		return nil, errorf("input is %s, but attribute kernel_shape is %v", plan.ShapeString(x), p.kernel)
	}
	list := make([]pooled, n)
	for i, taps := range p.kernel {
		d := &list[i]
		d.at = place(i+2, len(x), p.hwnc)
		d.in = x[d.at]
		err := p.along(&d.span, i, n, taps)
		if err == nil {
			err = checkGrid("input", d.in)
		}
		if err == nil {
			d.out, err = d.outputs(d.in, p.auto)
		}
		if err != nil {
			return nil, errorf("spatial dimension %d of %s: %w", i, plan.ShapeString(x), err)
		}
		if rest := d.in + d.before + d.after - d.reach(); p.ceil && p.auto == notSet && rest%d.stride != 0 && d.out*d.stride < d.in+d.before {
			d.out++
		}
	}
	return list, nil
}

// Infer returns the shape of the result.
func (p *Pool) Infer(in []*plan.Arg) (plan.Result, error) {
	x := in[0]
	if !p.most || x.DType != plan.Uint8 {
		if err := plan.WantFloats(in); err != nil {
			return plan.Result{}, err
		}
	}
	dims, err := p.dimensions(x.Shape)
	if err != nil {
		return plan.Result{}, err
	}
	shape, extra, work := slices.Clone(x.Shape), 0, 0.0
	var order []int
	for _, d := range dims {
		order = append(order, d.at)
		shape[d.at] = d.out
		extra += tapFloats(d.out, float64(min(d.taps, d.in)))
		work = max(work, float64(d.taps))
	}
	r := result(x.DType, shape)
	r.Out = append(r.Out, plan.Type{DType: plan.Int64, Shape: shape})
	r.Extra = min(extra, 1<<50)
	r.Scratch = separableScratch(x.Shape, shape, order)
	err = bounded(&r, work*float64(max(r.Scratch, volume(shape))))
	return r, err
}

// taps returns the elements in each window, with the weights that make their sum a mean.
func (p *Pool) taps(d *pooled) *taps {
	t := &taps{in: d.in}
	for o := range d.out {
		start := o*d.stride - d.before
		lo, hi := d.inside(start, 0, d.in)
		count := hi - lo
		if p.wholePads {
			from, to := d.inside(start, -d.before, d.in+d.after)
			count = to - from
		}
		for k := lo; k < hi; k++ {
			t.list = append(t.list, tap{start + k*d.dilation, 1 / float32(count)})
		}
		t.ends = append(t.ends, len(t.list))
	}
	return t
}

// inside returns which taps of a window that begins at start are among first ... end-1: lo ... hi-1.
func (s *span) inside(start, first, end int) (lo, hi int) {
	lo = max(first-start+s.dilation-1, 0) / s.dilation
	hi = min(max(end-start+s.dilation-1, 0)/s.dilation, s.taps)
	return lo, max(lo, hi)
}

// Run pools.
func (p *Pool) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0], out[0]
	dims, err := p.dimensions(x.Shape)
	if err != nil || y.Count() == 0 {
		return err
	}
	order, all := make([]int, len(dims)), make([]*taps, len(dims))
	for i := range dims {
		order[i], all[i] = dims[i].at, p.taps(&dims[i])
	}
	if len(out) == 1 && !x.DType.Integer() {
		separable(c, y.F, x.F, x.Shape, order, all, p.most)
		return nil
	}
	image, pixels := plan.Count(x.Shape[2:]), plan.Count(y.Shape[2:])
	each(c, y.Count(), image/pixels+1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			first := i / pixels * image
			at := largest(x, all, y.Shape[2:], i%pixels, first, -1)
			switch {
			case y.DType.Integer():
				y.I[i] = x.I[max(at, 0)]
			case at < 0:
				y.F[i] = float32(math.Inf(-1))
			default:
				y.F[i] = x.F[at]
			}
			if len(out) > 1 {
				out[1].I[i] = p.index(max(at, 0), first, x.Shape[2:])
			}
		}
	})
	return nil
}

// largest returns the place of the largest element in the window of output i of shape, or best if none is larger than that. The
// window's dimensions are those of all; the first of their elements stands at base.
func largest(x *plan.Tensor, all []*taps, shape []int, i, base, best int) int {
	if len(all) == 0 {
		if best < 0 || x.DType.Integer() && x.I[base] > x.I[best] || !x.DType.Integer() && larger(x.F[base], x.F[best]) {
			return base
		}
		return best
	}
	step := 1
	for _, t := range all[1:] {
		step *= t.in
	}
	outputs := plan.Count(shape[1:])
	for _, t := range all[0].of(i / outputs) {
		best = largest(x, all[1:], shape[1:], i%outputs, base+t.at*step, best)
	}
	return best
}

// larger reports whether v is larger than w; NaN is larger than all others.
func larger(v, w float32) bool { return v > w || v != v && w == w }

// index returns what Indices say of the element at: its place in x, whose plane begins at first.
func (p *Pool) index(at, first int, plane []int) int64 {
	if !p.byColumns {
		return int64(at)
	}
	at -= first
	sum, step := first, plan.Count(plane)
	for k := len(plane) - 1; k >= 0; k-- {
		step /= plane[k]
		sum += at % plane[k] * step
		at /= plane[k]
	}
	return int64(sum)
}
