package metric

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gantry/internal/kernel"
	"gantry/internal/rng"
)

// pixels returns n vectors like images of digits: most elements 0, many 1.
func pixels(n, dim int, seed uint64) Set {
	s := Set{make([]float32, n*dim), dim}
	for i := range n {
		rng.Uniform(s.row(i), -2, 2, seed, rng.SampleLatent, 0, uint64(i))
	}
	for i, v := range s.X {
		s.X[i] = max(0, min(v, 1))
	}
	return s
}

// TestWindow holds each log-likelihood of vectors as large as images of MNIST
// against sums in float64, also at the narrowest bandwidth, where rounding
// errors of the distances count most.
func TestWindow(t *testing.T) {
	samples, x := pixels(150, 784, 1), pixels(70, 784, 2)
	copy(x.row(3), samples.row(5)) // a distance of 0
	w, err := newWindow(samples, nil)
	if err != nil {
		t.Fatal(err)
	}
	sigmas := parzenSigmas[:]
	got, err := w.logLikelihood("x", x, sigmas, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k, sigma := range sigmas {
		worst := 0.0
		for i := range x.Len() {
			e := make([]float64, samples.Len())
			for j := range e {
				e[j] = -squared(x.row(i), samples.row(j)) / (2 * sigma * sigma)
			}
			most, sum := slices.Max(e), 0.0
			for _, v := range e {
				sum += math.Exp(v - most)
			}
			want := most + math.Log(sum) - math.Log(float64(len(e))) - 784*math.Log(sigma*math.Sqrt(2*math.Pi))
			worst = max(worst, math.Abs(got[k][i]-want))
		}
		if worst > 1e-3 {
			t.Errorf("sigma %.3f: differs by %.2g nats, want at most 1e-3", sigma, worst)
		}
	}
}

// TestParzenSigmas: ten, from 0.1 to 1, in equal steps of the logarithm.
func TestParzenSigmas(t *testing.T) {
	for i, s := range parzenSigmas {
		if want := math.Pow(10, -1+float64(i)/9); math.Abs(s-want) > 1e-15 {
			t.Errorf("%d: %v, want %v", i, s, want)
		}
	}
	r, err := Parzen(pixels(20, 9, 1), pixels(10, 9, 2), Set{Dim: 9}, Options{})
	if err != nil || r.Test != 0 || r.Validation == 0 {
		t.Errorf("without test data: %+v, %v", r, err)
	}
}

// TestThreads: the same bits for every number of threads.
func TestThreads(t *testing.T) {
	a, b, c := blobs(200, 20, 1, 0.3, 0), blobs(150, 20, 2, 0.3, 0.1), blobs(130, 20, 3, 0.3, 0)
	var want []any
	for threads := 1; threads <= 4; threads++ {
		o := Options{Threads: threads}
		p, err1 := Parzen(a, b, c, o)
		k, err2 := KID(a, b, 5, 40, 1, o)
		q, err3 := PRDC(a, b, 3, o)
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		if got := []any{*p, *k, *q}; want == nil {
			want = got
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%d threads: got %v, want %v", threads, got, want)
		}
	}
}

// TestProgress: it ends where it says it will.
func TestProgress(t *testing.T) {
	a, b := blobs(200, 5, 1, 0.3, 0), blobs(150, 5, 2, 0.3, 0.1)
	last, all := 0, 0
	o := Options{Threads: 2, Progress: func(done, total int) {
		if done <= last || done > total || all != 0 && total != all {
			t.Errorf("%d of %d after %d of %d", done, total, last, all)
		}
		last, all = done, total
	}}
	for name, run := range map[string]func() error{
		"parzen": func() error { _, err := Parzen(a, b, a, o); return err },
		"kid":    func() error { _, err := KID(a, b, 5, 40, 1, o); return err },
		"prdc":   func() error { _, err := PRDC(a, b, 3, o); return err },
	} {
		last, all = 0, 0
		if err := run(); err != nil || last != all || all == 0 {
			t.Errorf("%s: ended at %d of %d, %v", name, last, all, err)
		}
	}
}

// TestCollapsed: a generator with one sample has no ball, and reals in none.
func TestCollapsed(t *testing.T) {
	real := blobs(100, 30, 1, 0.3, 0)
	fake := Set{slices.Repeat(real.row(7), 50), 30}
	r, err := PRDC(real, fake, 5, Options{})
	if err != nil {
		t.Fatal(err)
	}
	// The sample is a real one, so it lies in its ball and in some others'.
	if r.Precision != 1 || r.Recall != 0 || r.Coverage < 0.01 || r.Coverage > 0.3 {
		t.Errorf("copies of one real: %+v", r)
	}
	if r, err = PRDC(real, real, 5, Options{}); err != nil || r.Precision != 1 || r.Recall != 1 || r.Coverage != 1 {
		t.Errorf("a set and itself: %+v, %v", r, err)
	}
	if r, err = PRDC(fake, fake, 5, Options{}); err != nil || r.Precision != 0 || r.Density != 0 {
		t.Errorf("one vector only: %+v, %v", r, err)
	}
}

// TestFrechetClosed compares with distances known in closed form, also where
// covariances are singular.
func TestFrechetClosed(t *testing.T) {
	moments := func(s Set) *Moments {
		m, err := NewMoments(s)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	close := func(name string, a, b Set, want float64) {
		t.Helper()
		d, err := Frechet(moments(a), moments(b))
		if err != nil || math.Abs(d-want) > 1e-6*(1+want) {
			t.Errorf("%s: %v, %v, want %v", name, d, err, want)
		}
	}
	few, many := blobs(5, 16, 1, 0.3, 0), blobs(1500, 16, 1, 0.3, 0)
	for _, s := range []Set{few, many} {
		moved, double := Set{slices.Clone(s.X), s.Dim}, Set{slices.Clone(s.X), s.Dim}
		for i := range s.X {
			moved.X[i] += 0.5
			double.X[i] *= 2
		}
		close("itself", s, s, 0)
		close("moved", s, moved, 16*0.25)
		m := moments(s)
		want := 0.0 // |μ|² + tr Σ
		for i, v := range m.mean {
			want += v*v + m.cov.At(i, i)
		}
		close("twice as large", s, double, want)
	}
	if _, err := Frechet(moments(few), moments(blobs(5, 3, 1, 1, 0))); err == nil {
		t.Error("moments of different lengths pass")
	}
}

// TestKIDUnbiased: of sets of one distribution it is 0 on average.
func TestKIDUnbiased(t *testing.T) {
	r, err := KID(blobs(2000, 8, 1, 0.3, 0), blobs(2000, 8, 2, 0.3, 0), 50, 100, 1, Options{Threads: 2})
	if err != nil || math.Abs(r.Mean) > 4*r.Std/math.Sqrt(50) || r.Std == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestDistances: duplicates are at distance 0, others within the bound of their
// float32 products.
func TestDistances(t *testing.T) {
	to, from := blobs(90, 50, 1, 1, 100), blobs(80, 50, 2, 1, 100) // far from 0
	copy(from.row(11), to.row(4))
	pool := kernel.NewPool(2)
	defer pool.Close()
	newDistances(to, pool).from(from, &Options{}, func(i int, d2 []float64) {
		for j, got := range d2 {
			want := squared(from.row(i), to.row(j))
			if i == 11 && j == 4 && got != 0 || math.Abs(got-want) > 1e-4*want {
				t.Errorf("from %d to %d: %v, want %v", i, j, got, want)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	good, nan := blobs(20, 4, 1, 1, 0), blobs(20, 4, 1, 1, 0)
	nan.X[9] = float32(math.NaN())
	for _, c := range []struct {
		run  func() error
		want string
	}{
		{func() error { _, err := Parzen(nan, good, good, Options{}); return err }, "samples: element 1 of vector 2 is NaN, want finite numbers"},
		{func() error { _, err := Parzen(Set{Dim: 4}, good, good, Options{}); return err }, "samples: 0 vectors, want at least 1"},
		{func() error { _, err := Parzen(Set{}, good, good, Options{}); return err }, "samples: 0 values are no vectors of 0"},
		{func() error { _, err := Parzen(good, blobs(3, 5, 1, 1, 0), good, Options{}); return err }, "validation data: vectors have 5 elements, want 4"},
		{func() error { _, err := Parzen(good, good, nan, Options{}); return err }, "test data: element 1"},
		{func() error { _, err := NewMoments(good.Slice(0, 1)); return err }, "1 vectors, want at least 2"},
		{func() error { _, err := NewMoments(Set{make([]float32, 7), 3}); return err }, "7 values are no vectors of 3"},
		{func() error { _, err := KID(good, good, 1, 21, 0, Options{}); return err }, "first set: 20 vectors, want at least 21"},
		{func() error { _, err := KID(good, good, 0, 5, 0, Options{}); return err }, "0 subsets of 5"},
		{func() error { _, err := PRDC(good, good, 0, Options{}); return err }, "0 neighbours, want at least 1"},
		{func() error { _, err := PRDC(good, good.Slice(0, 5), 5, Options{}); return err }, "fakes: 5 vectors, want at least 6"},
	} {
		if err := c.run(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// BenchmarkParzen is the protocol of the paper: 10,000 samples and images of
// 784 pixels to test.
func BenchmarkParzen(b *testing.B) {
	samples, test := pixels(10000, 784, 1), pixels(10000, 784, 2)
	for b.Loop() {
		if _, err := Parzen(samples, test.Slice(0, 1000), test, Options{Threads: 2}); err != nil {
			b.Fatal(err)
		}
	}
}
