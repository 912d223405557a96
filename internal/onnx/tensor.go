package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"unsafe"
)

// DataType is ONNX's type of an element.
type DataType = TensorProto_DataType

// The types of elements that have a meaning here.
const (
	Float32  = TensorProto_FLOAT
	Uint8    = TensorProto_UINT8
	Int8     = TensorProto_INT8
	Uint16   = TensorProto_UINT16
	Int16    = TensorProto_INT16
	Int32    = TensorProto_INT32
	Int64    = TensorProto_INT64
	Bool     = TensorProto_BOOL
	Float16  = TensorProto_FLOAT16
	Float64  = TensorProto_DOUBLE
	Uint32   = TensorProto_UINT32
	Uint64   = TensorProto_UINT64
	Bfloat16 = TensorProto_BFLOAT16
)

// maxRank is the largest rank of a tensor or a declared shape.
const maxRank = 16

// A Const is a weight. One of F and I is non-nil (and may be empty): floating
// point is widened or rounded to float32, integers and booleans are widened to
// int64, in the range of Type (a Uint64 above int64's is an error). The slices may alias the file: do not write to them.
type Const struct {
	Shape []int // rank 0 is an empty, non-nil slice
	F     []float32
	I     []int64
	Type  DataType // as the file declares it

	Initializer bool // it stands in the file as an initializer, not in a Constant node
}

// Len returns the number of elements.
func (c Const) Len() int { return len(c.F) + len(c.I) }

// width returns the bytes of one element in raw_data, 0 for a type without numbers.
func width(t DataType) int {
	switch t {
	case Uint8, Int8, Bool:
		return 1
	case Uint16, Int16, Float16, Bfloat16:
		return 2
	case Float32, Int32, Uint32:
		return 4
	case Int64, Uint64, Float64:
		return 8
	}
	return 0
}

// elements returns the product of dims, an error if one is negative or the
// product is above most.
func elements(where string, dims []int64, most int64) (int64, error) {
	if len(dims) > maxRank {
		return 0, formatError(where, "rank "+strconv.Itoa(len(dims)), "at most %d", maxRank)
	}
	n, zero := int64(1), false
	for i, d := range dims {
		if d < 0 {
			return 0, formatError(where, fmt.Sprintf("dimension %d is %d", i, d), "at least 0")
		}
		zero = zero || d == 0
		if d > most || d > 0 && n > most/d { // also stops overflow
			return 0, formatError(where, fmt.Sprintf("shape %v", dims), "at most %d elements (Limits.Elements)", most)
		}
		n *= max(d, 1)
	}
	if zero {
		n = 0
	}
	return n, nil
}

// constant decodes a tensor.
func (v *validator) constant(t *TensorProto, where string) (Const, error) {
	unsupported := func(what string) (Const, error) {
		return Const{}, &UnsupportedError{Where: where, What: what}
	}
	if t.Segment != nil {
		return unsupported("a tensor in segments")
	}
	if t.DataLocation < 0 || t.DataLocation > 1 || t.DataLocation == 0 && len(t.ExternalData) > 0 {
		return Const{}, formatError(where, fmt.Sprintf("data_location %d and %d entries of external_data", t.DataLocation, len(t.ExternalData)), "0 and none, or 1 (EXTERNAL)")
	}
	n, err := elements(where, t.Dims, v.left)
	if err != nil {
		return Const{}, err
	}
	typ := DataType(t.DataType)
	w := width(typ)
	if w == 0 {
		return unsupported("element type " + typ.String())
	}
	have, kind, lists := t.lists(typ)
	var raw []byte
	if t.RawData != nil {
		raw = *t.RawData
	}
	if len(raw) > 0 {
		lists++
	}
	if t.DataLocation == 1 {
		lists++
		if lists == 1 {
			if raw, err = v.external.read(t, n*int64(w), where); err != nil {
				return Const{}, err
			}
		}
	}
	switch {
	case lists > 1:
		return Const{}, formatError(where, "data in more than one field", "one of raw_data, float_data, int32_data, ...")
	case len(raw) > 0 || t.DataLocation == 1:
		if want := n * int64(w); int64(len(raw)) != want {
			return Const{}, formatError(where, fmt.Sprintf("raw_data has %d bytes", len(raw)), "%d for %v %v", want, typ, t.Dims)
		}
	case lists == 1 && have == 0:
		return Const{}, formatError(where, "data in a field of another type", "%s for %v", kind, typ)
	case int64(have) != n:
		return Const{}, formatError(where, fmt.Sprintf("%s has %d elements", kind, have), "%d for %v %v", n, typ, t.Dims)
	}
	c := Const{Type: typ, Shape: make([]int, len(t.Dims))}
	for i, d := range t.Dims {
		c.Shape[i] = int(d)
	}
	if len(raw) > 0 {
		err = c.setRaw(raw, int(n), where, v.mem)
	} else {
		err = c.setLists(t, int(n), where, v.mem)
	}
	if err == nil {
		err = c.settle(where)
	}
	if err != nil {
		return Const{}, err
	}
	return c, nil
}

