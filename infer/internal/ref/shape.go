package ref

import (
	"errors"
	"slices"
)

func init() {
	operators["Reshape"] = reshape
	operators["Flatten"] = func(n node, in []*Tensor) (*Tensor, error) {
		axis := n.axis(1, len(in[0].Shape))
		return view(in[0], []int{size(in[0].Shape[:axis]), size(in[0].Shape[axis:])}), nil
	}
	operators["Squeeze"] = func(n node, in []*Tensor) (*Tensor, error) {
		x := in[0]
		axes, given := axes(n, in, 13, len(x.Shape))
		shape := []int{}
		for k, d := range x.Shape {
			if given && !slices.Contains(axes, k) || !given && d != 1 {
				shape = append(shape, d)
			}
		}
		return view(x, shape), nil
	}
	operators["Unsqueeze"] = func(n node, in []*Tensor) (*Tensor, error) {
		x := in[0]
		count := len(ints(n, in, 13))
		axes, _ := axes(n, in, 13, len(x.Shape)+count)
		shape, rest := []int{}, x.Shape
		for k := range len(x.Shape) + count {
			if slices.Contains(axes, k) {
				shape = append(shape, 1)
			} else {
				shape, rest = append(shape, rest[0]), rest[1:]
			}
		}
		return view(x, shape), nil
	}
	operators["Concat"] = concat
}

func view(x *Tensor, shape []int) *Tensor {
	return &Tensor{DType: x.DType, Shape: shape, V: x.V, E: x.E, I: x.I}
}

// ints returns the axes of a node: an attribute before opset since, input 1 from then on.
func ints(n node, in []*Tensor, since int64) []int64 {
	if n.opset < since {
		list, _ := n.attrs["axes"].([]int64)
		return list
	}
	if len(in) > 1 && in[1] != nil {
		return in[1].I
	}
	return nil
}

func axes(n node, in []*Tensor, since int64, rank int) (axes []int, given bool) {
	list := ints(n, in, since)
	for _, a := range list {
		if a < 0 {
			a += int64(rank)
		}
		axes = append(axes, int(a))
	}
	return axes, list != nil
}

func reshape(n node, in []*Tensor) (*Tensor, error) {
	x := in[0]
	shape, open := make([]int, len(in[1].I)), -1
	for k, d := range in[1].I {
		switch {
		case d == -1:
			open, d = k, 1
		case d == 0 && n.int("allowzero", 0) == 0:
			d = int64(x.Shape[k])
		}
		shape[k] = int(d)
	}
	if open >= 0 {
		shape[open] = size(x.Shape) / size(shape)
	}
	if size(shape) != size(x.Shape) {
		return nil, errors.New("shape does not fit")
	}
	return view(x, shape), nil
}

func concat(n node, in []*Tensor) (*Tensor, error) {
	axis := n.axis(0, len(in[0].Shape))
	shape := slices.Clone(in[0].Shape)
	for _, x := range in[1:] {
		shape[axis] += x.Shape[axis]
	}
	y := newLike(in[0], shape)
	each(shape, func(i int, c []int) {
		c = slices.Clone(c)
		for _, x := range in {
			if c[axis] < x.Shape[axis] {
				y.move(i, x, index(c, x.Shape))
				return
			}
			c[axis] -= x.Shape[axis]
		}
	})
	return y, nil
}
