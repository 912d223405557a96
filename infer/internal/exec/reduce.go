package exec

import (
	"errors"
	"math"
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	for kind, name := range []string{"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"} {
		plan.Register(plan.Operator{Name: name, MinIn: 1, MaxIn: 2, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
			since := int64(18) // axes are an input
			if name == "ReduceSum" {
				since = 13
			}
			r := &Reduce{kind: reduction(kind), keep: d.Bool("keepdims", true)}
			if d.Opset >= since {
				r.noop = d.Bool("noop_with_empty_axes", false)
			}
			var err error
			r.axesArg, err = readAxes(d, since)
			return r, err
		}})
	}
}

// reduction is what a Reduce computes, in the order of the names above.
type reduction uint8

const (
	reduceSum reduction = iota
	reduceMean
	reduceMax
	reduceMin
	reduceProd
	reduceL1
	reduceL2
	reduceSumSquare
	reduceLogSum
	reduceLogSumExp
)

// Reduce is one of ONNX's reductions over some axes. Floats are summed in float64. NaN is larger and
// smaller than all others.
type Reduce struct {
	axesArg
	kind reduction
	keep bool // reduced dimensions stay, with length 1
	noop bool // no axes means none, not all
	hwnc bool
}

// HWNC returns the operator on HWNC images, or nil if the result is no images.
func (r *Reduce) HWNC() plan.Op {
	if !r.keep {
		return nil
	}
	h := *r
	h.hwnc = true
	return &h
}

// reduced returns x's shape with 1 for the dimensions that are reduced, and which these are.
func (r *Reduce) reduced(in []*plan.Arg) (kept []int, is []bool, err error) {
	kept = slices.Clone(in[0].Shape)
	rank := len(kept)
	axes, _, err := r.axes(in, rank)
	if err != nil {
		return nil, nil, err
	}
	is = make([]bool, rank)
	for _, a := range axes {
		is[place(a, rank, r.hwnc)] = true
	}
	for i := range is {
		if is[i] = is[i] || len(axes) == 0 && !r.noop; is[i] {
			kept[i] = 1
		}
	}
	return kept, is, nil
}

var errEmptyMean = errors.New("averages over an empty dimension")

// Infer returns the shape without the reduced dimensions.
func (r *Reduce) Infer(in []*plan.Arg) (plan.Result, error) {
	kept, is, err := r.reduced(in)
	if err != nil {
		return plan.Result{}, err
	}
	t := in[0].DType
	switch {
	case r.kind >= reduceLogSum && t != plan.Float32 || t == plan.Bool && r.kind != reduceMax && r.kind != reduceMin:
		return plan.Result{}, errorf("input 0 is %v, want numbers, floats for logarithms", in[0].Type)
	case in[0].Count() == 0 && plan.Count(kept) > 0 && r.kind == reduceMean:
		return plan.Result{}, errEmptyMean
	}
	if !r.keep {
		shape := []int{}
		for i, d := range kept {
			if !is[i] {
				shape = append(shape, d)
			}
		}
		kept = shape
	}
	return result(t, kept), nil
}

// Run reduces.
func (r *Reduce) Run(c *plan.Context, in, out []*plan.Tensor) error {
	kept, _, err := r.reduced(asArgs(in))
	if err != nil || out[0].Count() == 0 {
		return err
	}
	w := newBroadcast(in[0].Shape, in[0].Shape, kept)
	if t := in[0].DType; t.Integer() {
		least, most := int64(math.MinInt64), int64(math.MaxInt64)
		switch t {
		case plan.Int32:
			least, most = math.MinInt32, math.MaxInt32
		case plan.Uint8:
			least, most = 0, math.MaxUint8
		case plan.Bool:
			least, most = 0, 1
		}
		reduce(c, r.kind, &w, out[0].I, in[0].I, least, most)
		for i, v := range out[0].I {
			out[0].I[i] = t.Wrap(v)
		}
		return nil
	}
	reduce(c, r.kind, &w, out[0].F, in[0].F, math.Inf(-1), math.Inf(1))
	return nil
}

// Element t of those behind a result, in the order of the tensor, goes to accumulator t%lanes of that result; the accumulators are joined in
// order at the end. columns is the number of results that are computed side by side, where the innermost dimension stays.
const (
	lanes   = 16
	columns = 64
)

