package rng

import (
	"hash/fnv"
	"math"
	"slices"
	"testing"
)

// The golden values below are part of the package's definition: a change of any
// bit here is a change of every image of every seed.
func TestGolden(t *testing.T) {
	normal := make([]float32, 7)
	Normal(normal, 42, SampleLatent, 0, 3)
	uniform := make([]float32, 7)
	Uniform(uniform, -1.7320508, 1.7320508, 42, SampleLatent, 0, 3)
	keep := make([]float32, 8)
	Keep(keep, 0.5, 2, 42, Dropout, 5, 3)
	perm := make([]uint32, 10)
	Permutation(perm, 42, Order, 3)

	for _, tt := range []struct {
		name      string
		got, want []float32
	}{
		{"Normal", normal, goldenNormal},
		{"Uniform", uniform, goldenUniform},
		{"Keep", keep, goldenKeep},
	} {
		for i := range tt.got {
			if math.Float32bits(tt.got[i]) != math.Float32bits(tt.want[i]) {
				t.Errorf("%s[%d] = %v, want %v", tt.name, i, tt.got[i], tt.want[i])
			}
		}
	}
	if !slices.Equal(perm, goldenPermutation) {
		t.Errorf("Permutation = %v, want %v", perm, goldenPermutation)
	}

	// And a hash of a hundred thousand normals, so that rare branches count too.
	h := fnv.New64a()
	row := make([]float32, 100)
	for i := range uint64(1000) {
		Normal(row, 7, SampleLatent, 0, i)
		for _, v := range row {
			b := math.Float32bits(v)
			h.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
		}
	}
	if got := h.Sum64(); got != goldenHash {
		t.Errorf("hash of normals is %#x, want %#x", got, uint64(goldenHash))
	}
}

func TestPrefix(t *testing.T) {
	long := make([]float32, 41)
	short := make([]float32, 41)
	for name, fill := range map[string]func(dst []float32){
		"Normal":  func(dst []float32) { Normal(dst, 1, TrainLatent, 2, 3) },
		"Uniform": func(dst []float32) { Uniform(dst, -1, 1, 1, TrainLatent, 2, 3) },
		"Keep":    func(dst []float32) { Keep(dst, 0.3, 1, 1, TrainLatent, 2, 3) },
	} {
		fill(long)
		for n := range long {
			clear(short)
			fill(short[:n])
			if !slices.Equal(short[:n], long[:n]) {
				t.Errorf("%s of %d is no prefix of %s of %d", name, n, name, len(long))
			}
			if slices.ContainsFunc(short[n:], func(v float32) bool { return v != 0 }) {
				t.Errorf("%s of %d writes behind dst", name, n)
			}
		}
	}
}

// TestNormalMoments checks the first four moments within 5 standard errors, and
// that neighbours within a vector, across indices, streams and seeds are
// uncorrelated.
func TestNormalMoments(t *testing.T) {
	const rows, cols = 4000, 50
	draw := func(seed uint64, s Stream, sub uint32) []float32 {
		all := make([]float32, rows*cols)
		for i := range rows {
			Normal(all[i*cols:(i+1)*cols], seed, s, sub, uint64(i))
		}
		return all
	}
	x := draw(1, SampleLatent, 0)
	n := float64(len(x))
	var m1, m2, m3, m4 float64
	for _, v := range x {
		f := float64(v)
		m1, m2, m3, m4 = m1+f, m2+f*f, m3+f*f*f, m4+f*f*f*f
		if math.Abs(f) > 6.67 {
			t.Errorf("%v is out of bounds", v)
		}
	}
	for _, tt := range []struct {
		name            string
		got, want, sdev float64 // sdev of one term
	}{
		{"mean", m1 / n, 0, 1},
		{"mean square", m2 / n, 1, math.Sqrt(2)},
		{"mean cube", m3 / n, 0, math.Sqrt(15)},
		{"mean fourth power", m4 / n, 3, math.Sqrt(96)},
		{"correlation of neighbours", corr(x, x[1:]), 0, 1},
		{"correlation of pairs", corr(x, x[2:]), 0, 1},
		{"correlation of indices", corr(x, x[cols:]), 0, 1},
		{"correlation of streams", corr(x, draw(1, TrainLatent, 0)), 0, 1},
		{"correlation of sub-streams", corr(x, draw(1, SampleLatent, 1)), 0, 1},
		{"correlation of seeds", corr(x, draw(2, SampleLatent, 0)), 0, 1},
		{"correlation of seeds far apart", corr(x, draw(1+1<<32, SampleLatent, 0)), 0, 1},
	} {
		if d := math.Abs(tt.got - tt.want); d > 5*tt.sdev/math.Sqrt(n) {
			t.Errorf("%s is %.5f, want %v within %.5f", tt.name, tt.got, tt.want, 5*tt.sdev/math.Sqrt(n))
		}
	}
}

