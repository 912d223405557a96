package infer

import (
	"fmt"
	"slices"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// spatial adds an operator on images or one that moves elements.
func (m *randomModel) spatial(v randomValue) {
	if len(v.shape) == 0 || v.count() > 3000 {
		return
	}
	switch m.r.IntN(10) {
	case 0, 1:
		m.pad(v)
	case 2, 3:
		m.pool(v)
	case 4, 5:
		m.interpolate(v)
	case 6:
		m.elements(v)
	case 7:
		m.tuples(v)
	case 8:
		m.einsum(v)
	case 9:
		m.random(v)
	}
}

// indices adds a constant of integers.
func (m *randomModel) indices(x []int64, shape ...int) string {
	name := fmt.Sprintf("w%d", len(m.g.Initializer))
	dims := make([]int64, len(shape))
	for i, d := range shape {
		dims[i] = int64(d)
	}
	m.g.Initializer = append(m.g.Initializer, onnxtest.Ints(name, x, dims...))
	return name
}

// pad adds a Pad. More than a whole turn of reflections or repetitions is left to tests without ONNX Runtime, which refuses them.
func (m *randomModel) pad(v randomValue) {
	modes := []string{"constant", "constant", "reflect", "edge", "wrap"}
	if m.opset < 19 {
		modes = modes[:4]
	}
	mode := modes[m.r.IntN(len(modes))]
	var axes, before, after []int
	shape := slices.Clone(v.shape)
	for k, d := range v.shape {
		if m.opset >= 18 && m.r.IntN(3) == 0 {
			continue
		}
		most := 3
		if mode == "reflect" || mode == "wrap" {
			most = min(3, d-1)
		}
		b, a := m.r.IntN(most+1), m.r.IntN(most+1)
		if mode == "constant" && d > 2 && m.r.IntN(3) == 0 {
			b, a = b-1, -1
		}
		axes, before, after = append(axes, k), append(before, b), append(after, a)
		shape[k] += a + b
	}
	pads := append(before, after...)
	if plan.Count(shape) > 5000 || axes == nil {
		return
	}
	attrs := []*onnx.AttributeProto{text("mode", mode)}
	if m.opset < 11 {
		m.add("Pad", shape, []string{v.name}, append(attrs, ints("pads", pads...), onnxtest.Float("value", 0.5))...)
		return
	}
	in := []string{v.name, m.intWeight(pads...)}
	if mode == "constant" && m.r.IntN(2) == 0 {
		in = append(in, m.weight())
	}
	if len(axes) < len(v.shape) {
		if len(in) == 2 {
			in = append(in, "")
		}
		in = append(in, m.intWeight(axes...))
	}
	m.add("Pad", shape, in, attrs...)
}

// pool adds an AveragePool or a MaxPool, whose places may say what to gather.
func (m *randomModel) pool(v randomValue) {
	spatial := len(v.shape) - 2
	if spatial < 1 {
		return
	}
	most := m.r.IntN(2) == 0
	shape := slices.Clone(v.shape[:2])
	var kernel, strides, dilations, before, after []int
	auto := []string{"", "", "", "SAME_UPPER", "SAME_LOWER", "VALID"}[m.r.IntN(6)]
	dilate := auto == "" && (most && m.opset >= 10 || m.opset >= 19)
	ceil := auto == "" && m.opset >= 10 && m.r.IntN(3) == 0
	for _, size := range v.shape[2:] {
		taps, stride, dilation := 1+m.r.IntN(3), 1+m.r.IntN(3), 1
		if dilate {
			dilation += m.r.IntN(2)
		}
		b, a := 0, 0
		if auto == "" {
			b, a = m.r.IntN(taps), m.r.IntN(taps)
		}
		if size+a+b < (taps-1)*dilation+1 {
			taps, a, b = 1, 0, 0
		}
		if auto != "" {
			stride = min(stride, taps) // ONNX Runtime wants it so
		}
		rest := size + a + b - (taps-1)*dilation - 1
		out := rest/stride + 1
		switch {
		case auto == "SAME_UPPER" || auto == "SAME_LOWER":
			out = (size + stride - 1) / stride
		case ceil && rest%stride != 0 && out*stride >= size+b:
			return // onnx.checker counts a window that begins outside; ONNX Runtime and PyTorch do not
		case ceil && rest%stride != 0:
			out++
		}
		kernel, strides, dilations, before, after = append(kernel, taps), append(strides, stride), append(dilations, dilation), append(before, b), append(after, a)
		shape = append(shape, out)
	}
	attrs := []*onnx.AttributeProto{ints("kernel_shape", kernel...), ints("strides", strides...)}
	if dilate {
		attrs = append(attrs, ints("dilations", dilations...))
	}
	if auto == "" {
		attrs = append(attrs, ints("pads", append(before, after...)...))
	} else {
		attrs = append(attrs, text("auto_pad", auto))
	}
	if ceil {
		attrs = append(attrs, onnxtest.Int("ceil_mode", 1))
	}
	if !most {
		m.add("AveragePool", shape, []string{v.name}, append(attrs, onnxtest.Int("count_include_pad", int64(m.r.IntN(2))))...)
		return
	}
	m.add("MaxPool", shape, []string{v.name}, attrs...)
	if m.opset >= 11 && slices.Max(dilations) == 1 && m.r.IntN(2) == 0 { // all windows have an element
		n := m.g.Node[len(m.g.Node)-1]
		n.Output = append(n.Output, n.Output[0]+"i")
		flat := m.intWeight(-1)
		m.g.Node = append(m.g.Node, &onnx.NodeProto{OpType: "Reshape", Input: []string{n.Output[1], flat}, Output: []string{n.Output[0] + "f"}})
		m.add("Reshape", []int{v.count()}, []string{v.name, flat})
		m.add("GatherElements", []int{plan.Count(shape)}, []string{m.values[len(m.values)-1].name, n.Output[0] + "f"})
	}
}

// interpolate adds a Resize of what [randomModel.resize] leaves out and ONNX Runtime has.
func (m *randomModel) interpolate(v randomValue) {
	if len(v.shape) != 4 || m.opset < 11 {
		return
	}
	mode := []string{"linear", "cubic", "cubic"}[m.r.IntN(3)]
	attrs := []*onnx.AttributeProto{text("mode", mode)}
	antialias := m.opset >= 18 && m.r.IntN(2) == 0
	coords := []string{"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}
	if !antialias {
		coords = append(coords, "tf_crop_and_resize")
	}
	coord := coords[m.r.IntN(len(coords))]
	if mode == "cubic" {
		attrs = append(attrs, onnxtest.Float("cubic_coeff_a", []float32{-0.75, -0.5}[m.r.IntN(2)]), onnxtest.Int("exclude_outside", int64(m.r.IntN(2))))
	}
	if antialias {
		attrs = append(attrs, onnxtest.Int("antialias", 1))
	}
	shape := slices.Clone(v.shape)
	scales, roi := []float32{1, 1, 1, 1}, []float32{0, 0, 0, 0, 1, 1, 1, 1}
	for k := 2; k < 4; k++ {
		s := []float32{0.5, 0.75, 1.5, 2, 2.5}[m.r.IntN(5)]
		if float32(shape[k])*s < 1 {
			s = 2
		}
		scales[k], shape[k] = s, int(float32(shape[k])*s)
		if coord == "tf_crop_and_resize" {
			roi[k], roi[4+k] = float32(m.r.Float64())-0.25, float32(m.r.Float64())+0.5
		}
	}
	attrs = append(attrs, text("coordinate_transformation_mode", coord), onnxtest.Float("extrapolation_value", 1.5))
	if m.opset < 18 || m.r.IntN(2) == 0 {
		m.add("Resize", shape, []string{v.name, m.scales(roi...), m.scales(scales...)}, attrs...)
		return
	}
	attrs = append(attrs, ints("axes", 2, 3))
	r := m.scales(roi[2], roi[3], roi[6], roi[7])
	if policy := []string{"stretch", "not_larger", "not_smaller"}[m.r.IntN(3)]; policy != "stretch" {
		attrs = append(attrs, text("keep_aspect_ratio_policy", policy))
		a, b := float32(shape[2])/float32(v.shape[2]), float32(shape[3])/float32(v.shape[3])
		s := min(a, b)
		if policy == "not_smaller" {
			s = max(a, b)
		}
		if s < 0.5 {
			return
		}
		in := []string{v.name, r, "", m.intWeight(shape[2:]...)}
		shape[2], shape[3] = int(float32(v.shape[2])*s+0.5), int(float32(v.shape[3])*s+0.5)
		m.add("Resize", shape, in, attrs...)
		return
	}
	m.add("Resize", shape, []string{v.name, r, "", m.intWeight(shape[2:]...)}, attrs...)
}

// elements adds a GatherElements, a ScatterElements, a TopK or a OneHot.
func (m *randomModel) elements(v randomValue) {
	axis := m.r.IntN(len(v.shape))
	attr := onnxtest.Int("axis", int64(axis-m.r.IntN(2)*len(v.shape)))
	d := v.shape[axis]
	switch shape := slices.Clone(v.shape); m.r.IntN(4) {
	case 0:
		if m.opset < 11 {
			return
		}
		shape[axis] = 1 + m.r.IntN(d)
		in := []string{v.name, m.intWeight(shape[axis])}
		attrs := []*onnx.AttributeProto{attr, onnxtest.Int("largest", int64(m.r.IntN(2)))}
		m.add("TopK", shape, in, attrs...)
		n := m.g.Node[len(m.g.Node)-1]
		n.Output = append(n.Output, n.Output[0]+"i")
		m.add("GatherElements", shape, []string{v.name, n.Output[1]}, attr)
	case 1:
		if m.opset < 9 {
			return
		}
		x := make([]int64, 1+m.r.IntN(5))
		for i := range x {
			if x[i] = int64(m.r.IntN(12) - 6); m.opset < 11 {
				x[i] += 6
			}
		}
		m.add("OneHot", []int{len(x), 4}, []string{m.indices(x, len(x)), m.intWeight(4), m.weight(2)})
	default:
		if m.opset < 11 {
			return
		}
		for k := range shape {
			shape[k] = 1 + m.r.IntN(shape[k])
		}
		x := make([]int64, plan.Count(shape))
		step := plan.Count(shape[axis+1:])
		turn := m.r.IntN(d)
		for i := range x { // no place twice
			if x[i] = int64((i/step%shape[axis] + turn) % d); m.r.IntN(4) == 0 {
				x[i] -= int64(d)
			}
		}
		in := []string{v.name, m.indices(x, shape...)}
		if m.r.IntN(2) == 0 {
			m.add("GatherElements", shape, in, attr)
			return
		}
		attrs := []*onnx.AttributeProto{attr}
		if m.opset >= 16 {
			attrs = append(attrs, text("reduction", []string{"none", "add", "mul", "max", "min"}[m.r.IntN(3+m.two(18))]))
		}
		m.add("ScatterElements", v.shape, append(in, m.weight(shape...)), attrs...)
	}
}

// two returns 2 from an opset on, and 0 before.
func (m *randomModel) two(opset int64) int {
	if m.opset >= opset {
		return 2
	}
	return 0
}

// tuples adds a GatherND or a ScatterND.
func (m *randomModel) tuples(v randomValue) {
	if m.opset < 12 {
		return
	}
	k, n := 1+m.r.IntN(len(v.shape)), 1+m.r.IntN(4)
	gather := m.r.IntN(2) == 0
	batch := 0
	if gather && k < len(v.shape) {
		batch = m.r.IntN(len(v.shape) - k + 1)
	}
	dims := v.shape[batch : batch+k]
	shape := append(slices.Clone(v.shape[:batch]), n, k)
	x := make([]int64, plan.Count(shape))
	for i := range x {
		x[i] = int64(m.r.IntN(2*dims[i%k]) - dims[i%k])
	}
	in := []string{v.name, m.indices(x, shape...)}
	shape = append(shape[:batch+1], v.shape[batch+k:]...)
	if gather {
		m.add("GatherND", shape, in, onnxtest.Int("batch_dims", int64(batch)))
		return
	}
	if m.opset < 16 {
		return
	}
	m.add("ScatterND", v.shape, append(in, m.weight(shape...)), text("reduction", []string{"add", "mul", "max", "min"}[m.r.IntN(2+m.two(18))]))
}

// einsum adds an Einsum of a value and of a weight that shares letters with it.
func (m *randomModel) einsum(v randomValue) {
	if m.opset < 12 {
		return
	}
	letters := []byte("abcdefg"[:len(v.shape)])
	sizes := map[byte]int{'z': 1 + m.r.IntN(4)}
	for i, c := range letters {
		sizes[c] = v.shape[i]
	}
	pick := func(from []byte) (list []byte, shape []int) {
		from = slices.Clone(from)
		m.r.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
		list = from[:1+m.r.IntN(len(from))]
		for _, c := range list {
			shape = append(shape, sizes[c])
		}
		return list, shape
	}
	all := append(slices.Clone(letters), 'z')
	second, weight := pick(all)
	if !slices.Contains(second, 'z') {
		all = letters
	}
	out, shape := pick(all)
	total := plan.Count(v.shape) * sizes['z']
	if total > 20000 {
		return
	}
	if m.r.IntN(3) == 0 && len(letters) > 1 { // the last letters as an ellipsis
		at := len(letters) - 1
		m.add("Einsum", append(slices.Clone(v.shape[at:]), v.shape[:at]...), []string{v.name},
			text("equation", fmt.Sprintf("%s...->...%s", letters[:at], letters[:at])))
		return
	}
	m.add("Einsum", shape, []string{v.name, m.weight(weight...)}, text("equation", fmt.Sprintf("%s, %s->%s", letters, second, out)))
}

// random adds random numbers in the shape of a value, which no other runtime has.
func (m *randomModel) random(v randomValue) {
	op := []string{"RandomNormalLike", "RandomUniformLike"}[m.r.IntN(2)]
	var attrs []*onnx.AttributeProto
	if m.r.IntN(2) == 0 {
		attrs = append(attrs, onnxtest.Float("seed", float32(m.r.IntN(9))))
	}
	if op == "RandomNormalLike" {
		attrs = append(attrs, onnxtest.Float("mean", 2), onnxtest.Float("scale", 0.5))
	}
	m.add(op, v.shape, []string{v.name}, attrs...)
}
