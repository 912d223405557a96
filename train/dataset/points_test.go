package dataset

import (
	"context"
	"math"
	"slices"
	"testing"
)

// TestPoints: each coordinate less its center's has mean 0 and the standard
// deviation that is said, within five standard errors, and each center has its
// share of the points.
func TestPoints(t *testing.T) {
	for _, c := range []struct {
		name           string
		centers        int
		std            float64
		shape          []int
		first, another [2]float64 // two of the centers
	}{
		{"ring", 8, 0.01, []int{2}, [2]float64{1, 0}, [2]float64{math.Cos(3 * math.Pi / 4), math.Sin(3 * math.Pi / 4)}},
		{"grid", 25, 0.05, []int{2}, [2]float64{-4, -4}, [2]float64{2, -2}},
		{"normal", 1, 0.5, []int{1}, [2]float64{2, 0}, [2]float64{2, 0}},
	} {
		ref := c.name + ":3"
		open, err := Open(context.Background(), ref, Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := open.(*Points)
		if d.Name() != c.name || RefName(ref) != c.name || d.Len() != 100_000 || !slices.Equal(d.Shape(), c.shape) || len(d.Centers()) != c.centers || d.Std() != c.std {
			t.Fatalf("%s: %d points of %v called %s, %d centers, standard deviation %v", ref, d.Len(), d.Shape(), d.Name(), len(d.Centers()), d.Std())
		}
		near := func(want [2]float64) bool {
			return slices.ContainsFunc(d.Centers(), func(c [2]float64) bool { return math.Hypot(c[0]-want[0], c[1]-want[1]) < 1e-15 })
		}
		if !near(c.first) || !near(c.another) {
			t.Errorf("%s: centers are %v, want %v and %v among them", ref, d.Centers(), c.first, c.another)
		}
		indices := make([]int, d.Len())
		for i := range indices {
			indices[i] = i
		}
		x := make([]float32, d.Len()*c.shape[0])
		if err := d.Read(x, indices); err != nil {
			t.Fatal(err)
		}
		counts := make([]int, c.centers)
		var sum, squares float64
		for i := range indices {
			label := d.Label(i)
			counts[label]++
			for k := range c.shape[0] {
				z := (float64(x[i*c.shape[0]+k])*2*PointBound - PointBound - d.centers[label][k]) / c.std
				sum += z
				squares += z * z
			}
		}
		n := float64(len(x))
		if math.Abs(sum/n) > 5/math.Sqrt(n) || math.Abs(squares/n-1) > 5*math.Sqrt(2/n) {
			t.Errorf("%s: mean %v and mean square %v of the noise, want 0 and 1", ref, sum/n, squares/n)
		}
		p := 1 / float64(c.centers)
		for i, got := range counts {
			if want := p * float64(d.Len()); math.Abs(float64(got)-want) > 5*math.Sqrt(want*(1-p)) {
				t.Errorf("%s: center %d has %d points, want about %v", ref, i, got, want)
			}
		}
		one := make([]float32, c.shape[0])
		if err := d.Read(one, []int{99_999}); err != nil || !slices.Equal(one, x[len(x)-len(one):]) {
			t.Errorf("%s: the last point alone is %v, want %v; error %v", ref, one, x[len(x)-len(one):], err)
		}
		other, err := Open(context.Background(), c.name, Options{})
		if err != nil || other.Digest() == d.Digest() {
			t.Errorf("%s: seeds 0 and 3 have one digest, error %v", c.name, err)
		}
	}
	for _, c := range []struct {
		ref  string
		o    Options
		want string
	}{
		{"ring:x", Options{}, `dataset: "ring:x": the seed is "x", want a whole number`},
		{"grid", Options{Resize: 8}, `dataset: grid: points are neither resized nor mirrored, as images are`},
		{"grid", Options{Mirror: true}, `dataset: grid: points are neither resized nor mirrored, as images are`},
	} {
		if _, err := Open(context.Background(), c.ref, c.o); err == nil || err.Error() != c.want && !slices.Contains([]string{c.want + `: strconv.ParseUint: parsing "x": invalid syntax`}, err.Error()) {
			t.Errorf("%s: got error %v, want %s", c.ref, err, c.want)
		}
	}
}

// TestPart: a part is the images themselves, with their labels.
func TestPart(t *testing.T) {
	d, err := New("few", []int{1, 1, 2}, []byte{1, 2, 3, 4, 5, 6, 7, 8}, []byte{0, 1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Part(1, 2)
	if err != nil {
		t.Fatal(err)
	}
	want, err := New("few-1-2", []int{1, 1, 2}, []byte{3, 4, 5, 6}, []byte{1, 2})
	if err != nil || p.Name() != "few-1-2" || p.Len() != 2 || p.Label(0) != 1 || p.Digest() != want.Digest() {
		t.Errorf("%s: %d images, the first of class %d, digest %s", p.Name(), p.Len(), p.Label(0), p.Digest())
	}
	for _, c := range [][2]int{{-1, 0}, {2, 1}, {0, 4}} {
		if _, err := d.Part(c[0], c[1]); err == nil {
			t.Errorf("images %d to %d of 4: no error", c[0], c[1])
		}
	}
}

// TestPointsDigest: the points of a seed never change, on no machine: a run that
// was trained on others could not be resumed.
func TestPointsDigest(t *testing.T) {
	for name, want := range map[string]string{
		"ring":   "4482b097516af6da9258fb0d1232a20e23f7f0db448938df6172ccd778f3d174",
		"grid":   "6ddef9b26f4de05b728f94d743d531c06425d8819815a6590049299055c8613a",
		"normal": "f392d79d747716ee02cb562d1d55158ad6e701094245c127ce34fac495939256",
	} {
		d, err := NewPoints(name, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Digest(); got != want {
			t.Errorf("%s: digest is %s, want %s", name, got, want)
		}
	}
}
