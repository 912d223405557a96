package onnxgo

import (
	"path"
	"testing"

	"github.com/owulveryck/onnx-go/backend/testbackend"
	_ "github.com/owulveryck/onnx-go/backend/testbackend/onnx"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
)

// cases is the number of cases that onnx-go brings for the operators that exist here and that can run.
const cases = 104

// excluded says, for patterns of titles, why cases are left out.
var excluded = map[string]string{
	"TestConvtranspose3d": "three spatial dimensions are not supported",
}

// TestBackend runs them, each at the opset that it imports. Some import 6, which has the meaning of 7 for their operators.
func TestBackend(t *testing.T) {
	ran, left := 0, map[string]int{}
	for _, op := range plan.Operators() {
		for _, make := range testbackend.GetOpTypeTests(op) {
			c := make()
			if pattern := excludes(c.GetInfo()); pattern != "" {
				left[pattern]++
				continue
			}
			var m onnx.ModelProto
			if err := m.Unmarshal(c.ModelB); err != nil {
				t.Fatal(err)
			}
			opset := max(m.OpsetImport[0].Version, plan.MinOpset)
			t.Run(op+"/"+c.GetInfo(), func(t *testing.T) { c.RunTest(New(WithOpset(opset)), false)(t) })
			if c.Tested && !c.Skipped && !c.Failed {
				ran++
			}
		}
	}
	for pattern, why := range excluded {
		t.Logf("%s: %d are left out: %s", pattern, left[pattern], why)
		if left[pattern] == 0 {
			t.Errorf("no case is left out by %q", pattern)
		}
	}
	if t.Logf("%d cases ran", ran); ran != cases {
		t.Errorf("%d cases ran and passed, want %d", ran, cases)
	}
}

// excludes returns the pattern that leaves a case out, "" if there is none.
func excludes(title string) string {
	for pattern := range excluded {
		if ok, _ := path.Match(pattern, title); ok {
			return pattern
		}
	}
	return ""
}
