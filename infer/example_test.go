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

// A server makes a sampler for each request: the model is for all of them, a sampler for one goroutine.
func ExampleSampler_Image() {
	model, err := infer.LoadBytes(file, infer.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	sampler, err := infer.NewSampler(model, infer.SamplerOptions{Batch: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	img, err := sampler.Image(context.Background(), infer.Key{Seed: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(img.Bounds(), img.At(0, 0)) // png.Encode writes it
	// Output:
	// (0,0)-(3,2) {95}
}

// Five samples on the way from one latent to another, and with half of their size: truncated.
func ExampleSampler_SampleFunc() {
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
	a, b := make([]float32, sampler.LatentSize()), make([]float32, sampler.LatentSize())
	sampler.Latent(a, infer.Key{Seed: 1})
	sampler.Latent(b, infer.Key{Seed: 4})
	err = sampler.SampleFunc(context.Background(), 5, func(z []float32, i int) infer.Key {
		infer.Slerp(z, a, b, float64(i)/4)
		for k := range z {
			z[k] *= 0.5
		}
		return infer.Key{}
	}, func(i int, x []float32) error {
		fmt.Printf("%d: %.4f\n", i, x[:3])
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 0: [-0.3230 -0.2937 -0.0742]
	// 1: [-0.3287 -0.2572 -0.1391]
	// 2: [-0.3282 -0.2580 -0.1714]
	// 3: [-0.3249 -0.2623 -0.2050]
	// 4: [-0.3231 -0.2813 -0.2272]
}
