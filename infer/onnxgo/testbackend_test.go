package onnxgo

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	onnxlib "github.com/owulveryck/onnx-go"
	"github.com/owulveryck/onnx-go/backend/testbackend"
	_ "github.com/owulveryck/onnx-go/backend/testbackend/onnx"
	"gorgonia.org/tensor"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
)

// cases is the number of cases that onnx-go brings for the operators that exist here and that can run.
const cases = 286

// excluded says why a case is left out. One that passes is an error.
var excluded = map[string]string{
	"TestModBroadcast":        wrongType,
	"TestSize":                wrongType,
	"TestSizeExample":         wrongType,
	"TestSliceEndOutOfBounds": wrongType,
	"TestSliceNeg":            wrongType,
	"TestTopK":                wrongType,
}

const wrongType = "its data hold a tensor of one integer as float32, which the operator does not take or give"

// TestBackend runs them, each at the opset that it imports. Some import 6, which has the meaning of 7 for their operators.
func TestBackend(t *testing.T) {
	passed, left := 0, 0
	for _, op := range plan.Operators() {
		for _, make := range testbackend.GetOpTypeTests(op) {
			c := make()
			err := runCase(c)
			switch why := excluded[c.Title]; {
			case why == "" && err == nil:
				passed++
			case why == "":
				t.Errorf("%s: %v", c.Title, err)
			case err == nil:
				t.Errorf("%s passes, but is excluded: %s", c.Title, why)
			default:
				left++
			}
		}
	}
	if left != len(excluded) {
		t.Errorf("%d cases were excluded, want %d", left, len(excluded))
	}
	if t.Logf("%d cases ran, %d were excluded", passed, left); passed != cases {
		t.Errorf("%d cases ran and passed, want %d", passed, cases)
	}
}

// runCase does what onnx-go's own RunTest does, but that its tolerance of 1e-6 is relative for numbers above 1: float32 has no better one.
func runCase(c *testbackend.TestCase) error {
	var file onnx.ModelProto
	if err := file.Unmarshal(c.ModelB); err != nil {
		return err
	}
	b := New(WithOpset(max(file.OpsetImport[0].Version, plan.MinOpset)))
	m := onnxlib.NewModel(b)
	if err := m.UnmarshalBinary(c.ModelB); err != nil {
		return err
	}
	for i, x := range c.Input {
		if err := m.SetInput(i, x); err != nil {
			return err
		}
	}
	if err := b.Run(); err != nil {
		return err
	}
	got, err := m.GetOutputTensors()
	if err != nil {
		return err
	}
	if len(got) != len(c.ExpectedOutput) {
		return fmt.Errorf("%d outputs, want %d", len(got), len(c.ExpectedOutput))
	}
	for i, want := range c.ExpectedOutput {
		if !got[i].Shape().Eq(want.Shape()) || got[i].Dtype() != want.Dtype() && want.Dtype() != tensor.Float64 {
			return fmt.Errorf("output %d is %v %v, want %v %v", i, got[i].Dtype(), got[i].Shape(), want.Dtype(), want.Shape())
		}
		w := numbers(want)
		for k, x := range numbers(got[i]) {
			if d := math.Abs(x - w[k]); !(d <= 1e-6*max(1, math.Abs(w[k]))) && x != w[k] {
				return fmt.Errorf("output %d[%d] is %v, want %v", i, k, x, w[k])
			}
		}
	}
	return nil
}

// numbers returns the elements of x, whatever their type; Data returns a bare number for some tensors of one.
func numbers(x tensor.Tensor) []float64 {
	v := reflect.ValueOf(x.Data())
	if v.Kind() != reflect.Slice {
		s := reflect.MakeSlice(reflect.SliceOf(v.Type()), 1, 1)
		s.Index(0).Set(v)
		v = s
	}
	out := make([]float64, v.Len())
	for i := range out {
		switch e := v.Index(i); {
		case e.CanFloat():
			out[i] = e.Float()
		case e.CanInt():
			out[i] = float64(e.Int())
		case e.CanUint():
			out[i] = float64(e.Uint())
		case e.Kind() == reflect.Bool && e.Bool():
			out[i] = 1
		}
	}
	return out
}
