package main

import (
	"bytes"
	"image/gif"
	"image/png"
	"os"
	"slices"
	"strings"
	"testing"

	"gantry/internal/npy"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// mirror writes mirror.onnx, whose samples are its inputs, z [N 2 1 1], label [N 3] and x [N 1], as [1 2 3]; and
// last.onnx, which says that they are [N 1 2 3] with channels last.
func mirror(t *testing.T) {
	t.Helper()
	m := onnxtest.Small()
	g := m.Graph
	g.Input = []*onnx.ValueInfoProto{onnxtest.Value("z", "N", 2, 1, 1), onnxtest.Value("label", "N", 3), onnxtest.Value("x", "N", 1)}
	g.Output = []*onnx.ValueInfoProto{onnxtest.Value("image", "N", 1, 2, 3)}
	g.Initializer = []*onnx.TensorProto{onnxtest.Ints("shape", []int64{-1, 1, 2, 3}, 4)}
	g.Node = []*onnx.NodeProto{
		{OpType: "Flatten", Input: []string{"z"}, Output: []string{"flat"}},
		{OpType: "Concat", Input: []string{"flat", "label", "x"}, Output: []string{"all"}, Attribute: []*onnx.AttributeProto{onnxtest.Int("axis", 1)}},
		{OpType: "Reshape", Input: []string{"all", "shape"}, Output: []string{"image"}},
	}
	for name, shape := range map[string][]int64{"mirror.onnx": {-1, 1, 2, 3}, "last.onnx": {-1, 2, 1, 3}} {
		g.Initializer[0] = onnxtest.Ints("shape", shape, 4)
		g.Output[0] = onnxtest.Value("image", "N", int(shape[1]), int(shape[2]), int(shape[3]))
		if err := os.WriteFile(name, onnxtest.Bytes(m), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	save(t, "z2.npy", &npy.Array{DType: npy.Float32, Shape: []int{2, 2, 1, 1}, F32: []float32{10, 20, 30, 40}})
	save(t, "x1.npy", &npy.Array{DType: npy.Float32, Shape: []int{1, 1}, F32: []float32{200}})
	save(t, "x2.npy", &npy.Array{DType: npy.Float32, Shape: []int{2, 1}, F32: []float32{200, 100}})
	save(t, "x3.npy", &npy.Array{DType: npy.Float32, Shape: []int{3, 1}, F32: []float32{1, 2, 3}})
}

// TestSampleOptions shows what the model is given, as pixels.
func TestSampleOptions(t *testing.T) {
	dirWithModels(t)
	mirror(t)
	for _, c := range []struct {
		flags string
		want  []uint8
	}{
		{"mirror.onnx --label 1 --input x=x1.npy", []uint8{10, 20, 0, 1, 0, 200, 30, 40, 0, 1, 0, 200}},
		{"mirror.onnx --label 1 --input x=x1.npy --trunc 0.5", []uint8{5, 10, 0, 1, 0, 200, 15, 20, 0, 1, 0, 200}},
		{"mirror.onnx --label 2,0 --input x=x2.npy --batch 1", []uint8{10, 20, 0, 0, 1, 200, 30, 40, 0, 0, 1, 100, 10, 20, 1, 0, 0, 200, 30, 40, 1, 0, 0, 100}},
		{"last.onnx --label 1 --input x=x1.npy --layout nhwc", []uint8{10, 1, 20, 0, 0, 200, 30, 1, 40, 0, 0, 200}},
	} {
		mustRun(t, "sample --z z2.npy --range 0,255 --out o.npy --model "+c.flags)
		if a := read(t, "o.npy"); a.DType != npy.Uint8 || !slices.Equal(a.U8, c.want) {
			t.Errorf("%s: got %v, want %v", c.flags, a.U8, c.want)
		}
	}
	mustRun(t, "sample mirror.onnx --seeds 0-4 --label all --input x=x1.npy --grid classes.png --out images")
	b, err := os.ReadFile("classes.png")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(b)); err != nil || c.Width != 5*3+4*2 || c.Height != 3*2+2*2 {
		t.Errorf("classes.png is %d x %d, %v, want a row of 5 for each of 3 classes", c.Width, c.Height, err)
	}
	if _, err := os.Stat("images/label2-seed0004.png"); err != nil {
		t.Error(err)
	}
	for line, want := range map[string]string{
		"mirror.onnx --input x=x1.npy":                           "the model is conditional: --label is missing",
		"mirror.onnx --input x=x1.npy --label 3":                 "there is no class 3; classes are 0 to 2",
		"mirror.onnx --input x=x1.npy --label x":                 `"x" is not a number`,
		"mirror.onnx --label 1":                                  `["x"] must be given`,
		"g.onnx --label 1":                                       "the model takes no labels",
		"mirror.onnx --label 1 --input x=x1.npy --layout nchw1":  "--layout nchw1: want nchw or nhwc",
		"mirror.onnx --label 1 --input x=x1.npy --range 1":       "--range 1: want two numbers",
		"mirror.onnx --label 1 --input x=x1.npy --range 1,1":     "--range 1,1: want two numbers",
		"mirror.onnx --label 1 --input x=x1.npy --range NaN,inf": "--range NaN,inf: want two numbers",
		"mirror.onnx --label 1 --input x=x1.npy --trunc NaN":     "--trunc NaN: must be",
		"mirror.onnx --label 1 --input y=x1.npy":                 `the model has no input "y"`,
	} {
		code, _, stderr := ganinfer("sample --seeds 1,2 --out x.npy --model " + line)
		if code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, %s, want 2 and %q", line, code, stderr, want)
		}
	}
	if code, _, stderr := ganinfer("sample --seeds 1,2 --out x.npy mirror.onnx --label 1 --input x=x3.npy"); code != 1 || !strings.Contains(stderr, "x3.npy has 3 rows, want 1 or 2") {
		t.Errorf("three rows for two samples: %d, %s", code, stderr)
	}
}

// TestInterpolateInputs: an input has a row for each frame, not for each latent.
func TestInterpolateInputs(t *testing.T) {
	dirWithModels(t)
	mirror(t)
	mustRun(t, "interpolate mirror.onnx --z z2.npy --label 1 --input x=x3.npy --frames 3 --mode linear --range 0,255 --out o.npy")
	if a, want := read(t, "o.npy").U8, []uint8{10, 20, 0, 1, 0, 1, 20, 30, 0, 1, 0, 2, 30, 40, 0, 1, 0, 3}; !slices.Equal(a, want) {
		t.Errorf("got %v, want %v", a, want)
	}
	if code, _, stderr := ganinfer("interpolate mirror.onnx --z z2.npy --label 1 --input x=x2.npy --frames 3 --out o.npy"); code != 1 || !strings.Contains(stderr, "x2.npy has 2 rows, want 1 or 3") {
		t.Errorf("%d, %s", code, stderr)
	}
	if code, _, stderr := ganinfer("interpolate mirror.onnx --z z2.npy --label all --input x=x1.npy --frames 3 --out o.npy"); code != 2 || !strings.Contains(stderr, "--label all: 3 classes") {
		t.Errorf("%d, %s", code, stderr)
	}
}

// TestPipe: what goes to standard output is what goes to a file.
func TestPipe(t *testing.T) {
	dirWithModels(t)
	mustRun(t, "sample g.onnx --seeds 0-8 --out a.npy --grid a.png")
	for flag, file := range map[string]string{"--out": "a.npy", "--grid": "a.png"} {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustRun(t, "sample g.onnx --seeds 0-8 "+flag+" -"); got != string(want) {
			t.Errorf("%s -: %d bytes that are not the %d of %s", flag, len(got), len(want), file)
		}
	}
}

// TestInterpolate looks for the latents' own samples in what is between them.
func TestInterpolate(t *testing.T) {
	dirWithModels(t)
	mustRun(t, "sample g.onnx --seeds 1,4,9 --out keys.npy")
	keys := read(t, "keys.npy").U8
	for _, mode := range []string{"", " --mode linear", " --mode spherical"} {
		mustRun(t, "interpolate g.onnx --seeds 1,4,9 --frames 60 --out walk.npy --batch 7"+mode)
		walk := read(t, "walk.npy")
		if !slices.Equal(walk.Shape, []int{60, 1, 2, 3}) {
			t.Fatalf("frames are %v", walk.Shape)
		}
		for k, frame := range []int{0, 29, 59} {
			if !slices.Equal(walk.U8[6*frame:6*frame+6], keys[6*k:6*k+6]) {
				t.Errorf("%s: frame %d is not sample %d", mode, frame, k)
			}
		}
		for i := 6; i < len(walk.U8); i++ {
			if d := int(walk.U8[i]) - int(walk.U8[i-6]); d > 30 || d < -30 {
				t.Errorf("%s: from frame %d to the next a pixel changes by %d", mode, i/6-1, d)
			}
		}
	}
	mustRun(t, "interpolate g.onnx --seeds 1,4,9 --frames 60 --out walk.gif")
	mustRun(t, "interpolate g.onnx --seeds 1,4,9 --frames 60 --out frames")
	b, err := os.ReadFile("walk.gif")
	if err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(bytes.NewReader(b))
	if err != nil || len(g.Image) != 60 || g.Config.Width != 3 || g.Config.Height != 2 {
		t.Fatalf("walk.gif: %v, %d frames", err, len(g.Image))
	}
	walk := read(t, "walk.npy").U8
	for i, f := range g.Image {
		for k := range 6 {
			if r, _, _, _ := f.At(k%3, k/3).RGBA(); uint8(r>>8) != walk[6*i+k] {
				t.Fatalf("walk.gif: frame %d is another image than in walk.npy", i)
			}
		}
	}
	if files, _ := os.ReadDir("frames"); len(files) != 60 || files[59].Name() != "frame0059.png" {
		t.Errorf("%d files", len(files))
	}
	mustRun(t, "interpolate g.onnx --z z.npy --frames 3 --out walk.npy")
	for line, want := range map[string]string{
		"--seeds 1,2":                                 "--out is missing",
		"--seeds 1,2 --out x.png":                     "--out x.png: want a directory",
		"--seeds 1-3 --out x.mp4":                     "hint: --out walk.gif makes an animation",
		"--seeds 1 --out x.gif":                       "one latent is no way to walk",
		"--seeds 1-9 --frames 8 --out x.gif":          "--frames 8: must be at least the number of latents, 9",
		"--seeds 1-9 --frames 10000000 --out x.gif":   "at most 1048576",
		"--seeds 1,2 --mode round --out x.gif":        "--mode round: want linear or spherical",
		"--seeds 1,2 --out x.gif --model points.onnx": "which is no picture",
	} {
		if !strings.Contains(line, "--model") {
			line += " --model g.onnx"
		}
		if code, _, stderr := ganinfer("interpolate " + line); code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, %s, want 2 and %q", line, code, stderr, want)
		}
	}
}

