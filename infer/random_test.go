package infer

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// randomModel is a random graph over the supported operators, with shapes that fit.
type randomModel struct {
	r      *rand.Rand
	opset  int64
	g      *onnx.GraphProto
	values []randomValue
	inputs []randomValue
}

type randomValue struct {
	name  string
	shape []int
	dtype DType
	exact bool // computed without rounding: it may be compared
}

func (v randomValue) count() int { return plan.Count(v.shape) }

// newRandomModel makes a model of up to 12 nodes from a seed.
func newRandomModel(seed uint64) *randomModel {
	m := &randomModel{r: rand.New(rand.NewPCG(seed, 1)), g: &onnx.GraphProto{Name: "random"}}
	m.opset = []int64{7, 9, 11, 12, 13, 14, 17, 18, 21, 25, 28}[m.r.IntN(11)]
	for range 1 + m.r.IntN(2) {
		v := randomValue{name: fmt.Sprintf("in%d", len(m.inputs)), shape: m.shape(1+m.r.IntN(4), 5), dtype: Float32, exact: true}
		if m.r.IntN(3) == 0 {
			v.shape = []int{1 + m.r.IntN(20), 1 + m.r.IntN(40)}
		} else if m.r.IntN(3) == 0 { // images
			v.shape = []int{1 + m.r.IntN(3), 1 + m.r.IntN(12), 1 + m.r.IntN(9), 1 + m.r.IntN(9), 1 + m.r.IntN(5)}[:3+m.r.IntN(3)]
		}
		dims := make([]any, len(v.shape))
		for i, d := range v.shape {
			if dims[i] = d; m.r.IntN(2) == 0 {
				dims[i] = fmt.Sprintf("d%d", d)
			}
		}
		in := onnxtest.Value(v.name, dims...)
		if m.r.IntN(4) == 0 && len(m.inputs) > 0 {
			v.dtype = []DType{Int64, Int32, Uint8, Bool}[m.r.IntN(4)]
			in.Type.TensorType.ElemType = declared[v.dtype]
		}
		m.g.Input = append(m.g.Input, in)
		m.inputs, m.values = append(m.inputs, v), append(m.values, v)
	}
	for n := 1 + m.r.IntN(12); len(m.g.Node) < n; {
		m.node()
	}
	for i, v := range m.values[len(m.inputs):] {
		if i == len(m.values)-len(m.inputs)-1 || m.r.IntN(5) == 0 {
			m.g.Output = append(m.g.Output, &onnx.ValueInfoProto{Name: v.name})
		}
	}
	return m
}

func (m *randomModel) bytes() []byte {
	return onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: m.opset}}, Graph: m.g})
}

func (m *randomModel) shape(rank, most int) []int {
	s := make([]int, rank)
	for i := range s {
		s[i] = 1 + m.r.IntN(most)
	}
	return s
}

// floats returns numbers of about the size of 1, the same on all machines: those of NormFloat64 are not.
func (m *randomModel) floats(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(2 * (m.r.Float64() + m.r.Float64() + m.r.Float64() - 1.5))
	}
	return x
}

func (m *randomModel) weight(shape ...int) string {
	name := fmt.Sprintf("w%d", len(m.g.Initializer))
	dims := make([]int64, len(shape))
	for i, d := range shape {
		dims[i] = int64(d)
	}
	m.g.Initializer = append(m.g.Initializer, onnxtest.Floats(name, m.floats(plan.Count(shape)), dims...))
	return name
}

func (m *randomModel) intWeight(x ...int) string {
	name := fmt.Sprintf("w%d", len(m.g.Initializer))
	v := make([]int64, len(x))
	for i, d := range x {
		v[i] = int64(d)
	}
	m.g.Initializer = append(m.g.Initializer, onnxtest.Ints(name, v, int64(len(v))))
	return name
}

func ints(name string, v ...int) *onnx.AttributeProto {
	a := &onnx.AttributeProto{Name: name, Type: onnx.AttributeProto_INTS}
	for _, x := range v {
		a.Ints = append(a.Ints, int64(x))
	}
	return a
}

