package arena

import (
	"math/rand/v2"
	"testing"
)

// TestPlace checks on random lifetimes that buffers alive at once never overlap, and that memory is
// used again.
func TestPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		buffers := make([]Buffer, 1+r.IntN(40))
		sum := 0
		for i := range buffers {
			buffers[i] = Buffer{Size: r.IntN(96), First: i / 2}
			buffers[i].Last = buffers[i].First + r.IntN(1+r.IntN(10))
			sum += Align(buffers[i].Size)
		}
		offset, total := Place(buffers)
		most := 0 // what is alive at once at the worst moment
		for i, a := range buffers {
			alive := 0
			for k, b := range buffers {
				if b.First <= a.First && a.First <= b.Last {
					alive += Align(b.Size)
				}
				if i < k && a.First <= b.Last && b.First <= a.Last && offset[i] < offset[k]+b.Size && offset[k] < offset[i]+a.Size {
					t.Fatalf("buffers %d %+v at %d and %d %+v at %d overlap", i, a, offset[i], k, b, offset[k])
				}
			}
			most = max(most, alive)
			if offset[i]+a.Size > total || offset[i]%Alignment != 0 {
				t.Fatalf("buffer %d %+v at %d of %d", i, a, offset[i], total)
			}
		}
		if total < most || total > sum {
			t.Fatalf("arena of %d, want %d to %d", total, most, sum)
		}
	}
	chain := make([]Buffer, 1000)
	for i := range chain {
		chain[i] = Buffer{Size: 64, First: i, Last: i + 1}
	}
	if _, total := Place(chain); total != 128 {
		t.Errorf("a chain takes %d, want two buffers, 128", total)
	}
}
