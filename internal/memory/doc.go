// Package memory tells how much memory this process has had and may still have,
// where the system says, and makes large slices in large pages.
package memory