func (m *randomModel) add(op string, shape []int, in []string, attrs ...*onnx.AttributeProto) {
	m.addAs(op, randomValue{shape: shape, dtype: Float32}, in, attrs...)
}

// addAs adds a node whose result is like v but for the name, and returns the result.
func (m *randomModel) addAs(op string, v randomValue, in []string, attrs ...*onnx.AttributeProto) randomValue {
	v.name = fmt.Sprintf("v%d", len(m.values))
	m.g.Node = append(m.g.Node, &onnx.NodeProto{Name: fmt.Sprintf("n%d", len(m.g.Node)), OpType: op, Input: in, Output: []string{v.name}, Attribute: attrs})
	m.values = append(m.values, v)
	return v
}

// move adds a node that moves the elements of v into another shape.
func (m *randomModel) move(op string, v randomValue, shape []int, in []string, attrs ...*onnx.AttributeProto) {
	m.addAs(op, randomValue{shape: shape, dtype: v.dtype, exact: v.exact}, in, attrs...)
}

// node adds a random node on recent values.
func (m *randomModel) node() {
	v := m.values[len(m.values)-1-m.r.IntN(min(len(m.values), 3))]
	rank := len(v.shape)
	if v.dtype != Float32 || m.r.IntN(4) == 0 {
		m.selection(v)
		return
	}
	if m.r.IntN(4) == 0 {
		m.math(v)
		return
	}
	if m.r.IntN(4) == 0 {
		m.spatial(v)
		return
	}
	switch m.r.IntN(17) {
	case 0:
		m.add([]string{"Relu", "Sigmoid", "Tanh", "Identity"}[m.r.IntN(4)], v.shape, []string{v.name})
	case 1:
		if m.r.IntN(2) == 0 {
			m.unary(v)
			return
		}
		m.add("LeakyRelu", v.shape, []string{v.name}, onnxtest.Float("alpha", float32(m.r.Float64())))
	case 2, 3:
		m.gemm(v)
	case 4:
		m.matmul(v)
	case 5, 6:
		m.arithmetic(v)
	case 7:
		if rank >= 2 {
			m.batchNorm(v)
		}
	case 8:
		m.reshape(v)
	case 9:
		axis := m.r.IntN(rank + 1)
		m.move("Flatten", v, []int{plan.Count(v.shape[:axis]), plan.Count(v.shape[axis:])}, []string{v.name}, onnxtest.Int("axis", int64(axis)))
	case 10:
		m.squeeze(v)
	case 11:
		if m.r.IntN(2) == 0 {
			m.concat(v)
		} else {
			m.reduce(v)
		}
	case 12:
		if m.r.IntN(2) == 0 {
			m.permute(v)
			return
		}
		m.resize(v)
	case 13:
		m.globalPool(v)
	default:
		m.conv(v)
	}
}

// unary adds a function of each element, on values that it is defined for.
func (m *randomModel) unary(v randomValue) {
	op := []string{"Abs", "Neg", "Exp", "Log", "Sqrt", "Reciprocal", "Floor", "Ceil", "Clip", "Clip"}[m.r.IntN(10)]
	switch op {
	case "Log", "Sqrt", "Reciprocal":
		m.add("Sigmoid", v.shape, []string{v.name})
		v = m.values[len(m.values)-1]
	case "Exp":
		m.add("Tanh", v.shape, []string{v.name})
		v = m.values[len(m.values)-1]
	case "Clip":
		if m.opset < 11 {
			m.add(op, v.shape, []string{v.name}, onnxtest.Float("min", -0.5), onnxtest.Float("max", 0.75))
			return
		}
		in := [][]string{{}, {""}, {m.weight()}}[m.r.IntN(3)]
		if m.r.IntN(2) == 0 && len(in) == 1 {
			name := m.weight()
			*m.g.Initializer[len(m.g.Initializer)-1] = *onnxtest.Floats(name, []float32{3})
			in = append(in, name)
		}
		m.add(op, v.shape, append([]string{v.name}, in...))
		return
	}
	m.add(op, v.shape, []string{v.name})
}

