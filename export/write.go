package export

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/internal/onnx"
	"gantry/internal/version"
)

// What every file declares.
const (
	irVersion = 7
	opset     = 13
	batchName = "N" // the symbolic first dimension
)

// encode writes the network, by its name, and its metadata. The same arguments give the
// same bytes.
func encode(net *network, name string, props map[string]string) ([]byte, error) {
	g := &onnx.GraphProto{Name: name, Input: []*onnx.ValueInfoProto{value(net.input)}}
	for _, y := range net.outputs {
		g.Output = append(g.Output, value(y))
	}
	for _, w := range net.weights {
		g.Initializer = append(g.Initializer, w.proto())
	}
	for _, x := range net.nodes {
		p := &onnx.NodeProto{Name: x.name, OpType: x.op, Input: x.in, Output: []string{x.out}}
		for _, key := range slices.Sorted(maps.Keys(x.attrs)) {
			a := &onnx.AttributeProto{Name: key}
			switch v := x.attrs[key].(type) {
			case int64:
				a.Type, a.I = onnx.AttributeProto_INT, v
			case float32:
				a.Type, a.F = onnx.AttributeProto_FLOAT, v
			case string:
				a.Type, a.S = onnx.AttributeProto_STRING, new(onnx.Raw(v))
			case []int64:
				a.Type, a.Ints = onnx.AttributeProto_INTS, v
			default:
				return nil, fmt.Errorf("export: node %q (%s): attribute %q is a %T, want int64, float32, string or []int64", x.name, x.op, key, v)
			}
			p.Attribute = append(p.Attribute, a)
		}
		g.Node = append(g.Node, p)
	}
	file := &onnx.ModelProto{
		IrVersion:       irVersion,
		OpsetImport:     []*onnx.OperatorSetIdProto{{Version: opset}},
		ProducerName:    "gantry",
		ProducerVersion: version.Version,
		Graph:           g,
	}
	for _, key := range slices.Sorted(maps.Keys(props)) {
		file.MetadataProps = append(file.MetadataProps, &onnx.StringStringEntryProto{Key: key, Value: props[key]})
	}
	b, err := file.Marshal()
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return b, nil
}

// value declares a float32 value of any batch size.
func value(p port) *onnx.ValueInfoProto {
	s := &onnx.TensorShapeProto{Dim: []*onnx.TensorShapeProto_Dimension{{Value: &onnx.TensorShapeProto_Dimension_DimParam{DimParam: batchName}}}}
	for _, d := range p.shape {
		s.Dim = append(s.Dim, &onnx.TensorShapeProto_Dimension{Value: &onnx.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}})
	}
	return &onnx.ValueInfoProto{Name: p.name, Type: &onnx.TypeProto{TensorType: &onnx.TypeProto_Tensor{ElemType: int32(onnx.Float32), Shape: s}}}
}

func (w weight) proto() *onnx.TensorProto {
	t := &onnx.TensorProto{Name: w.name, DataType: int32(onnx.Float32)}
	for _, d := range w.shape {
		t.Dims = append(t.Dims, int64(d))
	}
	raw := make(onnx.Raw, 0, 4*len(w.f)+8*len(w.i))
	for _, v := range w.f {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	for _, v := range w.i {
		t.DataType = int32(onnx.Int64)
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	t.RawData = &raw
	return t
}

// metadata describes the model and where it comes from; golden may be nil.
func metadata(m *graph.Model, info Info, golden *onnx.Golden) (map[string]string, error) {
	spec, err := m.Spec.JSON()
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	meta := onnx.Metadata{
		Version:  version.Version,
		Numerics: kernel.Numerics,
		Spec:     spec,
		Latent:   m.Spec.Inputs[0],
		Range:    m.Spec.Sample.Range,
		Data:     onnx.DataSet{Name: info.DataName, SHA256: info.DataSHA256},
		Step:     info.Step,
		Golden:   golden,
	}
	props, err := meta.Encode()
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return props, nil
}
