package exec

import "gantry/infer/internal/plan"

// MultiplyAdds returns the multiplications, each with an addition, of a plan's matrix products and convolutions, which
// are nearly all of its work. Each tap of a convolution counts, where it meets padding too: weights times pixels of
// the smaller grid, as models.Node.MultiplyAdds has it.
func MultiplyAdds(p *plan.Plan) int64 {
	n := 0
	for i := range p.Steps {
		s := &p.Steps[i]
		if len(s.In) == 0 || len(s.Out) == 0 {
			continue
		}
		x, y := s.In[0].Type, s.Out[0].Type
		var conv *Conv
		var w []int // of it
		switch op := s.Node.Op.(type) {
		case *Linear:
			n += y.Count() * op.K
		case *Gemm:
			_, _, k, _ := op.sizes(x.Shape, s.In[1].Type.Shape)
			n += y.Count() * k
		case *MatMul:
			n += y.Count() * x.Shape[len(x.Shape)-1]
		case *Conv:
			conv, w = op, s.In[1].Type.Shape
		case *Convolution:
			conv, w = op.Conv, op.Shape
		}
		if conv != nil {
			if !conv.Transposed {
				x = y
			}
			n += x.Count() * (plan.Count(w) / w[0])
		}
	}
	return int64(n)
}
