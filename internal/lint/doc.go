// Package lint holds the rules of this tree as tests: layering, formatting,
// file sizes and the functions whose bits differ between machines. It has no
// code of its own; run it with go test ./internal/lint.
package lint