func (m *randomModel) gemm(v randomValue) {
	if len(v.shape) != 2 {
		return
	}
	transA, transB, n := m.r.IntN(4) == 0, m.r.IntN(2) == 0, 1+m.r.IntN(40)
	rows, k := v.shape[0], v.shape[1]
	if transA {
		rows, k = k, rows
	}
	var attrs []*onnx.AttributeProto
	b := []int{k, n}
	if transA {
		attrs = append(attrs, onnxtest.Int("transA", 1))
	}
	if transB {
		b = []int{n, k}
		attrs = append(attrs, onnxtest.Int("transB", 1))
	}
	if m.r.IntN(3) == 0 {
		attrs = append(attrs, onnxtest.Float("alpha", 0.5), onnxtest.Float("beta", -1.5))
	}
	in := []string{v.name, m.weight(b...)}
	if m.r.IntN(4) == 0 { // an operand that is not constant
		m.add("Relu", b, []string{in[1]})
		m.add("Add", b, []string{m.values[len(m.values)-1].name, m.dynamicZero()})
		in[1] = m.values[len(m.values)-1].name
	}
	c := [][]int{nil, {n}, {n}, {1, n}, {1}, {}, {rows, 1}, {rows, n}}[m.r.IntN(8)]
	switch {
	case c != nil:
		in = append(in, m.weight(c...))
	case m.opset < 11:
		in = append(in, m.weight(n))
	}
	m.add("Gemm", []int{rows, n}, in, attrs...)
}

// permute adds a Transpose, DepthToSpace or SpaceToDepth.
func (m *randomModel) permute(v randomValue) {
	s := v.shape
	if len(s) == 4 && s[1]%4 == 0 && m.r.IntN(2) == 0 {
		attrs := []*onnx.AttributeProto{onnxtest.Int("blocksize", 2)}
		if m.opset >= 11 {
			attrs = append(attrs, text("mode", []string{"DCR", "CRD"}[m.r.IntN(2)]))
		}
		m.move("DepthToSpace", v, []int{s[0], s[1] / 4, s[2] * 2, s[3] * 2}, []string{v.name}, attrs...)
		return
	}
	if len(s) == 4 && m.r.IntN(2) == 0 {
		for _, b := range []int{3, 2} {
			if s[2]%b == 0 && s[3]%b == 0 {
				attrs := []*onnx.AttributeProto{onnxtest.Int("blocksize", int64(b))}
				if m.opset >= 28 {
					attrs = append(attrs, text("mode", []string{"DCR", "CRD"}[m.r.IntN(2)]))
				}
				m.move("SpaceToDepth", v, []int{s[0], s[1] * b * b, s[2] / b, s[3] / b}, []string{v.name}, attrs...)
				return
			}
		}
	}
	perm := m.r.Perm(len(s))
	shape := make([]int, len(s))
	for i, a := range perm {
		shape[i] = s[a]
	}
	if len(s) > 0 {
		m.move("Transpose", v, shape, []string{v.name}, ints("perm", perm...))
	}
}

// dynamicZero returns a scalar that no pass can know: 0 · max(input 0).
func (m *randomModel) dynamicZero() string {
	v := m.inputs[0]
	var axes []*onnx.AttributeProto
	m.add("ReduceMax", []int{}, []string{v.name}, append(axes, onnxtest.Int("keepdims", 0))...)
	zero := m.weight()
	*m.g.Initializer[len(m.g.Initializer)-1] = *onnxtest.Floats(zero, []float32{0})
	m.add("Mul", []int{}, []string{m.values[len(m.values)-1].name, zero})
	return m.values[len(m.values)-1].name
}

func (m *randomModel) matmul(v randomValue) {
	rank := len(v.shape)
	if rank == 0 {
		return
	}
	k, n := v.shape[rank-1], 1+m.r.IntN(20)
	out := slices.Clone(v.shape[:rank-1])
	switch m.r.IntN(4) {
	case 0:
		m.add("MatMul", out, []string{v.name, m.weight(k)})
	case 1, 2:
		m.add("MatMul", append(out, n), []string{v.name, m.weight(k, n)})
		if m.r.IntN(2) == 0 {
			y := m.values[len(m.values)-1]
			m.add("Add", y.shape, []string{m.weight(n), y.name})
		}
	case 3:
		if rank < 2 {
			return
		}
		batch := m.stretch(v.shape[:rank-2])
		shape, _ := plan.Broadcast(v.shape[:rank-2], batch)
		m.add("MatMul", append(slices.Clone(shape), v.shape[rank-2], n), []string{v.name, m.weight(append(slices.Clone(batch), k, n)...)})
	}
}

