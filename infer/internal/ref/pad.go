package ref

import "slices"

func init() { operators["Pad"] = pad }

// pad is ONNX Pad. Modes reflect and wrap go through the elements one by one.
func pad(n node, in []*Tensor) (*Tensor, error) {
	x, rank := in[0], len(in[0].Shape)
	before, after := make([]int, rank), make([]int, rank)
	pads, _ := n.attrs["pads"].([]int64)
	if n.opset >= 11 {
		pads = in[1].I
	}
	for i := range len(pads) / 2 {
		axis := i
		if len(in) > 3 && in[3] != nil {
			axis = (int(in[3].I[i]) + rank) % rank
		}
		before[axis], after[axis] = int(pads[i]), int(pads[len(pads)/2+i])
	}
	fill := newLike(x, []int{1})
	if fill.V != nil {
		fill.V[0] = n.float("value", 0)
	}
	if len(in) > 2 && in[2] != nil {
		fill = in[2]
	}
	shape := slices.Clone(x.Shape)
	sources := make([][]int, rank) // by dimension and place in the result: the element, or -1
	for k := range shape {
		var kept []int
		for i := range shape[k] {
			if i >= -before[k] && i < shape[k]+after[k] {
				kept = append(kept, i)
			}
		}
		front, back := walk(kept, before[k], n.text("mode", "constant"), true), walk(kept, after[k], n.text("mode", "constant"), false)
		slices.Reverse(front)
		sources[k] = slices.Concat(front, kept, back)
		shape[k] = len(sources[k])
	}
	y := newLike(x, shape)
	each(shape, func(i int, c []int) {
		at := 0
		for k := range c {
			if sources[k][c[k]] < 0 {
				y.move(i, fill, 0)
				return
			}
			at = at*x.Shape[k] + sources[k][c[k]]
		}
		y.move(i, x, at)
	})
	return y, nil
}

// walk returns the count elements that are met when one leaves kept at its front or its back.
func walk(kept []int, count int, mode string, front bool) (list []int) {
	at, step := len(kept)-1, 1
	if front {
		at, step = 0, -1
	}
	for range max(count, 0) {
		next := at + step
		outside := next < 0 || next >= len(kept)
		switch {
		case mode == "constant":
			list = append(list, -1)
			continue
		case mode == "edge" || len(kept) == 1:
			next = at
		case mode == "wrap" && outside:
			next = len(kept) - 1 - at
		case mode == "reflect" && outside:
			step = -step
			next = at + step
		}
		at = next
		list = append(list, kept[at])
	}
	return list
}
