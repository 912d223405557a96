package metric

import (
	"fmt"
	"math"
	"sync/atomic"

	"gantry/internal/kernel"
)

// PRDCResult says how two sets of features lie in each other.
type PRDCResult struct {
	Precision float64 `json:"precision"` // share of fakes that lie in a ball of a real
	Recall    float64 `json:"recall"`    // share of reals that lie in a ball of a fake
	Density   float64 `json:"density"`   // mean number of balls of reals that a fake lies in, over k; may exceed 1
	Coverage  float64 `json:"coverage"`  // share of reals with a fake in their ball
	K         int     `json:"k"`
}

// PRDCNeighbours is the usual k of [PRDC].
const PRDCNeighbours = 5

// PRDC returns precision and recall of Kynkäänniemi et al., "Improved Precision and
// Recall Metric for Assessing Generative Models" (2019), density and coverage of Naeem
// et al., "Reliable Fidelity and Diversity Metrics for Generative Models" (2020),
// as the latter's package prdc computes them. The ball of a vector has the
// distance to its k-th nearest other vector of the same set as its radius, and is
// open.
func PRDC(real, fake Set, k int, o Options) (*PRDCResult, error) {
	if k < 1 {
		return nil, fmt.Errorf("metric: %d neighbours, want at least 1", k)
	}
	for _, s := range []struct {
		name string
		Set
	}{{"reals", real}, {"fakes", fake}} {
		if err := s.check(s.name, real.Dim, k+1); err != nil {
			return nil, err
		}
	}
	pool := kernel.NewPool(o.Threads)
	defer pool.Close()
	all := fake.Len() + 2*real.Len()
	part := func(offset int) *Options {
		return &Options{Progress: func(done, _ int) { o.tell(offset+done, all) }}
	}
	toReals, toFakes := newDistances(real, pool), newDistances(fake, pool)
	fakeRadii := radii(toFakes, fake, k, part(0))
	realRadii := radii(toReals, real, k, part(fake.Len()))

	var recalled, covered, density atomic.Int64
	precise := make([]atomic.Bool, fake.Len())
	toFakes.from(real, part(fake.Len()+real.Len()), func(i int, d2 []float64) {
		inside, near, radius := 0, false, realRadii[i]
		for j, d := range d2 {
			if d < radius {
				inside++
				precise[j].Store(true)
			}
			near = near || d < fakeRadii[j]
		}
		density.Add(int64(inside))
		if inside > 0 {
			covered.Add(1)
		}
		if near {
			recalled.Add(1)
		}
	})
	r := &PRDCResult{K: k}
	for i := range precise {
		if precise[i].Load() {
			r.Precision++
		}
	}
	n, m := float64(real.Len()), float64(fake.Len())
	r.Precision /= m
	r.Recall = float64(recalled.Load()) / n
	r.Density = float64(density.Load()) / (float64(k) * m)
	r.Coverage = float64(covered.Load()) / n
	return r, nil
}

// radii returns the squared distance of each vector to its k-th nearest other.
func radii(d *distances, s Set, k int, o *Options) []float64 {
	r := make([]float64, s.Len())
	d.from(s, o, func(i int, d2 []float64) {
		d2[i] = math.Inf(1)
		r[i] = smallest(d2, k)
	})
	return r
}

// smallest returns the k-th smallest element of x.
func smallest(x []float64, k int) float64 {
	var few [64]float64
	least := append(few[:0], x[:min(k, len(x))]...)
	for i := range least { // insertion sort
		for j := i; j > 0 && least[j] < least[j-1]; j-- {
			least[j], least[j-1] = least[j-1], least[j]
		}
	}
	for _, v := range x[len(least):] {
		if v >= least[k-1] {
			continue
		}
		j := k - 1
		for ; j > 0 && v < least[j-1]; j-- {
			least[j] = least[j-1]
		}
		least[j] = v
	}
	return least[k-1]
}
