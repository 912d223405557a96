package onnxgo

import (
	"testing"

	"github.com/owulveryck/onnx-go/backend/testbackend"
	_ "github.com/owulveryck/onnx-go/backend/testbackend/onnx"

	"gantry/infer/internal/plan"
)

// cases is the number of cases that onnx-go brings for the operators that exist here and that can run.
const cases = 104

// excluded says why a case is left out.
var excluded = map[string]string{
	"TestConvtranspose3d": "three spatial dimensions are not supported",
}

// TestBackend runs them. They are of opsets 6 to 9, and 9 reads all of them right; those of Resize are of opset 10.
func TestBackend(t *testing.T) {
	ran := 0
	for _, op := range plan.Operators() {
		opset := int64(9)
		if op == "Resize" {
			opset = 10
		}
		for _, make := range testbackend.GetOpTypeTests(op) {
			c := make()
			if why := excluded[c.GetInfo()]; why != "" {
				t.Logf("%s/%s is left out: %s", op, c.GetInfo(), why)
				continue
			}
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
