// Package arena plans the memory of a program that runs step by step: buffers
// that are not alive at the same time share it. The plans of infer and the machine
// that trains use it.
package arena

// Buffer is memory that step First writes first and that is read until step Last.
// Sizes and offsets are in float32.
type Buffer struct {
	Size        int
	First, Last int
}

// Alignment of buffers, in float32: a cache line, and a vector of AVX-512.
const Alignment = 16

// Align returns n rounded up to a multiple of [Alignment].
func Align(n int) int { return (n + Alignment - 1) / Alignment * Alignment }

// maxHoles bounds the search for a place, so that a hostile graph costs no
// quadratic time.
const maxHoles = 256

// Place gives each buffer an offset, a multiple of [Alignment], such that buffers
// alive at once do not overlap, and returns the length of the whole. Buffers must
// be sorted by First. Each takes the smallest hole that holds it (of the first
// maxHoles), else the end. The result is a function of the buffers alone.
func Place(buffers []Buffer) (offset []int, total int) {
	type hole struct{ at, size int }
	var holes []hole // sorted by at, never adjacent
	remove := func(k int) { holes = append(holes[:k], holes[k+1:]...) }
	free := func(at, size int) {
		k := len(holes)
		for k > 0 && holes[k-1].at > at {
			k--
		}
		if k < len(holes) && at+size == holes[k].at {
			holes[k] = hole{at, size + holes[k].size}
		} else {
			holes = append(holes, hole{})
			copy(holes[k+1:], holes[k:])
			holes[k] = hole{at, size}
		}
		if k > 0 && holes[k-1].at+holes[k-1].size == at {
			holes[k-1].size += holes[k].size
			remove(k)
		}
	}
	offset = make([]int, len(buffers))
	size := make([]int, len(buffers))
	for i, b := range buffers {
		size[i] = Align(b.Size)
	}
	dying := byLast(buffers)
	for i, b := range buffers {
		n := size[i]
		for len(dying) > 0 && buffers[dying[0]].Last < b.First {
			d := dying[0]
			dying = dying[1:]
			if size[d] > 0 {
				free(offset[d], size[d])
			}
		}
		if n == 0 {
			continue
		}
		best := -1
		for k := range holes[:min(len(holes), maxHoles)] {
			if holes[k].size >= n && (best < 0 || holes[k].size < holes[best].size) {
				best = k
			}
		}
		switch end := len(holes) - 1; {
		case best >= 0:
			h := &holes[best]
			offset[i] = h.at
			h.at, h.size = h.at+n, h.size-n
			if h.size == 0 {
				remove(best)
			}
		case end >= 0 && holes[end].at+holes[end].size == total: // grow the hole at the end
			offset[i] = holes[end].at
			total = offset[i] + n
			holes = holes[:end]
		default:
			offset[i] = total
			total += n
		}
	}
	return offset, total
}

// byLast returns the numbers of buffers in the order of last, then of the numbers.
func byLast(buffers []Buffer) []int {
	most := 0
	for _, b := range buffers {
		most = max(most, b.Last)
	}
	at := make([]int, most+2) // by last: how many die before it
	for _, b := range buffers {
		at[b.Last+1]++
	}
	for i := range most {
		at[i+1] += at[i]
	}
	order := make([]int, len(buffers))
	for i, b := range buffers {
		order[at[b.Last]] = i
		at[b.Last]++
	}
	return order
}