// corr is the mean product of the common prefix of a and b.
func corr(a, b []float32) float64 {
	n, sum := min(len(a), len(b)), 0.0
	for i := range n {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum / float64(n)
}

func TestUniform(t *testing.T) {
	const n, bins = 1 << 18, 64
	x := make([]float32, n)
	Uniform(x, -3, 5, 1, Init, 0, 0)
	var hist [bins]float64
	for _, v := range x {
		if v < -3 || v > 5 {
			t.Fatalf("%v is out of bounds", v)
		}
		hist[min(int((v+3)/8*bins), bins-1)]++
	}
	chi2 := 0.0
	for _, h := range hist {
		chi2 += (h - n/bins) * (h - n/bins) / (n / bins)
	}
	// Mean bins-1, standard deviation √(2(bins-1)).
	if d := math.Abs(chi2-(bins-1)) / math.Sqrt(2*(bins-1)); d > 5 {
		t.Errorf("χ² is %.1f for %d bins, %.1f standard deviations off", chi2, bins, d)
	}
	// The ends are reached when the interval is a float32 or two wide, never passed.
	hi := math.Nextafter32(1, 2)
	Uniform(x, 1, hi, 1, Init, 0, 0)
	for _, v := range x {
		if v != 1 && v != hi {
			t.Fatalf("%v is outside [1, %v]", v, hi)
		}
	}
}

func TestKeep(t *testing.T) {
	const n = 1 << 18
	x := make([]float32, n)
	for _, keep := range []float32{0, 1e-3, 0.5, 0.8, 1, 2, float32(math.NaN())} {
		Keep(x, keep, 1.25, 9, Dropout, 1, 0)
		kept := 0.0
		for _, v := range x {
			switch v {
			case 1.25:
				kept++
			case 0:
			default:
				t.Fatalf("mask has %v, want 0 or 1.25", v)
			}
		}
		p := math.Min(float64(keep), 1)
		if keep != keep {
			p = 0
		}
		if d := math.Abs(kept - n*p); d > 5*math.Sqrt(n*p*(1-p)) {
			t.Errorf("keep %v: %v of %d kept", keep, kept, n)
		}
	}
}

func TestPermutation(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 1000} {
		p := make([]uint32, n)
		Permutation(p, 1, Order, 0)
		sorted := slices.Clone(p)
		slices.Sort(sorted)
		for i, v := range sorted {
			if int(v) != i {
				t.Fatalf("n %d: not a permutation: %v", n, p)
			}
		}
	}
	// All 24 orders of four elements appear equally often.
	const trials = 24_000
	counts := map[[4]uint32]float64{}
	for i := range uint64(trials) {
		var p [4]uint32
		Permutation(p[:], 5, Order, i)
		counts[p]++
	}
	chi2 := 0.0
	for _, c := range counts {
		chi2 += (c - trials/24) * (c - trials/24) / (trials / 24)
	}
	if len(counts) != 24 || chi2 > 23+5*math.Sqrt(46) {
		t.Errorf("%d orders with χ² %.1f, want 24 with about 23", len(counts), chi2)
	}
}

func TestNoAllocation(t *testing.T) {
	x, p := make([]float32, 100), make([]uint32, 100)
	for name, f := range map[string]func(){
		"Normal":      func() { Normal(x, 1, TrainLatent, 0, 0) },
		"Uniform":     func() { Uniform(x, -1, 1, 1, TrainLatent, 0, 0) },
		"Keep":        func() { Keep(x, 0.5, 2, 1, Dropout, 0, 0) },
		"Permutation": func() { Permutation(p, 1, Order, 0) },
	} {
		if n := testing.AllocsPerRun(10, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

func BenchmarkNormal(b *testing.B) {
	x := make([]float32, 100)
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		Normal(x, 1, TrainLatent, 0, 0)
	}
}

func BenchmarkUniform(b *testing.B) {
	x := make([]float32, 100)
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		Uniform(x, -1, 1, 1, TrainLatent, 0, 0)
	}
}

func BenchmarkKeep(b *testing.B) {
	x := make([]float32, 784)
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		Keep(x, 0.5, 2, 1, Dropout, 0, 0)
	}
}

func BenchmarkPermutation(b *testing.B) {
	x := make([]uint32, 60000)
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		Permutation(x, 1, Order, 0)
	}
}
