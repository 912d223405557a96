package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// countTask counts how often each part ran.
type countTask struct {
	runs []atomic.Int32
	body func(part int)
}

func (c *countTask) Run(part int) {
	c.runs[part].Add(1)
	if c.body != nil {
		c.body(part)
	}
}

func (c *countTask) check(t *testing.T, parts int) {
	t.Helper()
	for i := range c.runs {
		want := int32(0)
		if i < parts {
			want = 1
		}
		if got := c.runs[i].Swap(0); got != want {
			t.Fatalf("%d parts: part %d ran %d times, want %d", parts, i, got, want)
		}
	}
}

func TestPoolRunsEachPartOnce(t *testing.T) {
	for _, threads := range []int{0, 1, 2, 3, 8} {
		p := NewPool(threads)
		if got, want := p.Threads(), max(threads, 1); got != want {
			t.Errorf("NewPool(%d).Threads() = %d, want %d", threads, got, want)
		}
		task := &countTask{runs: make([]atomic.Int32, 40)}
		for round := range 300 {
			parts := round % 38
			p.Do(parts, task)
			task.check(t, parts)
			if round%100 == 99 {
				time.Sleep(2 * time.Millisecond) // the workers go to sleep
			}
		}
		p.Close()
		p.Close()
		p.Do(5, task)
		task.check(t, 5)
	}
	var none *Pool
	task := &countTask{runs: make([]atomic.Int32, 8)}
	none.Do(7, task)
	task.check(t, 7)
	none.Close()
	if none.Threads() != 1 {
		t.Errorf("nil pool: %d threads, want 1", none.Threads())
	}
}

// TestPoolUsesItsThreads fails if two parts that wait for each other cannot run
// at the same time.
func TestPoolUsesItsThreads(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	for range 50 {
		var all sync.WaitGroup
		all.Add(3)
		task := &countTask{runs: make([]atomic.Int32, 3), body: func(int) {
			all.Done()
			all.Wait()
		}}
		p.Do(3, task)
		task.check(t, 3)
	}
}

// TestPoolShared lets several callers, and tasks inside tasks, use one pool.
func TestPoolShared(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	var callers sync.WaitGroup
	for range 4 {
		callers.Add(1)
		go func() {
			defer callers.Done()
			inner := &countTask{runs: make([]atomic.Int32, 4)}
			var one sync.Mutex
			task := &countTask{runs: make([]atomic.Int32, 9), body: func(int) {
				one.Lock()
				defer one.Unlock()
				p.Do(4, inner)
				inner.check(t, 4)
			}}
			for range 200 {
				p.Do(9, task)
				task.check(t, 9)
			}
		}()
	}
	callers.Wait()
}

// TestPoolPanic: a panic on the caller's goroutine leaves the pool usable.
func TestPoolPanic(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	caller := make(chan struct{}) // closed when the caller's part begins
	task := &countTask{runs: make([]atomic.Int32, 2)}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		// The worker's part is the one that does not come from this goroutine.
		id := goroutineID()
		task.body = func(int) {
			if goroutineID() == id {
				close(caller)
				panic("on purpose")
			}
			<-caller
		}
		p.Do(2, task)
	}()
	task = &countTask{runs: make([]atomic.Int32, 20)}
	p.Do(20, task)
	task.check(t, 20)
	if !p.busy.TryLock() {
		t.Fatal("the pool is still busy")
	}
	p.busy.Unlock()
}

// goroutineID returns the head of this goroutine's stack trace, which names it.
func goroutineID() string {
	var buf [64]byte
	head := string(buf[:runtime.Stack(buf[:], false)])
	for i, c := range head {
		if c == '[' {
			return head[:i]
		}
	}
	return head
}

func TestPoolCloseEndsWorkers(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 10 {
		p := NewPool(4)
		p.Do(8, &countTask{runs: make([]atomic.Int32, 8)})
		p.Close()
	}
	for range 100 { // an ended goroutine is counted a moment longer
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, want %d", runtime.NumGoroutine(), before)
}

// TestPoolIsBounded asks for more goroutines than memory could hold.
func TestPoolIsBounded(t *testing.T) {
	before := runtime.NumGoroutine()
	p := NewPool(1 << 40)
	defer p.Close()
	if p.Threads() != MaxThreads {
		t.Errorf("%d threads, want %d", p.Threads(), MaxThreads)
	}
	if n := runtime.NumGoroutine() - before; n > MaxThreads {
		t.Errorf("%d more goroutines, want at most %d", n, MaxThreads)
	}
	task := &countTask{runs: make([]atomic.Int32, 3000)}
	p.Do(3000, task)
	task.check(t, 3000)
}

func TestPoolDoesNotAllocate(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	task := &countTask{runs: make([]atomic.Int32, 16)}
	if n := testing.AllocsPerRun(200, func() { p.Do(16, task) }); n != 0 {
		t.Errorf("Do allocates %v times, want 0", n)
	}
}

func BenchmarkPool(b *testing.B) {
	p := NewPool(2)
	defer p.Close()
	task := &countTask{runs: make([]atomic.Int32, 2)}
	for b.Loop() {
		p.Do(2, task)
	}
}
