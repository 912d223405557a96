package onnxtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"gantry/internal/onnx"
)

// A File is one hostile file: whoever loads it must return an error.
type File struct {
	Name string        // family/case
	Make func() []byte // some are tens of MiB
}

// Hostile returns the hostile files, in a fixed order.
func Hostile() []File {
	var all []File
	all = append(all, shapeFiles()...)
	all = append(all, graphFiles()...)
	all = append(all, attributeFiles()...)
	all = append(all, wireFiles()...)
	all = append(all, bulkFiles()...)
	return all
}

// changed makes a file of the small model after a change.
func changed(name string, change func(m *onnx.ModelProto, g *onnx.GraphProto)) File {
	return File{name, func() []byte {
		m := Small()
		change(m, m.Graph)
		return Bytes(m)
	}}
}

// shapeFiles declare shapes that are too large, negative, or not those of the data.
func shapeFiles() []File {
	input := func(name string, dims ...any) File {
		return changed("shape/input "+name, func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Input[0] = Value("z", dims...) })
	}
	weight := func(name string, dims ...int64) File {
		return changed("shape/weight "+name, func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Initializer[0].Dims = dims })
	}
	return []File{
		input("2^20 2^20", 1<<20, 1<<20),
		input("2^30", 1<<30),
		input("2^62 4", int64(1<<62), 4),
		input("negative", "N", -4),
		input("product overflows to zero", int64(1<<32), int64(1<<32)),
		input("zero hides the rest", 0, int64(1<<62), int64(1<<62)),
		changed("shape/twenty giant value_infos", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			for i := range 20 {
				g.ValueInfo = append(g.ValueInfo, Value(fmt.Sprint("v", i), 1<<28))
			}
		}),
		changed("shape/giant output", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Output[0] = Value("image", int64(1<<62), 2) }),
		input("rank 17", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
		weight("negative", -5, 4),
		weight("two negatives", -5, -4),
		weight("2^62 2", 1<<62, 2),
		weight("2^63-1", 1<<63-1),
		weight("2^32 2^32", 1<<32, 1<<32),
		weight("zero of data that is there", 0, 4),
		weight("too large for its data", 5, 5),
		weight("too small for its data", 5, 3),
		weight("scalar with twenty values"),
		changed("shape/raw_data ends inside a number", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			r := (*g.Initializer[0].RawData)[:79]
			g.Initializer[0].RawData = &r
		}),
		changed("shape/no data", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Initializer[0].RawData = nil }),
		changed("shape/data twice", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Initializer[0].FloatData = make([]float32, 20) }),
		changed("shape/data of another type", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Initializer[0].RawData, g.Initializer[0].Int64Data = nil, make([]int64, 20)
		}),
	}
}

