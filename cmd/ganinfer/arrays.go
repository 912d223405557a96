package main

import (
	"fmt"

	"gantry/infer"
	"gantry/internal/npy"
)

// asFloat32 returns a as float32, which it must be, or float64: what numpy makes unless it is told.
func asFloat32(a *npy.Array) (*npy.Array, error) {
	switch a.DType {
	case npy.Float32:
		return a, nil
	case npy.Float64:
		b := &npy.Array{DType: npy.Float32, Shape: a.Shape, F32: make([]float32, len(a.F64))}
		for i, v := range a.F64 {
			b.F32[i] = float32(v)
		}
		return b, nil
	}
	return a, fmt.Errorf("has elements of type %s, want <f4 or <f8", a.DType)
}

// toTensor returns a as an input of the given type. Integers and booleans of any width stand for each other: Run looks at the values.
func toTensor(a *npy.Array, want infer.DType) (infer.Tensor, error) {
	if want.Integer() {
		t := infer.Tensor{DType: want, Shape: a.Shape, I64: a.I64}
		switch a.DType {
		case npy.Float32, npy.Float64:
			return t, fmt.Errorf("has elements of type %s, want <i8, <i4, |u1 or |b1", a.DType)
		case npy.Int32:
			for _, v := range a.I32 {
				t.I64 = append(t.I64, int64(v))
			}
		case npy.Uint8, npy.Bool:
			for _, v := range a.U8 {
				t.I64 = append(t.I64, int64(v))
			}
		}
		return t, nil
	}
	a, err := asFloat32(a)
	return infer.Tensor{DType: infer.Float32, Shape: a.Shape, F32: a.F32}, err
}

// fromTensor returns t as an array.
func fromTensor(t infer.Tensor) *npy.Array {
	a := &npy.Array{DType: npy.Int64, Shape: t.Shape, F32: t.F32, I64: t.I64}
	switch t.DType {
	case infer.Float32:
		a.DType = npy.Float32
	case infer.Int32:
		a.DType = npy.Int32
		for _, v := range t.I64 {
			a.I32 = append(a.I32, int32(v))
		}
	case infer.Uint8, infer.Bool:
		if a.DType = npy.Uint8; t.DType == infer.Bool {
			a.DType = npy.Bool
		}
		for _, v := range t.I64 {
			a.U8 = append(a.U8, uint8(v))
		}
	}
	return a
}