// stretch returns a shape that broadcasts with s.
func (m *randomModel) stretch(s []int) []int {
	s = slices.Clone(s)
	for i := range s {
		switch {
		case m.r.IntN(3) == 0:
			s[i] = 1
		case s[i] == 1 && m.r.IntN(2) == 0:
			s[i] = 1 + m.r.IntN(3)
		}
	}
	if m.r.IntN(4) == 0 && len(s) > 0 {
		s = s[1:]
	} else if m.r.IntN(6) == 0 && len(s) < 5 {
		s = append([]int{1 + m.r.IntN(2)}, s...)
	}
	return s
}

func (m *randomModel) arithmetic(v randomValue) {
	op := []string{"Add", "Sub", "Mul", "Div"}[m.r.IntN(4)]
	other := m.weight()
	*m.g.Initializer[len(m.g.Initializer)-1] = *onnxtest.Floats(other, []float32{1.5})
	var s []int
	switch m.r.IntN(4) {
	case 0: // with itself, or another value that fits
		other, s = v.name, v.shape
		for _, u := range m.values {
			if plan.SameShape(u.shape, v.shape) && u.dtype == v.dtype && m.r.IntN(2) == 0 {
				other = u.name
			}
		}
	case 1, 2:
		if s = m.stretch(v.shape); plan.Count(s)*v.count() < 1<<12 {
			other = m.weight(s...)
		} else {
			s = nil
		}
	}
	in := []string{v.name, other}
	if m.r.IntN(2) == 0 {
		slices.Reverse(in)
	}
	shape, err := plan.Broadcast(v.shape, s)
	if err != nil {
		panic(err)
	}
	m.add(op, shape, in)
}

func (m *randomModel) reshape(v randomValue) {
	var want []int
	rest := v.count()
	for rest > 1 && len(want) < 4 {
		d := 1 + m.r.IntN(rest)
		for rest%d != 0 {
			d--
		}
		want, rest = append(want, d), rest/d
	}
	want = append(want, rest)
	shape := slices.Clone(want)
	if i := m.r.IntN(len(want)); i < len(v.shape) && want[i] == v.shape[i] {
		want[i] = 0
	}
	if i := m.r.IntN(len(want)); m.r.IntN(2) == 0 && want[i] != 0 {
		want[i] = -1
	}
	m.move("Reshape", v, shape, []string{v.name, m.intWeight(want...)})
}

func (m *randomModel) squeeze(v randomValue) {
	axis := m.r.IntN(len(v.shape) + 1)
	axes := func(a int) (in []string, attrs []*onnx.AttributeProto) {
		if m.opset < 13 {
			return []string{v.name}, []*onnx.AttributeProto{ints("axes", a)}
		}
		return []string{v.name, m.intWeight(a)}, nil
	}
	if len(v.shape) < 5 && m.r.IntN(2) == 0 {
		in, attrs := axes(axis)
		m.move("Unsqueeze", v, slices.Insert(slices.Clone(v.shape), axis, 1), in, attrs...)
		return
	}
	if i := slices.Index(v.shape, 1); i >= 0 {
		in, attrs := axes(i)
		m.move("Squeeze", v, slices.Delete(slices.Clone(v.shape), i, i+1), in, attrs...)
		return
	}
	m.move("Squeeze", v, v.shape, []string{v.name})
}

func (m *randomModel) concat(v randomValue) {
	if len(v.shape) == 0 {
		return
	}
	axis := m.r.IntN(len(v.shape))
	shape, in := slices.Clone(v.shape), []string{v.name}
	for range m.r.IntN(3) {
		s := slices.Clone(v.shape)
		s[axis] = 1 + m.r.IntN(3)
		shape[axis] += s[axis]
		in = append(in, m.weight(s...))
	}
	m.add("Concat", shape, in, onnxtest.Int("axis", int64(axis-m.r.IntN(2)*len(v.shape))))
}
