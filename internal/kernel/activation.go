package kernel

// Act is an activation function.
type Act uint8

// The activations. LeakyRelu has a slope for negative arguments, called alpha
// where it is passed.
const (
	Identity  Act = iota // x
	Relu                 // 0 where x < 0, else x
	LeakyRelu            // alpha·x where x < 0, else x
	Tanh                 // tanh x
	Sigmoid              // 1/(1+exp(-x))
)

// Apply computes dst[i] = act(x[i]). dst may be x. Tanh and Sigmoid are within
// 1.5 ulp of the exact value; NaN stays NaN.
func Apply(p *Pool, act Act, alpha float32, dst, x []float32) {
	need("x", len(x), len(dst))
	j := elemJobs.get()
	j.op, j.dst, j.x, j.act, j.a = applyOp, dst, x, act, alpha
	j.run(p, len(dst), chunk)
}

func applyOp(j *elemJob, lo, hi int) {
	switch j.act {
	case Relu:
		lo = j.vector(vectorRelu, lo, hi)
	case LeakyRelu:
		lo = j.vector(vectorLeakyRelu, lo, hi)
	case Tanh:
		lo = j.vectorTail(vectorTanh, lo, hi)
	case Sigmoid:
		lo = j.vectorTail(vectorSigmoid, lo, hi)
	}
	applyGeneric(j.act, j.a, j.dst[lo:hi], j.x[lo:hi])
}

// Exp computes dst[i] = exp(x[i]), within 1 ulp of the exact value: 0 for -Inf,
// +Inf above 88.73, NaN for NaN. dst may be x.
func Exp(p *Pool, dst, x []float32) {
	need("x", len(x), len(dst))
	j := elemJobs.get()
	j.op, j.dst, j.x = expOp, dst, x
	j.run(p, len(dst), chunk)
}

func expOp(j *elemJob, lo, hi int) {
	lo = j.vectorTail(vectorExp, lo, hi)
	dst, x := j.dst[lo:hi], j.x[lo:hi]
	for i := range dst {
		dst[i] = exp32(x[i])
	}
}

// Log computes dst[i] = log(x[i]), the natural logarithm, within 1 ulp of the
// exact value: -Inf for 0 and -0, NaN below 0 and for NaN, +Inf for +Inf. dst
// may be x.
func Log(p *Pool, dst, x []float32) {
	need("x", len(x), len(dst))
	j := elemJobs.get()
	j.op, j.dst, j.x = logOp, dst, x
	j.run(p, len(dst), chunk)
}

func logOp(j *elemJob, lo, hi int) {
	lo = j.vectorTail(vectorLog, lo, hi)
	dst, x := j.dst[lo:hi], j.x[lo:hi]
	for i := range dst {
		dst[i] = log32(x[i])
	}
}

// applyAct is [Apply] on one goroutine.
func applyAct(act Act, alpha float32, dst, x []float32) {
	j := elemJob{dst: dst, x: x, act: act, a: alpha, one: 1}
	applyOp(&j, 0, len(dst))
}

func applyGeneric(act Act, alpha float32, dst, x []float32) {
	x = x[:len(dst)]
	switch act {
	case Identity:
		copy(dst, x)
	case Relu:
		for i, v := range x {
			if v < 0 {
				v = 0
			}
			dst[i] = v
		}
	case LeakyRelu:
		for i, v := range x {
			if v < 0 {
				v = alpha * v
			}
			dst[i] = v
		}
	case Tanh:
		for i, v := range x {
			dst[i] = tanh(v)
		}
	case Sigmoid:
		for i, v := range x {
			dst[i] = sigmoid(v)
		}
	}
}

// ApplyGrad computes dst[i] = g[i]·act'(x[i]), from the activation's output
// y[i] = act(x[i]):
//
//	Relu       0 where y <= 0, else g
//	LeakyRelu  g where y > 0, else alpha·g; alpha must be positive
//	Tanh       g·(1-y²)
//	Sigmoid    g·(1-y)·y
//
// dst may be g or y.
func ApplyGrad(p *Pool, act Act, alpha float32, dst, y, g []float32) {
	need("y", len(y), len(dst))
	need("g", len(g), len(dst))
	j := elemJobs.get()
	j.op, j.dst, j.x, j.y, j.act, j.a = applyGradOp, dst, y, g, act, alpha
	j.run(p, len(dst), chunk)
}

func applyGradOp(j *elemJob, lo, hi int) {
	switch j.act {
	case Relu:
		lo = j.training(vectorReluGrad, lo, hi)
	case LeakyRelu:
		lo = j.training(vectorLeakyReluGrad, lo, hi)
	case Tanh:
		lo = j.training(vectorTanhGrad, lo, hi)
	case Sigmoid:
		lo = j.training(vectorSigmoidGrad, lo, hi)
	}
	applyGradGeneric(j.act, j.a, j.dst[lo:hi], j.x[lo:hi], j.y[lo:hi])
}

func applyGradGeneric(act Act, alpha float32, dst, y, g []float32) {
	y, g = y[:len(dst)], g[:len(dst)]
	switch act {
	case Identity:
		copy(dst, g)
	case Relu:
		for i, v := range y {
			d := g[i]
			if v <= 0 {
				d = 0
			}
			dst[i] = d
		}
	case LeakyRelu:
		for i, v := range y {
			d := g[i]
			if !(v > 0) {
				d = alpha * d
			}
			dst[i] = d
		}
	case Tanh:
		for i, v := range y {
			dst[i] = float32(1-float32(v*v)) * g[i]
		}
	case Sigmoid:
		for i, v := range y {
			dst[i] = float32(g[i]*(1-v)) * v
		}
	}
}
