package kernel

import (
	"fmt"
	"math"
	"testing"
)

// eachTier runs body once for every tier of this processor, the Go reference
// included. A tier is what [Tier] would choose if the better ones were absent.
func eachTier(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	best := tier
	defer func() { tier = best }()
	for _, ti := range tiers {
		tier = ti
		t.Run(ti.name, body)
	}
}

// onTier runs f with the given tier in use.
func onTier(ti *tierInfo, f func()) {
	old := tier
	tier = ti
	defer func() { tier = old }()
	f()
}

// noise is a small generator of test data, the same on every machine.
type noise uint64

func (s *noise) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// float returns a number in [-1,1) whose 24 bits are all in use.
func (s *noise) float() float32 { return float32(int32(s.next()>>40)-1<<23) / (1 << 23) }

// below returns a number in [0,n).
func (s *noise) below(n int) int { return int(s.next() % uint64(n)) }

// bits returns a float32 of any kind: all patterns are possible.
func (s *noise) bits() float32 { return math.Float32frombits(uint32(s.next())) }

func (s *noise) slice(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = s.float()
	}
	return x
}

// guardWord is a NaN that no kernel makes.
const guardWord = 0x7fc0dead

// A guarded slice stands between words that must not change, and holds NaN at
// first.
type guarded struct {
	all, x []float32
}

// newGuarded returns n elements at the given offset from the allocation's
// alignment.
func newGuarded(n, offset int) guarded {
	const pad = 64
	g := guarded{all: make([]float32, n+2*pad+offset)}
	for i := range g.all {
		g.all[i] = math.Float32frombits(guardWord)
	}
	g.x = g.all[pad+offset : pad+offset+n : pad+offset+n]
	return g
}

// guard returns a guarded copy of x.
func guard(x []float32, offset int) guarded {
	g := newGuarded(len(x), offset)
	copy(g.x, x)
	return g
}

func (g guarded) check(t testing.TB, what string) {
	t.Helper()
	n := len(g.x)
	first := len(g.all) - n - 64
	for i, v := range g.all {
		if (i < first || i >= first+n) && math.Float32bits(v) != guardWord {
			t.Fatalf("%s: wrote outside the slice, at %d of %d", what, i-first, n)
		}
	}
}

// sameBits fails unless got and want have equal bits; one NaN is as good as
// another.
func sameBits(t testing.TB, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d elements, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) && !(got[i] != got[i] && want[i] != want[i]) {
			t.Fatalf("%s: element %d is %v (%#08x), want %v (%#08x)", what, i,
				got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}

// testPools are pools of 1, 2 and 3 threads, the first nil.
func testPools(t *testing.T) []*Pool {
	pools := []*Pool{nil, NewPool(2), NewPool(3)}
	t.Cleanup(func() {
		for _, p := range pools {
			p.Close()
		}
	})
	return pools
}

func shapeName(dims ...int) string {
	s := ""
	for i, d := range dims {
		if i > 0 {
			s += "x"
		}
		s += fmt.Sprint(d)
	}
	return s
}
