package exec

import (
	"fmt"

	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

func init() {
	for name, act := range map[string]kernel.Act{"Relu": kernel.Relu, "Sigmoid": kernel.Sigmoid, "Tanh": kernel.Tanh} {
		plan.Register(plan.Operator{Name: name, MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(*plan.Decl) (plan.Op, error) {
			return &Activation{Act: act}, nil
		}})
	}
	plan.Register(plan.Operator{Name: "LeakyRelu", MinIn: 1, MaxIn: 1, MaxOut: 1, New: func(d *plan.Decl) (plan.Op, error) {
		return &Activation{Act: kernel.LeakyRelu, Alpha: d.Float("alpha", 0.01)}, nil
	}})
}

// Activation is Relu, LeakyRelu, Sigmoid or Tanh: the operators that a kernel's epilogue can take in.
type Activation struct {
	Act   kernel.Act
	Alpha float32 // the slope of LeakyRelu below zero
}

// Infer returns the argument's type. Relu takes integers, too.
func (a *Activation) Infer(in []*plan.Arg) (plan.Result, error) {
	if t := in[0].DType; a.Act == kernel.Relu && t.Integer() && t != plan.Bool {
		return result(t, in[0].Shape), nil
	}
	return result(plan.Float32, in[0].Shape), plan.WantFloats(in)
}

// Run applies the function to each element.
func (a *Activation) Run(c *plan.Context, in, out []*plan.Tensor) error {
	for i, v := range in[0].I {
		out[0].I[i] = max(v, 0)
	}
	kernel.Apply(c.Pool, a.Act, a.Alpha, out[0].F, in[0].F)
	return nil
}

// InPlace allows the result to overwrite the argument.
func (*Activation) InPlace() []int { return []int{0} }

// Describe names the function.
func (a *Activation) Describe() string { return describeAct(a.Act, a.Alpha) }

func describeAct(act kernel.Act, alpha float32) string {
	switch act {
	case kernel.Identity:
		return ""
	case kernel.Relu:
		return "relu"
	case kernel.LeakyRelu:
		return fmt.Sprintf("leaky_relu(%g)", alpha)
	case kernel.Tanh:
		return "tanh"
	case kernel.Sigmoid:
		return "sigmoid"
	}
	panic(fmt.Sprintf("exec: internal error: activation %d", act))
}
