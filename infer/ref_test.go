package infer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"gantry/infer/internal/plan"
	"gantry/infer/internal/ref"
	"gantry/internal/onnx"
)

// TestPlanMatchesReference runs random graphs through the passes and the plan, and compares them with
// the reference within its own error bounds.
func TestPlanMatchesReference(t *testing.T) {
	models := 1500
	if testing.Short() {
		models = 200
	}
	for seed := range models {
		compareWithReference(t, uint64(seed))
	}
}

func FuzzPlanMatchesReference(f *testing.F) {
	f.Add(uint64(1) << 40)
	f.Fuzz(func(t *testing.T, seed uint64) { compareWithReference(t, seed) })
}

func compareWithReference(t *testing.T, seed uint64) {
	t.Helper()
	r := newRandomModel(seed)
	raw, _, err := decode("", r.bytes(), onnx.Limits{})
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	m, err := LoadBytes(r.bytes(), Options{Threads: 2})
	if err != nil {
		t.Fatalf("seed %d: %v\n%v", seed, err, raw)
	}
	s := m.NewSession()
	var last map[string]Tensor
	for run := range 2 { // stale memory shows in the second run only
		inputs, args := map[string]Tensor{}, []*ref.Tensor{}
		for _, v := range r.inputs {
			x := v.input(r.r)
			inputs[v.name] = x
			args = append(args, ref.From(&plan.Tensor{Type: plan.Type{DType: v.dtype, Shape: v.shape}, F: x.F32, I: x.I64}))
		}
		before := cloneTensors(inputs)
		got, err := s.Run(context.Background(), inputs)
		if err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, raw)
		}
		if err := equalTensors(inputs, before); err != nil {
			t.Fatalf("seed %d: an input was changed: %v\n%v", seed, err, raw)
		}
		want, err := ref.Run(raw, args)
		if err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, raw)
		}
		for i, v := range m.outputs {
			g := got[v.Name]
			if err := ref.Differ(&plan.Tensor{Type: plan.Type{DType: plan.DType(g.DType), Shape: g.Shape}, F: g.F32, I: g.I64}, want[i]); err != nil {
				text, _ := m.PlanText(3)
				t.Fatalf("seed %d, run %d, output %s: %v\n%v\n%v\n%s", seed, run, v.Name, err, raw, m.graph, text)
			}
		}
		if last, err = m.NewSession().Run(context.Background(), inputs); err != nil {
			t.Fatal(err)
		}
		if err := equalTensors(got, last); err != nil {
			t.Fatalf("seed %d: a fresh session gives other bits: %v", seed, err)
		}
	}
}

// TestOtherShapes runs random graphs on shapes that they were not made for, empty ones among them: they may refuse these, but their results
// do not depend on what stood in the arena before.
func TestOtherShapes(t *testing.T) {
	ran, models := 0, uint64(2000)
	if testing.Short() {
		models = 300
	}
	for seed := range models {
		r := newRandomModel(seed)
		m, err := LoadBytes(r.bytes(), Options{Threads: 2})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		used, fresh := m.NewSession(), m.NewSession()
		open := map[string]int{}
		usual, other := map[string]Tensor{}, map[string]Tensor{}
		for i, v := range r.inputs {
			usual[v.name] = v.input(r.r)
			v.shape = slices.Clone(v.shape)
			for k, symbol := range m.inputs[i].Symbols {
				if symbol == "" {
					continue
				}
				if _, ok := open[symbol]; !ok {
					open[symbol] = r.r.IntN(2)
				}
				v.shape[k] = open[symbol]
			}
			other[v.name] = v.input(r.r)
		}
		if _, err := used.Run(context.Background(), usual); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, err := used.Run(context.Background(), other)
		if err != nil {
			continue
		}
		want, err := fresh.Run(context.Background(), other)
		if err == nil {
			err = equalTensors(got, want)
		}
		if err != nil {
			t.Errorf("seed %d, %v: a fresh session gives %v", seed, open, err)
		}
		ran++
	}
	if uint64(ran) < models/4 {
		t.Errorf("%d of %d graphs ran, want a quarter at least", ran, models)
	}
}

func cloneTensors(m map[string]Tensor) map[string]Tensor {
	c := map[string]Tensor{}
	for k, t := range m {
		c[k] = Tensor{t.DType, slices.Clone(t.Shape), slices.Clone(t.F32), slices.Clone(t.I64)}
	}
	return c
}

// equalTensors returns an error unless a and b hold the same bits.
func equalTensors(a, b map[string]Tensor) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d tensors, want %d", len(a), len(b))
	}
	for k, x := range a {
		y := b[k]
		if x.DType != y.DType || !slices.Equal(x.Shape, y.Shape) || !slices.Equal(x.I64, y.I64) || len(x.F32) != len(y.F32) {
			return fmt.Errorf("%s: %v %v, want %v %v", k, x.DType, x.Shape, y.DType, y.Shape)
		}
		for i, v := range x.F32 {
			if math.Float32bits(v) != math.Float32bits(y.F32[i]) && !(v != v && y.F32[i] != y.F32[i]) {
				return fmt.Errorf("%s[%d]: %v, want %v", k, i, v, y.F32[i])
			}
		}
	}
	return nil
}
