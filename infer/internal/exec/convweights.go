package exec

import (
	"sync"

	"gantry/internal/kernel"
)

// convWeights are the constant weights of a Convolution. They are packed once, by the first run, for grids of
// all sizes; grids smaller than a stride, whose weights have another order, go without. Safe for
// concurrent use.
type convWeights struct {
	transposed bool
	plain      []float32
	mu         sync.Mutex
	packed     *kernel.PackedConv
}

// pack returns the packed weights for c, or nil.
func (w *convWeights) pack(c *kernel.Conv) *kernel.PackedConv {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.packed == nil && w.transposed:
		w.packed = c.PackTransposed(w.plain)
	case w.packed == nil:
		w.packed = c.Pack(w.plain)
	case w.transposed:
		return w.packed.ForTransposedGrid(c)
	default:
		return w.packed.ForGrid(c)
	}
	return w.packed
}
