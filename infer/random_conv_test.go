package infer

import (
	"slices"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// conv adds a Conv or a ConvTranspose of odd geometry.
func (m *randomModel) conv(v randomValue) {
	spatial := len(v.shape) - 2
	if spatial < 1 || spatial > 3 || plan.Count(v.shape[2:]) > 400 {
		return
	}
	in := v.shape[1]
	groups := 1
	if m.r.IntN(3) == 0 {
		for groups = 1 + m.r.IntN(in); in%groups != 0; {
			groups--
		}
	}
	width := 1 + m.r.IntN([]int{3, 8, 40}[m.r.IntN(3)])
	transposed := m.r.IntN(2) == 0
	w := []int{width * groups, in / groups}
	if transposed {
		w = []int{in, width}
	}
	shape := []int{v.shape[0], width * groups}
	var strides, dilations, before, after, over, want []int
	auto := []string{"", "", "", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"}[m.r.IntN(7)]
	asShape := transposed && m.r.IntN(6) == 0
	for _, size := range v.shape[2:] {
		taps, stride, dilation := 1+m.r.IntN(4), 1+m.r.IntN(3), 1+m.r.IntN(2)*m.r.IntN(3)
		if auto != "" {
			dilation = 1 // ONNX Runtime refuses others
		}
		reach := (taps-1)*dilation + 1
		b, a := m.r.IntN(reach+1), m.r.IntN(reach+1)
		o := 0
		same, out := auto == "SAME_UPPER" || auto == "SAME_LOWER", 0
		if auto != "" || asShape {
			a, b = 0, 0
		}
		if transposed {
			if m.r.IntN(3) == 0 && auto == "" && !asShape {
				o = m.r.IntN(stride) // ONNX Runtime refuses more
			}
			full := (size-1)*stride + reach + o
			switch {
			case asShape:
				out = size + m.r.IntN(full+stride-size) // onnx.checker cannot do with less
			case same:
				out = min(size*stride, full)
			default:
				for a+b >= full {
					a, b = a/2, b/2
				}
				out = full - a - b
			}
		} else {
			switch {
			case same:
				out = (size + stride - 1) / stride
			default:
				if size+a+b < reach { // does not fit
					taps, reach = 1, 1
				}
				out = (size+a+b-reach)/stride + 1
			}
		}
		w, shape = append(w, taps), append(shape, out)
		strides, dilations = append(strides, stride), append(dilations, dilation)
		before, after, over, want = append(before, b), append(after, a), append(over, o), append(want, out)
	}
	if plan.Count(shape)*plan.Count(w[1:]) > 1<<20 {
		return
	}
	attrs := []*onnx.AttributeProto{ints("strides", strides...), ints("dilations", dilations...), onnxtest.Int("group", int64(groups))}
	if m.r.IntN(2) == 0 {
		attrs = append(attrs, ints("kernel_shape", w[2:]...))
	}
	if auto != "" {
		attrs = append(attrs, &onnx.AttributeProto{Name: "auto_pad", Type: onnx.AttributeProto_STRING, S: ptr(onnx.Raw(auto))})
	}
	if auto == "" && !asShape {
		attrs = append(attrs, ints("pads", append(before, after...)...))
	}
	switch {
	case asShape:
		attrs = append(attrs, ints("output_shape", want...))
	case transposed && auto == "":
		attrs = append(attrs, ints("output_padding", over...))
	}
	args := []string{v.name, m.weight(w...)}
	if m.r.IntN(5) == 0 { // weights that are not constant
		m.add("Add", w, []string{args[1], m.dynamicZero()})
		args[1] = m.values[len(m.values)-1].name
	}
	if m.r.IntN(2) == 0 {
		args = append(args, m.weight(shape[1]))
	}
	op := "Conv"
	if transposed {
		op = "ConvTranspose"
	}
	m.add(op, shape, args, attrs...)
	y := m.values[len(m.values)-1]
	switch m.r.IntN(6) { // what passes look for
	case 0, 1:
		m.batchNorm(y)
	case 2:
		bias := make([]int, len(shape))
		for i := range bias {
			bias[i] = 1
		}
		bias[1] = shape[1]
		m.add("Add", shape, []string{m.weight(bias[m.r.IntN(2):]...), y.name})
	}
}

// resize adds a Resize or an Upsample.
func (m *randomModel) resize(v randomValue) {
	if len(v.shape) < 3 || len(v.shape) > 4 || v.count() > 4000 {
		return
	}
	linear := m.r.IntN(2) == 0 && m.opset > 10
	shape, scales := slices.Clone(v.shape), []float32{1, 1}
	bySize := m.opset > 10 && m.r.IntN(2) == 0
	for i := range shape[2:] {
		s := []float32{1, 2, 3, 1.5, 2.25}[m.r.IntN(5)]
		if m.opset > 10 && m.r.IntN(3) == 0 {
			s = 0.5
		}
		shape[2+i] = max(int(float32(shape[2+i])*s), 1)
		if float32(v.shape[2+i])*s < 1 {
			s = 1
		}
		scales = append(scales, s)
	}
	mode := text("mode", "nearest")
	if linear {
		mode = text("mode", "linear")
	}
	attrs := []*onnx.AttributeProto{mode}
	weight := func() string {
		name := m.weight(len(scales))
		*m.g.Initializer[len(m.g.Initializer)-1] = *onnxtest.Floats(name, scales, int64(len(scales)))
		return name
	}
	switch {
	case m.opset < 9:
		m.add("Upsample", shape, []string{v.name}, mode, &onnx.AttributeProto{Name: "scales", Type: onnx.AttributeProto_FLOATS, Floats: scales})
		return
	case m.opset == 9:
		m.add("Upsample", shape, []string{v.name, weight()}, mode)
		return
	case m.opset == 10:
		m.add("Resize", shape, []string{v.name, weight()}, mode)
		return
	}
	modes := []string{"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}
	if m.opset >= 19 {
		modes = append(modes, "half_pixel_symmetric")
	}
	attrs = append(attrs, text("coordinate_transformation_mode", modes[m.r.IntN(len(modes))]),
		text("nearest_mode", []string{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}[m.r.IntN(4)]))
	in := []string{v.name, "", ""}
	if m.opset < 13 { // roi must be there
		in[1] = m.weight(0)
	}
	if bySize {
		if m.opset < 13 {
			in[2] = m.weight(0)
		}
		in = append(in, m.intWeight(shape...))
	} else {
		for i, s := range scales {
			shape[i] = int(float32(v.shape[i]) * s)
		}
		in[2] = weight()
	}
	m.add("Resize", shape, in, attrs...)
}

// globalPool adds a GlobalAveragePool or a GlobalMaxPool.
func (m *randomModel) globalPool(v randomValue) {
	if len(v.shape) < 3 || len(v.shape) > 4 {
		return
	}
	m.add([]string{"GlobalAveragePool", "GlobalMaxPool"}[m.r.IntN(2)], []int{v.shape[0], v.shape[1], 1, 1}[:len(v.shape)], []string{v.name})
}

// batchNorm adds a BatchNormalization.
func (m *randomModel) batchNorm(v randomValue) {
	c := v.shape[1]
	x := m.floats(c)
	for i := range x {
		x[i] = float32(x[i]*x[i]) + 0.1
	}
	variance := m.weight(c)
	*m.g.Initializer[len(m.g.Initializer)-1] = *onnxtest.Floats(variance, x, int64(c))
	m.add("BatchNormalization", v.shape, []string{v.name, m.weight(c), m.weight(c), m.weight(c), variance}, onnxtest.Float("epsilon", 1e-3))
}

func ptr[T any](x T) *T { return &x }
