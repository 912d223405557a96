package train

import "gantry/models"

// convolution is a conv or conv_transpose of n samples [C H W], as the sum over
// all pairs of pixels that a tap joins.
func (t *refNet) convolution(l *models.Node, x []float64, n int) ([]float64, backward) {
	w := append([]float64(nil), t.p[l.Params[0].Name]...) // as it is now: the backward pass may come after an update
	fine, coarse := l.In, l.Out
	if l.Type == models.ConvTranspose {
		fine, coarse = l.Out, l.In
	}
	// pairs calls f with the indices of a fine and a coarse element and the weight between them.
	pairs := func(f func(fine, coarse, weight int)) {
		for i := range n {
			for k := range coarse[0] {
				for c := range fine[0] {
					for at := range coarse[1] * coarse[2] * l.Kernel * l.Kernel {
						tap, pixel := at%(l.Kernel*l.Kernel), at/(l.Kernel*l.Kernel)
						h := pixel/coarse[2]*l.Stride - l.Pad + tap/l.Kernel
						v := pixel%coarse[2]*l.Stride - l.Pad + tap%l.Kernel
						if h >= 0 && h < fine[1] && v >= 0 && v < fine[2] {
							f(((i*fine[0]+c)*fine[1]+h)*fine[2]+v, (i*coarse[0]+k)*coarse[1]*coarse[2]+pixel, (k*fine[0]+c)*l.Kernel*l.Kernel+tap)
						}
					}
				}
			}
		}
	}
	size, pixels := models.Elements(l.Out), l.Out[1]*l.Out[2]
	y := make([]float64, n*size)
	bias := ""
	if *l.Bias {
		bias = l.Params[1].Name
		for i := range y {
			y[i] = t.p[bias][i/pixels%l.Out[0]]
		}
	}
	pairs(func(f, c, i int) {
		if l.Type == models.Conv {
			y[c] += x[f] * w[i]
		} else {
			y[f] += x[c] * w[i]
		}
	})
	return y, func(dy []float64, g gradients) []float64 {
		dx := make([]float64, len(x))
		pairs(func(f, c, i int) {
			from, to := f, c // x and y
			if l.Type == models.ConvTranspose {
				from, to = c, f
			}
			dx[from] += dy[to] * w[i]
			g.add(l.Params[0].Name, i, len(w), x[from]*dy[to])
		})
		if bias != "" {
			for i, d := range dy {
				g.add(bias, i/pixels%l.Out[0], l.Out[0], d)
			}
		}
		return dx
	}
}
