package exec

import (
	"errors"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Pad", MinIn: 1, MaxIn: 4, MaxOut: 1, New: newPad})
}

// Pad is ONNX Pad: it puts elements before and behind those of each dimension, or takes some away where their number is
// below zero. What is put there continues what is left after the taking away.
type Pad struct {
	mode string
	pads []int64      // the attribute; nil where input 1 holds them
	fill *plan.Tensor // where it is an attribute
	hwnc bool
}

func newPad(d *plan.Decl) (plan.Op, error) {
	modes := []string{"constant", "reflect", "edge"}
	if d.Opset >= 19 {
		modes = append(modes, "wrap")
	}
	p := &Pad{mode: d.Choice("mode", modes...)}
	switch {
	case d.Opset < 11:
		if p.pads = d.Ints("pads"); p.pads == nil || len(d.In) > 1 {
			return nil, errors.New("wants its pads as an attribute")
		}
		p.fill = floats(nil, d.Float("value", 0))
	case !d.Has(1):
		return nil, errors.New("input pads is left out")
	case d.Has(3) && d.Opset < 18:
		return nil, errors.New("has its axes as an input, which begins with opset 18")
	}
	return p, nil
}

// HWNC returns the operator on HWNC images.
func (p *Pad) HWNC() plan.Op {
	h := *p
	h.hwnc = true
	return &h
}

// ValueArgs says that pads and axes must be known.
func (*Pad) ValueArgs() []int { return []int{1, 3} }

// padded is one dimension: of its elements, lo ... hi-1 stay, and element i of the result is at i-before.
type padded struct{ lo, hi, before, out int }

// dimensions returns what becomes of each dimension, in the order of the value.
func (p *Pad) dimensions(in []*plan.Arg) ([]padded, error) {
	x, pads := in[0].Shape, p.pads
	var axes []int64
	var err error
	if pads == nil {
		pads, err = plan.KnownInts("pads", in[1])
	}
	if err == nil && len(in) > 3 && in[3] != nil {
		axes, err = plan.KnownInts("axes", in[3])
	} else {
		for i := range x {
			axes = append(axes, int64(i))
		}
	}
	if err == nil && len(pads) != 2*len(axes) {
		err = errorf("has %d pads for %d dimensions, want two for each", len(pads), len(axes))
	}
	if err != nil {
		return nil, err
	}
	list := make([]padded, len(x))
	for i, n := range x {
		list[i] = padded{0, n, 0, n}
	}
	at, err := distinct(axes, len(x))
	if err != nil {
		return nil, err
	}
	for i, k := range at {
		k = place(k, len(x), p.hwnc)
		before, after := pads[i], pads[len(at)+i]
		if max(before, after) > maxGrid || min(before, after) < -maxGrid {
			return nil, errorf("pads has %d and %d in it, want %d to %d", before, after, -maxGrid, maxGrid)
		}
		n := x[k]
		d := padded{int(max(-before, 0)), n + int(min(after, 0)), int(before), n + int(before+after)}
		if d.lo > d.hi || d.out < 0 || p.mode != "constant" && d.lo == d.hi && d.out > 0 {
			return nil, errorf("pads of %d and %d for a dimension of %d leave nothing of it", before, after, n)
		}
		list[k] = d
	}
	return list, nil
}

// Infer returns the padded shape.
func (p *Pad) Infer(in []*plan.Arg) (plan.Result, error) {
	if len(in) > 2 && in[2] != nil && (in[2].DType != in[0].DType || in[2].Count() != 1) {
		return plan.Result{}, errorf("constant_value is %v, want one number of type %v", in[2].Type, in[0].DType)
	}
	list, err := p.dimensions(in)
	if err == nil && p.fill != nil {
		err = plan.WantFloats(in)
	}
	if err != nil {
		return plan.Result{}, err
	}
	shape := make([]int, len(list))
	for i, d := range list {
		shape[i] = d.out
	}
	return listed(result(in[0].DType, shape), shape), nil
}

// Run copies the elements.
func (p *Pad) Run(c *plan.Context, in, out []*plan.Tensor) error {
	dims, err := p.dimensions(asArgs(in))
	if err != nil {
		return err
	}
	lists := make([][]int, len(dims))
	for k, d := range dims {
		if d.before == 0 && d.out == in[0].Shape[k] {
			continue
		}
		lists[k] = make([]int, d.out)
		for i := range lists[k] {
			lists[k][i] = d.from(i-d.before, p.mode)
		}
	}
	fill := p.fill
	if len(in) > 2 && in[2] != nil {
		fill = in[2]
	}
	remap(c, out[0], in[0], lists, fill)
	return nil
}

// from returns the element that stands at i, which may be outside, or -1 for none.
func (d padded) from(i int, mode string) int {
	n := d.hi - d.lo
	switch {
	case i >= d.lo && i < d.hi:
		return i
	case mode == "edge":
		return min(max(i, d.lo), d.hi-1)
	case mode == "wrap":
		return d.lo + ((i-d.lo)%n+n)%n
	case mode == "reflect" && n == 1:
		return d.lo
	case mode == "reflect": // there and back
		turn := 2 * (n - 1)
		k := ((i-d.lo)%turn + turn) % turn
		return d.lo + min(k, turn-k)
	}
	return -1
}
