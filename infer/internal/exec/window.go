package exec

import (
	"gantry/infer/internal/plan"
)

// window is how an operator slides over the spatial dimensions of its input: what Conv,
// ConvTranspose and the pools declare. A list is nil where the file leaves it out.
type window struct {
	kernel, strides, dilations []int
	pads                       []int  // beginnings, then ends
	auto                       string // auto_pad
}

// What auto_pad may be.
const (
	notSet    = "NOTSET"
	sameUpper = "SAME_UPPER"
	sameLower = "SAME_LOWER"
	valid     = "VALID"
)

// readWindow reads the attributes kernel_shape, strides, dilations, pads and auto_pad.
func readWindow(d *plan.Decl) (w window, err error) {
	w.auto = d.Choice("auto_pad", notSet, sameUpper, sameLower, valid)
	for _, a := range []struct {
		name  string
		least int64
		to    *[]int
	}{{"kernel_shape", 1, &w.kernel}, {"strides", 1, &w.strides}, {"dilations", 1, &w.dilations}, {"pads", 0, &w.pads}} {
		if *a.to, err = readSizes(d, a.name, a.least); err != nil {
			return w, err
		}
	}
	if w.auto != notSet {
		w.pads = nil // as runtimes do: auto_pad wins
	}
	rank := -1
	for _, a := range []struct {
		name string
		n    int
	}{{"kernel_shape", len(w.kernel)}, {"strides", len(w.strides)}, {"dilations", len(w.dilations)}, {"pads", len(w.pads) / 2}} {
		switch {
		case a.n == 0:
		case rank < 0:
			rank = a.n
		case rank != a.n:
			return w, errorf("attribute %s is for %d spatial dimensions, another is for %d", a.name, a.n, rank)
		}
	}
	if len(w.pads)%2 != 0 {
		return w, errorf("attribute pads has %d elements, want two for each spatial dimension", len(w.pads))
	}
	return w, nil
}

// readSizes reads a list of numbers of at least least.
func readSizes(d *plan.Decl, name string, least int64) ([]int, error) {
	var sizes []int
	for _, v := range d.Ints(name) {
		if v < least || v > maxWindow {
			return nil, errorf("attribute %s has %d in it, want %d to %d", name, v, least, maxWindow)
		}
		sizes = append(sizes, int(v))
	}
	return sizes, nil
}

// span is a window along one dimension.
type span struct {
	taps, stride, dilation int
	before, after          int // padding
}

// reach is the number of inputs from the first tap to the last.
func (s span) reach() int { return (s.taps-1)*s.dilation + 1 }

// along sets s to the window along spatial dimension i of n; taps is its length.
func (w *window) along(s *span, i, n, taps int) error {
	*s = span{taps: taps, stride: 1, dilation: 1}
	for _, a := range []struct {
		name string
		list []int
		want int
	}{{"strides", w.strides, n}, {"dilations", w.dilations, n}, {"pads", w.pads, 2 * n}} {
		if a.list != nil && len(a.list) != a.want {
			return errorf("attribute %s has %d elements, want %d", a.name, len(a.list), a.want)
		}
	}
	if w.strides != nil {
		s.stride = w.strides[i]
	}
	if w.dilations != nil {
		s.dilation = w.dilations[i]
	}
	if w.pads != nil {
		s.before, s.after = w.pads[i], w.pads[n+i]
	}
	return nil
}

// outputs returns the length of the result of a window over n inputs, and settles the padding of auto_pad.
func (s *span) outputs(n int, auto string) (int, error) {
	if auto == sameUpper || auto == sameLower {
		out := (n + s.stride - 1) / s.stride
		total := max((out-1)*s.stride+s.reach()-n, 0)
		s.before = total / 2
		if auto == sameLower {
			s.before = total - total/2
		}
		s.after = total - s.before
		return out, nil
	}
	room := n + s.before + s.after - s.reach()
	if n < 1 || room < 0 {
		return 0, errorf("a kernel that reaches over %d does not fit into %d with padding of %d and %d", s.reach(), n, s.before, s.after)
	}
	return room/s.stride + 1, nil
}
