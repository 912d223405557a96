// Package evaluate measures a generator in an ONNX file, anybody's, against data:
// it draws the samples, makes features of images with a network in
// another ONNX file, and hands both to package metric.
//
// # Concepts
//
// A [Generator] is the file, an [Extractor] the network that makes the features. Each
// function returns a [Report], which says beside the result what it is of: model,
// data, network, seed and numbers. It is JSON by its tags and text by its String.
//
// Samples are those of infer: number i of a seed, whatever the batch. Features are
// made of 8-bit pixels, those of an image file, so that a generator is compared with
// the data as it is seen.
package evaluate
