package graph

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"gantry/internal/arena"
	"gantry/internal/memory"
)

// schedule returns the nodes that each segment computes: what its outputs depend
// on and no earlier segment computes, without views, in the order in which the
// nodes were made. That order is that of the layers, forwards and then backwards,
// so a gradient is used up soon after it is there.
func schedule(segments []gorgonia.Nodes) ([]gorgonia.Nodes, error) {
	done := map[*gorgonia.Node]bool{}
	var nodes gorgonia.Nodes
	var visit func(n *gorgonia.Node) error
	visit = func(n *gorgonia.Node) error {
		if done[n] || n.Op() == nil {
			return nil
		}
		if opOf(n) == nil {
			return fmt.Errorf("graph: vm: operation %v is not one of this package", n.Op())
		}
		done[n] = true
		if viewed(n) == n {
			nodes = append(nodes, n)
		}
		for _, a := range Children(n) {
			if err := visit(a); err != nil {
				return err
			}
		}
		return nil
	}
	all := make([]gorgonia.Nodes, len(segments))
	for i, outputs := range segments {
		nodes = nil
		for _, n := range outputs {
			if err := visit(n); err != nil {
				return nil, err
			}
		}
		slices.SortFunc(nodes, func(a, b *gorgonia.Node) int { return int(opOf(a).id - opOf(b).id) })
		all[i] = nodes
	}
	return all, nil
}

// viewed returns the node whose memory has n's elements: n itself or, where n
// only shows another computed node in another shape, that node.
func viewed(n *gorgonia.Node) *gorgonia.Node {
	for {
		v, ok := opOf(n).body.(viewer)
		if !ok || !v.view() || Children(n)[0].Op() == nil {
			return n
		}
		n = Children(n)[0]
	}
}

// storage is one piece of memory for all nodes of a machine: nodes that are not
// needed at the same time share it. A node is needed from its step to the last
// step that reads it; until the end if that is in a later segment, which may
// run more than once; then also from the beginning if segments stand before its
// own, which may run again in between; and always if it is an output.
type storage struct {
	floats  []float32
	buffers []arena.Buffer // by first step
	offset  []int
	place   map[*gorgonia.Node][]float32
}

// newStorage plans the memory of a schedule. The steps are numbered through all
// segments.
func newStorage(scheduled, outputs []gorgonia.Nodes) *storage {
	nodes := slices.Concat(scheduled...)
	life := map[*gorgonia.Node]*arena.Buffer{}
	at := 0
	for _, segment := range scheduled {
		begin := at
		for _, n := range segment {
			life[n] = &arena.Buffer{Size: n.Shape().TotalSize(), First: at, Last: at}
			for _, a := range Children(n) {
				if a.Op() == nil {
					continue
				}
				b := life[viewed(a)]
				b.Last = max(b.Last, at)
				if b.First < begin {
					b.Last = len(nodes)
					if b.First >= len(scheduled[0]) {
						b.First = 0
					}
				}
			}
			at++
		}
	}
	for _, n := range slices.Concat(outputs...) {
		if n.Op() != nil {
			b := life[viewed(n)]
			b.First, b.Last = 0, len(nodes)
		}
	}

	slices.SortStableFunc(nodes, func(a, b *gorgonia.Node) int { return life[a].First - life[b].First })
	m := &storage{place: map[*gorgonia.Node][]float32{}}
	for _, n := range nodes {
		m.buffers = append(m.buffers, *life[n])
	}
	var total int
	m.offset, total = arena.Place(m.buffers)
	m.floats = memory.Make[float32](total)
	for i, n := range nodes {
		m.place[n] = m.floats[m.offset[i]:][:m.buffers[i].Size:m.buffers[i].Size]
	}
	return m
}

// tensor returns a tensor of n's shape in n's memory.
func (m *storage) tensor(n *gorgonia.Node) *tensor.Dense {
	return tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(m.place[viewed(n)]))
}
