package exec

import (
	"math"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func init() {
	for _, name := range []string{"Softmax", "LogSoftmax", "LpNormalization"} {
		plan.Register(plan.Operator{Name: name, MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
			l := &Lines{f: softmax}
			switch {
			case name == "LpNormalization":
				l.axis, l.f = d.Int("axis", -1), lpNorm2
				switch p := d.Int("p", 2); p {
				case 1:
					l.f = lpNorm1
				case 2:
				default:
					return nil, errorf("attribute p is %d, want 1 or 2", p)
				}
				return l, nil
			case name == "LogSoftmax":
				l.f = logSoftmax
			}
			if l.flat = d.Opset < 13; l.flat {
				l.axis = d.Int("axis", 1)
			} else {
				l.axis = d.Int("axis", -1)
			}
			return l, nil
		}})
	}
}

// Lines is ONNX Softmax, LogSoftmax or LpNormalization: a function of all elements along an axis, line by line.
type Lines struct {
	f    func(y, b []float32) // b is a buffer
	axis int64
	flat bool // a line is all dimensions from the axis on
}

// lines returns how many elements a line has, and the step from one to the next.
func (l *Lines) lines(x []int) (n, step int, err error) {
	if l.flat && l.axis == int64(len(x)) {
		return 1, 1, nil
	}
	axis, err := plan.Axis(l.axis, len(x))
	if err != nil {
		return 0, 0, err
	}
	n, step = x[axis], plan.Count(x[axis+1:])
	if l.flat {
		n, step = n*step, 1
	}
	return n, step, nil
}

// Infer returns the argument's type.
func (l *Lines) Infer(in []*plan.Arg) (plan.Result, error) {
	_, step, err := l.lines(in[0].Shape)
	r := result(plan.Float32, in[0].Shape)
	if err == nil {
		err = plan.WantFloats(in)
	}
	if step > 1 {
		r.Scratch = in[0].Count()
	}
	return r, err
}

// InPlace allows the result to overwrite the argument.
func (*Lines) InPlace() []int { return []int{0} }

// Run applies the function. Lines whose elements do not stand side by side are gathered in the scratch.
func (l *Lines) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0].F, out[0].F
	n, step, err := l.lines(in[0].Shape)
	if err != nil || len(y) == 0 {
		return err
	}
	each(c, len(y)/n, n, func(lo, hi int) {
		b := make([]float32, 512)
		for i := lo; i < hi; i++ {
			if step == 1 {
				copy(y[i*n:(i+1)*n], x[i*n:])
				l.f(y[i*n:(i+1)*n], b)
				continue
			}
			line, at := c.Scratch[i*n:(i+1)*n], i/step*step*n+i%step
			for k := range line {
				line[k] = x[at+k*step]
			}
			l.f(line, b)
			for k, v := range line {
				y[at+k*step] = v
			}
		}
	})
	return nil
}

// softmax replaces y by exp(y-m)/s, where m is the largest element and s, summed in float64, the sum of the exponentials.
func softmax(y, _ []float32) {
	kernel.Affine(nil, y, y, 1, -maxOf(y))
	kernel.Exp(nil, y, y)
	kernel.Affine(nil, y, y, float32(1/sum(y)), 0)
}

// logSoftmax replaces y by y-m-log(s), where m and s are those of softmax.
func logSoftmax(y, b []float32) {
	kernel.Affine(nil, y, y, 1, -maxOf(y))
	var s float64
	for rest := y; len(rest) > 0; {
		e := b[:min(len(b), len(rest))]
		kernel.Exp(nil, e, rest)
		rest = rest[len(e):]
		s += sum(e)
	}
	kernel.Affine(nil, y, y, 1, float32(-log64(s)))
}

// lpNorm1 and lpNorm2 divide y by the sum of its sizes, or the root of the sum of its squares; where that is zero, y stays.
func lpNorm1(y, _ []float32) {
	var s float64
	for _, v := range y {
		s += float64(abs32(v))
	}
	divide(y, s)
}

func lpNorm2(y, _ []float32) {
	divide(y, math.Sqrt(squares(y)))
}

func divide(y []float32, by float64) {
	for i, v := range y {
		if by != 0 {
			y[i] = float32(float64(v) / by)
		}
	}
}

// maxOf returns the largest element; NaN is larger than all others.
func maxOf(x []float32) float32 {
	m0, m1, m2, m3 := x[0], x[0], x[0], x[0]
	for len(x) >= 4 {
		m0, m1, m2, m3 = max(m0, x[0]), max(m1, x[1]), max(m2, x[2]), max(m3, x[3])
		x = x[4:]
	}
	for _, v := range x {
		m0 = max(m0, v)
	}
	return max(m0, m1, m2, m3)
}

// sum returns the sum of x: each fourth element in a sum of its own, which are added in order at the end.
func sum(x []float32) float64 {
	var s0, s1, s2, s3 float64
	for len(x) >= 4 {
		s0 += float64(x[0])
		s1 += float64(x[1])
		s2 += float64(x[2])
		s3 += float64(x[3])
		x = x[4:]
	}
	for _, v := range x {
		s0 += float64(v)
	}
	return s0 + s1 + s2 + s3
}