// graphFiles have graphs that are not graphs.
func graphFiles() []File {
	node := func(op, name string, in, out []string) *onnx.NodeProto {
		return &onnx.NodeProto{Name: name, OpType: op, Input: in, Output: out}
	}
	return []File{
		changed("graph/none", func(m *onnx.ModelProto, _ *onnx.GraphProto) { m.Graph = nil }),
		changed("graph/no output", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Output = nil }),
		changed("graph/output that nothing computes", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Output[0].Name = "picture" }),
		changed("graph/output twice", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Output = append(g.Output, g.Output[0]) }),
		changed("graph/input twice", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Input = append(g.Input, g.Input[0]) }),
		changed("graph/input without name", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Input[0].Name = "" }),
		changed("graph/input without type", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Input[0].Type = nil }),
		changed("graph/input of strings", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Input[0].Type.TensorType.ElemType = 8 }),
		changed("graph/input is a sequence", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Input[0].Type = &onnx.TypeProto{SequenceType: &onnx.Raw{}}
		}),
		changed("graph/missing input of a node", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Node[2].Input[1] = "w9" }),
		changed("graph/cycle of two", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Node = append([]*onnx.NodeProto{node("Add", "p", []string{"z", "y"}, []string{"x"}), node("Relu", "q", []string{"x"}, []string{"y"})}, g.Node...)
		}),
		changed("graph/node feeds itself", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Node[3].Input[0] = "t" }),
		changed("graph/unsorted", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Node[0], g.Node[1] = g.Node[1], g.Node[0] }),
		changed("graph/value computed twice", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Node[2].Output[0] = "h0" }),
		changed("graph/value of a weight computed", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Node[2].Output[0] = "w0" }),
		changed("graph/node computes the input", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Node[2].Output[0] = "z" }),
		changed("graph/node without output", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Node[4].Output = nil }),
		changed("graph/node without operator", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Node[4].OpType = "" }),
		changed("graph/initializer twice", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Initializer = append(g.Initializer, g.Initializer[0]) }),
		changed("graph/initializer without name", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Initializer[0].Name = "" }),
		changed("graph/initializer of strings", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Initializer[0].DataType = 8 }),
		changed("graph/initializer of no type", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Initializer[0].DataType = 0 }),
		changed("graph/initializer in this and another file", func(_ *onnx.ModelProto, g *onnx.GraphProto) { External(g.Initializer[0], "location", "data") }),
		changed("graph/initializer in another file", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Initializer[0].RawData = nil
			External(g.Initializer[0], "location", "../../etc/passwd")
		}),
		changed("graph/initializer in a third place", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Initializer[0].DataLocation = 2 }),
		changed("graph/location without data_location", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			External(g.Initializer[0], "location", "data")
			g.Initializer[0].DataLocation = 0
		}),
		changed("graph/int8 of 300", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Initializer = append(g.Initializer, &onnx.TensorProto{Name: "i", DataType: int32(onnx.Int8), Dims: []int64{1}, Int32Data: []int32{300}})
		}),
		changed("graph/uint64 of 2^63", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Initializer = append(g.Initializer, &onnx.TensorProto{Name: "i", DataType: int32(onnx.Uint64), Dims: []int64{1}, Uint64Data: []uint64{1 << 63}})
		}),
		changed("graph/initializer in segments", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Initializer[0].Segment = &onnx.Raw{8, 0, 16, 4} }),
		changed("graph/sparse initializer", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.SparseInitializer = []onnx.Raw{{}} }),
		changed("graph/local function", func(m *onnx.ModelProto, _ *onnx.GraphProto) { m.Functions = []onnx.Raw{{}} }),
		changed("graph/training_info", func(m *onnx.ModelProto, _ *onnx.GraphProto) { m.TrainingInfo = []onnx.Raw{{}} }),
		changed("graph/foreign domain", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Node[1].Domain = "com.evil" }),
		changed("graph/name with a NUL", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Node[3].Output[0] = "\x00out0" }),
		changed("graph/name is not UTF-8", func(_ *onnx.ModelProto, g *onnx.GraphProto) { g.Node[3].Name = "\xff" }),
		changed("graph/no opset", func(m *onnx.ModelProto, _ *onnx.GraphProto) { m.OpsetImport = nil }),
		changed("graph/two opsets", func(m *onnx.ModelProto, _ *onnx.GraphProto) {
			m.OpsetImport = append(m.OpsetImport, &onnx.OperatorSetIdProto{Domain: "ai.onnx", Version: 9})
		}),
		changed("graph/negative opset", func(m *onnx.ModelProto, _ *onnx.GraphProto) { m.OpsetImport[0].Version = -13 }),
		changed("graph/no IR version", func(m *onnx.ModelProto, _ *onnx.GraphProto) { m.IrVersion = 0 }),
		changed("graph/metadata key twice", func(m *onnx.ModelProto, _ *onnx.GraphProto) {
			m.MetadataProps = append(m.MetadataProps, m.MetadataProps[0])
		}),
	}
}

