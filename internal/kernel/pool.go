package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A Task is work in numbered parts. Implementations are pointers, so that
// handing one to [Pool.Do] allocates nothing.
type Task interface {
	// Run does one part. Parts run at the same time on several goroutines.
	Run(part int)
}

// A Pool is a fixed set of goroutines that share the parts of a task with its
// caller. A nil *Pool is valid and runs everything on the caller's goroutine.
// A Pool is safe for concurrent use: a caller that finds it busy runs its task
// alone.
type Pool struct {
	threads int
	busy    sync.Mutex    // held by the caller that owns the pool
	next    atomic.Int64  // the next part of the current task
	posted  atomic.Uint64 // number of tasks posted: what idle workers watch
	active  atomic.Int64  // workers inside the current task

	mu      sync.Mutex // guards what follows, and changes of posted and active
	task    Task       // nil: nothing to join
	parts   int
	parked  []chan struct{} // wake channels of the sleeping workers
	waiting bool            // the caller sleeps on done until active is 0
	closed  bool
	done    chan struct{}
	workers sync.WaitGroup
}

// spins is how often an idle worker, or a caller whose parts are all taken,
// looks again before it sleeps: some 200 µs. A wake-up costs about 50 µs, and a
// training step has a hundred tasks with pauses of 20 to 100 µs between them.
const spins = 40000

// MaxThreads is the largest number of goroutines of a pool. More than there
// are processors gain nothing, and a mistyped number must not take the memory.
const MaxThreads = 1024

// NewPool returns a pool in which threads goroutines work on a task, the
// caller of Do among them; threads below 1 means 1, above [MaxThreads] that many.
func NewPool(threads int) *Pool {
	threads = min(max(threads, 1), MaxThreads)
	p := &Pool{threads: threads, done: make(chan struct{}, 1), parked: make([]chan struct{}, 0, threads)}
	p.workers.Add(threads - 1)
	for range threads - 1 {
		go p.work()
	}
	return p
}

// Threads returns the number of goroutines that share a task: 1 for nil.
func (p *Pool) Threads() int {
	if p == nil {
		return 1
	}
	return p.threads
}

// Close ends the workers and returns when they are gone. A task posted after
// Close runs on its caller's goroutine. Close may be called twice.
func (p *Pool) Close() {
	if p == nil {
		return
	}
	p.busy.Lock() // a task that runs is finished first
	defer p.busy.Unlock()
	p.mu.Lock()
	p.closed = true
	p.posted.Add(1)
	p.wake(len(p.parked))
	p.mu.Unlock()
	p.workers.Wait()
}

// Do runs t.Run(0) ... t.Run(parts-1), each once, and returns when all are
// done. The order and the goroutines are not determined. If the pool is busy
// with another caller, or Do is called from inside a task, the parts run one
// after the other on the caller's goroutine. Do does not allocate.
func (p *Pool) Do(parts int, t Task) {
	if p == nil || p.threads == 1 || parts <= 1 || !p.busy.TryLock() {
		for i := range parts {
			t.Run(i)
		}
		return
	}
	defer p.busy.Unlock()
	p.mu.Lock()
	p.task, p.parts = t, parts
	p.next.Store(0)
	p.posted.Add(1)
	p.wake(parts - 1)
	p.mu.Unlock()
	defer p.finish() // deferred: a panic in Run must not leave the pool locked
	p.run(t, parts)
}

// run takes parts until there are none.
func (p *Pool) run(t Task, parts int) {
	for {
		i := int(p.next.Add(1)) - 1
		if i >= parts {
			return
		}
		t.Run(i)
	}
}

// finish closes the task to newcomers and waits for the workers inside it.
func (p *Pool) finish() {
	p.mu.Lock()
	p.task = nil
	p.next.Store(int64(p.parts)) // after a panic: no further parts
	p.mu.Unlock()
	for i := 0; i < spins; i++ {
		if p.active.Load() == 0 {
			return
		}
		if i%64 == 63 {
			runtime.Gosched()
		}
	}
	p.mu.Lock()
	if p.active.Load() == 0 {
		p.mu.Unlock()
		return
	}
	p.waiting = true
	p.mu.Unlock()
	<-p.done
}

// wake sends up to n sleeping workers to work. p.mu is held.
func (p *Pool) wake(n int) {
	for ; n > 0 && len(p.parked) > 0; n-- {
		last := len(p.parked) - 1
		p.parked[last] <- struct{}{}
		p.parked = p.parked[:last]
	}
}

// work is the life of a worker.
func (p *Pool) work() {
	defer p.workers.Done()
	bell := make(chan struct{}, 1)
	seen := uint64(0)
	for {
		for i := 0; i < spins && p.posted.Load() == seen; i++ {
			if i%64 == 63 {
				runtime.Gosched()
			}
		}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return
		}
		if p.posted.Load() == seen {
			p.parked = append(p.parked, bell)
			p.mu.Unlock()
			<-bell
			continue
		}
		seen = p.posted.Load()
		t, parts := p.task, p.parts
		if t != nil {
			p.active.Add(1)
		}
		p.mu.Unlock()
		if t == nil {
			continue // too late: the others have done it
		}
		p.run(t, parts)
		p.mu.Lock()
		if p.active.Add(-1) == 0 && p.waiting {
			p.waiting = false
			p.done <- struct{}{}
		}
		p.mu.Unlock()
	}
}

// A freeList keeps objects of one kind for reuse. Unlike sync.Pool it never
// drops one, so that a call allocates nothing once the list is filled.
type freeList[T any] struct {
	mu   sync.Mutex
	free []*T
}

// get returns an object that nobody else uses: an old one, with its old
// contents, or a new one.
func (f *freeList[T]) get() *T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.free); n > 0 {
		x := f.free[n-1]
		f.free = f.free[:n-1]
		return x
	}
	return new(T)
}

// put hands an object back.
func (f *freeList[T]) put(x *T) {
	f.mu.Lock()
	f.free = append(f.free, x)
	f.mu.Unlock()
}
