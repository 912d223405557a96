// Package mnistnet holds a small classifier of handwritten digits, whose
// features are what metrics of MNIST's generators are taken on.
//
// Three convolutions and two linear layers, 41,000 parameters, were trained on
// MNIST's 60,000 training images, each moved by up to two pixels, by the program in fit; the
// file says how many of the 10,000 test images it classifies right: 99.51 %. Its input
// "image" is float32 [N 1 28 28], pixels in [0, 1]; its outputs are "features"
// [N 64], what the last layer takes, and "logits" [N 10].
package mnistnet

import (
	"context"
	_ "embed"
	"fmt"

	"gantry/infer"
	"gantry/train/dataset"
)

// ONNX is the file. It must not be changed.
//
//go:generate go run ./fit -o mnist.onnx
//go:embed mnist.onnx
var ONNX []byte

// Accuracy returns the share of the images of data, [1 28 28] with labels 0 to 9,
// that the classifier m, of this one's inputs and outputs, classifies right.
func Accuracy(m *infer.Model, data dataset.Dataset) (float64, error) {
	const batch, pixels, classes = 100, 28 * 28, 10
	session, right := m.NewSession(), 0
	for first := 0; first < data.Len(); first += batch {
		var indices []int
		for i := first; i < min(first+batch, data.Len()); i++ {
			indices = append(indices, i)
		}
		x := make([]float32, len(indices)*pixels)
		if err := data.Read(x, indices); err != nil {
			return 0, fmt.Errorf("mnistnet: %w", err)
		}
		out, err := session.Run(context.Background(), map[string]infer.Tensor{"image": {DType: infer.Float32, Shape: []int{len(indices), 1, 28, 28}, F32: x}})
		if err != nil {
			return 0, fmt.Errorf("mnistnet: %w", err)
		}
		for i, at := range indices {
			best, row := 0, out["logits"].F32[i*classes:(i+1)*classes]
			for k, v := range row {
				if v > row[best] {
					best = k
				}
			}
			if best == data.Label(at) {
				right++
			}
		}
	}
	return float64(right) / float64(data.Len()), nil
}