// lists returns the length and name of the field that holds data of type typ,
// and how many of the typed fields hold anything.
func (t *TensorProto) lists(typ DataType) (have int, kind string, lists int) {
	for _, n := range [...]int{len(t.FloatData), len(t.Int32Data), len(t.StringData), len(t.Int64Data), len(t.DoubleData), len(t.Uint64Data)} {
		if n > 0 {
			lists++
		}
	}
	switch typ {
	case Float32:
		return len(t.FloatData), "float_data", lists
	case Float64:
		return len(t.DoubleData), "double_data", lists
	case Int64:
		return len(t.Int64Data), "int64_data", lists
	case Uint32, Uint64:
		return len(t.Uint64Data), "uint64_data", lists
	}
	return len(t.Int32Data), "int32_data", lists
}

// setRaw takes n elements of type c.Type from raw: as an alias where memory
// looks like that already, and converted otherwise.
func (c *Const) setRaw(raw []byte, n int, where string, mem *budget) error {
	le := binary.LittleEndian
	switch c.Type {
	case Float32:
		if c.F = alias[float32](raw, n); c.F != nil {
			return nil
		}
	case Int64:
		if c.I = alias[int64](raw, n); c.I != nil {
			return nil
		}
	}
	switch c.Type {
	case Float32, Float64, Float16, Bfloat16:
		if err := mem.take(4*int64(n), where); err != nil {
			return err
		}
		c.F = make([]float32, n)
	default:
		if err := mem.take(8*int64(n), where); err != nil {
			return err
		}
		c.I = make([]int64, n)
	}
	for i := range n {
		switch c.Type {
		case Float32:
			c.F[i] = math.Float32frombits(le.Uint32(raw[4*i:]))
		case Float64:
			c.F[i] = float32(math.Float64frombits(le.Uint64(raw[8*i:])))
		case Float16:
			c.F[i] = half(le.Uint16(raw[2*i:]))
		case Bfloat16:
			c.F[i] = math.Float32frombits(uint32(le.Uint16(raw[2*i:])) << 16)
		case Int64, Uint64:
			c.I[i] = int64(le.Uint64(raw[8*i:]))
		case Int32:
			c.I[i] = int64(int32(le.Uint32(raw[4*i:])))
		case Uint32:
			c.I[i] = int64(le.Uint32(raw[4*i:]))
		case Int16:
			c.I[i] = int64(int16(le.Uint16(raw[2*i:])))
		case Uint16:
			c.I[i] = int64(le.Uint16(raw[2*i:]))
		case Int8:
			c.I[i] = int64(int8(raw[i]))
		case Uint8, Bool:
			c.I[i] = int64(raw[i])
		}
	}
	return nil
}

// setLists takes n elements of type c.Type from the typed fields of t.
func (c *Const) setLists(t *TensorProto, n int, where string, mem *budget) error {
	switch c.Type {
	case Float32:
		c.F = t.FloatData
		if n == 0 {
			c.F = []float32{}
		}
		return nil
	case Int64:
		c.I = t.Int64Data
		if n == 0 {
			c.I = []int64{}
		}
		return nil
	}
	if err := mem.take(8*int64(n), where); err != nil {
		return err
	}
	switch c.Type {
	case Float64, Float16, Bfloat16:
		c.F = make([]float32, n)
	default:
		c.I = make([]int64, n)
	}
	for i := range n {
		switch c.Type {
		case Float64:
			c.F[i] = float32(t.DoubleData[i])
		case Float16:
			c.F[i] = half(uint16(t.Int32Data[i]))
		case Bfloat16:
			c.F[i] = math.Float32frombits(uint32(uint16(t.Int32Data[i])) << 16)
		case Uint32, Uint64:
			c.I[i] = int64(t.Uint64Data[i])
		default:
			c.I[i] = int64(t.Int32Data[i])
		}
	}
	return nil
}

// settle checks that integers are of their type, which a typed field may hold others than, and makes booleans 0 or 1.
func (c *Const) settle(where string) error {
	lo, hi := int64(0), int64(math.MaxInt64)
	switch c.Type {
	case Int64:
		return nil
	case Int8, Int16, Int32:
		hi = 1<<(8*width(c.Type)-1) - 1
		lo = -hi - 1
	case Uint8, Uint16, Uint32:
		hi = 1<<(8*width(c.Type)) - 1
	case Bool:
		for i, x := range c.I {
			if x != 0 {
				c.I[i] = 1
			}
		}
	}
	for i, x := range c.I {
		if x < lo || x > hi {
			return formatError(where, fmt.Sprintf("element %d is %d", i, x), "%v, %d to %d", c.Type, lo, hi)
		}
	}
	return nil
}

// alias returns raw as n elements of type T without copying, or nil where the
// processor stores or reads them differently. raw_data is little-endian and
// starts anywhere, so only processors that are little-endian and load a number
// from any address qualify.
func alias[T float32 | int64](raw []byte, n int) []T {
	switch runtime.GOARCH {
	case "amd64", "arm64", "386", "wasm":
	default:
		return nil
	}
	if n == 0 {
		return []T{}
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(raw))), n)
}

// half converts an IEEE 754 half-precision number; every one is exact in float32.
func half(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch {
	case exp == 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp > 0:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	}
	v := float32(frac) / (1 << 24) // zero or subnormal
	return math.Float32frombits(sign | math.Float32bits(v))
}
