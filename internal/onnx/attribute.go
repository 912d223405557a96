package onnx

import (
	"fmt"
	"strconv"
)

const (
	maxAttributes = 64   // of one node; ONNX's own operators have at most 14
	maxList       = 1024 // elements of an attribute, other than those of Constant
)

// attributeNames checks that the attributes of a node are few and have distinct
// names.
func attributeNames(where string, as []*AttributeProto) error {
	if len(as) > maxAttributes {
		return formatError(where, strconv.Itoa(len(as))+" attributes", "at most %d", maxAttributes)
	}
	for i, a := range as {
		if err := valueName(where, "attribute name", a.Name); err != nil {
			return err
		}
		for _, b := range as[:i] {
			if a.Name == b.Name {
				return formatError(where, "attribute "+quote(a.Name)+" twice", "each attribute once")
			}
		}
	}
	return nil
}

// kinds lists the kinds of value that a holds, whatever its type says. A scalar
// zero cannot be seen.
func kinds(a *AttributeProto) (has [AttributeProto_TYPE_PROTOS + 1]bool) {
	has[AttributeProto_FLOAT] = a.F != 0
	has[AttributeProto_INT] = a.I != 0
	has[AttributeProto_STRING] = a.S != nil && len(*a.S) > 0
	has[AttributeProto_TENSOR] = a.T != nil
	has[AttributeProto_GRAPH] = a.G != nil
	has[AttributeProto_FLOATS] = len(a.Floats) > 0
	has[AttributeProto_INTS] = len(a.Ints) > 0
	has[AttributeProto_STRINGS] = len(a.Strings) > 0
	has[AttributeProto_TENSORS] = len(a.Tensors) > 0
	has[AttributeProto_GRAPHS] = len(a.Graphs) > 0
	has[AttributeProto_SPARSE_TENSOR] = a.SparseTensor != nil
	has[AttributeProto_SPARSE_TENSORS] = len(a.SparseTensors) > 0
	has[AttributeProto_TYPE_PROTO] = a.Tp != nil
	has[AttributeProto_TYPE_PROTOS] = len(a.TypeProtos) > 0
	return has
}

// attributeKind checks that a holds a value of the kind it declares, and no other.
func attributeKind(where string, a *AttributeProto) error {
	what := where + ": attribute " + quote(a.Name)
	if a.RefAttrName != "" {
		return &UnsupportedError{Where: where, Attr: a.Name, What: "a reference to an attribute of a function"}
	}
	if a.Type <= 0 || a.Type > AttributeProto_TYPE_PROTOS {
		return formatError(what, fmt.Sprintf("type %d", a.Type), "one of FLOAT, INT, STRING, TENSOR, FLOATS, INTS, STRINGS")
	}
	for kind, has := range kinds(a) {
		if kind := AttributeProto_AttributeType(kind); has && kind != a.Type {
			return formatError(what, "a value of kind "+kind.String(), "its type, %v", a.Type)
		}
	}
	switch a.Type {
	case AttributeProto_GRAPH, AttributeProto_GRAPHS:
		return &UnsupportedError{Where: where, Attr: a.Name, What: "a subgraph"}
	case AttributeProto_TENSORS, AttributeProto_SPARSE_TENSOR, AttributeProto_SPARSE_TENSORS, AttributeProto_TYPE_PROTO, AttributeProto_TYPE_PROTOS:
		return &UnsupportedError{Where: where, Attr: a.Name, What: "an attribute of type " + a.Type.String()}
	case AttributeProto_TENSOR:
		if a.T == nil { // onnx-go would follow the nil pointer
			return formatError(what, "no tensor", "one, as its type says")
		}
	}
	return nil
}

