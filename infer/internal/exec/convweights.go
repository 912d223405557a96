package exec

import (
	"sync"

	"gantry/internal/kernel"
	"gantry/internal/memory"
)

// convWeights are the constant weights of a Convolution. They are packed once, by the first run, for grids of
// all sizes; grids smaller than a stride, whose weights have another order, go without, and so do those
// that want another fast form. Safe for concurrent use.
type convWeights struct {
	transposed bool
	own        bool // nothing else reads plain: once packed, its memory is given back where packed can restore it
	mu         sync.Mutex
	plain      []float32
	packed     *kernel.PackedConv
}

// pack returns the weights for c, packed, or plain where packed is nil.
func (w *convWeights) pack(c *kernel.Conv) (packed *kernel.PackedConv, plain []float32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.packed == nil {
		if w.transposed {
			w.packed = c.PackTransposed(w.plain)
		} else {
			w.packed = c.Pack(w.plain)
		}
		if w.own && w.packed.Restores() {
			memory.Release(w.plain)
			w.plain = nil
		}
		return w.packed, nil
	}
	if w.transposed {
		packed = w.packed.ForTransposedGrid(c)
	} else {
		packed = w.packed.ForGrid(c)
	}
	if packed == nil && w.plain == nil {
		w.plain = w.packed.Unpack()
	}
	return packed, w.plain
}