// attributeFiles have attributes that are not what they say.
func attributeFiles() []File {
	attr := func(name string, a onnx.AttributeProto) File {
		return changed("attribute/"+name, func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			if a.Name == "" {
				a.Name = "alpha"
			}
			g.Node[1].Attribute = []*onnx.AttributeProto{&a}
		})
	}
	constant := func(name string, as ...*onnx.AttributeProto) File {
		return changed("attribute/Constant "+name, func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Node = append(g.Node, &onnx.NodeProto{OpType: "Constant", Output: []string{"c"}, Attribute: as})
		})
	}
	sub := onnx.Raw{}
	return []File{
		attr("no type", onnx.AttributeProto{F: 0.2}),
		attr("type out of range", onnx.AttributeProto{Type: 99}),
		attr("negative type", onnx.AttributeProto{Type: -1}),
		attr("type of another kind", onnx.AttributeProto{Type: onnx.AttributeProto_INT, F: 0.2}),
		attr("tensor that is missing", onnx.AttributeProto{Type: onnx.AttributeProto_TENSOR}),
		attr("tensor with giant dims", onnx.AttributeProto{Type: onnx.AttributeProto_TENSOR, T: &onnx.TensorProto{DataType: 1, Dims: []int64{1 << 40}}}),
		attr("tensor without elements", onnx.AttributeProto{Type: onnx.AttributeProto_TENSOR, T: &onnx.TensorProto{DataType: 1, Dims: []int64{0}}}),
		attr("subgraph", onnx.AttributeProto{Type: onnx.AttributeProto_GRAPH, G: &sub}),
		attr("subgraphs", onnx.AttributeProto{Type: onnx.AttributeProto_GRAPHS, Graphs: []onnx.Raw{{}}}),
		attr("tensors", onnx.AttributeProto{Type: onnx.AttributeProto_TENSORS, Tensors: []onnx.Raw{{}}}),
		attr("sparse tensor", onnx.AttributeProto{Type: onnx.AttributeProto_SPARSE_TENSOR, SparseTensor: &sub}),
		attr("type_proto", onnx.AttributeProto{Type: onnx.AttributeProto_TYPE_PROTO, Tp: &sub}),
		attr("reference", onnx.AttributeProto{Type: onnx.AttributeProto_FLOAT, RefAttrName: "slope"}),
		attr("long list", onnx.AttributeProto{Type: onnx.AttributeProto_INTS, Ints: make([]int64, 100_000)}),
		changed("attribute/twice", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			g.Node[1].Attribute = append(g.Node[1].Attribute, g.Node[1].Attribute[0])
		}),
		changed("attribute/ten thousand", func(_ *onnx.ModelProto, g *onnx.GraphProto) {
			for i := range 10_000 {
				g.Node[1].Attribute = append(g.Node[1].Attribute, Int(fmt.Sprint("a", i), 1))
			}
		}),
		constant("without value"),
		constant("with two values", Int("value_int", 1), Float("value_float", 1)),
		constant("of a string", &onnx.AttributeProto{Name: "value_string", Type: onnx.AttributeProto_STRING, S: &sub}),
		constant("of another type", Int("value_float", 1)),
		constant("without tensor", &onnx.AttributeProto{Name: "value", Type: onnx.AttributeProto_TENSOR}),
	}
}

