package kernel

import "slices"

// ForGrid returns w for c, which is the convolution that packed it up to the sizes
// of the grids, without a copy of the weights. It returns nil if the weights of c
// are laid out in another way, as for grids that are smaller than a stride or that
// want another fast form.
func (w *PackedConv) ForGrid(c *Conv) *PackedConv { return w.forPlan(c.forward) }

// ForTransposedGrid is ForGrid for weights of [Conv.PackTransposed].
func (w *PackedConv) ForTransposedGrid(c *Conv) *PackedConv { return w.forPlan(c.back()) }

func (w *PackedConv) forPlan(l *convPlan) *PackedConv {
	o := w.plan
	if l.winoForm() != o.winoForm() || l.in != o.in || l.out != o.out || l.colStride != o.colStride || l.groups != o.groups || l.taps != o.taps || l.tapCols != o.tapCols || l.thin != o.thin ||
		!l.thin && !(l.rows.sameTaps(&o.rows) && l.cols.sameTaps(&o.cols)) {
		return nil
	}
	return &PackedConv{plan: l, tier: w.tier, b: w.b, thin: w.thin}
}

// sameTaps reports whether the phases of a and b have the same taps.
func (a *axis) sameTaps(b *axis) bool {
	return slices.EqualFunc(a.phases, b.phases, func(p, q axisPhase) bool { return slices.Equal(p.taps, q.taps) })
}

// winoForm returns the fast form, or nil for the direct one.
func (l *convPlan) winoForm() *winoForm {
	if l.wino == nil {
		return nil
	}
	return l.wino.form
}
