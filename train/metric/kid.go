package metric

import (
	"fmt"

	"gantry/internal/kernel"
	"gantry/internal/rng"
)

// KIDResult is an estimate of the squared maximum mean discrepancy.
type KIDResult struct {
	Mean    float64 `json:"kid"`
	Std     float64 `json:"std"` // over the subsets
	Subsets int     `json:"subsets"`
	Size    int     `json:"subset_size"` // vectors of each side in a subset
}

// KIDSubsets and KIDSize are the usual number of subsets and of vectors in each.
const (
	KIDSubsets = 100
	KIDSize    = 1000
)

// KID returns the kernel distance of Bińkowski et al., "Demystifying MMD GANs"
// (2018), between two sets of features: the unbiased estimate of the squared
// maximum mean discrepancy under the kernel (x·y/dim + 1)³, averaged over random
// subsets of size vectors of either set. Unlike [Frechet] it does not depend on how
// many vectors there are, and may come out below 0. seed chooses the subsets.
func KID(x, y Set, subsets, size int, seed uint64, o Options) (*KIDResult, error) {
	if subsets < 1 || size < 2 {
		return nil, fmt.Errorf("metric: %d subsets of %d vectors, want at least 1 of 2", subsets, size)
	}
	for _, s := range []struct {
		name string
		Set
	}{{"first set", x}, {"second set", y}} {
		if err := s.check(s.name, x.Dim, size); err != nil {
			return nil, err
		}
	}
	pool := kernel.NewPool(o.Threads)
	defer pool.Close()
	k := &polynomial{pool: pool, products: make([]float32, size*size), sums: make([]float64, size)}
	parts := [2]Set{{make([]float32, size*x.Dim), x.Dim}, {make([]float32, size*x.Dim), x.Dim}}
	values := make([]float64, subsets)
	for i := range values {
		for side, s := range [2]Set{x, y} {
			for at, from := range subset(s.Len(), seed, 2*i+side)[:size] {
				copy(parts[side].row(at), s.row(int(from)))
			}
		}
		values[i] = k.discrepancy(parts[0], parts[1])
		o.tell(i+1, subsets)
	}
	r := &KIDResult{Subsets: subsets, Size: size}
	r.Mean, r.Std = meanStd(values)
	return r, nil
}

// subset returns a permutation of n vectors, of which a subset takes the first.
func subset(n int, seed uint64, index int) []uint32 {
	order := make([]uint32, n)
	rng.Permutation(order, seed, rng.Order, uint64(index))
	return order
}

// polynomial is the kernel (x·y/dim + 1)³.
type polynomial struct {
	pool     *kernel.Pool
	products []float32
	sums     []float64 // of rows
}

// discrepancy returns the unbiased estimate for sets of equally many vectors.
func (k *polynomial) discrepancy(x, y Set) float64 {
	m := float64(x.Len())
	return (k.sum(x, x, true)+k.sum(y, y, true))/(m*(m-1)) - 2*k.sum(x, y, false)/(m*m)
}

// sum adds up the kernel over all pairs, but for those of a vector with itself
// where the sets are the same one.
func (k *polynomial) sum(x, y Set, same bool) float64 {
	n := y.Len()
	kernel.Gemm(k.pool, kernel.NT, k.products, x.X, y.X, x.Len(), n, x.Dim, kernel.Epilogue{})
	k.pool.Do(x.Len(), each(func(i int) {
		sum := 0.0
		for j, p := range k.products[i*n : (i+1)*n] {
			if same && i == j {
				continue
			}
			b := float64(p)/float64(x.Dim) + 1
			sum += float64(float64(b*b) * b)
		}
		k.sums[i] = sum
	}))
	total := 0.0
	for _, s := range k.sums[:x.Len()] {
		total += s
	}
	return total
}
