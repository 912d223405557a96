package ref

import "math"

// sum is a sum of products with its error.
type sum struct {
	v, abs, err, bias, biasErr float64
	k                          int
}

// newSum returns an empty sum with the bias of output channel c, which is argument 2 if there is one.
func newSum(in []*Tensor, c int) *sum {
	s := &sum{}
	if len(in) > 2 && in[2] != nil {
		s.bias, s.biasErr = in[2].V[c], in[2].E[c]
	}
	return s
}

func (s *sum) add(a *Tensor, i int, b *Tensor, j int) {
	x, z, ex, ez := a.V[i], b.V[j], a.E[i], b.E[j]
	s.v += x * z
	s.abs += math.Abs(x * z)
	s.err += math.Abs(x)*ez + math.Abs(z)*ex + ex*ez
	s.k++
}

// times multiplies the products by scale.
func (s *sum) times(scale float64) {
	s.v *= scale
	s.abs *= math.Abs(scale)
	s.err *= math.Abs(scale)
}

// store makes the sum element i of y.
func (s *sum) store(y *Tensor, i int) {
	// s.k products and sums, and as many again where weights were scaled or folded beforehand
	err := s.err + unit*float64(s.k+4)*(s.abs+s.err)
	y.set(i, s.v+s.bias, err+s.biasErr+unit*(s.abs+math.Abs(s.bias)))
}
