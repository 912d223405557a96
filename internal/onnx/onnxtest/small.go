// Package onnxtest makes ONNX files for tests: a small valid generator, and the
// families of hostile files.
package onnxtest

import (
	"encoding/binary"
	"fmt"
	"math"

	"gantry/internal/onnx"
)

// Small returns a valid generator, z [N 4] -> Gemm, LeakyRelu, Gemm, Tanh,
// Reshape -> image [N 1 2 3], in a model of its own that the caller may change.
func Small() *onnx.ModelProto {
	values := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i%7-3) / 8
		}
		return x
	}
	return &onnx.ModelProto{
		IrVersion:     7,
		ProducerName:  "onnxtest",
		OpsetImport:   []*onnx.OperatorSetIdProto{{Version: 13}},
		MetadataProps: []*onnx.StringStringEntryProto{{Key: "colour", Value: "grey"}},
		Graph: &onnx.GraphProto{
			Name:   "generator",
			Input:  []*onnx.ValueInfoProto{Value("z", "N", 4)},
			Output: []*onnx.ValueInfoProto{Value("image", "N", 1, 2, 3)},
			Initializer: []*onnx.TensorProto{
				Floats("w0", values(20), 5, 4), Floats("b0", values(5), 5),
				Floats("w1", values(30), 6, 5), Floats("b1", values(6), 6),
				Ints("shape", []int64{-1, 1, 2, 3}, 4),
			},
			Node: []*onnx.NodeProto{
				{Name: "fc0", OpType: "Gemm", Input: []string{"z", "w0", "b0"}, Output: []string{"h0"}, Attribute: []*onnx.AttributeProto{Int("transB", 1)}},
				{Name: "act0", OpType: "LeakyRelu", Input: []string{"h0"}, Output: []string{"a0"}, Attribute: []*onnx.AttributeProto{Float("alpha", 0.2)}},
				{Name: "fc1", OpType: "Gemm", Input: []string{"a0", "w1", "b1"}, Output: []string{"h1"}, Attribute: []*onnx.AttributeProto{Int("transB", 1)}},
				{Name: "act1", OpType: "Tanh", Input: []string{"h1"}, Output: []string{"t"}},
				{Name: "view", OpType: "Reshape", Input: []string{"t", "shape"}, Output: []string{"image"}},
			},
		},
	}
}

// Bytes encodes a model.
func Bytes(m *onnx.ModelProto) []byte {
	b, err := m.Marshal()
	if err != nil {
		panic(fmt.Sprintf("onnxtest: %v", err))
	}
	return b
}

// Value declares a float32 value; dims are int or int64, or strings for
// symbols.
func Value(name string, dims ...any) *onnx.ValueInfoProto {
	s := &onnx.TensorShapeProto{}
	for _, d := range dims {
		dim := &onnx.TensorShapeProto_Dimension{}
		switch d := d.(type) {
		case int64:
			dim.Value = &onnx.TensorShapeProto_Dimension_DimValue{DimValue: d}
		case int:
			dim.Value = &onnx.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}
		case string:
			dim.Value = &onnx.TensorShapeProto_Dimension_DimParam{DimParam: d}
		}
		s.Dim = append(s.Dim, dim)
	}
	return &onnx.ValueInfoProto{Name: name, Type: &onnx.TypeProto{TensorType: &onnx.TypeProto_Tensor{ElemType: int32(onnx.Float32), Shape: s}}}
}

// Floats makes a float32 tensor with raw_data.
func Floats(name string, x []float32, dims ...int64) *onnx.TensorProto {
	raw := make(onnx.Raw, 0, 4*len(x))
	for _, v := range x {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return &onnx.TensorProto{Name: name, DataType: int32(onnx.Float32), Dims: dims, RawData: &raw}
}

// Ints makes an int64 tensor with raw_data.
func Ints(name string, x []int64, dims ...int64) *onnx.TensorProto {
	raw := make(onnx.Raw, 0, 8*len(x))
	for _, v := range x {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return &onnx.TensorProto{Name: name, DataType: int32(onnx.Int64), Dims: dims, RawData: &raw}
}

// Int makes an INT attribute.
func Int(name string, v int64) *onnx.AttributeProto {
	return &onnx.AttributeProto{Name: name, Type: onnx.AttributeProto_INT, I: v}
}

// Float makes a FLOAT attribute.
func Float(name string, v float32) *onnx.AttributeProto {
	return &onnx.AttributeProto{Name: name, Type: onnx.AttributeProto_FLOAT, F: v}
}

// External makes t one whose data lie in another file, by keys and values of external_data in turn.
func External(t *onnx.TensorProto, entries ...string) {
	t.DataLocation, t.ExternalData = 1, nil
	for i := 0; i < len(entries); i += 2 {
		t.ExternalData = append(t.ExternalData, &onnx.StringStringEntryProto{Key: entries[i], Value: entries[i+1]})
	}
}
