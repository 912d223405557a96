package pass

import (
	"testing"

	"gantry/infer/internal/plan"
)

// TestFoldReads: nodes that share a constant are computed at load as long as the budget lets them read it.
func TestFoldReads(t *testing.T) {
	op, err := plan.NewOp("Neg", &plan.Decl{Opset: 13, In: []bool{true}, Outs: 1})
	if err != nil {
		t.Fatal(err)
	}
	x := plan.NewTensor(plan.Type{DType: plan.Float32, Shape: []int{4}})
	g := &plan.Graph{Values: []plan.Value{{Const: x}, {}, {}}, Nodes: []plan.Node{{Op: op, In: []int{0}, Out: []int{1}}, {Op: op, In: []int{0}, Out: []int{2}}}}
	if err := foldConstants(g, &Budget{Limits: plan.Limits{Elements: 4, ArenaBytes: 16}, reads: 7}); err != nil {
		t.Fatal(err)
	}
	if len(g.Nodes) != 1 || g.Values[1].Const == nil || g.Values[2].Const != nil {
		t.Errorf("got %d nodes, want the second alone", len(g.Nodes))
	}
}
