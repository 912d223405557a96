package ref

import (
	"math"
	"slices"
)

func init() {
	operators["AveragePool"] = func(n node, in []*Tensor) (*Tensor, error) { y, _ := pool(n, in[0], false); return y, nil }
	operators["MaxPool"] = func(n node, in []*Tensor) (*Tensor, error) {
		y, places := pool(n, in[0], true)
		return []*Tensor{y, places}[n.result], nil
	}
	operators["GlobalAveragePool"] = globalAveragePool
	operators["GlobalMaxPool"] = func(n node, in []*Tensor) (*Tensor, error) {
		var kernel []int64
		for _, d := range in[0].Shape[2:] {
			kernel = append(kernel, int64(d))
		}
		n.attrs = map[string]any{"kernel_shape": kernel}
		y, _ := pool(n, in[0], true)
		return y, nil
	}
}

// pool goes over the windows, element by element.
func pool(n node, x *Tensor, most bool) (y, places *Tensor) {
	d := len(x.Shape) - 2
	kernel, strides, dilations, pads := n.ints("kernel_shape", d, 1), n.ints("strides", d, 1), n.ints("dilations", d, 1), n.ints("pads", 2*d, 0)
	auto := n.text("auto_pad", "NOTSET")
	if auto != "NOTSET" {
		pads = make([]int, 2*d)
	}
	shape := []int{x.Shape[0], x.Shape[1]}
	for k := range d {
		size, reach := x.Shape[2+k], (kernel[k]-1)*dilations[k]+1
		if auto == "SAME_UPPER" || auto == "SAME_LOWER" {
			out := (size + strides[k] - 1) / strides[k]
			total := max((out-1)*strides[k]+reach-size, 0)
			pads[k] = samePads(total, auto == "SAME_UPPER")
			pads[d+k] = total - pads[k]
			shape = append(shape, out)
			continue
		}
		out := 0
		for start := -pads[k]; ; start += strides[k] {
			fits := start+reach <= size+pads[d+k]
			starts := start < size && start < size+pads[d+k] && out > 0 && start-strides[k]+reach < size+pads[d+k]
			if !fits && !(starts && n.int("ceil_mode", 0) != 0 && auto == "NOTSET") {
				break
			}
			out++
		}
		shape = append(shape, out)
	}
	y, places = newLike(x, shape), &Tensor{Shape: shape, I: make([]int64, size(shape))}
	each(shape, func(i int, c []int) {
		var sum, abs, err float64
		best, count := -1, 0
		each(kernel, func(_ int, t []int) {
			at, inside, padded := c[0]*x.Shape[1]+c[1], true, true
			for k := range d {
				p := c[2+k]*strides[k] - pads[k] + t[k]*dilations[k]
				inside = inside && p >= 0 && p < x.Shape[2+k]
				padded = padded && p >= -pads[k] && p < x.Shape[2+k]+pads[d+k]
				at = at*x.Shape[2+k] + p
			}
			if inside || padded && n.int("count_include_pad", 0) != 0 {
				count++
			}
			switch {
			case !inside:
			case !most:
				sum, abs, err = sum+x.V[at], abs+math.Abs(x.V[at]), err+x.E[at]
			case best < 0, x.V == nil && x.I[at] > x.I[best], x.V != nil && x.V[at] > x.V[best]:
				best = at
			}
		})
		switch {
		case !most:
			y.set(i, sum/float64(count), (err+unit*float64(size(kernel)+2*d)*abs)/float64(count))
		case best < 0:
			y.V[i] = math.Inf(-1)
		default:
			y.move(i, x, best)
			each(kernel, func(_ int, t []int) { // which is largest is as uncertain as the others are
				at := c[0]*x.Shape[1] + c[1]
				for k := range d {
					p := c[2+k]*strides[k] - pads[k] + t[k]*dilations[k]
					if p < 0 || p >= x.Shape[2+k] {
						return
					}
					at = at*x.Shape[2+k] + p
				}
				if x.V != nil {
					y.E[i] = math.Max(y.E[i], x.E[at])
				}
			})
			places.I[i] = int64(best)
			if n.int("storage_order", 0) != 0 {
				plane := size(x.Shape[2:])
				at, sum, step := best%plane, best/plane*plane, plane
				for k := d - 1; k >= 0; k-- {
					step /= x.Shape[2+k]
					sum += at % x.Shape[2+k] * step
					at /= x.Shape[2+k]
				}
				places.I[i] = int64(sum)
			}
		}
	})
	return y, places
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