// reduce walks x with the result stretched over it, as w does: a stride of 0 is a reduced dimension.
func reduce[T int64 | float32, A int64 | float64](c *plan.Context, kind reduction, w *broadcast, dst, x []T, least, most A) {
	behind := len(x) / len(dst) // elements behind each result
	used := min(lanes, behind)
	n, strips := w.shape[0], 0 // strips of columns; none where the innermost dimension is reduced
	parts := len(dst)
	if w.stride[1][0] != 0 {
		strips = (n + columns - 1) / columns
		parts = len(dst) / n * strips
	}
	each(c, parts, len(x)/parts, func(lo, hi int) {
		var accs [lanes * columns]A
		var shifts [columns]A
		for j := lo; j < hi; j++ {
			at, to, width := 0, j, 1
			if strips > 0 {
				first := j % strips * columns
				at, to, width = w.offset(j/strips, false)+first, j/strips*n+first, min(columns, n-first)
			} else {
				at = w.offset(j, false)
			}
			acc, shift := accs[:max(used, 1)*width], shifts[:]
			sweep := func(kind reduction) {
				start(acc, kind, least, most)
				if strips > 0 {
					for i := range behind {
						from := at + w.offset(i, true)
						accumulate(kind, acc[i%lanes*width:][:width], shift, x[from:from+width])
					}
				} else {
					for i := 0; i < behind; {
						from, part := at+w.offset(i/n, true)+i%n, min(n-i%n, lanes-i%lanes)
						accumulate(kind, acc[i%lanes:], shift, x[from:from+part])
						i += part
					}
				}
				for i := width; i < len(acc); i++ {
					join(kind, &acc[i%width], acc[i])
				}
			}
			if kind == reduceLogSumExp {
				sweep(reduceMax)
				for i := range shift {
					if shift[i] = acc[i%width]; shift[i]-shift[i] != 0 {
						shift[i] = 0 // exp(±Inf-0) is right
					}
				}
			}
			sweep(kind)
			for i, a := range acc[:width] {
				dst[to+i] = T(finish(kind, a, shift[i], behind))
			}
		}
	})
}

// offset returns where in operand 0 the i-th run of the innermost dimension begins, among those that differ in the dimensions of operand 1
// that are stretched, or in the others.
func (w *broadcast) offset(i int, stretched bool) int {
	at := 0
	for d := 1; d < w.rank; d++ {
		if (w.stride[1][d] == 0) == stretched {
			at += i % w.shape[d] * w.stride[0][d]
			i /= w.shape[d]
		}
	}
	return at
}

// start sets acc to what the reduction of nothing gives.
func start[A int64 | float64](acc []A, kind reduction, least, most A) {
	v := A(0)
	switch kind {
	case reduceMax:
		v = least
	case reduceMin:
		v = most
	case reduceProd:
		v = 1
	}
	for i := range acc {
		acc[i] = v
	}
}

// accumulate takes x into acc, which is at least as long.
func accumulate[T int64 | float32, A int64 | float64](kind reduction, acc, shift []A, x []T) {
	acc = acc[:len(x)]
	switch kind {
	case reduceL1:
		for i, v := range x {
			acc[i] += max(A(v), -A(v))
		}
	case reduceL2, reduceSumSquare:
		for i, v := range x {
			acc[i] += A(A(v) * A(v))
		}
	case reduceLogSumExp:
		for i, v := range x {
			acc[i] += A(exp64(float64(v) - float64(shift[i])))
		}
	case reduceMax:
		for i, v := range x {
			acc[i] = max(acc[i], A(v))
		}
	case reduceMin:
		for i, v := range x {
			acc[i] = min(acc[i], A(v))
		}
	case reduceProd:
		for i, v := range x {
			acc[i] *= A(v)
		}
	default:
		for i, v := range x {
			acc[i] += A(v)
		}
	}
}

// join takes an accumulator into another.
func join[A int64 | float64](kind reduction, acc *A, v A) {
	switch kind {
	case reduceProd:
		*acc *= v
	case reduceMax:
		*acc = max(*acc, v)
	case reduceMin:
		*acc = min(*acc, v)
	default:
		*acc += v
	}
}

// finish returns what the reduction of n elements makes of acc.
func finish[A int64 | float64](kind reduction, acc, shift A, n int) A {
	switch kind {
	case reduceMean:
		return acc / A(n)
	case reduceL2:
		return A(math.Sqrt(float64(max(acc, 0))))
	case reduceLogSum, reduceLogSumExp:
		return A(log64(float64(acc))) + shift
	}
	return acc
}