// TestEmbedding: labels of integers, which are looked up in a table.
func TestEmbedding(t *testing.T) {
	dirWithModels(t)
	m := onnxtest.Small()
	g := m.Graph
	label := onnxtest.Value("label", "N", 1)
	label.Type.TensorType.ElemType = int32(onnx.Int64)
	g.Input = []*onnx.ValueInfoProto{onnxtest.Value("z", "N", 2), label}
	g.Output = []*onnx.ValueInfoProto{onnxtest.Value("image", "N", 1, 2, 2)}
	g.Initializer = []*onnx.TensorProto{onnxtest.Ints("shape", []int64{-1, 1, 2, 2}, 4), onnxtest.Ints("flat", []int64{-1}, 1),
		onnxtest.Floats("table", []float32{50, 60, 70, 80, 90, 100}, 3, 2)}
	g.Node = []*onnx.NodeProto{
		{OpType: "Reshape", Input: []string{"label", "flat"}, Output: []string{"labels"}},
		{OpType: "Gather", Input: []string{"table", "labels"}, Output: []string{"row"}},
		{OpType: "Concat", Input: []string{"z", "row"}, Output: []string{"all"}, Attribute: []*onnx.AttributeProto{onnxtest.Int("axis", 1)}},
		{OpType: "Reshape", Input: []string{"all", "shape"}, Output: []string{"image"}},
	}
	if err := os.WriteFile("embed.onnx", onnxtest.Bytes(m), 0o666); err != nil {
		t.Fatal(err)
	}
	save(t, "z2.npy", &npy.Array{DType: npy.Float32, Shape: []int{1, 2}, F32: []float32{10, 20}})
	for label, want := range map[string][]uint8{"1": {10, 20, 70, 80}, "all": {10, 20, 50, 60, 10, 20, 70, 80, 10, 20, 90, 100}} {
		mustRun(t, "sample embed.onnx --z z2.npy --range 0,255 --out o.npy --label "+label)
		if a := read(t, "o.npy").U8; !slices.Equal(a, want) {
			t.Errorf("--label %s: got %v, want %v", label, a, want)
		}
	}
	if code, _, stderr := ganinfer("sample embed.onnx --z z2.npy --out o.npy --label 3"); code != 2 || !strings.Contains(stderr, "there is no class 3; classes are 0 to 2") {
		t.Errorf("%d, %s", code, stderr)
	}
}

