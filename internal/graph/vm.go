package graph

import (
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// A Machine runs a graph in segments. A segment computes its output nodes;
// afterwards their Value is the result. Segments run in order: a later one may
// use what the earlier ones computed in their last run, or compute it again.
// Between two runs the values of input nodes may be changed, in place or with
// gorgonia.Let. RunAll runs all segments. One goroutine at a time.
type Machine interface {
	gorgonia.VM
	Run(segment int) error
}

// machine runs operations one after the other, each into memory that is made
// once, so that a run allocates nothing.
type machine struct {
	segments [][]step
	storage  *storage
}

type step struct {
	op    *op
	node  *gorgonia.Node
	out   gorgonia.Value
	args  []gorgonia.Value
	input []*gorgonia.Node // where args[i] is an input of the graph, its node; else nil
}

// NewVM returns Gantry's own machine for the given outputs. It runs what they
// depend on and nothing else, each operation once: segment 1 goes on from the
// values that segment 0 left. The value of an output is valid until its segment
// runs again; other nodes have none, because they share their memory.
func NewVM(segments ...gorgonia.Nodes) (Machine, error) {
	if err := checkSegments(segments); err != nil {
		return nil, err
	}
	scheduled, err := schedule(segments)
	if err != nil {
		return nil, err
	}
	m := &machine{segments: make([][]step, len(segments)), storage: newStorage(scheduled, segments)}
	for i, nodes := range scheduled {
		for _, n := range nodes {
			m.segments[i] = append(m.segments[i], m.step(n))
		}
		for _, n := range segments[i] {
			if n.Op() == nil {
				continue
			}
			if err := gorgonia.UnsafeLet(n, m.storage.tensor(n)); err != nil {
				return nil, fmt.Errorf("graph: vm: %w", err)
			}
		}
	}
	return m, nil
}

func (m *machine) step(n *gorgonia.Node) step {
	s := step{op: opOf(n), node: n, out: m.storage.tensor(n)}
	for _, a := range Children(n) {
		if a.Op() == nil {
			s.args, s.input = append(s.args, nil), append(s.input, a)
		} else {
			s.args, s.input = append(s.args, m.storage.tensor(a)), append(s.input, nil)
		}
	}
	return s
}

func checkSegments(segments []gorgonia.Nodes) error {
	if len(segments) == 0 {
		return errors.New("graph: vm: no segments")
	}
	for i, s := range segments {
		if len(s) == 0 {
			return fmt.Errorf("graph: vm: segment %d has no outputs", i)
		}
		for _, n := range s {
			if n == nil || n.Graph() != segments[0][0].Graph() {
				return fmt.Errorf("graph: vm: segment %d has an output of another graph", i)
			}
		}
	}
	return nil
}

// Run runs one segment.
func (m *machine) Run(segment int) error {
	if segment < 0 || segment >= len(m.segments) {
		return fmt.Errorf("graph: vm: segment %d, want one of %d", segment, len(m.segments))
	}
	prog := m.segments[segment]
	for i := range prog {
		if err := prog[i].run(); err != nil {
			return err
		}
	}
	return nil
}

func (s *step) run() error {
	for j, n := range s.input {
		if n != nil {
			s.args[j] = n.Value()
		}
	}
	if _, err := s.op.UsePreallocDo(s.out, s.args...); err != nil {
		return fmt.Errorf("graph: vm: node %s: %w", s.node.Name(), err)
	}
	return nil
}

// RunAll runs every segment in order.
func (m *machine) RunAll() error { return runAll(m, len(m.segments)) }

func runAll(m Machine, segments int) error {
	for i := range segments {
		if err := m.Run(i); err != nil {
			return err
		}
	}
	return nil
}

// Reset does nothing: a run overwrites all it computes.
func (m *machine) Reset() {}

// Close does nothing.
func (m *machine) Close() error { return nil }

// View returns the elements of a node's value as a tensor of another shape: the
// same memory.
func View(n *gorgonia.Node, shape tensor.Shape) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(Floats(n)))
}

// Floats returns the elements of a node's value: the tensor's own memory.
func Floats(n *gorgonia.Node) []float32 { return n.Value().(*tensor.Dense).Float32s() }
