package onnx_test

import (
	"bytes"
	"fmt"
	"testing"

	onnxgo "github.com/owulveryck/onnx-go"
	"gonum.org/v1/gonum/graph"

	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// TestTopology gives topologies to onnx-go, with a backend that only counts:
// those of the small model and of all its neighbours by one bit that are valid.
func TestTopology(t *testing.T) {
	file := onnxtest.Bytes(onnxtest.Small())
	files := [][]byte{file}
	for i := range file {
		for bit := range 8 {
			b := bytes.Clone(file)
			b[i] ^= 1 << bit
			files = append(files, b)
		}
	}
	decoded := 0
	for k, b := range files {
		topology, info, err := onnx.Prepare(b, onnx.Limits{})
		if err != nil {
			continue
		}
		if err := decode(topology, info); err != nil {
			t.Errorf("file %d: %v", k, err)
		}
		decoded++
	}
	if decoded < 1000 {
		t.Errorf("decoded %d files, want more", decoded)
	}
}

// decode has onnx-go read a topology and compares what it makes of it with info.
func decode(topology []byte, info *onnx.Info) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("onnx-go panicked: %v", r)
		}
	}()
	c := &counter{}
	m := onnxgo.NewModel(c)
	if err := m.UnmarshalBinary(topology); err != nil {
		return err
	}
	if len(c.ops) != len(info.Nodes) || len(m.Input) != len(info.Inputs) || len(m.Output) != len(info.Outputs) {
		return fmt.Errorf("onnx-go sees %d operations, %d inputs, %d outputs, want %d, %d, %d", len(c.ops), len(m.Input), len(m.Output), len(info.Nodes), len(info.Inputs), len(info.Outputs))
	}
	for k, op := range c.ops {
		if op != info.Nodes[k].Op {
			return fmt.Errorf("operation %d is %s, want %v", k, op, info.Nodes[k])
		}
	}
	for i, id := range m.Input {
		if n := c.nodes[id]; n.name != info.Inputs[i].Name {
			return fmt.Errorf("input %d is %q, want %q", i, n.name, info.Inputs[i].Name)
		}
	}
	for i, id := range m.Output {
		if n := c.nodes[id]; n.name != fmt.Sprint("\x00out", i) || !n.made {
			return fmt.Errorf("output %d is %q, computed: %v", i, n.name, n.made)
		}
	}
	return nil
}

// A counter is an onnx-go backend that notes what it is told. onnx-go calls none
// of the methods that graph.Directed would add.
type counter struct {
	graph.Directed
	nodes []*named
	ops   []string
}

type named struct {
	id   int64
	name string
	made bool
}

func (n *named) ID() int64        { return n.id }
func (n *named) SetName(s string) { n.name = s }
func (n *named) GetName() string  { return n.name }

func (c *counter) NewNode() graph.Node {
	n := &named{id: int64(len(c.nodes))}
	c.nodes = append(c.nodes, n)
	return n
}

func (c *counter) AddNode(graph.Node) {}

func (c *counter) Node(id int64) graph.Node { return c.nodes[id] }

func (c *counter) NewWeightedEdge(from, to graph.Node, w float64) graph.WeightedEdge { return nil }

func (c *counter) SetWeightedEdge(graph.WeightedEdge) {}

func (c *counter) ApplyOperation(op onnxgo.Operation, out ...graph.Node) error {
	c.ops = append(c.ops, op.Name)
	for _, n := range out {
		n.(*named).made = true
	}
	return nil
}
