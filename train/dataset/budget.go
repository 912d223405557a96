package dataset

import "sync"

// A budget is an amount that several goroutines take from and give back to.
type budget struct {
	mu   sync.Mutex
	more sync.Cond
	left int64
}

func newBudget(n int64) *budget {
	b := &budget{left: n}
	b.more.L = &b.mu
	return b
}

// take waits until n are left, which must not be more than there are in all.
func (b *budget) take(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.left < n {
		b.more.Wait()
	}
	b.left -= n
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
	b.more.Broadcast()
}
