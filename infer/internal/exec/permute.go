package exec

import (
	"slices"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Transpose", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		t := &Permute{given: d.Given("perm")}
		for _, a := range d.Ints("perm") {
			t.perm = append(t.perm, int(min(max(a, -1), plan.MaxRank)))
		}
		return t, nil
	}})
	plan.Register(plan.Operator{Name: "DepthToSpace", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		return newBlocks(d, 11, 1, []int{0, 3, 4, 1, 5, 2}, []int{0, 1, 4, 2, 5, 3})
	}})
	plan.Register(plan.Operator{Name: "SpaceToDepth", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		return newBlocks(d, 28, 0, []int{0, 3, 5, 1, 2, 4}, []int{0, 1, 3, 5, 2, 4})
	}})
}

// Permute is ONNX Transpose, DepthToSpace or SpaceToDepth: it changes the order of dimensions, after
// having cut some of them in two.
type Permute struct {
	perm  []int // dimension i of the result is dimension perm[i]
	given bool
	block int // of DepthToSpace and SpaceToDepth; else 0
	depth int // where the block stands in the channels: 1 before them, 2 behind them; 0 in the spatial dimensions
}

// newBlocks returns DepthToSpace (depth 1) or SpaceToDepth (depth 0), whose attribute mode, known since an opset, chooses between two
// orders: that of DCR and that of CRD.
func newBlocks(d *plan.Decl, since int64, depth int, dcr, crd []int) (plan.Op, error) {
	b := d.Int("blocksize", 0)
	if b < 1 || b > maxWindow {
		return nil, errorf("attribute blocksize is %d, want 1 to %d", b, maxWindow)
	}
	t := &Permute{perm: dcr, given: true, block: int(b), depth: depth}
	if d.Opset >= since && d.Choice("mode", "DCR", "CRD") == "CRD" {
		t.perm, t.depth = crd, 2*depth
	}
	return t, nil
}

// cut returns the dimensions of x that are permuted.
func (t *Permute) cut(x []int) ([]int, error) {
	b := t.block
	if b == 0 {
		return x, nil
	}
	if len(x) != 4 || t.depth > 0 && x[1]%(b*b) != 0 || t.depth == 0 && (x[2]%b != 0 || x[3]%b != 0) {
		return nil, errorf("input is %s, which does not divide into blocks of %d", plan.ShapeString(x), b)
	}
	switch t.depth {
	case 1:
		return []int{x[0], b, b, x[1] / (b * b), x[2], x[3]}, nil
	case 2:
		return []int{x[0], x[1] / (b * b), b, b, x[2], x[3]}, nil
	}
	return []int{x[0], x[1], x[2] / b, b, x[3] / b, b}, nil
}

// order returns perm for rank dimensions: the reverse order where the file does not say.
func (t *Permute) order(rank int) ([]int, error) {
	perm := t.perm
	if !t.given {
		perm = make([]int, rank)
		for i := range perm {
			perm[i] = rank - 1 - i
		}
	}
	ok := len(perm) == rank
	for i, a := range perm {
		ok = ok && a >= 0 && a < rank && !slices.Contains(perm[:i], a)
	}
	if !ok {
		return nil, errorf("attribute perm is %v, which is no order of %d dimensions", perm, rank)
	}
	return perm, nil
}

// Infer returns the shape in the new order. It is a view if only dimensions of length 1 move.
func (t *Permute) Infer(in []*plan.Arg) (plan.Result, error) {
	x, err := t.cut(in[0].Shape)
	if err != nil {
		return plan.Result{}, err
	}
	perm, err := t.order(len(x))
	if err != nil {
		return plan.Result{}, err
	}
	shape := make([]int, len(x))
	last, moves := -1, false
	for i, a := range perm {
		if shape[i] = x[a]; x[a] != 1 {
			moves, last = moves || a < last, a
		}
	}
	switch {
	case t.block == 0:
	case t.depth > 0:
		shape = []int{shape[0], shape[1], shape[2] * shape[3], shape[4] * shape[5]}
	default:
		shape = []int{shape[0], shape[1] * shape[2] * shape[3], shape[4], shape[5]}
	}
	if !moves {
		return viewed(in[0].DType, shape), nil
	}
	return result(in[0].DType, shape), nil
}

// Run moves the elements.
func (t *Permute) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, err := t.cut(in[0].Shape)
	if err != nil || out[0].Count() == 0 {
		return err
	}
	perm, err := t.order(len(x))
	if err != nil {
		return err
	}
	// The result is walked as one operand, the argument as the other: strides by dimension of the result.
	var shape, stride [plan.MaxRank]int
	for i, a := range perm {
		shape[i], stride[i] = x[a], plan.Count(x[a+1:])
	}
	rank := len(x)
	if rank == 0 {
		rank, shape[0] = 1, 1
	}
	n, step := shape[rank-1], stride[rank-1]
	each(c, out[0].Count()/n, n, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			from, rest := 0, r
			for k := rank - 2; k >= 0; k-- {
				from += rest % shape[k] * stride[k]
				rest /= shape[k]
			}
			if in[0].DType.Integer() {
				for i := range n {
					out[0].I[r*n+i] = in[0].I[from+i*step]
				}
				continue
			}
			dst := out[0].F[r*n : (r+1)*n]
			for i := range dst {
				dst[i] = in[0].F[from+i*step]
			}
		}
	})
	return nil
}