// attribute checks an attribute and returns what the topology carries of it.
func (v *validator) attribute(where string, a *AttributeProto) (*AttributeProto, error) {
	if err := attributeKind(where, a); err != nil {
		return nil, err
	}
	what := where + ": attribute " + quote(a.Name)
	b := &AttributeProto{Name: a.Name, Type: a.Type}
	size := 0
	switch a.Type {
	case AttributeProto_FLOAT:
		b.F = a.F
	case AttributeProto_INT:
		b.I = a.I
	case AttributeProto_STRING:
		b.S = a.S
		if a.S != nil {
			size = len(*a.S)
		}
	case AttributeProto_FLOATS:
		b.Floats, size = a.Floats, len(a.Floats)
	case AttributeProto_INTS:
		b.Ints, size = a.Ints, len(a.Ints)
	case AttributeProto_STRINGS:
		b.Strings = a.Strings
		for _, s := range a.Strings {
			size += 1 + len(s)
		}
	case AttributeProto_TENSOR:
		c, err := v.constant(a.T, what)
		if err != nil {
			return nil, err
		}
		if c.Len() == 0 { // onnx-go takes it for missing data
			return nil, &UnsupportedError{Where: where, Attr: a.Name, What: "a tensor without elements"}
		}
		if size = c.Len(); size > maxList {
			break
		}
		if err := v.mem.take(int64(4*size+256), what); err != nil {
			return nil, err
		}
		if b.T = c.topology(); c.Type == Uint8 {
			b.Name += uint8Suffix
		}
	}
	if size > maxList {
		return nil, formatError(what, "length "+strconv.Itoa(size), "at most %d", maxList)
	}
	return b, nil
}

// uint8Suffix ends the name of an attribute of the topology whose tensor is uint8, which onnx-go cannot read: it is
// written as int64.
const uint8Suffix = "\x00uint8"

// topology returns c in the nearest type that onnx-go reads: FLOAT, BOOL, INT32 or INT64.
func (c *Const) topology() *TensorProto {
	t := &TensorProto{DataType: int32(Float32), FloatData: c.F, Int64Data: c.I}
	for _, d := range c.Shape {
		t.Dims = append(t.Dims, int64(d))
	}
	switch c.Type {
	case Int64, Uint64, Uint32, Uint8:
		t.DataType = int32(Int64)
	case Bool, Int32, Int16, Int8, Uint16:
		t.DataType, t.Int64Data = int32(Int32), nil
		if c.Type == Bool {
			t.DataType = int32(Bool)
		}
		t.Int32Data = make([]int32, 0, len(c.I))
		for _, x := range c.I {
			t.Int32Data = append(t.Int32Data, int32(x))
		}
	}
	return t
}

// constantNode turns a Constant into an entry of Info.Consts.
func (v *validator) constantNode(where string, n *NodeProto) error {
	if len(n.Input) != 0 || len(n.Output) != 1 || len(n.Attribute) != 1 {
		return formatError(where, fmt.Sprintf("%d inputs, %d outputs, %d attributes", len(n.Input), len(n.Output), len(n.Attribute)), "0, 1 and 1")
	}
	a := n.Attribute[0]
	if err := attributeKind(where, a); err != nil {
		return err
	}
	var t *TensorProto
	want := AttributeProto_TENSOR
	switch a.Name {
	case "value":
		t = a.T
	case "value_float":
		want, t = AttributeProto_FLOAT, &TensorProto{DataType: int32(Float32), FloatData: []float32{a.F}}
	case "value_floats":
		want, t = AttributeProto_FLOATS, &TensorProto{DataType: int32(Float32), Dims: []int64{int64(len(a.Floats))}, FloatData: a.Floats}
	case "value_int":
		want, t = AttributeProto_INT, &TensorProto{DataType: int32(Int64), Int64Data: []int64{a.I}}
	case "value_ints":
		want, t = AttributeProto_INTS, &TensorProto{DataType: int32(Int64), Dims: []int64{int64(len(a.Ints))}, Int64Data: a.Ints}
	default:
		return &UnsupportedError{Where: where, Attr: a.Name, What: "a constant that is not numbers"}
	}
	if a.Type != want {
		return formatError(where+": attribute "+quote(a.Name), "type "+a.Type.String(), "%v", want)
	}
	return v.addConst(where, n.Output[0], t)
}
