package exec

import (
	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
)

// Fused is what a Linear or a Convolution does besides its sum.
type Fused struct {
	Bias   []float32  // one element for each column or channel, or nil
	Folded bool       // a batch norm is in the weights and Bias
	Act    kernel.Act // applied at the end
	Alpha  float32    // slope of LeakyRelu
}

// Fuser is an Op with an epilogue.
type Fuser interface {
	plan.Op
	Epilogue() Fused
	Fuse(Fused) plan.Op // the same Op with another epilogue
	Outputs() int       // length of Bias
}

// Epilogue returns f.
func (f Fused) Epilogue() Fused { return f }

func (f Fused) describe() string {
	s := ""
	if f.Bias != nil {
		s += "+bias"
	}
	if f.Act != kernel.Identity {
		s += "+" + describeAct(f.Act, f.Alpha)
	}
	return s
}
