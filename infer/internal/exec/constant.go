package exec

import (
	"errors"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Constant", MaxOut: 1, New: newConstant})
}

// constant is ONNX Constant. Files that went through internal/onnx have none left.
type constant struct{ value *plan.Tensor }

func newConstant(d *plan.Decl) (plan.Op, error) {
	if len(d.Attrs) != 1 {
		return nil, errors.New("has not exactly one attribute")
	}
	c := &constant{value: d.Tensor("value")}
	switch {
	case c.value != nil:
	case d.Opset < 12:
	case d.Given("value_float"):
		c.value = floats([]int{}, d.Float("value_float", 0))
	case d.Given("value_floats"):
		v := d.Floats("value_floats")
		c.value = floats([]int{len(v)}, v...)
	case d.Given("value_int"):
		c.value = ints([]int{}, d.Int("value_int", 0))
	case d.Given("value_ints"):
		v := d.Ints("value_ints")
		c.value = ints([]int{len(v)}, v...)
	}
	if c.value == nil {
		return nil, errors.New("has no numbers of this opset: want value, value_float, value_floats, value_int or value_ints")
	}
	return c, nil
}

func floats(shape []int, v ...float32) *plan.Tensor {
	return &plan.Tensor{Type: plan.Type{DType: plan.Float32, Shape: shape}, F: v}
}

func ints(shape []int, v ...int64) *plan.Tensor {
	return &plan.Tensor{Type: plan.Type{DType: plan.Int64, Shape: shape}, I: v}
}

func (c *constant) Infer([]*plan.Arg) (plan.Result, error) {
	return result(c.value.DType, c.value.Shape), nil
}

func (c *constant) Run(_ *plan.Context, _, out []*plan.Tensor) error {
	copyTensor(out[0], c.value)
	return nil
}
