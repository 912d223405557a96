package dataset_test

import (
	"fmt"

	"gantry/train/dataset"
)

func ExampleNew() {
	pixels := []byte{0, 51, 102, 255, 255, 0, 0, 0}
	d, err := dataset.New("two", []int{1, 2, 2}, pixels, []byte{3, 7})
	if err != nil {
		panic(err)
	}
	x := make([]float32, 4)
	if err := d.Read(x, []int{0}); err != nil {
		panic(err)
	}
	fmt.Println(d.Len(), d.Shape(), d.Label(1), x)
	// Output: 2 [1 2 2] 7 [0 0.2 0.4 1]
}
