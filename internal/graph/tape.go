package graph

import (
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"
)

// tape runs each segment as a program of its own on Gorgonia's TapeMachine.
type tape struct {
	vms []gorgonia.VM
}

// NewTape returns a machine that runs the segments on Gorgonia's TapeMachine.
// It gives the same bits as [NewVM] but allocates every value at every run, and
// a segment computes again what it needs of the earlier ones. Close it after
// use.
func NewTape(segments ...gorgonia.Nodes) (Machine, error) {
	if err := checkSegments(segments); err != nil {
		return nil, err
	}
	t := &tape{}
	for _, outputs := range segments {
		inputs, err := inputsOf(outputs)
		if err != nil {
			return nil, err
		}
		g := outputs[0].Graph()
		prog, locations, err := gorgonia.CompileFunction(g, inputs, outputs)
		if err != nil {
			return nil, fmt.Errorf("graph: tape: %w", err)
		}
		t.vms = append(t.vms, gorgonia.NewTapeMachine(g, gorgonia.WithPrecompiled(prog, locations)))
	}
	return t, nil
}

// inputsOf returns the input nodes that the outputs depend on. It makes sure
// that no two nodes have one hash: Gorgonia's compiler would merge them.
func inputsOf(outputs gorgonia.Nodes) (gorgonia.Nodes, error) {
	var inputs gorgonia.Nodes
	seen := map[*gorgonia.Node]bool{}
	hashes := map[uint32]*gorgonia.Node{}
	var err error
	var visit func(n *gorgonia.Node)
	visit = func(n *gorgonia.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if other := hashes[n.Hashcode()]; other != nil {
			err = fmt.Errorf("graph: tape: nodes %v and %v have one hash", other, n)
		}
		hashes[n.Hashcode()] = n
		if n.Op() == nil {
			inputs = append(inputs, n)
		}
		for _, a := range Children(n) {
			visit(a)
		}
	}
	for _, n := range outputs {
		visit(n)
	}
	return inputs, err
}

// Run runs one segment.
func (t *tape) Run(segment int) error {
	if segment < 0 || segment >= len(t.vms) {
		return fmt.Errorf("graph: tape: segment %d, want one of %d", segment, len(t.vms))
	}
	vm := t.vms[segment]
	vm.Reset()
	if err := vm.RunAll(); err != nil {
		return fmt.Errorf("graph: tape: %w", err)
	}
	return nil
}

// RunAll runs every segment in order.
func (t *tape) RunAll() error { return runAll(t, len(t.vms)) }

// Reset does nothing: Run does it.
func (t *tape) Reset() {}

// Close releases the TapeMachines.
func (t *tape) Close() error {
	var errs []error
	for _, vm := range t.vms {
		errs = append(errs, vm.Close())
	}
	return errors.Join(errs...)
}
