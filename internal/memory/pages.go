package memory

import (
	"os"
	"unsafe"
)

// hugePage is the size of the pages that [Make] asks for.
const hugePage = 2 << 20

// page is the size of the others.
var page = os.Getpagesize()

// Release gives the memory of s back to the system, as far as it fills pages. Its elements are then zero, or what they
// were, and may be used as before.
func Release[T byte | float32](s []T) {
	p := unsafe.Pointer(unsafe.SliceData(s))
	size := len(s) * int(unsafe.Sizeof(T(0)))
	skip := int(-uintptr(p) % uintptr(page))
	if whole := (size - skip) / page * page; whole > 0 {
		release(unsafe.Slice((*byte)(unsafe.Add(p, skip)), whole))
	}
}

// Make returns n zeros. Where they fill huge pages, the system is asked for such: memory
// that is touched for the first time then costs one fault for 2 MiB instead of 512, and
// reading it misses fewer translations. It pays for what is large and read often, as
// weights; elsewhere it is make.
func Make[T byte | float32](n int) []T {
	s := make([]T, n)
	if size := n * int(unsafe.Sizeof(T(0))); size >= hugePage {
		p := unsafe.Pointer(unsafe.SliceData(s))
		skip := int(-uintptr(p) % hugePage)
		if whole := (size - skip) / hugePage * hugePage; whole > 0 {
			advise(unsafe.Slice((*byte)(unsafe.Add(p, skip)), whole))
		}
	}
	return s
}
