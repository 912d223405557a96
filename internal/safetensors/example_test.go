package safetensors_test

import (
	"bytes"
	"fmt"

	"gantry/internal/safetensors"
)

func Example() {
	var b bytes.Buffer
	err := safetensors.Encode(&b, map[string]string{"step": "4000"}, []safetensors.Tensor{
		{Name: "g.0.weight", Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}},
		{Name: "g.0.bias", Shape: []int{2}, Data: []float32{5, 6}},
	})
	if err != nil {
		panic(err)
	}
	f, err := safetensors.Decode(b.Bytes())
	if err != nil {
		panic(err)
	}
	fmt.Println("step", f.Metadata["step"])
	for _, t := range f.Tensors {
		fmt.Println(t.Name, t.Shape, t.Data)
	}
	// Output:
	// step 4000
	// g.0.bias [2] [5 6]
	// g.0.weight [2 2] [1 2 3 4]
}
