package onnxgo

import (
	"context"
	"errors"
	"fmt"

	"gorgonia.org/tensor"

	"gantry/infer/internal/exec"
	"gantry/infer/internal/pass"
	"gantry/infer/internal/plan"
)

// limits of a model that the caller trusted onnx-go with.
var limits = plan.Limits{Elements: 1 << 28, ArenaBytes: 1 << 30}

// runner is the model, ready to run.
type runner struct {
	*exec.Runner
	in, out []*value
}

// Run computes the model's outputs from its inputs, which were set with SetInput, or with
// SetTensor on the nodes of Model.GetNodeByName. It never changes inputs or weights; each call makes new
// tensors for the outputs.
func (b *Backend) Run() error {
	if b.err != nil {
		return b.err
	}
	if b.runner == nil {
		g, in, out, err := b.full()
		if err != nil {
			return err
		}
		if g, err = pass.Run(g, limits, false, nil); err != nil {
			return fmt.Errorf("onnxgo: %w", err)
		}
		b.runner = &runner{exec.NewRunner(g, limits, b.pool), in, out}
	}
	args := make([]*plan.Tensor, len(b.runner.in))
	for i, v := range b.runner.in {
		t, err := fromTensor(v.data)
		if err != nil {
			return fmt.Errorf("onnxgo: input %q: %w", v.name, err)
		}
		args[i] = t
	}
	results, err := b.runner.Run(context.Background(), args)
	if err != nil {
		return fmt.Errorf("onnxgo: %w", err)
	}
	if err := limits.CheckCopies(results); err != nil {
		return fmt.Errorf("onnxgo: %w", err)
	}
	made := map[string]tensor.Tensor{}
	for i, v := range b.runner.out {
		v.data = toTensor(results[i])
		made[v.name] = v.data
	}
	for _, v := range b.runner.in {
		made[v.name] = v.data
	}
	for _, v := range b.values[:b.declared] { // the second value of a name
		if t := made[v.name]; t != nil {
			v.data = t
		}
	}
	return nil
}

// fromTensor returns t, float32 and int64 without a copy where it can.
func fromTensor(t tensor.Tensor) (*plan.Tensor, error) {
	d, ok := t.(*tensor.Dense)
	if !ok {
		return nil, fmt.Errorf("is %T, want *tensor.Dense", t)
	}
	if d.DataOrder().IsColMajor() {
		return nil, errors.New("is in column-major order, want row-major")
	}
	if d.RequiresIterator() {
		m, ok := d.Materialize().(*tensor.Dense)
		if !ok || m.RequiresIterator() {
			return nil, errors.New("is a view that cannot be copied")
		}
		d = m
	}
	x := &plan.Tensor{Type: plan.Type{Shape: append([]int{}, d.Shape()...)}}
	switch d.Dtype() { // Data would return a bare number for some tensors of one element
	case tensor.Float32:
		x.DType, x.F = plan.Float32, d.Float32s()
	case tensor.Float64:
		x.DType, x.F = plan.Float32, convert[float32](d.Float64s())
	case tensor.Int64:
		x.DType, x.I = plan.Int64, d.Int64s()
	case tensor.Int32:
		x.DType, x.I = plan.Int32, convert[int64](d.Int32s())
	case tensor.Uint8:
		x.DType, x.I = plan.Uint8, convert[int64](d.Uint8s())
	case tensor.Bool:
		x.DType = plan.Bool
		for _, v := range d.Bools() {
			k := int64(0)
			if v {
				k = 1
			}
			x.I = append(x.I, k)
		}
	default:
		return nil, fmt.Errorf("has elements of type %v, want float32, float64, int64, int32, uint8 or bool", d.Dtype())
	}
	if err := limits.Check(x.Type); err != nil {
		return nil, err
	}
	if n := x.Count(); n != len(x.F)+len(x.I) {
		return nil, fmt.Errorf("has %d elements, want %d for shape %v", len(x.F)+len(x.I), n, x.Shape)
	}
	return x, nil
}

// toTensor returns a copy of x.
func toTensor(x *plan.Tensor) tensor.Tensor {
	var data any
	switch x.DType {
	case plan.Float32:
		data = append([]float32{}, x.F...)
	case plan.Int64:
		data = append([]int64{}, x.I...)
	case plan.Int32:
		data = convert[int32](x.I)
	case plan.Uint8:
		data = convert[uint8](x.I)
	case plan.Bool:
		b := make([]bool, len(x.I))
		for i, v := range x.I {
			b[i] = v != 0
		}
		data = b
	}
	return tensor.New(tensor.WithShape(x.Shape...), tensor.WithBacking(data))
}

func convert[T, S float32 | float64 | int64 | int32 | uint8](x []S) []T {
	y := make([]T, len(x))
	for i, v := range x {
		y[i] = T(v)
	}
	return y
}
