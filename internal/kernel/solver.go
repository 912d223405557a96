package kernel

import "math"

// Adam does one step of Adam (Kingma and Ba, 2015, algorithm 1; eps is added
// where PyTorch adds it), step counting from 1:
//
//	m = beta1·m + (1-beta1)·g
//	v = beta2·v + (1-beta2)·g²
//	w = w - lr/(1-beta1^step) · m / (sqrt(v)/sqrt(1-beta2^step) + eps)
//
// The four slices have one length. Every operation is rounded to float32; the
// factors that do not depend on the element are computed in float64 and rounded
// once.
func Adam(p *Pool, w, g, m, v []float32, lr float32, beta1, beta2 float64, eps float32, step int) {
	need("g", len(g), len(w))
	need("m", len(m), len(w))
	need("v", len(v), len(w))
	c1 := 1 - pow(beta1, step)
	c2 := 1 - pow(beta2, step)
	j := elemJobs.get()
	j.op, j.dst, j.x, j.y, j.z = adamOp, w, g, m, v
	j.a, j.b = float32(beta1), float32(1-beta1)
	j.c, j.d = float32(beta2), float32(1-beta2)
	j.e, j.f, j.g = float32(float64(lr)/c1), float32(math.Sqrt(c2)), eps
	j.run(p, len(w), chunk)
}

func adamOp(j *elemJob, lo, hi int) {
	lo = j.training(vectorAdam, lo, hi)
	w, g, m, v := j.dst[lo:hi], j.x[lo:hi], j.y[lo:hi], j.z[lo:hi]
	for i, d := range g {
		mi := float32(j.a*m[i]) + float32(j.b*d)
		vi := float32(j.c*v[i]) + float32(float32(j.d*d)*d)
		m[i], v[i] = mi, vi
		root := float32(math.Sqrt(float64(vi))) // correctly rounded: float64 has more than twice the bits
		w[i] -= float32(j.e*mi) / (float32(root/j.f) + j.g)
	}
}

// pow returns x^n for n >= 0, by squaring, each product rounded to float64.
func pow(x float64, n int) float64 {
	y := 1.
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			y = float64(y * x)
		}
		x = float64(x * x)
	}
	return y
}

// Momentum does one step of gradient descent with momentum (Rumelhart et al.,
// 1986): v = momentum·v - lr·g, w = w + v. The slices have one length; every
// operation is rounded to float32.
func Momentum(p *Pool, w, g, v []float32, lr, momentum float32) {
	need("g", len(g), len(w))
	need("v", len(v), len(w))
	j := elemJobs.get()
	j.op, j.dst, j.x, j.y, j.a, j.b = momentumOp, w, g, v, lr, momentum
	j.run(p, len(w), chunk)
}

func momentumOp(j *elemJob, lo, hi int) {
	lo = j.training(vectorMomentum, lo, hi)
	w, g, v := j.dst[lo:hi], j.x[lo:hi], j.y[lo:hi]
	for i, d := range g {
		v[i] = float32(j.b*v[i]) - float32(j.a*d)
		w[i] += v[i]
	}
}
