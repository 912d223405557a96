package onnx

import (
	"strconv"
)

// Info is what a file says, apart from the topology.
type Info struct {
	IR, Opset int64             // of the file; of ONNX's own operators
	Producer  string            // producer_name and producer_version
	Inputs    []Value           // in file order; initializers that are listed as inputs are left out
	Outputs   []Value           // in file order
	Consts    map[string]Const  // initializers and Constant nodes by value name
	Nodes     []NodeInfo        // Nodes[k] is the k-th operation that onnx-go hands to its backend
	Metadata  map[string]string // metadata_props
}

// A Value is an input or an output of the graph.
type Value struct {
	Name string
	Type DataType // 0 = not stated (outputs only)
	Dims []int64  // -1 = not fixed; nil = rank not stated
	Sym  []string // the dim_param of each dimension, "" = none
}

// NodeInfo names a node in messages.
type NodeInfo struct {
	Index    int    // position in the file; -1 for the Identity nodes that Prepare adds at the end, one for each output of the graph
	Name, Op string // as in the file
}

// String returns the form used in errors: node 12 "up3" (ConvTranspose).
func (n NodeInfo) String() string {
	if n.Index < 0 {
		return "output " + quote(n.Name)
	}
	s := "node " + strconv.Itoa(n.Index) + " "
	if n.Name != "" {
		s += quote(n.Name) + " "
	}
	return s + "(" + clip(n.Op) + ")"
}

// Prepare checks a file and splits it in two: a topology for
// (*onnx.Model).UnmarshalBinary of onnx-go, and everything else in Info.
//
// The topology has no weights and no types. Its inputs are Info.Inputs and its
// outputs Info.Outputs, in order; Constant nodes are gone; an input of a node
// that no node computes and that is not a graph input is a key of Info.Consts, or
// "" if it was left out. Output i of the graph is the value "\x00out<i>", which an
// added Identity computes, and outputs of nodes that nobody uses are named
// "\x00unused<i>"; no name of a file contains a NUL.
//
// Weights in Info.Consts alias file, which must not be changed while they are
// in use, and must not be written to. With an error the other results are zero.
// Prepare is safe for concurrent use.
func Prepare(file []byte, lim Limits) (topology []byte, info *Info, err error) {
	return PrepareIn("", file, lim)
}

// PrepareIn is [Prepare] for a file of the directory dir, from which it reads the tensors that are not in the file itself.
// Their bytes count as the file's against Limits.FileBytes.
func PrepareIn(dir string, file []byte, lim Limits) (topology []byte, info *Info, err error) {
	lim = lim.withDefaults()
	if int64(len(file)) > lim.FileBytes {
		return nil, nil, formatError("file", strconv.Itoa(len(file))+" bytes", "at most %d (Limits.FileBytes)", lim.FileBytes)
	}
	mem := budget{lim.Memory, lim.Memory}
	if err := scan(file, lim, &mem); err != nil {
		return nil, nil, err
	}
	var m ModelProto
	if err := m.Unmarshal(file); err != nil {
		return nil, nil, formatError("file", err.Error(), "a protobuf message")
	}
	v := validator{lim: lim, mem: &mem, model: &m, external: external{dir: dir, left: lim.FileBytes - int64(len(file))}}
	defer v.external.close()
	return v.run()
}
