package plan

import "gantry/internal/arena"

// storage knows which values share memory, when each memory dies, and how much it holds.
type storage struct {
	parent  []int // by value: union-find over values that share memory
	last    []int // by representative: the last node that reads it
	number  []int // by representative: index in buffers, or -1
	buffers []arena.Buffer
}

// newStorage joins the views among g's nodes with what they view and finds the last reader of each. Nodes that are done read nothing.
func newStorage(g *Graph, view, done []bool) *storage {
	s := &storage{parent: make([]int, len(g.Values)), last: make([]int, len(g.Values)), number: make([]int, len(g.Values))}
	for v := range s.parent {
		s.parent[v], s.last[v], s.number[v] = v, -1, -1
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		for _, v := range n.In {
			if v != Absent && !done[i] {
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
	s.buffers = append(s.buffers, arena.Buffer{Size: t.Count() * t.DType.Size() / 4, First: i, Last: s.last[r]})
}

// diesAt reports whether node i is the last to read the memory of v.
func (s *storage) diesAt(v, i int) bool { return s.last[s.find(v)] == i }

// merge puts out into the memory of v.
func (s *storage) merge(v, out int) {
	a, b := s.find(v), s.find(out)
	s.parent[b] = a
	s.last[a] = max(s.last[a], s.last[b])
	s.buffers[s.number[a]].Last = s.last[a]
}

// buffer returns the number of the buffer that holds v.
func (s *storage) buffer(v int) int { return s.number[s.find(v)] }
