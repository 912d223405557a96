package memory

import "testing"

func TestMake(t *testing.T) {
	for _, n := range []int{0, 1, hugePage/4 - 1, hugePage / 4, hugePage, 3*hugePage + 1} {
		x := Make[float32](n)
		if len(x) != n || cap(x) < n {
			t.Fatalf("%d floats, room for %d, want %d", len(x), cap(x), n)
		}
		for i := range x {
			if x[i] != 0 {
				t.Fatalf("element %d of %d is %v", i, n, x[i])
			}
			x[i] = 1
		}
	}
}
