package onnx

import "unsafe"

// A kind says what the decoder does with a field.
type kind uint8

const (
	kindSkipped kind = iota // not in our schema: the decoder steps over it
	kindNumber              // a number, stored in the message
	kindText                // a string, copied
	kindBytes               // bytes, not copied
	kindList                // repeated numbers, packed or not
	kindMessage
)

// A wireType is the low three bits of a protobuf tag.
type wireType uint8

const (
	varint    wireType = 0
	fixed64   wireType = 1
	delimited wireType = 2
	fixed32   wireType = 5
)

// A fieldSchema says how a field is written and what decoding it costs.
type fieldSchema struct {
	kind     kind
	wire     wireType // of a number; delimited for the other kinds
	repeated bool
	size     int64 // bytes in memory of one element of a list
	message  *messageSchema
}

// A messageSchema describes one message type of onnx.proto.
type messageSchema struct {
	name   string
	size   int64 // bytes in memory, with what Prepare makes of the message
	fields [26]fieldSchema
}

// The messages of onnx.proto. TestSchema compares them with the bindings.
var (
	entrySchema = &messageSchema{name: "StringStringEntryProto", size: int64(unsafe.Sizeof(StringStringEntryProto{})) + 256, fields: [26]fieldSchema{
		1: one(kindText), 2: one(kindText),
	}}
	opsetSchema = &messageSchema{name: "OperatorSetIdProto", size: int64(unsafe.Sizeof(OperatorSetIdProto{})), fields: [26]fieldSchema{
		1: one(kindText), 2: number(varint),
	}}
	dimSchema = &messageSchema{name: "TensorShapeProto.Dimension", size: int64(unsafe.Sizeof(TensorShapeProto_Dimension{})) + 96, fields: [26]fieldSchema{
		1: number(varint), 2: one(kindText), 3: one(kindText),
	}}
	shapeSchema = &messageSchema{name: "TensorShapeProto", size: int64(unsafe.Sizeof(TensorShapeProto{})), fields: [26]fieldSchema{
		1: many(dimSchema),
	}}
	tensorTypeSchema = &messageSchema{name: "TypeProto.Tensor", size: int64(unsafe.Sizeof(TypeProto_Tensor{})), fields: [26]fieldSchema{
		1: number(varint), 2: child(shapeSchema),
	}}
	typeSchema = &messageSchema{name: "TypeProto", size: int64(unsafe.Sizeof(TypeProto{})), fields: [26]fieldSchema{
		1: child(tensorTypeSchema), 4: one(kindBytes), 5: one(kindBytes), 6: one(kindText), 8: one(kindBytes), 9: one(kindBytes),
	}}
	valueSchema = &messageSchema{name: "ValueInfoProto", size: int64(unsafe.Sizeof(ValueInfoProto{})) + 768, fields: [26]fieldSchema{
		1: one(kindText), 2: child(typeSchema), 3: one(kindText),
	}}
	tensorSchema = &messageSchema{name: "TensorProto", size: int64(unsafe.Sizeof(TensorProto{})) + 768, fields: [26]fieldSchema{
		1: numbers(varint, 8), 2: number(varint), 3: one(kindBytes), 4: numbers(fixed32, 4), 5: numbers(varint, 4), 6: several(kindBytes),
		7: numbers(varint, 8), 8: one(kindText), 9: one(kindBytes), 10: numbers(fixed64, 8), 11: numbers(varint, 8), 12: one(kindText),
		13: many(entrySchema), 14: number(varint),
	}}
	attributeSchema = &messageSchema{name: "AttributeProto", size: 2 * int64(unsafe.Sizeof(AttributeProto{})), fields: [26]fieldSchema{
		1: one(kindText), 2: number(fixed32), 3: number(varint), 4: one(kindBytes), 5: child(tensorSchema), 6: one(kindBytes), 7: numbers(fixed32, 4),
		8: numbers(varint, 8), 9: several(kindBytes), 10: several(kindBytes), 11: several(kindBytes), 13: one(kindText), 14: one(kindBytes), 15: several(kindBytes),
		20: number(varint), 21: one(kindText), 22: one(kindBytes), 23: several(kindBytes),
	}}
	nodeSchema = &messageSchema{name: "NodeProto", size: 2*int64(unsafe.Sizeof(NodeProto{})) + 512, fields: [26]fieldSchema{
		1: several(kindText), 2: several(kindText), 3: one(kindText), 4: one(kindText), 5: many(attributeSchema), 6: one(kindText), 7: one(kindText),
	}}
	graphSchema = &messageSchema{name: "GraphProto", size: 2 * int64(unsafe.Sizeof(GraphProto{})), fields: [26]fieldSchema{
		1: many(nodeSchema), 2: one(kindText), 5: many(tensorSchema), 10: one(kindText), 11: many(valueSchema), 12: many(valueSchema),
		13: many(valueSchema), 15: several(kindBytes),
	}}
	modelSchema = &messageSchema{name: "ModelProto", size: 2 * int64(unsafe.Sizeof(ModelProto{})), fields: [26]fieldSchema{
		1: number(varint), 2: one(kindText), 3: one(kindText), 4: one(kindText), 5: number(varint), 6: one(kindText), 7: child(graphSchema),
		8: many(opsetSchema), 14: many(entrySchema), 20: several(kindBytes), 25: several(kindBytes),
	}}
)

func one(k kind) fieldSchema        { return fieldSchema{kind: k, wire: delimited} }
func several(k kind) fieldSchema    { return fieldSchema{kind: k, wire: delimited, repeated: true} }
func number(w wireType) fieldSchema { return fieldSchema{kind: kindNumber, wire: w} }
func child(m *messageSchema) fieldSchema {
	return fieldSchema{kind: kindMessage, wire: delimited, message: m}
}
func many(m *messageSchema) fieldSchema {
	return fieldSchema{kind: kindMessage, wire: delimited, repeated: true, message: m}
}
func numbers(w wireType, size int64) fieldSchema {
	return fieldSchema{kind: kindList, wire: w, repeated: true, size: size}
}
