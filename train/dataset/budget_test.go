package dataset

import (
	"sync"
	"sync/atomic"
	"testing"
)

// TestBudget: no more is taken at one time than there is.
func TestBudget(t *testing.T) {
	const all = 100
	b := newBudget(all)
	var taken atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 200 {
				n := int64(1 + (i*37+k*11)%all)
				b.take(n)
				if now := taken.Add(n); now > all {
					t.Errorf("%d are taken, want at most %d", now, all)
				}
				taken.Add(-n)
				b.give(n)
			}
		})
	}
	wg.Wait()
	if b.left != all {
		t.Errorf("%d are left, want %d", b.left, all)
	}
}