// wireFiles break the protobuf encoding, or are something else altogether.
func wireFiles() []File {
	raw := func(name string, b ...byte) File { return File{"wire/" + name, func() []byte { return b }} }
	after := func(name string, b ...byte) File { // follows a valid model
		return File{"wire/" + name, func() []byte { return append(Bytes(Small()), b...) }}
	}
	return []File{
		raw("empty"),
		raw("zeros", make([]byte, 64)...),
		raw("text", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:...\n")...),
		raw("gzip", 0x1f, 0x8b, 8, 0, 0, 0, 0, 0),
		raw("png", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")...),
		after("varint of eleven bytes", 8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1),
		after("varint beyond 64 bits", 8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2),
		after("varint cut short", 8, 255),
		after("field number 0", 2, 0),
		after("field number that wraps to 7", append(binary.AppendUvarint(nil, (1<<32+7)<<3|2), 0)...),
		after("length beyond the file", append([]byte{0x3a}, binary.AppendUvarint(nil, 1<<20)...)...),
		after("length that is negative", append([]byte{0x3a}, binary.AppendUvarint(nil, 1<<64-1)...)...),
		after("length that wraps", append([]byte{0x3a}, binary.AppendUvarint(nil, 1<<63-1)...)...),
		after("second graph", 0x3a, 0),
		after("wire type 7", 0x0f),
		after("graph as a number", 7<<3, 1),
		{"wire/a million nested groups", func() []byte {
			return append(Bytes(Small()), bytes.Repeat([]byte{0xa3, 6}, 1_000_000)...)
		}},
		{"wire/packed floats cut inside a number", func() []byte { return inGraph(field(5, field(4, make([]byte, 7)))) }},
		{"wire/packed integers cut inside a number", func() []byte { return inGraph(field(5, field(7, []byte{1, 2, 0x80}))) }},
	}
}

// bulkFiles are long, deep or wide.
func bulkFiles() []File {
	const million = 1_000_000
	bulk := func(name string, make func() []byte) File { return File{"bulk/" + name, make} }
	repeat := func(b []byte, n int) []byte { return bytes.Repeat(b, n) }
	// nest wraps levels messages into one another, each as the given fields of the one outside it.
	nest := func(levels int, path ...int) []byte {
		size := make([]int, 0, levels*len(path)) // lengths from the inside out
		n := 0
		for range levels {
			for i := len(path) - 1; i >= 0; i-- {
				size = append(size, n)
				n += len(binary.AppendUvarint(nil, uint64(path[i])<<3|2)) + len(binary.AppendUvarint(nil, uint64(n)))
			}
		}
		b := make([]byte, 0, n)
		for i := len(size) - 1; i >= 0; i-- {
			b = binary.AppendUvarint(b, uint64(path[(len(size)-1-i)%len(path)])<<3|2)
			b = binary.AppendUvarint(b, uint64(size[i]))
		}
		return b
	}
	// branch is a node If with one attribute of the given type.
	branch := func(kind byte, value []byte) []byte {
		return field(1, field(2, []byte("y")), field(4, []byte("If")), field(5, field(1, []byte("then_branch")), []byte{20<<3&0x7f | 0x80, 20 >> 4, kind}, value))
	}
	names := func(n int) []string {
		s := make([]string, n)
		for i := range s {
			s[i] = fmt.Sprint("v", i)
		}
		return s
	}
	return []File{
		bulk("300k nested subgraphs", func() []byte { return inGraph(branch(5, field(6, nest(300_000, 1, 5, 6)))) }),             // node, attribute, g
		bulk("300k nested subgraphs in lists", func() []byte { return inGraph(branch(10, field(11, nest(300_000, 1, 5, 11)))) }), // graphs
		bulk("300k nested sequence types", func() []byte { return inGraph(field(11, field(1, []byte("s")), field(2, nest(300_000, 4, 1)))) }),
		bulk("a million empty nodes", func() []byte { return inGraph(repeat(field(1), million)) }),
		bulk("a million empty initializers", func() []byte { return inGraph(repeat(field(5), million)) }),
		bulk("a million empty inputs", func() []byte { return inGraph(repeat(field(11), million)) }),
		bulk("a million empty value_infos", func() []byte { return inGraph(repeat(field(13), million)) }),
		bulk("a million empty attributes", func() []byte { return inGraph(field(1, repeat(field(5), million))) }),
		bulk("a million empty dimensions", func() []byte {
			return inGraph(field(11, field(1, []byte("s")), field(2, field(1, field(2, repeat(field(1), million))))))
		}),
		bulk("a million empty opset_imports", func() []byte { return append(Bytes(Small()), repeat(field(8), million)...) }),
		bulk("a million empty metadata_props", func() []byte { return append(Bytes(Small()), repeat(field(14), million)...) }),
		bulk("ten million empty names", func() []byte { return inGraph(field(1, repeat(field(1), 10*million))) }),
		bulk("ten million empty strings in an attribute", func() []byte { return inGraph(field(1, field(5, repeat(field(9), 10*million)))) }),
		bulk("ten million unpacked floats", func() []byte { return inGraph(field(5, repeat([]byte{4<<3 | 5, 0, 0, 0, 0}, 10*million))) }),
		bulk("thirty million unpacked dims", func() []byte { return inGraph(field(5, repeat([]byte{1 << 3, 1}, 30*million))) }),
		bulk("sixty million packed integers", func() []byte { return inGraph(field(5, field(7, make([]byte, 60*million)))) }),
		bulk("packed integers in many lists", func() []byte {
			return inGraph(field(5, field(7, make([]byte, 10*million)), repeat(field(7, []byte{1}), million)))
		}),
		bulk("a doc_string of 200 MB", func() []byte { return append(field(6, make([]byte, 200*million)), Bytes(Small())...) }),
		bulk("an operator's name of 20 MB", func() []byte {
			m := Small()
			m.Graph.Node[1].OpType = "If" + strings.Repeat("\xff", 20*million)
			return Bytes(m)
		}),
		bulk("booleans that widen to 480 MB", func() []byte {
			m, r := Small(), make(onnx.Raw, 60*million)
			m.Graph.Initializer[0] = &onnx.TensorProto{Name: "w0", DataType: int32(onnx.Bool), Dims: []int64{60 * million}, RawData: &r}
			return Bytes(m)
		}),
		bulk("half floats that widen to 240 MB", func() []byte {
			m, r := Small(), make(onnx.Raw, 120*million)
			m.Graph.Initializer[0] = &onnx.TensorProto{Name: "w0", DataType: int32(onnx.Float16), Dims: []int64{60 * million}, RawData: &r}
			return Bytes(m)
		}),
		bulk("60k inputs, 60k initializers", func() []byte {
			m := Small()
			for _, s := range names(60_000) {
				m.Graph.Input = append(m.Graph.Input, Value(s, 1))
				m.Graph.Initializer = append(m.Graph.Initializer, Floats("w"+s, []float32{1}, 1))
			}
			return Bytes(m)
		}),
		bulk("a node of 8000 inputs and 8000 outputs", func() []byte {
			m := Small()
			in := make([]string, 8000)
			for i := range in {
				in[i] = "z"
			}
			m.Graph.Node = append(m.Graph.Node, &onnx.NodeProto{OpType: "Max", Input: in, Output: names(8000)})
			return Bytes(m)
		}),
		bulk("a thousand nodes of 500 inputs and 500 outputs", func() []byte {
			m := Small()
			in := make([]string, 500)
			for i := range in {
				in[i] = "z"
			}
			all := names(500_000)
			for i := range 1000 {
				m.Graph.Node = append(m.Graph.Node, &onnx.NodeProto{OpType: "Max", Input: in, Output: all[500*i : 500*(i+1)]})
			}
			return Bytes(m)
		}),
		bulk("a chain of 200k nodes", func() []byte {
			m := Small()
			for i, s := range names(200_000) {
				in := "z"
				if i > 0 {
					in = fmt.Sprint("v", i-1)
				}
				m.Graph.Node = append(m.Graph.Node, &onnx.NodeProto{OpType: "Relu", Input: []string{in}, Output: []string{s}})
			}
			return Bytes(m)
		}),
	}
}

// field encodes a length-delimited field; its body is parts one after the other.
func field(num int, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, 0, n+16)
	b = binary.AppendUvarint(b, uint64(num)<<3|2)
	b = binary.AppendUvarint(b, uint64(n))
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// inGraph encodes the small model with more fields at the end of its graph.
func inGraph(more []byte) []byte {
	m := Small()
	graph, err := m.Graph.Marshal()
	if err != nil {
		panic(fmt.Sprintf("onnxtest: %v", err))
	}
	m.Graph = nil
	return append(Bytes(m), field(7, graph, more)...)
}
