package metric

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Moments are the mean of a set of vectors and their covariance.
type Moments struct {
	mean []float64
	cov  *mat.SymDense
}

// NewMoments returns the moments of at least two vectors; the covariance is the
// unbiased one. With fewer vectors than they have elements, it is singular.
func NewMoments(s Set) (*Moments, error) {
	if err := s.check("features", s.Dim, 2); err != nil {
		return nil, err
	}
	m := &Moments{mean: columnMeans(s), cov: mat.NewSymDense(s.Dim, nil)}
	const chunk = 1024 // rows of float64 at once
	for first := 0; first < s.Len(); first += chunk {
		part := s.Slice(first, min(first+chunk, s.Len()))
		x := mat.NewDense(part.Len(), s.Dim, nil)
		for i := range part.Len() {
			for j, v := range part.row(i) {
				x.Set(i, j, float64(v)-m.mean[j])
			}
		}
		var c mat.SymDense
		c.SymOuterK(1/float64(s.Len()-1), x.T())
		m.cov.AddSym(m.cov, &c)
	}
	return m, nil
}

// Frechet returns the squared Fréchet distance between normal distributions of
// the given moments (Dowson and Landau, 1982),
//
//	|μ₁-μ₂|² + tr(Σ₁ + Σ₂ - 2(Σ₁Σ₂)^½)
//
// which Heusel et al. (2017) take of Inception's features and call FID; with
// those of another network it is another number, and 0 is the best. The trace
// of the root is the sum of the roots of the eigenvalues of Σ₁^½Σ₂Σ₁^½, which is
// symmetric.
//
// The distance of two finite sets of one distribution is above 0, the more so the
// smaller they are: compare only what comes from equally many vectors.
func Frechet(a, b *Moments) (float64, error) {
	if len(a.mean) != len(b.mean) {
		return 0, errors.New("metric: moments of vectors of different lengths")
	}
	root, err := sqrtSym(a.cov)
	if err != nil {
		return 0, err
	}
	var t, product mat.Dense
	t.Mul(root, b.cov)
	product.Mul(&t, root)
	n := len(a.mean)
	sym := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			sym.SetSym(i, j, (product.At(i, j)+product.At(j, i))/2)
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(sym, false) {
		return 0, errEigen
	}
	d := mat.Trace(a.cov) + mat.Trace(b.cov)
	for _, v := range eigen.Values(nil) {
		d -= 2 * math.Sqrt(max(v, 0))
	}
	for i, v := range a.mean {
		e := v - b.mean[i]
		d += float64(e * e)
	}
	return max(d, 0), nil
}

var errEigen = errors.New("metric: the eigenvalues of a covariance do not converge")

// sqrtSym returns the symmetric root of a matrix without negative eigenvalues,
// but for rounding.
func sqrtSym(a *mat.SymDense) (*mat.SymDense, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(a, true) {
		return nil, errEigen
	}
	var vectors, scaled mat.Dense
	eigen.VectorsTo(&vectors)
	n, _ := vectors.Dims()
	scaled.CloneFrom(&vectors)
	for j, v := range eigen.Values(nil) {
		s := math.Sqrt(math.Sqrt(max(v, 0)))
		for i := range n {
			scaled.Set(i, j, scaled.At(i, j)*s)
		}
	}
	root := mat.NewSymDense(n, nil)
	root.SymOuterK(1, &scaled)
	return root, nil
}
