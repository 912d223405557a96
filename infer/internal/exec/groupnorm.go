package exec

import (
	"math"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func init() {
	plan.Register(plan.Operator{Name: "InstanceNormalization", MinIn: 3, MaxIn: 3, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		return &GroupNorm{eps: d.Float("epsilon", 1e-5)}, nil
	}})
	plan.Register(plan.Operator{Name: "GroupNormalization", MinIn: 3, MaxIn: 3, MaxOut: 1, Since: 18, New: func(d *plan.Decl) (plan.Op, error) {
		g := &GroupNorm{eps: d.Float("epsilon", 1e-5), groups: d.Int("num_groups", 0), byGroup: d.Opset < 21}
		if d.Opset >= 21 {
			d.Int("stash_type", 1) // statistics are exact to float64
		}
		if g.groups < 1 {
			return nil, errorf("attribute num_groups is %d, want 1 or more", g.groups)
		}
		return g, nil
	}})
}

// GroupNorm is ONNX InstanceNormalization or GroupNormalization: (x-mean)/sqrt(var+eps)·scale + bias with the statistics of the channels
// of a group of an image; of each channel in InstanceNormalization.
type GroupNorm struct {
	eps     float32
	groups  int64 // 0 is as many as channels
	byGroup bool  // scale and bias have an element for each group, not for each channel
	hwnc    bool
}

// HWNC returns the operator on HWNC images, or nil if its groups are more than channels.
func (g *GroupNorm) HWNC() plan.Op {
	if g.groups > 0 {
		return nil
	}
	return &GroupNorm{eps: g.eps, hwnc: true}
}

// Infer returns the type of x, N x C x any.
func (g *GroupNorm) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := plan.WantFloats(in); err != nil {
		return plan.Result{}, err
	}
	x := in[0].Shape
	if len(x) < 3 {
		return plan.Result{}, errorf("input is %s, want rank 3 or more", plan.ShapeString(x))
	}
	channels := x[1]
	if g.hwnc {
		channels = x[len(x)-1]
	}
	if g.groups > 0 && int64(channels)%g.groups != 0 {
		return plan.Result{}, errorf("input is %s, whose channels do not divide into %d groups", plan.ShapeString(x), g.groups)
	}
	want := channels
	if g.byGroup {
		want = int(g.groups)
	}
	for i, name := range []string{"scale", "bias"} {
		if s := in[i+1].Shape; len(s) != 1 || s[0] != want {
			return plan.Result{}, errorf("%s is %s, but input is %s, so it needs [%d]", name, plan.ShapeString(s), plan.ShapeString(x), want)
		}
	}
	r := result(plan.Float32, x)
	if g.hwnc {
		r.Scratch = 4 * x[len(x)-2] * channels
	}
	return r, nil
}

// InPlace allows the result to overwrite x.
func (*GroupNorm) InPlace() []int { return []int{0} }

// Run computes the result.
func (g *GroupNorm) Run(c *plan.Context, in, out []*plan.Tensor) error {
	x, y, scale, bias := in[0].F, out[0].F, in[1].F, in[2].F
	if len(x) == 0 {
		return nil
	}
	shape := in[0].Shape
	if g.hwnc {
		g.columns(c, y, x, scale, bias, shape[len(shape)-2]*shape[len(shape)-1])
		return nil
	}
	groups, inner := int(g.groups), plan.Count(shape[2:])
	if groups == 0 {
		groups = shape[1]
	}
	width := shape[1] / groups
	each(c, shape[0]*groups, width*inner, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			at := i * width * inner
			mean, variance := moments(x[at : at+width*inner])
			m, inv := float32(mean), inverseRoot(variance, g.eps)
			for k := i % groups * width; k < (i%groups+1)*width; k++ {
				p := k
				if g.byGroup {
					p = k / width
				}
				s, b, dst := scale[p], bias[p], y[at:at+inner]
				for j, v := range x[at : at+inner] {
					dst[j] = float32(float32((v-m)*inv)*s) + b
				}
				at += inner
			}
		}
	})
	return nil
}

// columns normalizes each of the n columns of x, which are those of one image and channel, after the other. Their statistics
// are those of a batch norm without a batch.
func (g *GroupNorm) columns(c *plan.Context, y, x, scale, bias []float32, n int) {
	mean, inv, s, b := c.Scratch[:n], c.Scratch[n:2*n], c.Scratch[2*n:3*n], c.Scratch[3*n:4*n]
	kernel.BatchNormStats(c.Pool, mean, inv, x, len(x)/n, n, 1)
	for i, v := range inv {
		inv[i] = inverseRoot(float64(v), g.eps)
		s[i], b[i] = scale[i%len(scale)], bias[i%len(bias)]
	}
	kernel.BatchNormApply(c.Pool, y, x, mean, inv, s, b, len(x)/n, n, kernel.Identity, 0)
}

// inverseRoot returns 1/sqrt(variance+eps).
func inverseRoot(variance float64, eps float32) float32 {
	return float32(1 / math.Sqrt(variance+float64(eps)))
}

// moments returns the mean and the biased variance of x, from sums in float64 of the distances from x[0] and of their squares: each fourth
// element in sums of its own, which are added in order at the end. As x[0] is one of the elements, little cancels.
func moments(x []float32) (mean, variance float64) {
	n, from := float64(len(x)), float64(x[0])
	var s, q [4]float64
	for len(x) >= 4 {
		a, b, c, d := float64(x[0])-from, float64(x[1])-from, float64(x[2])-from, float64(x[3])-from
		s[0] += a
		s[1] += b
		s[2] += c
		s[3] += d
		q[0] += float64(a * a)
		q[1] += float64(b * b)
		q[2] += float64(c * c)
		q[3] += float64(d * d)
		x = x[4:]
	}
	for i, v := range x {
		d := float64(v) - from
		s[i] += d
		q[i] += float64(d * d)
	}
	sum, squares := s[0]+s[1]+s[2]+s[3], q[0]+q[1]+q[2]+q[3]
	return from + sum/n, max((squares-float64(sum*sum)/n)/n, 0)
}
