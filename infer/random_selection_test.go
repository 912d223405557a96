package infer

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// declared holds ONNX's numbers of the types.
var declared = map[DType]int32{Float32: 1, Uint8: 2, Int32: 6, Int64: 7, Bool: 9}

// input returns random elements for an input.
func (v randomValue) input(r *rand.Rand) Tensor {
	t := Tensor{DType: v.dtype, Shape: v.shape}
	for range v.count() {
		switch v.dtype {
		case Float32:
			t.F32 = append(t.F32, float32(r.NormFloat64()))
		case Bool:
			t.I64 = append(t.I64, r.Int64N(2))
		case Uint8:
			t.I64 = append(t.I64, r.Int64N(256))
		default:
			t.I64 = append(t.I64, r.Int64N(41)-20)
		}
	}
	return t
}

// typed adds an initializer with random elements of any type.
func (m *randomModel) typed(dtype DType, shape ...int) string {
	if dtype == Float32 {
		return m.weight(shape...)
	}
	name := fmt.Sprintf("w%d", len(m.g.Initializer))
	t := &onnx.TensorProto{Name: name, DataType: declared[dtype], RawData: &onnx.Raw{}}
	for _, d := range shape {
		t.Dims = append(t.Dims, int64(d))
	}
	for _, x := range (randomValue{shape: shape, dtype: dtype}).input(m.r).I64 {
		switch dtype {
		case Int64:
			*t.RawData = binary.LittleEndian.AppendUint64(*t.RawData, uint64(x))
		case Int32:
			*t.RawData = binary.LittleEndian.AppendUint32(*t.RawData, uint32(x))
		default:
			*t.RawData = append(*t.RawData, byte(x))
		}
	}
	m.g.Initializer = append(m.g.Initializer, t)
	return name
}

// selection adds an operator that takes values of any type: it moves, chooses, compares or converts elements.
func (m *randomModel) selection(v randomValue) {
	moves := []func(randomValue){m.reshape, m.squeeze, m.permute, m.slice, m.split, m.gather, m.expand, m.tile, m.computedShape, m.join, m.cast, m.where, m.dropout}
	others := []func(randomValue){m.compare, m.compare, m.logic, m.integers, m.integers, m.ofShape, m.arg}
	if v.dtype == Float32 && m.r.IntN(3) > 0 || m.r.IntN(2) == 0 {
		moves[m.r.IntN(len(moves))](v)
	} else {
		others[m.r.IntN(len(others))](v)
	}
}

func (m *randomModel) slice(v randomValue) {
	if len(v.shape) == 0 {
		return
	}
	shape := slices.Clone(v.shape)
	var starts, ends, axes, steps []int
	for k, d := range shape {
		if m.r.IntN(2) == 0 {
			continue
		}
		lo := m.r.IntN(d)
		n := 1 + m.r.IntN(d-lo)
		start, end, step := lo, lo+n, 1
		if m.opset >= 10 && m.r.IntN(2) == 0 {
			if step = 1 + m.r.IntN(2); m.r.IntN(2) == 0 { // backwards
				start, end, step = lo+n-1, lo-1-d, -step
			}
			n = (n + max(step, -step) - 1) / max(step, -step)
		}
		if end == d && m.r.IntN(2) == 0 {
			end = 1<<62 - 1
		}
		if start > 0 && m.r.IntN(3) == 0 {
			start -= d
		}
		shape[k] = n
		starts, ends, axes, steps = append(starts, start), append(ends, end), append(axes, k-m.r.IntN(2)*len(shape)), append(steps, step)
	}
	switch {
	case starts == nil:
	case m.opset < 10:
		for i := range axes {
			axes[i] = (axes[i] + len(shape)) % len(shape)
		}
		m.move("Slice", v, shape, []string{v.name}, ints("starts", starts...), ints("ends", ends...), ints("axes", axes...))
	default:
		m.move("Slice", v, shape, []string{v.name, m.intWeight(starts...), m.intWeight(ends...), m.intWeight(axes...), m.intWeight(steps...)})
	}
}

