package ref

import "math"

func init() {
	operators["InstanceNormalization"] = func(n node, in []*Tensor) (*Tensor, error) { return groupNorm(n, in, in[0].Shape[1]) }
	operators["GroupNormalization"] = func(n node, in []*Tensor) (*Tensor, error) {
		return groupNorm(n, in, int(n.int("num_groups", 1)))
	}
	operators["LayerNormalization"] = func(n node, in []*Tensor) (*Tensor, error) { return layerNorm(n, in, false) }
	operators["RMSNormalization"] = func(n node, in []*Tensor) (*Tensor, error) { return layerNorm(n, in, true) }
	operators["Softmax"] = func(n node, in []*Tensor) (*Tensor, error) {
		return lines(n, in[0], func(s *reduced, x, e float64) (float64, float64) {
			y := math.Exp(x-s.max) / s.exps()
			return y, y * (math.Expm1(2*s.most) + unit*(s.n+8+s.max-x))
		})
	}
	operators["LogSoftmax"] = func(n node, in []*Tensor) (*Tensor, error) {
		return lines(n, in[0], func(s *reduced, x, e float64) (float64, float64) {
			return x - s.max - math.Log(s.exps()), 2*s.most + unit*(s.n+8+s.max-x)
		})
	}
	operators["CumSum"] = cumSum
	operators["Trilu"] = func(n node, in []*Tensor) (*Tensor, error) {
		y, k := newLike(in[0], in[0].Shape), 0
		if len(in) > 1 && in[1] != nil {
			k = int(in[1].I[0])
		}
		each(y.Shape, func(i int, c []int) {
			d := c[len(c)-1] - c[len(c)-2] - k
			if n.int("upper", 1) != 0 && d >= 0 || n.int("upper", 1) == 0 && d <= 0 {
				y.move(i, in[0], i)
			}
		})
		return y, nil
	}
	operators["LpNormalization"] = func(n node, in []*Tensor) (*Tensor, error) {
		return lines(n, in[0], func(s *reduced, x, e float64) (float64, float64) {
			norm, off := rootOf(s.squares, s.squaresErr())
			if n.int("p", 2) == 1 {
				norm, off = s.abs, s.sumErr()
			}
			switch {
			case norm == 0 && off < tiny:
				return 0, 0
			case norm <= off:
				return x / norm, math.Inf(1)
			}
			return x / norm, (e + math.Abs(x/norm)*off) / (norm - off)
		})
	}
}

func cumSum(n node, in []*Tensor) (*Tensor, error) {
	x := in[0]
	axis := int(in[1].I[0])
	if axis < 0 {
		axis += len(x.Shape)
	}
	y := newFloats(x.Shape)
	step := size(x.Shape[axis+1:])
	each(x.Shape, func(i int, c []int) {
		var s reduced
		for k := range x.Shape[axis] {
			before := k < c[axis]
			if n.int("reverse", 0) != 0 {
				before = k > c[axis]
			}
			if before || k == c[axis] && n.int("exclusive", 0) == 0 {
				s.add(x.V[i+(k-c[axis])*step], x.E[i+(k-c[axis])*step])
			}
		}
		y.set(i, s.sum, s.sumErr())
	})
	return y, nil
}

// exps returns the sum of exp(x-max).
func (s *reduced) exps() float64 {
	sum := 0.0
	for _, x := range s.all {
		sum += math.Exp(x - s.max)
	}
	return sum
}

// lines applies f to each element, with what is known of those along its axis. Softmax and LogSoftmax had all dimensions from
// the axis on behind it before opset 13.
func lines(n node, x *Tensor, f func(s *reduced, x, e float64) (float64, float64)) (*Tensor, error) {
	_, power := n.attrs["p"]
	flat := n.opset < 13 && !power
	def := int64(-1)
	if flat {
		def = 1
	}
	axis := n.axis(def, len(x.Shape))
	kept := append([]int{}, x.Shape...)
	for k := range kept {
		if k == axis || flat && k > axis {
			kept[k] = 1
		}
	}
	return standard(x, kept, f), nil
}

