package onnxgo

import (
	"testing"

	"github.com/owulveryck/onnx-go/backend/testbackend"
	_ "github.com/owulveryck/onnx-go/backend/testbackend/onnx"

	"gantry/infer/internal/plan"
)

// cases is the number of cases that onnx-go brings for the operators that exist here and that can run.
const cases = 135

// TestBackend runs them. They are of opsets 6 to 9, and 9 reads all of them right; those of Resize and the pools are of opset 10.
func TestBackend(t *testing.T) {
	ran := 0
	for _, op := range plan.Operators() {
		opset := int64(9)
		if op == "Resize" || op == "AveragePool" || op == "MaxPool" {
			opset = 10
		}
		for _, make := range testbackend.GetOpTypeTests(op) {
			c := make()
			t.Run(op+"/"+c.GetInfo(), func(t *testing.T) {
				c.RunTest(New(WithOpset(opset)), false)(t)
			})
			if c.Tested && !c.Skipped && !c.Failed {
				ran++
			}
		}
	}
	if t.Logf("%d cases ran", ran); ran != cases {
		t.Errorf("%d cases ran and passed, want %d", ran, cases)
	}
}
