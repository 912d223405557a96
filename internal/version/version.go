// Package version holds the version of Gantry, which is written into every
// ONNX file and printed by --version.
package version

// Version is the version of this tree, in semantic versioning.
const Version = "0.1.0"
