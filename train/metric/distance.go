package metric

import "gantry/internal/kernel"

// distances computes squared Euclidean distances from rows of some sets to all
// vectors of one: |x|² + |y|² - 2x·y, where the products x·y are those of a
// matrix product in float32 and all else is float64.
//
// The mean of the set is taken off first, which changes no distance and leaves
// products smaller, so that less is lost. Where nearly all cancels, of
// vectors that are almost the same, the squares are added up instead: the distance
// of equal vectors is 0.
type distances struct {
	pool   *kernel.Pool
	mean   []float32
	to     Set // less mean
	packed *kernel.Packed
	norms  []float64 // of to
	dots   []float32 // [blockRows to.Len()]
}

func newDistances(to Set, pool *kernel.Pool) *distances {
	n := to.Len()
	d := &distances{pool: pool, mean: make([]float32, to.Dim), dots: make([]float32, blockRows*n)}
	for j, m := range columnMeans(to) {
		d.mean[j] = float32(m)
	}
	d.to = d.center(to)
	d.norms = norms(d.to)
	d.packed = kernel.PackB(kernel.NT, d.to.X, n, to.Dim)
	return d
}

// columnMeans returns the mean vector of a set.
func columnMeans(s Set) []float64 {
	mean := make([]float64, s.Dim)
	for i := range s.Len() {
		for j, v := range s.row(i) {
			mean[j] += float64(v)
		}
	}
	for j := range mean {
		mean[j] /= float64(s.Len())
	}
	return mean
}

// center returns s less the mean.
func (d *distances) center(s Set) Set {
	c := Set{make([]float32, len(s.X)), s.Dim}
	for i := range s.Len() {
		row := c.row(i)
		for j, v := range s.row(i) {
			row[j] = v - d.mean[j]
		}
	}
	return c
}

// norms returns the squared length of each vector.
func norms(s Set) []float64 {
	n := make([]float64, s.Len())
	for i := range n {
		for _, v := range s.row(i) {
			n[i] += float64(float64(v) * float64(v))
		}
	}
	return n
}

// nearlySame is the share of |x|² + |y|² below which a squared distance is
// computed again.
const nearlySame = 1. / 256

// from calls do(i, d2) for each vector i of s, on several goroutines, with its
// squared distances to all of the set; d2 may be changed, and lasts until do
// returns.
func (d *distances) from(s Set, o *Options, do func(i int, d2 []float64)) {
	x := d.center(s)
	xn := norms(x)
	n := d.to.Len()
	rows := make([]float64, blockRows*n)
	o.blocks(s.Len(), func(first, end int) {
		kernel.GemmPacked(d.pool, d.dots, x.Slice(first, end).X, end-first, d.packed, kernel.Epilogue{})
		d.pool.Do(end-first, each(func(r int) {
			i := first + r
			d2, dots := rows[r*n:(r+1)*n], d.dots[r*n:(r+1)*n]
			for j, yn := range d.norms {
				sum := xn[i] + yn
				v := sum - 2*float64(dots[j])
				if !(v >= nearlySame*sum) {
					v = squared(x.row(i), d.to.row(j))
				}
				d2[j] = v
			}
			do(i, d2)
		}))
	})
}

// squared returns |x-y|².
func squared(x, y []float32) float64 {
	sum := 0.0
	for i, v := range x {
		e := float64(v) - float64(y[i])
		sum += float64(e * e)
	}
	return sum
}
