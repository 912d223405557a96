package train

import (
	"fmt"

	"gantry/internal/kernel"
	"gantry/internal/rng"
	"gantry/models"
	"gantry/train/dataset"
)

// batches reads the real images of any batch. Batch number b holds the data
// positions b·size ... b·size+size-1; position s is image
// permutation(seed, s/n)[s mod n] of the n images, so that a pass through the
// data visits each once and a batch may run across the end of a pass.
type batches struct {
	data   dataset.Dataset
	seed   uint64
	size   int
	lo, hi float32 // the value range that the networks want
	pool   *kernel.Pool

	epoch   int      // whose permutation order holds; -1 at first
	order   []uint32 // permutation of the data
	indices []int
}

func newBatches(data dataset.Dataset, seed uint64, size int, values [2]float32, pool *kernel.Pool) *batches {
	return &batches{data: data, seed: seed, size: size, lo: values[0], hi: values[1], pool: pool,
		epoch: -1, order: make([]uint32, data.Len()), indices: make([]int, size)}
}

// read copies the images of batch number b to dst, [size C H W] in the value
// range of the networks.
func (b *batches) read(dst []float32, batch int) error {
	n := len(b.order)
	for i := range b.indices {
		s := batch*b.size + i
		if s/n != b.epoch {
			b.epoch = s / n
			rng.Permutation(b.order, b.seed, rng.Order, uint64(b.epoch))
		}
		b.indices[i] = int(b.order[s%n])
	}
	if err := b.data.Read(dst, b.indices); err != nil {
		return fmt.Errorf("train: reading batch %d: %w", batch, err)
	}
	if b.lo != 0 || b.hi != 1 {
		kernel.Affine(b.pool, dst, dst, b.hi-b.lo, b.lo)
	}
	return nil
}

// marginals returns the mean of each element of the data, in [0,1].
func marginals(data dataset.Dataset) ([]float32, error) {
	const chunk = 256
	size := models.Elements(data.Shape())
	sum := make([]float64, size)
	buf := make([]float32, chunk*size)
	var indices []int
	for first := 0; first < data.Len(); first += chunk {
		indices = indices[:0]
		for i := first; i < min(first+chunk, data.Len()); i++ {
			indices = append(indices, i)
		}
		x := buf[:len(indices)*size]
		if err := data.Read(x, indices); err != nil {
			return nil, fmt.Errorf("train: reading images %d-%d: %w", first, first+len(indices)-1, err)
		}
		for ; len(x) > 0; x = x[size:] {
			for i, v := range x[:size] {
				sum[i] += float64(v)
			}
		}
	}
	mean := make([]float32, size)
	for i, s := range sum {
		mean[i] = float32(s / float64(data.Len()))
	}
	return mean, nil
}

// latents draws batches of latent vectors: row i of batch b is the training
// latent of index b·rows + i.
type latents struct {
	input models.Input
	seed  uint64
	rows  int
	pool  *kernel.Pool

	dst   []float32 // of the draw in progress
	batch uint64
}

const latentRows = 8 // rows of one task

// draw fills dst, [rows size], with batch number b.
func (l *latents) draw(dst []float32, batch int) {
	l.dst, l.batch = dst, uint64(batch)
	l.pool.Do((l.rows+latentRows-1)/latentRows, l)
}

// Run draws the rows of one part, for [kernel.Pool.Do].
func (l *latents) Run(part int) {
	n := l.input.Size
	for i := part * latentRows; i < min((part+1)*latentRows, l.rows); i++ {
		row, index := l.dst[i*n:(i+1)*n], l.batch*uint64(l.rows)+uint64(i)
		if l.input.Distribution == models.Uniform {
			rng.Uniform(row, l.input.Bounds[0], l.input.Bounds[1], l.seed, rng.TrainLatent, 0, index)
		} else {
			rng.Normal(row, l.seed, rng.TrainLatent, 0, index)
		}
	}
}