// TestNoise: random numbers that the model itself draws belong to a sample's seed and index, and do not change on a walk.
func TestNoise(t *testing.T) {
	dirWithModels(t)
	m := onnxtest.Small()
	m.Graph.Initializer = m.Graph.Initializer[4:]
	m.Graph.Input[0] = onnxtest.Value("z", "N", 6)
	m.Graph.Node = []*onnx.NodeProto{
		{OpType: "RandomUniformLike", Input: []string{"z"}, Output: []string{"noise"}},
		{OpType: "Reshape", Input: []string{"noise", m.Graph.Initializer[0].Name}, Output: []string{"image"}},
	}
	if err := os.WriteFile("noise.onnx", onnxtest.Bytes(m), 0o666); err != nil {
		t.Fatal(err)
	}
	pixels := func(line string) []uint8 {
		mustRun(t, line+" --out o.npy --model noise.onnx")
		return read(t, "o.npy").U8
	}
	both := pixels("sample --seeds 3,4")
	if one := pixels("sample --seeds 3,4 --batch 1"); !slices.Equal(one, both) || slices.Equal(both[:6], both[6:]) {
		t.Errorf("got %v one by one, %v together", one, both)
	}
	if four := pixels("sample --seed 4"); !slices.Equal(four, both[6:]) {
		t.Errorf("seed 4 is %v alone, %v beside 3", four, both[6:])
	}
	if walk := pixels("interpolate --seeds 3,4 --frames 3"); !slices.Equal(walk, slices.Repeat(both[:6], 3)) {
		t.Errorf("the walk is %v, want %v three times", walk, both[:6])
	}
	save(t, "z6.npy", &npy.Array{DType: npy.Float32, Shape: []int{2, 6}, F32: make([]float32, 12)})
	noise := func(flags string) []float32 {
		mustRun(t, "run noise.onnx --input z=z6.npy --output image=o.npy"+flags)
		return read(t, "o.npy").F32
	}
	if zero := noise(""); !slices.Equal(noise(" --seed 0"), zero) || slices.Equal(noise(" --seed 5"), zero) {
		t.Error("run --seed does not decide the random numbers")
	}
}
