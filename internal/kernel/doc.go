// Package kernel computes the float32 primitives of training and inference:
// matrix products, convolutions, activations, batch normalisation, losses and
// solvers, with the same bits on every processor, for every number of threads.
//
// # Order of summation
//
// An element of a matrix product is summed in one order. The k products are
// cut into blocks whose length depends on k alone (see [Gemm]); a block starts
// from zero and takes its products one after the other with a fused
// multiply-add; the sums of the blocks are added in order; then come the bias
// and the activation. Threads divide rows and columns, never k. Convolutions
// have an order of their own, see [Conv]. Elementwise
// functions round every operation to float32 and fuse none, but tanh, sigmoid,
// exp and log, which fuse as they are written (math.go).
//
// # Tiers
//
// The inner loops exist in AVX-512 and AVX2 assembly for amd64 and in NEON
// assembly for arm64, written by the program in asmgen. The Go reference is always compiled; it computes the
// fused multiply-add exactly and therefore gives the bits that the assembly
// gives. [Tier] names the tier in use. GODEBUG=cpu.avx512f=off, cpu.avx2=off and
// cpu.asimd=off force a lower one, and so does the build tag purego.
//
// # Conventions
//
// Matrices are dense and row-major: [m,n] is a slice of m*n elements. Batches of
// images stand in the order HWNC: pixels, images, channels ([ToHWNC]). The
// destination comes first. A slice that is too short for its shape is a broken
// invariant of the caller and panics with "kernel: internal error: ...": shapes
// are checked where models and files are read, not here. Functions are safe for
// concurrent use with distinct destinations, and allocate nothing once the
// free lists that they share are filled.
package kernel

// Numerics is raised when a change in this package alters bits of a result.
const Numerics = 5
