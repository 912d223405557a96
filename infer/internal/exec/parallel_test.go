package exec

import (
	"context"
	"errors"
	"testing"

	"gantry/infer/internal/plan"
)

// TestEachCovers: ranges cover everything once, however much work there is, and end soon after the context is stopped.
func TestEachCovers(t *testing.T) {
	for _, cost := range []int{0, 1, longWork / 10, longWork} {
		for _, n := range []int{0, 1, 7, 1000} {
			next := 0
			each(&plan.Context{}, n, cost, func(lo, hi int) {
				if lo != next || hi < lo {
					t.Errorf("%d of cost %d: range %d..%d after %d", n, cost, lo, hi, next)
				}
				next = hi
			})
			if next != n {
				t.Errorf("%d of cost %d: got %d", n, cost, next)
			}
		}
	}
	done, ran := make(chan struct{}), 0
	each(&plan.Context{Done: done}, 1000, longWork, func(lo, hi int) {
		if ran += hi - lo; ran == 1 {
			close(done)
		}
	})
	if ran != 1 {
		t.Errorf("%d of 1000 parts ran, want the first", ran)
	}
}

// TestStoppedStep: what a step has not finished is not given out.
func TestStoppedStep(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	op := &function{
		infer: func(in []*plan.Arg) (plan.Result, error) { return result(plan.Float32, in[0].Shape), nil },
		run:   func(*plan.Context, []*plan.Tensor, []*plan.Tensor) error { cancel(); return nil },
	}
	g := &plan.Graph{Values: make([]plan.Value, 2), Inputs: []int{0}, Outputs: []int{1}, Nodes: []plan.Node{{Op: op, In: []int{0}, Out: []int{1}}}}
	r := NewRunner(g, plan.Limits{Elements: 1, ArenaBytes: 1 << 10}, nil)
	if out, err := r.Run(ctx, []*plan.Tensor{f32([]int{1}, 1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v, want %v", out, err, context.Canceled)
	}
}
