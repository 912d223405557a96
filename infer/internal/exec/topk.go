package exec

import (
	"slices"
	"sort"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "TopK", MinIn: 1, MaxIn: 2, MaxOut: 2, New: newTopK})
}

// TopK is ONNX TopK: the largest or smallest elements along an axis, sorted, and their places. Of equal ones the first comes first;
// NaN is larger than all others.
type TopK struct {
	axis     int64
	k        *plan.Arg // the attribute; nil where input 1 holds it
	smallest bool
}

func newTopK(d *plan.Decl) (plan.Op, error) {
	t := &TopK{axis: d.Int("axis", -1)}
	if d.Opset < 10 {
		k := ints([]int{1}, d.Int("k", 0))
		t.k = &plan.Arg{Type: k.Type, Known: k}
	}
	if d.Has(1) != (d.Opset >= 10) {
		return nil, errorf("has %d inputs, which opset %d does not allow", len(d.In), d.Opset)
	}
	if d.Opset >= 11 {
		t.smallest = !d.Bool("largest", true)
		d.Bool("sorted", true) // of those that need not be sorted any order will do
	}
	return t, nil
}

// ValueArgs says that K must be known.
func (t *TopK) ValueArgs() []int { return []int{1} }

// Infer returns the shape with K elements along the axis.
func (t *TopK) Infer(in []*plan.Arg) (plan.Result, error) {
	x, k := in[0], t.k
	if k == nil {
		k = in[1]
	}
	axis, err := plan.Axis(t.axis, len(x.Shape))
	if err != nil {
		return plan.Result{}, err
	}
	n, err := plan.KnownInts("K", k)
	if err != nil {
		return plan.Result{}, err
	}
	if len(n) != 1 || n[0] < 0 || n[0] > int64(x.Shape[axis]) {
		return plan.Result{}, errorf("K is %v, want one number up to dimension %d of %s", n, axis, plan.ShapeString(x.Shape))
	}
	shape := slices.Clone(x.Shape)
	shape[axis] = int(n[0])
	r := result(x.DType, shape)
	r.Out = append(r.Out, plan.Type{DType: plan.Int64, Shape: shape})
	r.Extra = 2 * x.Shape[axis]
	return r, nil
}

// ranking sorts places along an axis by the elements there.
type ranking struct {
	x           *plan.Tensor
	first, step int
	smallest    bool
	places      []int
}

func (r *ranking) Len() int      { return len(r.places) }
func (r *ranking) Swap(i, j int) { r.places[i], r.places[j] = r.places[j], r.places[i] }
func (r *ranking) Less(i, j int) bool {
	p, q := r.places[i], r.places[j]
	a, b := r.first+p*r.step, r.first+q*r.step
	if r.smallest {
		a, b = b, a
	}
	if r.x.DType.Integer() {
		return r.x.I[a] > r.x.I[b] || r.x.I[a] == r.x.I[b] && p < q
	}
	v, w := r.x.F[a], r.x.F[b]
	return larger(v, w) || !larger(w, v) && p < q
}

// Run sorts along the axis.
func (t *TopK) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, y := in[0], out[0]
	axis, err := plan.Axis(t.axis, len(x.Shape))
	if err != nil {
		return err
	}
	n, k, inner := x.Shape[axis], y.Shape[axis], plan.Count(x.Shape[axis+1:])
	r := &ranking{x: x, step: inner, smallest: t.smallest, places: make([]int, n)}
	for i := range y.Count() / max(k, 1) {
		for j := range r.places {
			r.places[j] = j
		}
		r.first = i/inner*n*inner + i%inner
		if sort.Sort(r); c.Stopped() {
			return nil
		}
		for j, p := range r.places[:k] {
			to := (i/inner*k+j)*inner + i%inner
			if x.DType.Integer() {
				y.I[to] = x.I[r.first+p*inner]
			} else {
				y.F[to] = x.F[r.first+p*inner]
			}
			if len(out) > 1 {
				out[1].I[to] = int64(p)
			}
		}
	}
	return nil
}
