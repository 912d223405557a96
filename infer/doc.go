// Package infer loads an ONNX model and runs it on the CPU: float32, no cgo, no shared library.
//
// Most programs need three calls: [LoadFile] (or [LoadBytes], beside go:embed), [NewSampler], and
// [Sampler.Sample], which turns keys into images; image i of a seed is the same bytes whatever the
// batch and the number of threads. A model with other inputs runs through [Model.NewSession] and
// [Session.Run].
//
// # From file to numbers
//
// The file is scanned and validated (package internal/onnx), its topology is read by onnx-go into
// the backend of infer/onnxgo, passes fold and fuse nodes, and a plan with one
// arena, made for each set of input shapes and kept, runs the rest.
//
// # Bad files
//
// Each file is hostile until proved otherwise: sizes are held against [Limits] before anything is
// allocated, and what cannot run is refused at load with the operator, the node and the opset.
//
// # Goroutines
//
// A [Model] never changes and is safe for concurrent use. A [Session] and a [Sampler] belong to one
// goroutine at a time; make one for each.
package infer
