package ref

import (
	"math"
	"slices"
)

func init() {
	operators["Resize"] = resize
	operators["Upsample"] = resize
	operators["GlobalAveragePool"] = globalAveragePool
}

// resize is ONNX Resize and Upsample in modes nearest and linear, for any rank: a result is a sum over the corners of a cell.
// Coordinates are computed in float32, as runtimes do: in float64 another pixel may be nearest.
func resize(n node, in []*Tensor) (*Tensor, error) {
	x := in[0]
	coord, round := "asymmetric", "floor"
	if n.opset > 10 {
		coord, round = n.text("coordinate_transformation_mode", "half_pixel"), n.text("nearest_mode", "round_prefer_floor")
	}
	linear := n.text("mode", "nearest") != "nearest"
	scales := make([]float32, len(x.Shape))
	shape := slices.Clone(x.Shape)
	given, _ := n.attrs["scales"].([]float32)
	at := 1
	if n.opset > 10 {
		at = 2
	}
	if len(in) > at && in[at] != nil {
		for _, v := range in[at].V {
			given = append(given, float32(v))
		}
	}
	for k, d := range x.Shape {
		if len(given) == 0 {
			shape[k] = int(in[3].I[k])
			scales[k] = float32(shape[k]) / float32(d)
		} else {
			scales[k] = given[k]
			shape[k] = int(float32(d) * given[k])
		}
	}
	y := newFloats(shape)
	each(shape, func(i int, c []int) {
		cell, part := make([]int, len(c)), make([]float64, len(c))
		for k := range c {
			d, out, s := float32(x.Shape[k]), float32(shape[k]), scales[k]
			p := float32(c[k])
			switch coord {
			case "asymmetric":
				p /= s
			case "half_pixel":
				p = (p+0.5)/s - 0.5
			case "pytorch_half_pixel":
				if p = (p+0.5)/s - 0.5; out == 1 {
					p = 0
				}
			case "half_pixel_symmetric":
				p = float32(d/2*(1-out/float32(d*s))) + ((p+0.5)/s - 0.5)
			case "tf_half_pixel_for_nn":
				p = (p + 0.5) / s
			case "align_corners":
				if out > 1 {
					p = float32(p*(d-1)) / (out - 1)
				}
			}
			v := float64(p)
			if linear {
				v = math.Min(math.Max(v, 0), float64(d)-1)
				cell[k] = int(v)
				part[k] = v - math.Floor(v)
				continue
			}
			switch round {
			case "floor":
				v = math.Floor(v)
			case "ceil":
				v = math.Ceil(v)
			case "round_prefer_floor":
				v = math.Ceil(v - 0.5)
			case "round_prefer_ceil":
				v = math.Floor(v + 0.5)
			}
			cell[k] = int(math.Min(math.Max(v, 0), float64(d)-1))
		}
		var sum, abs, e float64
		for corner := range 1 << len(c) {
			weight, at := 1.0, 0
			for k := range c {
				p := cell[k]
				if corner>>k&1 == 1 {
					weight *= part[k]
					p = min(p+1, x.Shape[k]-1)
				} else {
					weight *= 1 - part[k]
				}
				at = at*x.Shape[k] + p
			}
			if weight != 0 {
				sum += weight * x.V[at]
				abs += weight * math.Abs(x.V[at])
				e += weight * x.E[at]
			}
		}
		y.V[i], y.E[i] = sum, e
		if linear {
			y.set(i, sum, e+8*unit*abs)
		}
	})
	return y, nil
}

func globalAveragePool(_ node, in []*Tensor) (*Tensor, error) {
	x := in[0]
	shape := slices.Clone(x.Shape)
	for k := range shape[2:] {
		shape[2+k] = 1
	}
	y := newFloats(shape)
	pixels := size(x.Shape[2:])
	for i := range y.V {
		var sum, abs, e float64
		for p := range pixels {
			v := x.V[i*pixels+p]
			sum, abs, e = sum+v, abs+math.Abs(v), e+x.E[i*pixels+p]
		}
		k := float64(pixels)
		y.set(i, sum/k, (e+unit*k*abs)/k)
	}
	return y, nil
}
