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

// toTensor returns a as an input of the given type.
func toTensor(a *npy.Array, want infer.DType) (infer.Tensor, error) {
	if want == infer.Int64 {
		if a.DType != npy.Int64 {
			return infer.Tensor{}, fmt.Errorf("has elements of type %s, want <i8", a.DType)
		}
		return infer.Tensor{DType: infer.Int64, Shape: a.Shape, I64: a.I64}, nil
	}
	a, err := asFloat32(a)
	return infer.Tensor{DType: infer.Float32, Shape: a.Shape, F32: a.F32}, err
}

// fromTensor returns t as an array.
func fromTensor(t infer.Tensor) *npy.Array {
	if t.DType == infer.Int64 {
		return &npy.Array{DType: npy.Int64, Shape: t.Shape, I64: t.I64}
	}
	return &npy.Array{DType: npy.Float32, Shape: t.Shape, F32: t.F32}
}