// standard applies f to each element, with what is known of those that stand behind the same element of the shape kept.
func standard(x *Tensor, kept []int, f func(s *reduced, x, e float64) (float64, float64)) *Tensor {
	sums := make([]reduced, size(kept))
	for i := range sums {
		sums[i] = reduced{prod: 1, prodMost: 1, max: math.Inf(-1), min: math.Inf(1)}
	}
	each(x.Shape, func(i int, c []int) { sums[index(c, kept)].add(x.V[i], x.E[i]) })
	y := newFloats(x.Shape)
	each(x.Shape, func(i int, c []int) {
		v, e := f(&sums[index(c, kept)], x.V[i], x.E[i])
		y.set(i, v, e)
	})
	return y
}

// normalize returns (x-mean)/sqrt(var+eps) and its bound, from float32 sums in any order.
func (s *reduced) normalize(x, e, eps float64, rms bool) (float64, float64) {
	mean, off := s.sum/s.n, s.sumErr()/s.n
	if rms {
		mean, off = 0, 0
	}
	variance, far, sum := 0.0, e+off+unit*(math.Abs(x)+math.Abs(mean)), 0.0
	for i, v := range s.all {
		d := v - mean
		ed := s.errs[i] + off + unit*(math.Abs(v)+math.Abs(mean))
		variance += d * d / s.n
		sum += (2*math.Abs(d) + ed) * ed / s.n
	}
	sum += unit * (s.n + 2) * (variance + sum)
	d, spread := x-mean, variance+eps
	if sum >= spread {
		return d / math.Sqrt(spread), math.Inf(1)
	}
	inv := 1 / math.Sqrt(spread-sum)
	return d / math.Sqrt(spread), far*inv + math.Abs(d)*(inv-1/math.Sqrt(spread)) + 4*unit*math.Abs(d)*inv
}

// affine multiplies y by scale and adds bias, with p and q the places of the elements.
func affine(y *Tensor, i int, scale *Tensor, p int, bias *Tensor, q int) {
	v, e := y.V[i], y.E[i]
	s, es := scale.V[p], scale.E[p]
	e = e*(math.Abs(s)+es) + math.Abs(v)*es + unit*math.Abs(v*s)
	v *= s
	if bias != nil {
		v, e = v+bias.V[q], e+bias.E[q]+unit*math.Abs(v)
	}
	y.set(i, v, e)
}

func groupNorm(n node, in []*Tensor, groups int) (*Tensor, error) {
	x, eps := in[0], n.float("epsilon", 1e-5)
	width := x.Shape[1] / groups
	inner := size(x.Shape[2:])
	split := &Tensor{Shape: []int{x.Shape[0], groups, width * inner}, V: x.V, E: x.E}
	y := standard(split, []int{x.Shape[0], groups, 1}, func(s *reduced, x, e float64) (float64, float64) { return s.normalize(x, e, eps, false) })
	y.Shape = x.Shape
	each(x.Shape, func(i int, c []int) {
		affine(y, i, in[1], c[1], in[2], c[1])
	})
	return y, nil
}

func layerNorm(n node, in []*Tensor, rms bool) (*Tensor, error) {
	x, eps := in[0], n.float("epsilon", 1e-5)
	axis := n.axis(-1, len(x.Shape))
	kept := append([]int{}, x.Shape...)
	for k := axis; k < len(kept); k++ {
		kept[k] = 1
	}
	y := standard(x, kept, func(s *reduced, x, e float64) (float64, float64) { return s.normalize(x, e, eps, rms) })
	each(x.Shape, func(i int, c []int) {
		if len(in) > 2 && in[2] != nil {
			affine(y, i, in[1], index(c, in[1].Shape), in[2], index(c, in[2].Shape))
		} else {
			affine(y, i, in[1], index(c, in[1].Shape), nil, 0)
		}
	})
	return y, nil
}
