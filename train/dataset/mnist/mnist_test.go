package mnist

import (
	"fmt"
	"testing"

	"gantry/train/dataset"
)

// TestMNIST compares with what is published about the data set: sizes, classes,
// and the mean of the training pixels, 0.1307.
func TestMNIST(t *testing.T) {
	for _, c := range []struct {
		name        string
		open        func() (*dataset.Memory, error)
		n           int
		first, last int // labels
		counts      [10]int
		mean        string
	}{
		{"train", Train, 60000, 5, 8, [10]int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}, "0.130660"},
		{"test", Test, 10000, 7, 6, [10]int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}, "0.132515"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := c.open()
			if err != nil {
				t.Fatal(err)
			}
			if s := fmt.Sprint(d.Name(), d.Len(), d.Shape()); s != fmt.Sprint("mnist", c.n, []int{1, 28, 28}) {
				t.Errorf("got %s", s)
			}
			if d.Label(0) != c.first || d.Label(c.n-1) != c.last {
				t.Errorf("labels: got %d...%d, want %d...%d", d.Label(0), d.Label(c.n-1), c.first, c.last)
			}
			var counts [10]int
			for i := range c.n {
				counts[d.Label(i)]++
			}
			if counts != c.counts {
				t.Errorf("classes: got %v, want %v", counts, c.counts)
			}
			sum, x := 0.0, make([]float32, 784)
			for i := range c.n {
				if err := d.Read(x, []int{i}); err != nil {
					t.Fatal(err)
				}
				for _, v := range x {
					sum += float64(v)
				}
			}
			if m := fmt.Sprintf("%.6f", sum/float64(784*c.n)); m != c.mean {
				t.Errorf("mean: got %s, want %s", m, c.mean)
			}
			if again, _ := c.open(); again != d {
				t.Error("a second call returned another data set")
			}
		})
	}
}
