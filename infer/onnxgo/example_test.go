package onnxgo_test

import (
	"fmt"

	"github.com/owulveryck/onnx-go"
	"gorgonia.org/tensor"

	"gantry/infer/onnxgo"
	"gantry/internal/onnx/onnxtest"
)

func Example() {
	file := onnxtest.Bytes(onnxtest.Small()) // z [N 4] -> image [N 1 2 3]

	backend := onnxgo.New(onnxgo.WithOpset(13))
	model := onnx.NewModel(backend)
	if err := model.UnmarshalBinary(file); err != nil {
		fmt.Println(err)
		return
	}
	z := tensor.New(tensor.WithShape(1, 4), tensor.WithBacking([]float32{1, 0, -1, 2}))
	if err := model.SetInput(0, z); err != nil {
		fmt.Println(err)
		return
	}
	if err := backend.Run(); err != nil {
		fmt.Println(err)
		return
	}
	outputs, err := model.GetOutputTensors()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(outputs[0].Shape())
	fmt.Printf("%.4f\n", outputs[0].Data())
	// Output:
	// (1, 1, 2, 3)
	// [-0.2123 -0.4167 -0.2508 0.1702 0.1611 0.0219]
}
