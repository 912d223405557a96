package exec

import (
	"sync"
	"sync/atomic"

	"gantry/internal/kernel"
)

// weights are the constant matrix of a Linear. They stay as the file has them for the first product,
// if that is a small one: packing them touches as much new memory as the file is long, which is a
// third of the time from process start to the first image. The second product, or a tall one, packs
// them. Both forms give the same bits. Safe for concurrent use.
type weights struct {
	form    kernel.Form
	n, k    int
	pack    sync.Mutex // held while packing
	used    atomic.Bool
	current atomic.Pointer[layout]
}

// layout is one of the two forms of weights; the other field is nil.
type layout struct {
	plain  []float32
	packed *kernel.Packed
}

// packRows is the number of rows from which a product is worth packing for at once.
const packRows = 8

func newWeights(l *Linear) *weights {
	w := &weights{form: kernel.NN, n: l.N, k: l.K}
	if l.Trans {
		w.form = kernel.NT
	}
	w.current.Store(&layout{plain: l.W})
	return w
}

// product computes dst [m n] from x [m k].
func (w *weights) product(p *kernel.Pool, dst, x []float32, m int, ep kernel.Epilogue) {
	c := w.current.Load()
	if c.packed == nil && (w.used.Swap(true) || m >= packRows) {
		c = w.packNow()
	}
	if c.packed == nil {
		kernel.Gemm(p, w.form, dst, x, c.plain, m, w.n, w.k, ep)
		return
	}
	kernel.GemmPacked(p, dst, x, m, c.packed, ep)
}

// packNow packs the weights, once, and lets the plain ones go.
func (w *weights) packNow() *layout {
	w.pack.Lock()
	defer w.pack.Unlock()
	c := w.current.Load()
	if c.packed == nil {
		c = &layout{packed: kernel.PackB(w.form, c.plain, w.n, w.k)}
		w.current.Store(c)
	}
	return c
}