func (m *randomModel) split(v randomValue) {
	if len(v.shape) == 0 {
		return
	}
	axis := m.r.IntN(len(v.shape))
	d := v.shape[axis]
	var sizes []int
	for rest := d; rest > 0; rest -= sizes[len(sizes)-1] {
		sizes = append(sizes, 1+m.r.IntN(rest))
	}
	in, attrs := []string{v.name}, []*onnx.AttributeProto{onnxtest.Int("axis", int64(axis))}
	switch n := len(sizes); {
	case d%n == 0 && m.r.IntN(2) == 0:
		sizes = slices.Repeat([]int{d / n}, n)
		if m.opset >= 18 {
			attrs = append(attrs, onnxtest.Int("num_outputs", int64(n)))
		}
	case m.opset < 13:
		attrs = append(attrs, ints("split", sizes...))
	default:
		in = append(in, m.intWeight(sizes...))
	}
	shape := slices.Clone(v.shape)
	shape[axis] = sizes[0]
	m.move("Split", v, shape, in, attrs...)
	node := m.g.Node[len(m.g.Node)-1]
	for _, n := range sizes[1:] {
		w := randomValue{name: fmt.Sprintf("v%d", len(m.values)), shape: slices.Clone(shape), dtype: v.dtype, exact: v.exact}
		w.shape[axis] = n
		node.Output = append(node.Output, w.name)
		m.values = append(m.values, w)
	}
}

func (m *randomModel) gather(v randomValue) {
	if len(v.shape) == 0 {
		return
	}
	axis := m.r.IntN(len(v.shape))
	index := m.shape(m.r.IntN(3), 3)
	name := fmt.Sprintf("w%d", len(m.g.Initializer))
	x := make([]int64, plan.Count(index))
	for i := range x {
		x[i] = int64(m.r.IntN(v.shape[axis]))
		if m.opset >= 11 && m.r.IntN(3) == 0 {
			x[i] -= int64(v.shape[axis])
		}
	}
	dims := make([]int64, len(index))
	for k, d := range index {
		dims[k] = int64(d)
	}
	m.g.Initializer = append(m.g.Initializer, onnxtest.Ints(name, x, dims...))
	m.move("Gather", v, slices.Concat(v.shape[:axis], index, v.shape[axis+1:]), []string{v.name, name}, onnxtest.Int("axis", int64(axis)))
}

func (m *randomModel) expand(v randomValue) {
	want := m.stretch(v.shape)
	if shape, err := plan.Broadcast(v.shape, want); err == nil && m.opset >= 8 && plan.Count(shape) < 1<<12 && len(want) > 0 {
		m.move("Expand", v, shape, []string{v.name, m.intWeight(want...)})
	}
}

func (m *randomModel) tile(v randomValue) {
	if len(v.shape) == 0 || v.count() > 1<<9 {
		return
	}
	repeats, shape := m.shape(len(v.shape), 2), slices.Clone(v.shape)
	for k, n := range repeats {
		shape[k] *= n
	}
	m.move("Tile", v, shape, []string{v.name, m.intWeight(repeats...)})
}

// join adds a Concat of the value with itself.
func (m *randomModel) join(v randomValue) {
	if len(v.shape) == 0 || v.count() > 1<<10 {
		return
	}
	axis, shape := m.r.IntN(len(v.shape)), slices.Clone(v.shape)
	shape[axis] *= 2
	m.move("Concat", v, shape, []string{v.name, v.name}, onnxtest.Int("axis", int64(axis)))
}

