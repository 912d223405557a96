package ref

import (
	"fmt"
	"math"
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	operators["Shape"] = func(n node, in []*Tensor) (*Tensor, error) {
		rank := int64(len(in[0].Shape))
		y := &Tensor{Shape: []int{}}
		start, end := n.int("start", 0), n.int("end", rank)
		for k, d := range in[0].Shape {
			after := int64(k) >= start && (start >= 0 || int64(k)-rank >= start)
			before := end >= 0 && int64(k) < end || end < 0 && int64(k)-rank < end
			if after && before {
				y.I = append(y.I, int64(d))
			}
		}
		y.Shape = []int{len(y.I)}
		return y, nil
	}
	operators["Size"] = func(_ node, in []*Tensor) (*Tensor, error) {
		return &Tensor{Shape: []int{}, I: []int64{int64(size(in[0].Shape))}}, nil
	}
	operators["ConstantOfShape"] = func(n node, in []*Tensor) (*Tensor, error) {
		value := From(&plan.Tensor{Type: plan.Type{DType: plan.Float32}, F: []float32{0}})
		if t, ok := n.attrs["value"].(*plan.Tensor); ok {
			value = From(t)
		}
		y := newLike(value, n.lengths(in[0]))
		each(y.Shape, func(i int, _ []int) { y.move(i, value, 0) })
		return y, nil
	}
	operators["Range"] = func(_ node, in []*Tensor) (*Tensor, error) {
		y := newLike(in[0], []int{0})
		if y.V == nil {
			for v := in[0].I[0]; in[2].I[0] > 0 && v < in[1].I[0] || in[2].I[0] < 0 && v > in[1].I[0]; v += in[2].I[0] {
				y.I = append(y.I, v)
			}
			y.Shape[0] = len(y.I)
			return y, nil
		}
		y = newFloats([]int{int(math.Max(0, math.Ceil((in[1].V[0]-in[0].V[0])/in[2].V[0])))})
		for i := range y.V {
			y.set(i, in[0].V[0]+float64(i)*in[2].V[0], 0)
		}
		return y, nil
	}
	operators["Gather"] = func(n node, in []*Tensor) (*Tensor, error) {
		x, indices := in[0], in[1]
		axis, r := n.axis(0, len(x.Shape)), len(indices.Shape)
		y := newLike(x, slices.Concat(x.Shape[:axis], indices.Shape, x.Shape[axis+1:]))
		each(y.Shape, func(i int, c []int) {
			at := indices.I[index(c[axis:axis+r], indices.Shape)]
			if at < 0 {
				at += int64(x.Shape[axis])
			}
			y.move(i, x, index(slices.Concat(c[:axis], []int{int(at)}, c[axis+r:]), x.Shape))
		})
		return y, nil
	}
	operators["Slice"] = slice
	operators["Split"] = split
	operators["Expand"] = func(n node, in []*Tensor) (*Tensor, error) {
		shape, err := broadcast(in[0].Shape, n.lengths(in[1]))
		if err != nil {
			return nil, err
		}
		y := newLike(in[0], shape)
		each(shape, func(i int, c []int) { y.move(i, in[0], index(c, in[0].Shape)) })
		return y, nil
	}
	operators["Tile"] = func(n node, in []*Tensor) (*Tensor, error) {
		x := in[0]
		shape := slices.Clone(x.Shape)
		for k := range shape {
			shape[k] *= int(in[1].I[k])
		}
		y := newLike(x, shape)
		each(shape, func(i int, c []int) {
			from := slices.Clone(c)
			for k := range from {
				from[k] %= x.Shape[k]
			}
			y.move(i, x, index(from, x.Shape))
		})
		return y, nil
	}
	operators["Dropout"] = func(n node, in []*Tensor) (*Tensor, error) {
		if n.result == 0 {
			return in[0], nil
		}
		y := &Tensor{DType: plan.Bool, Shape: in[0].Shape, I: slices.Repeat([]int64{1}, size(in[0].Shape))}
		if n.opset < 10 {
			y = newFloats(in[0].Shape)
			for i := range y.V {
				y.V[i] = 1
			}
		}
		return y, nil
	}
}

// lengths returns the elements of x as a shape.
func (node) lengths(x *Tensor) []int {
	shape := make([]int, len(x.I))
	for k, d := range x.I {
		shape[k] = int(d)
	}
	return shape
}

// slice is ONNX Slice, as Python slices: the attributes of opset 1, the inputs of opset 10.
func slice(n node, in []*Tensor) (*Tensor, error) {
	x := in[0]
	list := map[string][]int64{}
	for k, name := range []string{"starts", "ends", "axes", "steps"} {
		if n.opset < 10 {
			list[name], _ = n.attrs[name].([]int64)
		} else if k+1 < len(in) && in[k+1] != nil {
			list[name] = in[k+1].I
		}
	}
	first, step, shape := make([]int, len(x.Shape)), slices.Repeat([]int{1}, len(x.Shape)), slices.Clone(x.Shape)
	for i, start := range list["starts"] {
		k, s := i, int64(1)
		if list["axes"] != nil {
			k = int(list["axes"][i])
		}
		if k < 0 {
			k += len(x.Shape)
		}
		if list["steps"] != nil {
			s = list["steps"][i]
		}
		d, end := int64(x.Shape[k]), list["ends"][i]
		if start < 0 {
			start += d
		}
		if end < 0 {
			end += d
		}
		at := []int64{} // what range(d)[start:end:step] holds, but for a start before 0, which ONNX moves to 0
		if s > 0 {
			for v := max(start, 0); v < min(end, d); v += s {
				at = append(at, v)
			}
		} else {
			for v := min(max(start, 0), d-1); v > max(end, -1); v += s {
				at = append(at, v)
			}
		}
		if shape[k], step[k] = len(at), int(s); len(at) > 0 {
			first[k] = int(at[0])
		}
	}
	y := newLike(x, shape)
	each(shape, func(i int, c []int) {
		from := slices.Clone(first)
		for k := range from {
			from[k] += c[k] * step[k]
		}
		y.move(i, x, index(from, x.Shape))
	})
	return y, nil
}

func split(n node, in []*Tensor) (*Tensor, error) {
	x, axis := in[0], n.axis(0, len(in[0].Shape))
	sizes, _ := n.attrs["split"].([]int64)
	if len(in) > 1 {
		sizes = in[1].I
	}
	d := x.Shape[axis]
	if sizes == nil {
		each := (d + n.results - 1) / n.results
		for k := range n.results {
			sizes = append(sizes, int64(min(each, d-k*each)))
		}
	}
	shape, first := slices.Clone(x.Shape), 0
	for _, s := range sizes[:n.result] {
		first += int(s)
	}
	if shape[axis] = int(sizes[n.result]); first+shape[axis] > d {
		return nil, fmt.Errorf("sizes are %v for %d", sizes, d)
	}
	y := newLike(x, shape)
	each(shape, func(i int, c []int) {
		from := slices.Clone(c)
		from[axis] += first
		y.move(i, x, index(from, x.Shape))
	})
	return y, nil
}
