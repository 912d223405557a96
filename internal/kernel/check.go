package kernel

import (
	"fmt"
	"slices"
)

// need panics unless a slice called what has at least want elements. The
// message is built out of line: need itself is inlined.
func need(what string, got, want int) {
	if got < want {
		tooShort(what, got, want)
	}
}

//go:noinline
func tooShort(what string, got, want int) {
	panic(fmt.Sprintf("kernel: internal error: %s has %d elements, want %d", what, got, want))
}

// needShape panics unless the dimensions are not negative and their product is
// an int.
func needShape(what string, dims ...int) int {
	n := 1
	for _, d := range dims {
		if d < 0 || (d > 0 && n > int(^uint(0)>>1)/d) {
			// A copy: otherwise every caller's dims would escape to the heap.
			panic(fmt.Sprintf("kernel: internal error: %s has shape %v", what, slices.Clone(dims)))
		}
		n *= d
	}
	return n
}

// needShards panics unless n rows can be cut into equal shards.
func needShards(n, shards int) {
	if shards < 1 || n%shards != 0 {
		panic(fmt.Sprintf("kernel: internal error: %d rows cannot be cut into %d equal shards", n, shards))
	}
}