// computedShape adds what PyTorch makes of x.view(x.size(0), -1), or of an Expand or a tensor like x.
func (m *randomModel) computedShape(v randomValue) {
	if len(v.shape) == 0 {
		return
	}
	like := randomValue{shape: []int{len(v.shape)}, dtype: Int64, exact: true}
	shape := m.addAs("Shape", like, []string{v.name})
	switch m.r.IntN(3) {
	case 0:
		if m.opset >= 8 {
			m.move("Expand", v, v.shape, []string{v.name, shape.name})
		}
	case 1:
		if m.opset >= 9 {
			m.addAs("ConstantOfShape", randomValue{shape: v.shape, dtype: Float32, exact: true}, []string{shape.name})
		}
	default:
		like.shape = []int{1}
		first := m.addAs("Gather", like, []string{shape.name, m.intWeight(0)})
		like.shape = []int{2}
		want := m.addAs("Concat", like, []string{first.name, m.intWeight(-1)}, onnxtest.Int("axis", 0))
		m.move("Reshape", v, []int{v.shape[0], plan.Count(v.shape[1:])}, []string{v.name, want.name})
	}
}

func (m *randomModel) cast(v randomValue) {
	to := []DType{Float32, Int64, Int32, Uint8, Bool}[m.r.IntN(5)]
	if !v.exact || m.opset < 9 && to == v.dtype {
		to = Float32
	}
	if v.dtype == Float32 && to == Uint8 { // of numbers below zero each runtime makes what it likes
		m.addAs("Abs", randomValue{shape: v.shape, dtype: Float32, exact: v.exact}, []string{v.name})
		v = m.values[len(m.values)-1]
	}
	y := randomValue{shape: v.shape, dtype: to, exact: v.exact}
	if m.opset >= 15 && m.r.IntN(3) == 0 {
		m.addAs("CastLike", y, []string{v.name, m.typed(to, 2)})
		return
	}
	m.addAs("Cast", y, []string{v.name}, onnxtest.Int("to", int64(declared[to])))
}

func (m *randomModel) where(v randomValue) {
	s := m.stretch(v.shape)
	shape, err := plan.Broadcast(v.shape, s)
	if err != nil || m.opset < 9 || v.dtype == Bool || plan.Count(shape) > 1<<12 {
		return
	}
	in := []string{m.typed(Bool, s...), v.name, m.typed(v.dtype)}
	for _, u := range m.values {
		if u.dtype == Bool && plan.SameShape(u.shape, v.shape) {
			in[0], shape = u.name, v.shape
		}
	}
	if m.r.IntN(2) == 0 {
		in[1], in[2] = in[2], in[1]
	}
	m.addAs("Where", randomValue{shape: shape, dtype: v.dtype, exact: v.exact}, in)
}

func (m *randomModel) dropout(v randomValue) {
	if v.dtype != Float32 {
		return
	}
	var attrs []*onnx.AttributeProto
	in := []string{v.name}
	switch {
	case m.opset < 12:
		attrs = append(attrs, onnxtest.Float("ratio", 0.25))
	case m.r.IntN(2) == 0:
		in = append(in, m.weight())
		*m.g.Initializer[len(m.g.Initializer)-1] = *onnxtest.Floats(in[1], []float32{0.5})
	}
	m.move("Dropout", v, v.shape, in, attrs...)
	if mask := (randomValue{name: fmt.Sprintf("v%d", len(m.values)), shape: v.shape, dtype: Bool, exact: true}); m.opset >= 12 && m.r.IntN(2) == 0 { // ONNX Runtime has none before
		node := m.g.Node[len(m.g.Node)-1]
		node.Output = append(node.Output, mask.name)
		m.values = append(m.values, mask)
	}
}

func (m *randomModel) compare(v randomValue) {
	op := []string{"Less", "LessOrEqual", "Equal", "GreaterOrEqual", "Greater"}[m.r.IntN(5)]
	s := m.stretch(v.shape)
	shape, err := plan.Broadcast(v.shape, s)
	switch {
	case err != nil || !v.exact || plan.Count(shape) > 1<<12:
	case v.dtype == Bool && op != "Equal", v.dtype == Float32 && op == "Equal" && m.opset < 11, v.dtype == Uint8 && op == "Equal" && m.opset < 13,
		v.dtype != Float32 && op != "Equal" && m.opset < 9, len(op) > 10 && m.opset < 12, op == "LessOrEqual" && m.opset < 12:
	default:
		m.addAs(op, randomValue{shape: shape, dtype: Bool, exact: true}, []string{v.name, m.typed(v.dtype, s...)})
	}
}

