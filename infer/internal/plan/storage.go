package plan

// storage knows which values share memory, when each memory dies, and how much it holds.
type storage struct {
	parent  []int // by value: union-find over values that share memory
	last    []int // by representative: the last node that reads it
	number  []int // by representative: index in buffers, or -1
	buffers []buffer
}

// buffer is memory that is written by node first and read until node last.
type buffer struct {
	size        int // float32, a multiple of alignment
	first, last int
}

// alignment of buffers, in float32: a cache line, and a vector of AVX-512.
const alignment = 16

func align(n int) int { return (n + alignment - 1) / alignment * alignment }

// newStorage joins the views among g's nodes with what they view and finds the last reader of each.
func newStorage(g *Graph, view []bool) *storage {
	s := &storage{parent: make([]int, len(g.Values)), last: make([]int, len(g.Values)), number: make([]int, len(g.Values))}
	for v := range s.parent {
		s.parent[v], s.last[v], s.number[v] = v, -1, -1
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		for _, v := range n.In {
			if v != Absent {
				s.last[s.find(v)] = i
			}
		}
		if view[i] {
			s.parent[n.Out[0]] = s.find(n.In[0])
		}
	}
	for _, v := range g.Outputs {
		s.last[s.find(v)] = len(g.Nodes)
	}
	return s
}

// find returns the representative of v. Out of line, for the size of programs.
//
//go:noinline
func (s *storage) find(v int) int {
	for s.parent[v] != v {
		s.parent[v] = s.parent[s.parent[v]]
		v = s.parent[v]
	}
	return v
}

// add makes the buffer of value v, which node i writes.
func (s *storage) add(v, i int, t Type) {
	r := s.find(v)
	s.last[r] = max(s.last[r], i)
	s.number[r] = len(s.buffers)
	s.buffers = append(s.buffers, buffer{size: align(t.Count() * t.DType.Size() / 4), first: i, last: s.last[r]})
}

// diesAt reports whether node i is the last to read the memory of v.
func (s *storage) diesAt(v, i int) bool { return s.last[s.find(v)] == i }

// merge puts out into the memory of v.
func (s *storage) merge(v, out int) {
	a, b := s.find(v), s.find(out)
	s.parent[b] = a
	s.last[a] = max(s.last[a], s.last[b])
	s.buffers[s.number[a]].last = s.last[a]
}

// buffer returns the number of the buffer that holds v.
func (s *storage) buffer(v int) int { return s.number[s.find(v)] }

// maxHoles bounds the search for a place, so that a hostile graph costs no quadratic time.
const maxHoles = 256

// place gives each buffer an offset, such that buffers alive at once do not overlap, and returns the
// length of the whole. Buffers must be sorted by first. Each takes the smallest hole that holds it
// (of the first maxHoles), else the end.
func place(buffers []buffer) (offset []int, total int) {
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
	dying := byLast(buffers)
	for i, b := range buffers {
		for len(dying) > 0 && buffers[dying[0]].last < b.first {
			d := dying[0]
			dying = dying[1:]
			if buffers[d].size > 0 {
				free(offset[d], buffers[d].size)
			}
		}
		if b.size == 0 {
			continue
		}
		best := -1
		for k := range holes[:min(len(holes), maxHoles)] {
			if holes[k].size >= b.size && (best < 0 || holes[k].size < holes[best].size) {
				best = k
			}
		}
		switch end := len(holes) - 1; {
		case best >= 0:
			h := &holes[best]
			offset[i] = h.at
			h.at, h.size = h.at+b.size, h.size-b.size
			if h.size == 0 {
				remove(best)
			}
		case end >= 0 && holes[end].at+holes[end].size == total: // grow the hole at the end
			offset[i] = holes[end].at
			total = offset[i] + b.size
			holes = holes[:end]
		default:
			offset[i] = total
			total += b.size
		}
	}
	return offset, total
}

// byLast returns the numbers of buffers in the order of last, then of the numbers.
func byLast(buffers []buffer) []int {
	most := 0
	for _, b := range buffers {
		most = max(most, b.last)
	}
	at := make([]int, most+2) // by last: how many die before it
	for _, b := range buffers {
		at[b.last+1]++
	}
	for i := range most {
		at[i+1] += at[i]
	}
	order := make([]int, len(buffers))
	for i, b := range buffers {
		order[at[b.last]] = i
		at[b.last]++
	}
	return order
}
