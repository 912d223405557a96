// Package onnx reads and writes ONNX files: the bindings of the schema, and the
// gate through which every file passes before anything else looks at it.
//
// # Concepts
//
// [Prepare] takes the bytes of a file through four steps. A scan walks the wire
// without allocating and holds what the file would cost against [Limits];
// the generated bindings decode it, weights remaining in the file's own memory
// ([Raw]); the validator checks what a decoder cannot (order, names, shapes,
// sizes, what we support); and the graph is written out again as a small
// topology that github.com/owulveryck/onnx-go decodes without trouble, with the
// weights beside it in [Info.Consts]. [PrepareIn] also reads what a file keeps in
// others of its directory, and nothing outside that.
//
// A file that breaks the format gives a [*FormatError], one that uses what we
// do not support an [*UnsupportedError]. No file makes the package panic, or
// allocate more than [Limits.Memory] beyond the file itself.
//
// The types that end in Proto are the bindings; fill a [ModelProto] and call its
// Marshal to write a file. The schema is https://github.com/onnx/onnx, onnx.proto3.
package onnx

//go:generate sh generate.sh
