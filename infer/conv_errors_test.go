package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// hostileConv is a model of one convolution with something wrong.
type hostileConv struct {
	op      string
	weight  []int64 // nil stands for [4 2 3 3]
	bias    int64   // 0 stands for none
	attrs   []*onnx.AttributeProto
	load    string // the error of loading, after the node; or
	run     string // that of running on [1 4 5 5]
	dynamic bool   // the weights are an input
}

func text(name, s string) *onnx.AttributeProto {
	return &onnx.AttributeProto{Name: name, Type: onnx.AttributeProto_STRING, S: ptr(onnx.Raw(s))}
}

var hostileConvs = []hostileConv{
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("pads", -1, 0, 0, 0)}, load: "attribute pads has -1 in it, want 0 to 1048576"},
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("pads", math.MaxInt64, 0, 0, math.MaxInt64)}, load: "attribute pads has 9223372036854775807 in it"},
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("pads", 1, 1, 1)}, load: "attribute pads has 3 elements"},
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("strides", 0, 1)}, load: "attribute strides has 0 in it, want 1 to 1048576"},
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("strides", 1, 1), ints("dilations", 1)}, load: "attribute dilations is for 1 spatial dimensions, another is for 2"},
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("dilations", 1, 1<<40)}, load: "attribute dilations has 1099511627776 in it"},
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("kernel_shape", 3, 3, 3)}, load: "weight is [4 2 3 3], but attribute kernel_shape is [3 3 3]"},
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("kernel_shape", 2, 3)}, load: "weight is [4 2 3 3], but attribute kernel_shape is [2 3]"},
	{op: "Conv", attrs: []*onnx.AttributeProto{onnxtest.Int("group", 0)}, load: "attribute group is 0, want 1 to 1048576"},
	{op: "Conv", attrs: []*onnx.AttributeProto{onnxtest.Int("group", 3)}, load: "weight is [4 2 3 3], whose first dimension is no multiple of group, 3"},
	{op: "Conv", attrs: []*onnx.AttributeProto{onnxtest.Int("group", math.MaxInt64)}, load: "attribute group is 9223372036854775807"},
	{op: "Conv", attrs: []*onnx.AttributeProto{text("auto_pad", "SAME")}, load: `attribute auto_pad is "SAME", want one of NOTSET, SAME_UPPER, SAME_LOWER, VALID`},
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("output_padding", 0, 0)}, load: `attribute "output_padding" is not known`},
	{op: "Conv", weight: []int64{4, 2}, load: "weight is [4 2], want rank 3 to 5"},
	{op: "Conv", weight: []int64{4, 2, 1, 1, 1, 1}, load: "weight is [4 2 1 1 1 1], want rank 3 to 5"},
	{op: "Conv", weight: []int64{4, 0, 3, 3}, load: "weight is [4 0 3 3], which is empty"},
	{op: "Conv", bias: 3, load: "bias is [3], but weight is [4 2 3 3] in groups of 2, so it needs [4]"},
	{op: "ConvTranspose", attrs: []*onnx.AttributeProto{ints("output_padding", 0, -1)}, load: "attribute output_padding has -1 in it"},
	{op: "ConvTranspose", attrs: []*onnx.AttributeProto{ints("output_shape", 0, 9)}, load: "attribute output_shape has 0 in it"},
	{op: "ConvTranspose", weight: []int64{4, 1 << 60, 3, 3}, load: ""},

	{op: "Conv", weight: []int64{4, 3, 1, 1}, run: "input is [1 4 5 5], but weight is [4 3 1 1] in groups of 2, so it needs rank 4 and 6 channels"},
	{op: "Conv", weight: []int64{4, 2, 3}, run: "input is float32[1 4 5 5], want float32 of rank 3"},
	{op: "Conv", weight: []int64{4, 2, 6, 1}, run: "spatial dimension 0 of [1 4 5 5]: a kernel that reaches over 6 does not fit into 5 with padding of 0 and 0"},
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("dilations", 1, 1<<20)}, run: "a kernel that reaches over 2097153 does not fit"},
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("strides", 1)}, run: "attribute strides has 1 elements, want 2"},
	{op: "Conv", attrs: []*onnx.AttributeProto{ints("pads", 1<<20, 1<<20, 1<<20, 1<<20)}, run: "above the limit"},
	{op: "ConvTranspose", attrs: []*onnx.AttributeProto{ints("pads", 4, 4, 4, 4)}, run: "padding of 4 and 4 leaves nothing of 7"},
	{op: "ConvTranspose", attrs: []*onnx.AttributeProto{ints("strides", 1<<20, 1<<20)}, run: "strides of 1048576 and 1048576 make 1099511627776 phases"},
	{op: "ConvTranspose", attrs: []*onnx.AttributeProto{ints("strides", 100, 100)}, run: "strides of 100 and 100 make 10000 phases, want at most 4096"},
	{op: "ConvTranspose", attrs: []*onnx.AttributeProto{ints("output_padding", 1, 1)}, run: "output_padding 1 is not below stride 1 or dilation 1"},
	{op: "ConvTranspose", attrs: []*onnx.AttributeProto{ints("output_shape", 7, 8)}, run: "output_shape wants 8, but the kernel reaches 7"},
	{op: "ConvTranspose", attrs: []*onnx.AttributeProto{ints("output_shape", 7)}, run: "attribute output_shape has 1 elements, want 2"},
	{op: "ConvTranspose", attrs: []*onnx.AttributeProto{ints("output_padding", 0)}, run: "attribute output_padding has 1 elements, want 2"},
	{op: "Conv", dynamic: true, attrs: []*onnx.AttributeProto{onnxtest.Int("group", 3)}, run: "whose first dimension is no multiple of group, 3"},
	{op: "Conv", dynamic: true, attrs: []*onnx.AttributeProto{ints("pads", 1<<20, 1<<20, 1<<20, 1<<20)}, run: "above the limit"},
}

