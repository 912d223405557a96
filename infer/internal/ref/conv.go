package ref

func init() {
	operators["Conv"] = conv
	operators["ConvTranspose"] = convTranspose
}

// ints returns a list of integers, or n times def.
func (n node) ints(name string, count int, def int64) []int {
	list, ok := n.attrs[name].([]int64)
	x := make([]int, count)
	for i := range x {
		if x[i] = int(def); ok {
			x[i] = int(list[i])
		}
	}
	return x
}

// samePads puts half of total at the beginning, and what is over at the beginning or at the end.
func samePads(total int, overAtEnd bool) int {
	if overAtEnd {
		return total / 2
	}
	return total - total/2
}

// conv is ONNX Conv for any number of spatial dimensions.
func conv(n node, in []*Tensor) (*Tensor, error) {
	x, w := in[0], in[1]
	d := len(x.Shape) - 2
	taps := w.Shape[2:]
	strides, dilations, pads := n.ints("strides", d, 1), n.ints("dilations", d, 1), n.ints("pads", 2*d, 0)
	auto, _ := n.attrs["auto_pad"].(string)
	groups := int(n.int("group", 1))
	shape := []int{x.Shape[0], w.Shape[0]}
	for i := range d {
		reach, size := (taps[i]-1)*dilations[i]+1, x.Shape[2+i]
		switch auto {
		case "SAME_UPPER", "SAME_LOWER":
			out := (size + strides[i] - 1) / strides[i]
			pads[i] = samePads(max((out-1)*strides[i]+reach-size, 0), auto == "SAME_UPPER")
			shape = append(shape, out)
			continue
		case "VALID":
			pads[i], pads[d+i] = 0, 0
		}
		shape = append(shape, (size+pads[i]+pads[d+i]-reach)/strides[i]+1)
	}
	y := newFloats(shape)
	depth, width := w.Shape[1], w.Shape[0]/groups
	each(shape, func(i int, c []int) {
		s := newSum(in, c[1])
		each(w.Shape[1:], func(j int, t []int) { // channel of the group, then taps
			at := c[0]*x.Shape[1] + c[1]/width*depth + t[0]
			for k := range d {
				p := c[2+k]*strides[k] - pads[k] + t[1+k]*dilations[k]
				if p < 0 || p >= x.Shape[2+k] {
					return
				}
				at = at*x.Shape[2+k] + p
			}
			s.add(x, at, w, c[1]*size(w.Shape[1:])+j)
		})
		s.store(y, i)
	})
	return y, nil
}

// convTranspose is ONNX ConvTranspose for any number of spatial dimensions: each input adds to the
// outputs that its taps reach.
func convTranspose(n node, in []*Tensor) (*Tensor, error) {
	x, w := in[0], in[1]
	d := len(x.Shape) - 2
	taps := w.Shape[2:]
	strides, dilations, pads, over := n.ints("strides", d, 1), n.ints("dilations", d, 1), n.ints("pads", 2*d, 0), n.ints("output_padding", d, 0)
	auto, _ := n.attrs["auto_pad"].(string)
	_, given := n.attrs["output_shape"]
	groups := int(n.int("group", 1))
	width := w.Shape[1]
	shape := []int{x.Shape[0], width * groups}
	for i := range d {
		full := (x.Shape[2+i]-1)*strides[i] + (taps[i]-1)*dilations[i] + 1 + over[i]
		want := full - pads[i] - pads[d+i]
		switch {
		case given:
			want = n.ints("output_shape", d, 0)[i]
		case auto == "SAME_UPPER" || auto == "SAME_LOWER":
			want = min(x.Shape[2+i]*strides[i], full)
		case auto == "VALID":
			want, pads[i] = full, 0
		}
		if given || auto == "SAME_UPPER" || auto == "SAME_LOWER" {
			pads[i] = samePads(max(full-want, 0), auto == "SAME_UPPER")
		}
		shape = append(shape, want)
	}
	y := newFloats(shape)
	sums := make([]*sum, size(shape))
	each(shape, func(i int, c []int) { sums[i] = newSum(in, c[1]) })
	each(x.Shape, func(i int, c []int) {
		each(w.Shape[1:], func(j int, t []int) {
			at := c[0]*shape[1] + c[1]/(x.Shape[1]/groups)*width + t[0]
			for k := range d {
				p := c[2+k]*strides[k] - pads[k] + t[1+k]*dilations[k]
				if p < 0 || p >= shape[2+k] {
					return
				}
				at = at*shape[2+k] + p
			}
			sums[at].add(x, i, w, c[1]*size(w.Shape[1:])+j)
		})
	})
	for i, s := range sums {
		s.store(y, i)
	}
	return y, nil
}
