package exec

import (
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	for _, o := range []plan.Operator{
		{Name: "GatherElements", MinIn: 2, MaxIn: 2}, {Name: "GatherND", MinIn: 2, MaxIn: 2},
		{Name: "ScatterElements", MinIn: 3, MaxIn: 3}, {Name: "ScatterND", MinIn: 3, MaxIn: 3},
	} {
		o.Since, o.MaxOut, o.New = 11, 1, func(d *plan.Decl) (plan.Op, error) {
			return newIndexed(d, o.MinIn == 3, o.Name[len(o.Name)-2:] == "ND")
		}
		plan.Register(o)
	}
}

// Indexed is ONNX GatherElements, GatherND, ScatterElements or ScatterND: pieces of x move to or from where indices say. What is
// scattered to one place is taken in the order of the indices.
type Indexed struct {
	scatter bool
	tuples  bool // of the last dimension of indices, each the place of a piece: the -ND forms
	axis    int64
	batch   int // dimensions before the tuples that both sides share
	reduce  string
}

func newIndexed(d *plan.Decl, scatter, tuples bool) (plan.Op, error) {
	o := &Indexed{scatter: scatter, tuples: tuples, reduce: "none"}
	if !tuples {
		o.axis = d.Int("axis", 0)
	}
	if tuples && !scatter && d.Opset >= 12 {
		o.batch = int(min(max(d.Int("batch_dims", 0), -1), plan.MaxRank))
	}
	if scatter && d.Opset >= 16 {
		o.reduce = d.Choice("reduction", "none", "add", "mul", "max", "min") // the last two from opset 18 on; runtimes take them before
	}
	return o, nil
}

// pieces returns how many elements of x an index or a tuple stands for, and the shape of all pieces.
func (o *Indexed) pieces(x, indices []int) (int, []int, error) {
	ok, r := len(x) > 0 && len(indices) > 0, len(indices)-1
	if !o.tuples {
		axis, err := plan.Axis(o.axis, len(x))
		for k := range indices {
			ok = ok && r+1 == len(x) && (k == axis || indices[k] <= x[k])
		}
		if err == nil && !ok {
			err = errorf("indices are %s for data of %s, want its rank and no more than it has in each dimension but %d", plan.ShapeString(indices), plan.ShapeString(x), axis)
		}
		return 1, indices, err
	}
	if ok = ok && o.batch >= 0 && o.batch <= r && indices[r] > 0 && indices[r] <= len(x)-o.batch; ok {
		ok = plan.SameShape(x[:min(o.batch, len(x))], indices[:o.batch])
	}
	if !ok {
		return 0, nil, errorf("indices are %s for data of %s and %d dimensions of batch, which do not fit", plan.ShapeString(indices), plan.ShapeString(x), o.batch)
	}
	rest := x[o.batch+indices[r]:]
	return plan.Count(rest), append(slices.Clone(indices[:r]), rest...), nil
}

// Infer returns the shape of the pieces or, for what scatters them, of the data.
func (o *Indexed) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := wantIndices(in[1]); err != nil {
		return plan.Result{}, err
	}
	_, shape, err := o.pieces(in[0].Shape, in[1].Shape)
	if err != nil || !o.scatter {
		return result(in[0].DType, shape), err
	}
	if in[2].DType != in[0].DType || !plan.SameShape(in[2].Shape, shape) {
		return plan.Result{}, errorf("updates are %v, want %v", in[2].Type, plan.Type{DType: in[0].DType, Shape: shape})
	}
	return result(in[0].DType, in[0].Shape), nil
}

// Run moves the pieces.
func (o *Indexed) Run(_ *plan.Context, in, out []*plan.Tensor) error {
	x, indices, y := in[0], in[1], out[0]
	n, _, err := o.pieces(x.Shape, indices.Shape)
	if err != nil {
		return err
	}
	if o.scatter {
		copyTensor(y, x)
	}
	tuple := 1
	if o.tuples {
		tuple = indices.Shape[len(indices.Shape)-1]
	}
	for i := range plan.Count(indices.Shape) / max(tuple, 1) {
		at, err := o.place(x.Shape, indices, i, tuple)
		switch {
		case err != nil:
			return err
		case !o.scatter && y.DType.Integer():
			copy(y.I[i*n:(i+1)*n], x.I[at*n:])
		case !o.scatter:
			copy(y.F[i*n:(i+1)*n], x.F[at*n:])
		case y.DType.Integer():
			reduceTo(o.reduce, y.I[at*n:(at+1)*n], in[2].I[i*n:])
			for j := at * n; j < (at+1)*n; j++ {
				y.I[j] = y.DType.Wrap(y.I[j])
			}
		default:
			reduceTo(o.reduce, y.F[at*n:(at+1)*n], in[2].F[i*n:])
		}
	}
	return nil
}

// place returns the piece of x that index or tuple i stands for.
func (o *Indexed) place(x []int, indices *plan.Tensor, i, tuple int) (int, error) {
	var c [plan.MaxRank]int // coordinates of i, before those of the tuple
	shape := indices.Shape
	if o.tuples {
		shape = shape[:len(shape)-1]
	}
	rest := i
	for k := len(shape) - 1; k >= 0; k-- {
		c[k] = rest % shape[k]
		rest /= shape[k]
	}
	first, end := o.batch, o.batch+tuple
	if !o.tuples {
		axis, err := plan.Axis(o.axis, len(x))
		if err != nil {
			return 0, err
		}
		first, end = axis, len(x)
	}
	piece := 0
	for k := range end {
		if k >= first && k < first+tuple {
			var err error
			if c[k], err = at(indices.I[i*tuple+k-first], x[k]); err != nil {
				return 0, err
			}
		}
		piece = piece*x[k] + c[k]
	}
	return piece, nil
}

// reduceTo joins x with dst.
func reduceTo[T int64 | float32](how string, dst, x []T) {
	for i, v := range x[:len(dst)] {
		switch how {
		case "add":
			v += dst[i]
		case "mul":
			v *= dst[i]
		case "max":
			v = max(dst[i], v)
		case "min":
			v = min(dst[i], v)
		}
		dst[i] = v
	}
}
