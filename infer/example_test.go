package infer_test

import (
	"context"
	"fmt"

	"gantry/infer"
	"gantry/internal/onnx/onnxtest"
)

// In a program, the bytes come from //go:embed generator.onnx, or LoadFile reads them.
var file = onnxtest.Bytes(onnxtest.Small())

func ExampleSampler() {
	model, err := infer.LoadBytes(file, infer.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	sampler, err := infer.NewSampler(model, infer.SamplerOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("a sample is", sampler.Shape())
	err = sampler.Sample(context.Background(), infer.Range(7, 5000, 3), func(i int, x []float32) error {
		fmt.Printf("image %d: %.4f\n", 5000+i, x)
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// a sample is [1 2 3]
	// image 5000: [-0.3236 -0.3022 -0.1703 0.0449 0.1452 0.2002]
	// image 5001: [-0.3289 -0.2648 -0.1218 0.0419 0.0777 0.1877]
	// image 5002: [-0.3156 -0.1742 -0.3505 0.1364 -0.0786 0.2061]
}

func ExampleSession_Run() {
	model, err := infer.LoadBytes(file, infer.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(model.Inputs()[0])
	fmt.Println(model.Outputs()[0])
	session := model.NewSession()
	out, err := session.Run(context.Background(), map[string]infer.Tensor{
		"z": {DType: infer.Float32, Shape: []int{1, 4}, F32: []float32{1, 0, -1, 2}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v %.4f\n", out["image"].Shape, out["image"].F32)
	// Output:
	// z float32 [N 4]
	// image float32 [N 1 2 3]
	// [1 1 2 3] [-0.2123 -0.4167 -0.2508 0.1702 0.1611 0.0219]
}
