package exec

import (
	"slices"
	"testing"

	"gantry/infer/internal/plan"
)

// TestLayerNormStatistics reads the results that are rarely there.
func TestLayerNormStatistics(t *testing.T) {
	op, err := plan.NewOp("LayerNormalization", &plan.Decl{Opset: 17, In: []bool{true, true}, Outs: 3, Attrs: attrs{"epsilon": float32(0), "axis": int64(-1)}})
	if err != nil {
		t.Fatal(err)
	}
	x, scale := f32([]int{2, 2}, 1, 5, 0, 1), f32([]int{1}, 1)
	r, err := op.Infer([]*plan.Arg{{Type: x.Type}, {Type: scale.Type}})
	if err != nil {
		t.Fatal(err)
	}
	var out []*plan.Tensor
	for _, o := range r.Out {
		out = append(out, plan.NewTensor(o))
	}
	if err := op.Run(&plan.Context{}, []*plan.Tensor{x, scale}, out); err != nil {
		t.Fatal(err)
	}
	if len(out) != 3 || !slices.Equal(out[1].Shape, []int{2, 1}) || !slices.Equal(out[1].F, []float32{3, 0.5}) || !slices.Equal(out[2].F, []float32{0.5, 2}) {
		t.Errorf("got %v, %v, want means [3 0.5] and inverse deviations [0.5 2], both of shape [2 1]", out[1], out[2])
	}
}
