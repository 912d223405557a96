package rng

import (
	"math"
	"testing"
)

// words yields words that cover both ends, the neighbourhood of each eighth of
// a turn, and the range between.
func words(yield func(uint32) bool) {
	for eighth := range uint32(8) {
		for d := range uint32(2000) {
			if !yield(eighth<<29+d) || !yield(eighth<<29-d) {
				return
			}
		}
	}
	for i := range uint64(100_000) {
		if !yield(Block(3, Augment, 0, i, 0)[0]) {
			return
		}
	}
}

// ulps64 returns the distance of got from want in units of want's last place.
func ulps64(got, want float64) float64 {
	if want == 0 {
		return math.Abs(got) / math.SmallestNonzeroFloat64
	}
	return math.Abs(got-want) / (math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want))
}

func TestLog(t *testing.T) {
	worst := 0.0
	for x := range words {
		u := (float64(x) + 1) / (1 << 32)
		worst = max(worst, ulps64(Log(u), math.Log(u)), ulps64(Log(1/u), math.Log(1/u)))
	}
	if worst > 1.5 {
		t.Errorf("Log differs from math.Log by %.2f ulp, want at most 1.5", worst)
	}
	if l := Log(1); l != 0 {
		t.Errorf("Log(1) = %v, want 0", l)
	}
}

func TestCosSinTurn(t *testing.T) {
	worst := 0.0
	for x := range words {
		c, s := cosSinTurn(x)
		// The nearest quarter turn is taken off exactly, as math cannot do it.
		q := (uint64(x) + 1<<29) >> 30
		a := (float64(x) - float64(q<<30)) * (math.Pi / (1 << 31))
		wc, ws := math.Cos(a), math.Sin(a)
		for range q % 4 {
			wc, ws = -ws, wc
		}
		worst = max(worst, ulps64(c, wc), ulps64(s, ws))
		if one := c*c + s*s; math.Abs(one-1) > 1e-15 {
			t.Fatalf("word %#x: cos²+sin² = %v", x, one)
		}
	}
	if worst > 2 {
		t.Errorf("cosSinTurn differs from package math by %.2f ulp, want at most 2", worst)
	}
	for x, want := range map[uint32][2]float64{0: {1, 0}, 1 << 30: {0, 1}, 2 << 30: {-1, 0}, 3 << 30: {0, -1}} {
		if c, s := cosSinTurn(x); c != want[0] || s != want[1] {
			t.Errorf("cosSinTurn(%#x) = %v, %v, want %v", x, c, s, want)
		}
	}
}

// TestBoxMuller compares whole results, as float32, with package math.
func TestBoxMuller(t *testing.T) {
	worst, different, n := int64(0), 0, 0
	for x := range words {
		y := Block(4, Augment, 0, uint64(x), 0)[0]
		for _, w := range [][2]uint32{{x, y}, {y, x}} {
			g0, g1 := boxMuller(w[0], w[1])
			r := math.Sqrt(-2 * math.Log((float64(w[0])+1)/(1<<32)))
			q := (uint64(w[1]) + 1<<29) >> 30
			a := (float64(w[1]) - float64(q<<30)) * (math.Pi / (1 << 31))
			c, s := math.Cos(a), math.Sin(a)
			for range q % 4 {
				c, s = -s, c
			}
			for _, d := range []int64{ulps32(g0, float32(r*c)), ulps32(g1, float32(r*s))} {
				worst = max(worst, d)
				n++
				if d != 0 {
					different++
				}
			}
		}
	}
	t.Logf("%d of %d numbers differ from package math, by at most %d float32 ulp", different, n, worst)
	if worst > 1 {
		t.Errorf("numbers differ by %d float32 ulp, want at most 1", worst)
	}
}

// ulps32 counts the float32 numbers between a and b.
func ulps32(a, b float32) int64 {
	order := func(x float32) int64 {
		i := int64(int32(math.Float32bits(x)))
		if i < 0 {
			i = math.MinInt32 - i
		}
		return i
	}
	d := order(a) - order(b)
	return max(d, -d)
}
