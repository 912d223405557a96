package ref

import (
	"math"
	"slices"
)

func init() {
	operators["Resize"] = resize
	operators["Upsample"] = resize
}

// resize is ONNX Resize and Upsample for any rank: a result is a sum over all combinations of the elements that it reads along each
// dimension. Coordinates are computed in float32, as runtimes do: in float64 another pixel may be nearest.
func resize(n node, in []*Tensor) (*Tensor, error) {
	x := in[0]
	scales, shape, roi := resizeShape(n, in)
	coord := "asymmetric"
	if n.opset > 10 {
		coord = n.text("coordinate_transformation_mode", "half_pixel")
	}
	weights := make([][]map[int]float64, len(shape)) // by dimension and output: of the elements; nil for outside
	for k, d := range x.Shape {
		weights[k] = make([]map[int]float64, shape[k])
		for i := range shape[k] {
			weights[k][i] = map[int]float64{i: 1}
			if scales[k] == 1 && shape[k] == d && roi[0][k] == 0 && roi[1][k] == 1 {
				continue
			}
			p, inside := coordinate(coord, i, d, shape[k], scales[k], roi[0][k], roi[1][k])
			if weights[k][i] = nil; inside {
				weights[k][i] = resizeWeights(n, float64(p), float64(scales[k]), d)
			}
		}
	}
	y := newLike(x, shape)
	each(shape, func(i int, c []int) {
		var sum, abs, e, terms float64
		at := 0
		var add func(k, at int, w float64)
		add = func(k, base int, w float64) {
			if k == len(c) {
				at = base
				if terms++; x.V != nil {
					sum, abs, e = sum+w*x.V[at], abs+math.Abs(w*x.V[at]), e+math.Abs(w)*x.E[at]
				}
				return
			}
			for j, v := range weights[k][c[k]] {
				add(k+1, base*x.Shape[k]+j, w*v)
			}
		}
		for k := range c {
			if weights[k][c[k]] == nil {
				if y.V == nil {
					y.I[i] = int64(n.float("extrapolation_value", 0))
				} else {
					y.V[i] = n.float("extrapolation_value", 0)
				}
				return
			}
		}
		if add(0, 0, 1); n.text("mode", "nearest") == "nearest" {
			y.move(i, x, at)
			return
		}
		y.set(i, sum, e+unit*(8+terms)*abs)
	})
	return y, nil
}

// resizeShape returns the scale of each dimension, the result's shape, and the beginning and the end of the region of interest.
func resizeShape(n node, in []*Tensor) (scales []float32, shape []int, roi [2][]float32) {
	rank := len(in[0].Shape)
	given, _ := n.attrs["scales"].([]float32)
	at, axes := 1, make([]int, rank)
	if n.opset > 10 {
		at = 2
	}
	if list, ok := n.attrs["axes"].([]int64); ok {
		axes = n.ints("axes", len(list), 0)
	} else {
		for k := range axes {
			axes[k] = k
		}
	}
	if len(in) > at && in[at] != nil {
		for _, v := range in[at].V {
			given = append(given, float32(v))
		}
	}
	shape, scales = slices.Clone(in[0].Shape), make([]float32, rank)
	roi = [2][]float32{make([]float32, rank), make([]float32, rank)}
	for k := range scales {
		scales[k], roi[1][k] = 1, 1
	}
	policy := n.text("keep_aspect_ratio_policy", "stretch")
	var all []float32
	for i, a := range axes {
		k := (a + rank) % rank
		if len(given) > 0 {
			scales[k] = given[i]
			shape[k] = int(float32(shape[k]) * given[i])
		} else {
			scales[k] = float32(in[3].I[i]) / float32(shape[k])
			shape[k] = int(in[3].I[i])
			all = append(all, scales[k])
		}
		if n.text("coordinate_transformation_mode", "") == "tf_crop_and_resize" {
			roi[0][k], roi[1][k] = float32(in[1].V[i]), float32(in[1].V[len(axes)+i])
		}
	}
	if len(given) > 0 || policy == "stretch" {
		return scales, shape, roi
	}
	s := slices.Min(all)
	if policy == "not_smaller" {
		s = slices.Max(all)
	}
	for _, a := range axes {
		k := (a + rank) % rank
		scales[k], shape[k] = s, int(math.Floor(float64(float32(in[0].Shape[k])*s)+0.5))
	}
	return scales, shape, roi
}

// coordinate returns where output i of out, for an input of size, reads, and whether that is inside.
func coordinate(mode string, i, size, out int, s, start, end float32) (float32, bool) {
	p, d, last := float32(i), float32(size), float32(size-1)
	switch mode {
	case "asymmetric":
		return p / s, true
	case "pytorch_half_pixel":
		if out == 1 {
			return 0, true
		}
	case "half_pixel_symmetric":
		return float32(d/2*(1-float32(out)/float32(d*s))) + ((p+0.5)/s - 0.5), true
	case "tf_half_pixel_for_nn":
		return (p + 0.5) / s, true
	case "align_corners":
		if out > 1 {
			return float32(p*last) / float32(out-1), true
		}
		return p, true
	case "tf_crop_and_resize":
		if out > 1 {
			p = float32(start*last) + float32(float32(p*(end-start))*last)/float32(out-1)
		} else {
			p = float32(float32(0.5*(start+end)) * last)
		}
		return p, p >= 0 && p <= last
	}
	return (p+0.5)/s - 0.5, true
}

// resizeWeights returns the weights of elements 0 ... size-1 at coordinate p. Those outside count for the nearest inside.
func resizeWeights(n node, p, scale float64, size int) map[int]float64 {
	mode, a := n.text("mode", "nearest"), n.float("cubic_coeff_a", -0.75)
	clamp := func(i float64) int { return int(math.Min(math.Max(i, 0), float64(size-1))) }
	if mode == "nearest" {
		round := n.text("nearest_mode", "round_prefer_floor")
		if n.opset <= 10 {
			if round = "floor"; scale < 1 {
				round = "ceil"
			}
		}
		switch round {
		case "ceil":
			p = math.Ceil(p)
		case "round_prefer_floor":
			p = math.Ceil(p - 0.5)
		case "round_prefer_ceil":
			p = math.Floor(p + 0.5)
		}
		return map[int]float64{clamp(math.Floor(p)): 1}
	}
	if n.int("antialias", 0) == 0 || scale > 1 {
		scale = 1
	}
	weights, sum := map[int]float64{}, 0.0
	for i := math.Floor(p - 2/scale); i <= p+2/scale; i++ {
		d, w := math.Abs(i-p)*scale, 0.0
		switch {
		case mode != "cubic":
			w = math.Max(1-d, 0)
		case d <= 1:
			w = (a+2)*d*d*d - (a+3)*d*d + 1
		case d < 2:
			w = a*d*d*d - 5*a*d*d + 8*a*d - 4*a
		}
		if w == 0 || n.int("exclude_outside", 0) != 0 && (i < 0 || i >= float64(size)) {
			continue
		}
		weights[clamp(i)] += w
		sum += w
	}
	if n.int("antialias", 0) != 0 || n.int("exclude_outside", 0) != 0 {
		for i := range weights {
			weights[i] /= sum
		}
	}
	return weights
}
