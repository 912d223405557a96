package infer

import (
	"fmt"
	"slices"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// math adds an operator on numbers.
func (m *randomModel) math(v randomValue) {
	switch m.r.IntN(10) {
	case 8:
		m.triangle(v)
	case 9:
		m.attention(v)
	case 5:
		m.lines(v)
	case 6, 7:
		m.norm(v)
	case 0, 1:
		m.function(v)
	case 2:
		m.variadic(v)
	case 3:
		m.pow(v)
	case 4:
		m.reduce(v)
	}
}

// function adds a function of each element.
func (m *randomModel) function(v randomValue) {
	ops := []struct {
		name  string
		since int64
		attrs []*onnx.AttributeProto
	}{
		{"Sin", 7, nil}, {"Cos", 7, nil}, {"Erf", 9, nil}, {"Softplus", 7, nil}, {"Softsign", 7, nil}, {"Round", 11, nil}, {"Sign", 9, nil},
		{"Mish", 18, nil}, {"Swish", 24, nil}, {"HardSwish", 14, nil}, {"HardSigmoid", 7, nil},
		{"HardSigmoid", 7, []*onnx.AttributeProto{onnxtest.Float("alpha", 0.5), onnxtest.Float("beta", 0.25)}},
		{"Elu", 7, []*onnx.AttributeProto{onnxtest.Float("alpha", 0.7)}},
		{"Celu", 12, []*onnx.AttributeProto{onnxtest.Float("alpha", 1.3)}},
		{"Selu", 7, nil}, {"Gelu", 20, nil}, {"Gelu", 20, []*onnx.AttributeProto{text("approximate", "tanh")}},
		{"ThresholdedRelu", 10, []*onnx.AttributeProto{onnxtest.Float("alpha", 0.3)}},
	}
	if op := ops[m.r.IntN(len(ops))]; op.since <= m.opset {
		m.add(op.name, v.shape, []string{v.name}, op.attrs...)
	}
}

// variadic adds an operator of any number of arguments, or a PRelu.
func (m *randomModel) variadic(v randomValue) {
	op := []string{"Max", "Min", "Sum", "Mean", "PRelu"}[m.r.IntN(5)]
	if op == "PRelu" {
		s := append([]int{}, v.shape...)
		for i := range s {
			if i != 1 && m.r.IntN(2) == 0 {
				s[i] = 1
			}
		}
		m.add(op, v.shape, []string{v.name, m.weight(s[m.r.IntN(len(s)+1):]...)})
		return
	}
	if m.opset < 8 {
		return
	}
	shape, in := v.shape, []string{v.name}
	for range m.r.IntN(4) {
		s, again := m.stretch(v.shape), m.r.IntN(3) == 0
		if again {
			s = v.shape
		}
		both, err := plan.Broadcast(shape, s)
		switch {
		case err != nil || plan.Count(both) > 1<<12:
			continue
		case again:
			in = append(in, v.name)
		default:
			in = append(in, m.weight(s...))
		}
		shape = both
	}
	m.add(op, shape, in)
}

// pow adds a power, of positive numbers if it wants them.
func (m *randomModel) pow(v randomValue) {
	y := []float32{2, 3, 0, 0.5, -1, 1.7, -0.5}[m.r.IntN(7)]
	if y != 2 && y != 3 && y != 0 {
		m.add("Sigmoid", v.shape, []string{v.name})
		v = m.values[len(m.values)-1]
	}
	exponent := m.weight()
	*m.g.Initializer[len(m.g.Initializer)-1] = *onnxtest.Floats(exponent, []float32{y})
	m.add("Pow", v.shape, []string{v.name, exponent})
}

// reduce adds a reduction over some axes or all.
func (m *randomModel) reduce(v randomValue) {
	op := []string{"Max", "Min", "Sum", "Mean", "Prod", "SumSquare", "L1", "L2", "LogSum", "LogSumExp", "Max", "Mean"}[m.r.IntN(12)]
	if op == "LogSum" || op == "Prod" {
		m.add("Sigmoid", v.shape, []string{v.name})
		v = m.values[len(m.values)-1]
	}
	var axes, shape, all []int
	keep, rank := m.r.IntN(2), len(v.shape)
	for i, d := range v.shape {
		if keep == 1 {
			all = append(all, 1)
		}
		switch {
		case m.r.IntN(2) == 0:
			shape = append(shape, d)
			continue
		case keep == 1:
			shape = append(shape, 1)
		}
		axes = append(axes, i-m.r.IntN(2)*rank)
	}
	in, attrs := []string{v.name}, []*onnx.AttributeProto{onnxtest.Int("keepdims", int64(keep))}
	switch asInput := m.opset >= 18 || op == "Sum" && m.opset >= 13; {
	case axes == nil && asInput && m.r.IntN(2) == 0:
		attrs = append(attrs, onnxtest.Int("noop_with_empty_axes", 1))
	case axes == nil:
		shape = all
	case asInput:
		in = append(in, m.intWeight(axes...))
	default:
		attrs = append(attrs, ints("axes", axes...))
	}
	m.add("Reduce"+op, shape, in, attrs...)
}

// lines adds a Softmax, LogSoftmax or LpNormalization.
func (m *randomModel) lines(v randomValue) {
	rank := len(v.shape)
	if rank == 0 {
		return
	}
	op := []string{"Softmax", "LogSoftmax", "LpNormalization"}[m.r.IntN(3)]
	attrs := []*onnx.AttributeProto{onnxtest.Int("axis", int64(m.r.IntN(rank)-m.r.IntN(2)*rank))}
	switch {
	case m.opset < 11: // the axis counts from the front
		attrs[0].I = int64(m.r.IntN(rank))
	case m.opset >= 13 && m.r.IntN(3) == 0:
		attrs = nil
	}
	if op == "LpNormalization" {
		attrs = append(attrs, onnxtest.Int("p", int64(1+m.r.IntN(2))))
	}
	m.add(op, v.shape, []string{v.name}, attrs...)
}

// norm adds a normalization over an image, a group of its channels, a channel, or the last dimensions.
func (m *randomModel) norm(v randomValue) {
	rank := len(v.shape)
	eps := onnxtest.Float("epsilon", 1e-3)
	op := []string{"Instance", "Instance", "Group", "Layer", "RMS"}[m.r.IntN(5)]
	in, attrs := []string{v.name}, []*onnx.AttributeProto{eps}
	switch {
	case op == "Instance" && rank > 2:
		in = append(in, m.weight(v.shape[1]), m.weight(v.shape[1]))
	case op == "Group" && rank > 2 && m.opset >= 21: // onnx.checker refuses that of opset 18
		groups := 1 + m.r.IntN(v.shape[1])
		for v.shape[1]%groups != 0 {
			groups--
		}
		attrs = append(attrs, onnxtest.Int("num_groups", int64(groups)))
		in = append(in, m.weight(v.shape[1]), m.weight(v.shape[1]))
	case op == "Layer" && rank > 0 && m.opset >= 17 || op == "RMS" && rank > 0 && m.opset >= 23:
		axis := m.r.IntN(rank)
		s := v.shape[axis:]
		if m.opset > 21 && m.r.IntN(3) == 0 { // ONNX Runtime wants all of them
			s = s[m.r.IntN(len(s)):]
		}
		in = append(in, m.weight(s...))
		if op == "Layer" && m.r.IntN(2) == 0 {
			in = append(in, m.weight(s...))
		}
		attrs = append(attrs, onnxtest.Int("axis", int64(axis-m.r.IntN(2)*rank)))
	default:
		return
	}
	m.add(op+"Normalization", v.shape, in, attrs...)
}

// triangle adds a Trilu or a CumSum.
func (m *randomModel) triangle(v randomValue) {
	rank := len(v.shape)
	number := func(x int) string {
		name := fmt.Sprintf("w%d", len(m.g.Initializer))
		m.g.Initializer = append(m.g.Initializer, onnxtest.Ints(name, []int64{int64(x)}))
		return name
	}
	switch {
	case m.opset >= 14 && rank > 1 && m.r.IntN(2) == 0:
		m.add("Trilu", v.shape, []string{v.name, number(m.r.IntN(7) - 3)}, onnxtest.Int("upper", int64(m.r.IntN(2))))
	case m.opset >= 11 && rank > 0:
		m.add("CumSum", v.shape, []string{v.name, number(m.r.IntN(2*rank) - rank)}, onnxtest.Int("exclusive", int64(m.r.IntN(2))), onnxtest.Int("reverse", int64(m.r.IntN(2))))
	}
}

// attention adds softmax(x·xᵀ)·x.
func (m *randomModel) attention(v randomValue) {
	rank := len(v.shape)
	if rank < 2 || rank > 4 || v.shape[rank-2] > 64 {
		return
	}
	perm := []int{0, 1, 2, 3}[:rank]
	perm[rank-2], perm[rank-1] = rank-1, rank-2
	turned, scores := slices.Clone(v.shape), slices.Clone(v.shape)
	turned[rank-2], turned[rank-1] = v.shape[rank-1], v.shape[rank-2]
	scores[rank-1] = scores[rank-2]
	last := func() string { return m.values[len(m.values)-1].name }
	m.add("Tanh", v.shape, []string{v.name})
	x := last()
	m.add("Transpose", turned, []string{x}, ints("perm", perm...))
	m.add("MatMul", scores, []string{x, last()})
	m.add("Softmax", scores, []string{last()}, onnxtest.Int("axis", int64(rank-1)))
	m.add("MatMul", v.shape, []string{last(), x})
}
