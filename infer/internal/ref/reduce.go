package ref

import (
	"math"
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	for name, f := range map[string]func(s *reduced) (y, e float64){
		"ReduceSum":       func(s *reduced) (float64, float64) { return s.sum, s.sumErr() },
		"ReduceMean":      func(s *reduced) (float64, float64) { return s.sum / s.n, s.sumErr() / s.n },
		"ReduceL1":        func(s *reduced) (float64, float64) { return s.abs, s.sumErr() },
		"ReduceMax":       func(s *reduced) (float64, float64) { return s.max, s.most },
		"ReduceMin":       func(s *reduced) (float64, float64) { return s.min, s.most },
		"ReduceProd":      func(s *reduced) (float64, float64) { return s.prod, s.prodMost*(1+unit*s.n) - math.Abs(s.prod) },
		"ReduceSumSquare": func(s *reduced) (float64, float64) { return s.squares, s.squaresErr() },
		"ReduceL2":        func(s *reduced) (float64, float64) { return rootOf(s.squares, s.squaresErr()) },
		"ReduceLogSum":    func(s *reduced) (float64, float64) { return logOf(s.sum, s.sumErr()) },
		"ReduceLogSumExp": func(s *reduced) (float64, float64) {
			return math.Log(s.exps()) + s.max, s.most + unit*(s.n+4+math.Abs(s.max)+math.Min(s.max-s.min, 100))
		},
	} {
		since := int64(18)
		if name == "ReduceSum" {
			since = 13
		}
		operators[name] = func(n node, in []*Tensor) (*Tensor, error) { return reduce(n, in, since, f) }
	}
	operators["ArgMax"] = func(n node, in []*Tensor) (*Tensor, error) { return arg(n, in[0], 1), nil }
	operators["ArgMin"] = func(n node, in []*Tensor) (*Tensor, error) { return arg(n, in[0], -1), nil }
}

// reduced is what is known of the elements behind a result.
type reduced struct {
	n, sum, abs, squares, prod, max, min float64
	all, errs                            []float64 // the elements and their errors

	err, most float64 // sum and largest of the elements' errors
	squareErr float64 // sum of the errors of the squares
	prodMost  float64 // the largest that the product may be
}

func (s *reduced) add(x, e float64) {
	s.n++
	s.sum, s.abs, s.squares, s.prod = s.sum+x, s.abs+math.Abs(x), s.squares+x*x, s.prod*x
	s.max, s.min = math.Max(s.max, x), math.Min(s.min, x)
	s.err, s.most, s.squareErr, s.prodMost = s.err+e, math.Max(s.most, e), s.squareErr+e*(2*math.Abs(x)+e), s.prodMost*(math.Abs(x)+e)
	s.all, s.errs = append(s.all, x), append(s.errs, e)
}

// sumErr and squaresErr bound the errors of the sums: as many float32 additions, in any order.
func (s *reduced) sumErr() float64     { return s.err + unit*s.n*(s.abs+s.err) }
func (s *reduced) squaresErr() float64 { return s.squareErr + unit*(s.n+1)*(s.squares+s.squareErr) }

func rootOf(x, e float64) (float64, float64) {
	return math.Sqrt(x), math.Max(math.Sqrt(x+e)-math.Sqrt(x), math.Sqrt(x)-math.Sqrt(math.Max(x-e, 0)))
}

func logOf(x, e float64) (float64, float64) {
	if !(x > e) {
		return math.Log(x), math.Inf(1)
	}
	return math.Log(x), e/(x-e) + 2*unit*math.Abs(math.Log(x))
}

func reduce(n node, in []*Tensor, since int64, f func(*reduced) (y, e float64)) (*Tensor, error) {
	x := in[0]
	list, _ := axes(n, in, since, len(x.Shape))
	none := len(list) == 0 && n.int("noop_with_empty_axes", 0) != 0
	kept, shape := slices.Clone(x.Shape), []int{}
	for k, d := range x.Shape {
		if !none && (len(list) == 0 || slices.Contains(list, k)) {
			kept[k] = 1
			if n.int("keepdims", 1) == 0 {
				continue
			}
			d = 1
		}
		shape = append(shape, d)
	}
	sums := make([]reduced, size(shape))
	for i := range sums {
		sums[i] = reduced{prod: 1, prodMost: 1, max: math.Inf(-1), min: math.Inf(1)}
	}
	each(x.Shape, func(i int, c []int) {
		if x.V == nil {
			sums[index(c, kept)].add(float64(x.I[i]), 0)
		} else {
			sums[index(c, kept)].add(x.V[i], x.E[i])
		}
	})
	y := newLike(x, shape)
	for i := range sums {
		if v, e := f(&sums[i]); y.V == nil {
			y.I[i] = y.DType.Wrap(int64(v))
		} else {
			y.set(i, v, e)
		}
	}
	return y, nil
}

// arg returns where along an axis the largest of x·sign is.
func arg(n node, x *Tensor, sign float64) *Tensor {
	axis := n.axis(0, len(x.Shape))
	shape := slices.Clone(x.Shape)
	shape[axis] = 1
	y := &Tensor{DType: plan.Int64, Shape: shape, I: make([]int64, size(shape))}
	at := func(c []int) float64 {
		if x.V == nil {
			return sign * float64(x.I[index(c, x.Shape)])
		}
		return sign * x.V[index(c, x.Shape)]
	}
	each(shape, func(i int, c []int) {
		best := slices.Clone(c)
		for c[axis] = 1; c[axis] < x.Shape[axis]; c[axis]++ {
			if a, b := at(c), at(best); a > b || a == b && n.int("select_last_index", 0) != 0 {
				copy(best, c)
			}
		}
		c[axis], y.I[i] = 0, int64(best[axis])
	})
	if n.int("keepdims", 1) == 0 {
		y.Shape = slices.Delete(shape, axis, axis+1)
	}
	return y
}
