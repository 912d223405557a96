package dataset

import "testing"

// TestTransformCrops: images that are no squares are cropped to the middle, and
// those whose square has the size already are not blurred.
func TestTransformCrops(t *testing.T) {
	for _, c := range []struct{ shape, want []int }{
		{[]int{1, 2, 5}, []int{1, 2, 6, 7}},
		{[]int{1, 5, 2}, []int{2, 3, 4, 5}},
	} {
		d, err := New("x", c.shape, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, []byte{7})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Transform(d, Options{Resize: 2})
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float32, 4)
		if err := got.Read(x, []int{0}); err != nil {
			t.Fatal(err)
		}
		for i, v := range x {
			if v != float32(c.want[i])/255 || got.Label(0) != 7 {
				t.Errorf("%v: element %d is %v of 255, want %d", c.shape, i, v*255, c.want[i])
			}
		}
	}
}
