package dataset

import (
	"bytes"
	"io"
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

// TestDecoderGivesBack: what an image took of the budget is there for the next,
// whether or not it could be decoded.
func TestDecoderGivesBack(t *testing.T) {
	d := decoder{side: 4, memory: newBudget(1 << 20)}
	for _, lines := range []int{8, 1} { // of eight: one file is cut off
		b := bomb(8, 8, lines)
		f := file{size: int64(len(b)), open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
		if _, _, err := d.decode(make([]byte, 48), &f); (err == nil) != (lines == 8) {
			t.Errorf("%d lines: got %v", lines, err)
		}
		if d.memory.left != 1<<20 {
			t.Errorf("%d lines: %d are left, want %d", lines, d.memory.left, 1<<20)
		}
	}
}