// logic adds an operator on booleans.
func (m *randomModel) logic(v randomValue) {
	if v.dtype != Bool {
		return
	}
	s := m.stretch(v.shape)
	shape, err := plan.Broadcast(v.shape, s)
	if op := []string{"And", "Or", "Xor", "Not"}[m.r.IntN(4)]; op == "Not" {
		m.addAs(op, v, []string{v.name})
	} else if err == nil && plan.Count(shape) < 1<<12 {
		m.addAs(op, randomValue{shape: shape, dtype: Bool, exact: true}, []string{v.name, m.typed(Bool, s...)})
	}
}

// integers adds arithmetic.
func (m *randomModel) integers(v randomValue) {
	s := m.stretch(v.shape)
	shape, err := plan.Broadcast(v.shape, s)
	if v.dtype != Int32 && v.dtype != Int64 || err != nil || plan.Count(shape) > 1<<12 {
		return
	}
	op, with := []string{"Add", "Sub", "Mul", "Div", "Mod", "Min", "Max"}[m.r.IntN(7)], m.typed(v.dtype, s...)
	var attrs []*onnx.AttributeProto
	switch op {
	case "Min", "Max":
		if m.opset < 12 {
			return
		}
	case "Mod":
		if m.opset < 10 {
			return
		}
		attrs = append(attrs, onnxtest.Int("fmod", m.r.Int64N(2)))
		fallthrough
	case "Div":
		raw := *m.g.Initializer[len(m.g.Initializer)-1].RawData
		width := map[DType]int{Int32: 4, Int64: 8}[v.dtype]
		for i := 0; i < len(raw); i += width {
			raw[i] |= 1 // not zero
		}
	}
	m.addAs(op, randomValue{shape: shape, dtype: v.dtype, exact: true}, []string{v.name, with}, attrs...)
}

// arg adds an ArgMax or ArgMin.
func (m *randomModel) arg(v randomValue) {
	if len(v.shape) == 0 || !v.exact || v.dtype != Float32 && v.dtype != Int32 {
		return
	}
	axis, keep := m.r.IntN(len(v.shape)), m.r.IntN(2)
	attrs := []*onnx.AttributeProto{onnxtest.Int("axis", int64(axis)), onnxtest.Int("keepdims", int64(keep))}
	if m.opset >= 12 {
		attrs = append(attrs, onnxtest.Int("select_last_index", m.r.Int64N(2)))
	}
	shape := slices.Delete(slices.Clone(v.shape), axis, axis+1)
	if keep == 1 {
		shape = slices.Insert(shape, axis, 1)
	}
	m.addAs([]string{"ArgMax", "ArgMin"}[m.r.IntN(2)], randomValue{shape: shape, dtype: Int64, exact: true}, []string{v.name}, attrs...)
}

// ofShape adds a value that depends on shapes alone.
func (m *randomModel) ofShape(v randomValue) {
	size := m.addAs("Size", randomValue{shape: []int{}, dtype: Int64, exact: true}, []string{v.name})
	if n := v.count(); m.opset >= 11 && n < 100 {
		zero, three := m.typed(Int64), m.typed(Int64)
		set := m.g.Initializer[len(m.g.Initializer)-2:]
		*set[0], *set[1] = *onnxtest.Ints(zero, []int64{0}), *onnxtest.Ints(three, []int64{3})
		m.addAs("Range", randomValue{shape: []int{(n + 2) / 3}, dtype: Int64, exact: true}, []string{zero, size.name, three})
	}
}