// bytes returns the file.
func (c hostileConv) bytes() []byte {
	if c.weight == nil {
		c.weight = []int64{4, 2, 3, 3}
	}
	n := int64(1)
	for _, d := range c.weight {
		n *= min(d, 8)
	}
	g := &onnx.GraphProto{Name: "g", Input: []*onnx.ValueInfoProto{onnxtest.Value("x", "N", 4, "H", "W")}, Output: []*onnx.ValueInfoProto{{Name: "y"}}}
	node := &onnx.NodeProto{Name: "c", OpType: c.op, Input: []string{"x", "w"}, Output: []string{"y"}, Attribute: c.attrs}
	if c.attrs == nil || c.attrs[0].Name != "group" {
		node.Attribute = append([]*onnx.AttributeProto{onnxtest.Int("group", 2)}, c.attrs...)
	}
	if c.dynamic {
		g.Input = append(g.Input, onnxtest.Value("w", 4, 2, 3, 3))
	} else {
		g.Initializer = append(g.Initializer, onnxtest.Floats("w", make([]float32, n), c.weight...))
	}
	if c.bias != 0 {
		node.Input = append(node.Input, "b")
		g.Initializer = append(g.Initializer, onnxtest.Floats("b", make([]float32, c.bias), c.bias))
	}
	g.Node = []*onnx.NodeProto{node}
	return onnxtest.Bytes(&onnx.ModelProto{IrVersion: 7, OpsetImport: []*onnx.OperatorSetIdProto{{Version: 13}}, Graph: g})
}

// TestHostileConvolutions wants errors that name the node and what was seen, and little memory.
func TestHostileConvolutions(t *testing.T) {
	for _, c := range hostileConvs {
		name := fmt.Sprint(c.op, c.weight, c.attrs)
		var err error
		spent := allocated(func() {
			var m *Model
			if m, err = LoadBytes(c.bytes(), Options{Threads: 1}); err != nil {
				return
			}
			if c.run == "" {
				t.Errorf("%s: loads", name)
				return
			}
			in := map[string]Tensor{"x": {DType: Float32, Shape: []int{1, 4, 5, 5}, F32: make([]float32, 100)}}
			if c.dynamic {
				in["w"] = Tensor{DType: Float32, Shape: []int{4, 2, 3, 3}, F32: make([]float32, 72)}
			}
			_, err = m.NewSession().Run(context.Background(), in)
		})
		switch {
		case err == nil:
			t.Errorf("%s: no error", name)
		case !strings.Contains(err.Error(), c.load) || !strings.Contains(err.Error(), c.run) || c.load+c.run != "" && !strings.Contains(err.Error(), `node 0 "c" (`+c.op+`): `):
			t.Errorf("%s: got %v, want %s%s", name, err, c.load, c.run)
		}
		if spent > 1<<20 {
			t.Errorf("%s: takes %d bytes", name, spent)
		}
	}
}

// TestConvolutionMemory: many channels in groups of one, whose packed weights are mostly padding, large strides, and
// thin convolutions with large kernels stay within the limits, or are refused.
func TestConvolutionMemory(t *testing.T) {
	run := func(in []int, w []int64, o Options, attrs ...*onnx.AttributeProto) error {
		dims := make([]any, len(in))
		for i, d := range in {
			dims[i] = d
		}
		m := load(t, onnxtest.Value("x", dims...), []string{"y"}, []*onnx.TensorProto{filled("w", func() float32 { return 0 }, w...)},
			[]*onnx.NodeProto{{OpType: "Conv", Input: []string{"x", "w"}, Output: []string{"y"}, Attribute: attrs}}, o)
		var err error
		spent := allocated(func() {
			x := Tensor{DType: Float32, Shape: in, F32: make([]float32, plan.Count(in))}
			_, err = m.NewSession().Run(context.Background(), map[string]Tensor{"x": x})
		})
		if most := uint64(8 * max(o.Limits.ArenaBytes, 1<<20)); spent > most {
			t.Errorf("input %v, weight %v: takes %d MiB, want at most %d", in, w, spent>>20, most>>20)
		}
		return err
	}
	limits := Options{Threads: 1, Limits: Limits{ArenaBytes: 4 << 20}}
	if err := run([]int{1, 1 << 16, 1, 1}, []int64{1 << 16, 1, 1, 1}, limits, onnxtest.Int("group", 1<<16)); err != nil {
		t.Errorf("depthwise: %v", err)
	}
	if err := run([]int{1, 1, 900, 900}, []int64{1, 1, 1, 1}, limits, ints("strides", 800, 800)); err != nil {
		t.Errorf("strides of 800: %v", err)
	}
	if err := run([]int{1, 1, 100, 100}, []int64{1, 1, 100, 100}, limits); !errors.Is(err, ErrLimit) {
		t.Errorf("a thin convolution of 100x100 taps: got %v, want %v", err, ErrLimit)
	}
}
