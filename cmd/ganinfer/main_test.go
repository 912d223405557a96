package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gantry/internal/npy"
	"gantry/internal/onnx"
	"gantry/internal/onnx/onnxtest"
)

// dirWithModels returns a directory that holds g.onnx, a generator of 1x2x3 images, points.onnx, one
// of vectors, and z.npy, and is the working directory of the test.
func dirWithModels(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	write := func(name string, b []byte) {
		if err := os.WriteFile(name, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("g.onnx", onnxtest.Bytes(onnxtest.Small()))
	points := onnxtest.Small()
	points.Graph.Initializer[4] = onnxtest.Ints("shape", []int64{-1, 6}, 2)
	points.Graph.Output[0] = onnxtest.Value("image", "N", 6)
	write("points.onnx", onnxtest.Bytes(points))
	wide := onnxtest.Small()
	wide.Graph.Initializer[4] = onnxtest.Ints("shape", []int64{-1, 6, 1, 1}, 4)
	wide.Graph.Output[0] = onnxtest.Value("image", "N", 6, 1, 1)
	write("wide.onnx", onnxtest.Bytes(wide))
	broken := onnxtest.Small()
	raw := []byte(*broken.Graph.Initializer[3].RawData)
	binary.LittleEndian.PutUint32(raw[8:], math.Float32bits(float32(math.NaN()))) // element 2 of the last bias
	write("nan.onnx", onnxtest.Bytes(broken))
	odd := onnxtest.Small()
	odd.Graph.Input = append(odd.Graph.Input, onnxtest.Value("a=b", "N", 4))
	odd.Graph.Input[0].Name = "a"
	odd.Graph.Node[0].Input[0] = "sum"
	odd.Graph.Node = append([]*onnx.NodeProto{{OpType: "Sub", Input: []string{"a", "a=b"}, Output: []string{"sum"}}}, odd.Graph.Node...)
	write("odd.onnx", onnxtest.Bytes(odd))
	loop := onnxtest.Small()
	loop.Graph.Node[1].OpType, loop.Graph.Node[1].Attribute = "Loop", nil
	write("loop.onnx", onnxtest.Bytes(loop))
	save(t, "z.npy", &npy.Array{DType: npy.Float32, Shape: []int{3, 4}, F32: []float32{1, 0, -1, 2, 0, 0, 0, 0, 3, 1, 4, 1}})
	save(t, "z64.npy", &npy.Array{DType: npy.Float64, Shape: []int{1, 4}, F64: []float64{1, 0, -1, 2}})
	save(t, "z5.npy", &npy.Array{DType: npy.Float32, Shape: []int{1, 5}, F32: make([]float32, 5)})
	save(t, "int.npy", &npy.Array{DType: npy.Int64, Shape: []int{1, 4}, I64: make([]int64, 4)})
}

func save(t *testing.T, name string, a *npy.Array) {
	t.Helper()
	var b bytes.Buffer
	if err := npy.Write(&b, a); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// ganinfer runs the program on a command line.
func ganinfer(line string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(strings.Fields(line), &out, &err)
	return code, out.String(), err.String()
}

func mustRun(t *testing.T, line string) string {
	t.Helper()
	code, stdout, stderr := ganinfer(line)
	if code != 0 || stderr != "" {
		t.Fatalf("ganinfer %s: exit code %d, stderr %q", line, code, stderr)
	}
	return stdout
}

func read(t *testing.T, name string) *npy.Array {
	t.Helper()
	a, err := npy.ReadFile(name, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestSampleSameBytes(t *testing.T) {
	dirWithModels(t)
	mustRun(t, "sample --model g.onnx --seed 7 --first 10 --count 100 --out all.npy")
	all := read(t, "all.npy")
	if all.DType != npy.Uint8 || !slices.Equal(all.Shape, []int{100, 1, 2, 3}) {
		t.Fatalf("all.npy is %s %v, want |u1 [100 1 2 3]", all.DType, all.Shape)
	}
	for i, flags := range []string{"--batch 1", "--batch 7 --threads 1", "--batch 1000", "--threads 2"} {
		file := fmt.Sprintf("other%d.npy", i)
		mustRun(t, "sample --model g.onnx --seed 7 --first 10 --count 100 --out "+file+" "+flags)
		if b := read(t, file); !slices.Equal(b.U8, all.U8) {
			t.Errorf("%s: other bytes", flags)
		}
	}
	mustRun(t, "sample --model g.onnx --seed 7 --first 42 --count 5 --out part.npy")
	if b := read(t, "part.npy"); !slices.Equal(b.U8, all.U8[32*6:37*6]) {
		t.Error("images 42 to 46 alone are other bytes than in the whole")
	}
}

func TestSampleFiles(t *testing.T) {
	dirWithModels(t)
	mustRun(t, "sample --model g.onnx --seeds 0-2,85 --out images --grid grid.png")
	mustRun(t, "sample --model g.onnx --seeds 0-2,85 --out array.npy")
	mustRun(t, "sample --model g.onnx --seed 3 --first 5 --count 2 --out images")
	mustRun(t, "sample --model g.onnx --z z.npy --out images")
	entries, err := os.ReadDir("images")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{"seed0000.png", "seed0001.png", "seed0002.png", "seed0003-000005.png", "seed0003-000006.png", "seed0085.png", "z000000.png", "z000001.png", "z000002.png"}
	if !slices.Equal(names, want) {
		t.Errorf("images holds %v, want %v", names, want)
	}
	array := read(t, "array.npy").U8
	for i, name := range []string{"seed0000", "seed0001", "seed0002", "seed0085"} {
		f, err := os.Open("images/" + name + ".png")
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(f)
		f.Close()
		if err != nil || img.Bounds().Dx() != 3 || img.Bounds().Dy() != 2 {
			t.Fatalf("%s.png: %v, %v", name, img.Bounds(), err)
		}
		for k, v := range array[6*i : 6*i+6] {
			if r, _, _, _ := img.At(k%3, k/3).RGBA(); uint8(r>>8) != v {
				t.Fatalf("%s.png: pixel %d is %d, the array has %d", name, k, r>>8, v)
			}
		}
	}
	grid, err := os.ReadFile("grid.png")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(grid)); err != nil || c.Width != 2*3+2 || c.Height != 2*2+2 {
		t.Errorf("grid.png is %d x %d, %v, want 8 x 6", c.Width, c.Height, err)
	}
	mustRun(t, "sample --model points.onnx --seeds 1 --out points.npy")
	if a := read(t, "points.npy"); a.DType != npy.Float32 || !slices.Equal(a.Shape, []int{1, 6}) {
		t.Errorf("points.npy is %s %v, want <f4 [1 6]", a.DType, a.Shape)
	}
	if left, _ := filepath.Glob(".*.tmp"); len(left) > 0 {
		t.Errorf("temporary files stay: %v", left)
	}
}

func TestRunCommand(t *testing.T) {
	dirWithModels(t)
	stdout := mustRun(t, "run --model g.onnx --input z=z.npy --output image=out.npy")
	if want := "image float32 [3 1 2 3]\n"; stdout != want {
		t.Errorf("stdout is %q, want %q", stdout, want)
	}
	out := read(t, "out.npy")
	mustRun(t, "run --model g.onnx --input z=z64.npy --output image=out64.npy")
	for i, v := range read(t, "out64.npy").F32 {
		if math.Float32bits(v) != math.Float32bits(out.F32[i]) {
			t.Fatalf("element %d is %v from float64 latents, %v from float32", i, v, out.F32[i])
		}
	}
}

func TestInspect(t *testing.T) {
	golden, err := filepath.Abs("testdata/plan.txt")
	if err != nil {
		t.Fatal(err)
	}
	dirWithModels(t)
	want := `input       z float32 [N 4]
output      image float32 [N 1 2 3]
opset       13 (IR 7)
producer    onnxtest
nodes       5
parameters  61
metadata    colour = grey
plan        open dimensions are 2
      0  linear+bias+leaky_relu(0.2)  [2 4] -> [2 5]  @0
      1  linear+bias+tanh  [2 5] -> [2 6]  @16
    arena 1 KiB
`
	if got := mustRun(t, "inspect g.onnx --batch 2"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	got := mustRun(t, "inspect --plan g.onnx --batch 2")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(golden); err != nil || got != string(text) || !strings.HasSuffix(got, want) {
		t.Errorf("--plan: %v, got\n%swant (UPDATE_GOLDEN=1 go test rewrites it)\n%s", err, got, text)
	}
	if got := mustRun(t, "inspect g.onnx --batch 1000000000"); !strings.HasSuffix(got, "above the limit of 268435456 elements\n") {
		t.Errorf("a plan that cannot be: got %q, want all of the reason", got)
	}
	m := onnxtest.Small()
	m.MetadataProps = []*onnx.StringStringEntryProto{{Key: "k\x1b[2J", Value: strings.Repeat("é\n", 200)}}
	if err := os.WriteFile("odd.onnx", onnxtest.Bytes(m), 0o666); err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(mustRun(t, "inspect --model odd.onnx")) {
		if n := len([]rune(strings.TrimSuffix(l, "\n"))); n > 80 || strings.ContainsRune(l, '\x1b') {
			t.Errorf("line of %d columns: %q", n, l)
		}
	}
}

func TestMisuse(t *testing.T) {
	dirWithModels(t)
	if err := os.WriteFile("text.onnx", []byte("this is no model"), 0o666); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]struct {
		code int
		text string
	}{
		"":                                   {2, "no command"},
		"draw":                               {2, `unknown command "draw"`},
		"sample --modle g.onnx":              {2, "unknown flag: --modle"},
		"sample --seeds 0 --grid x.png":      {2, "--model is missing"},
		"sample --model g.onnx --grid x.png": {2, "want one of --seeds, --seed and --z, got 0"},
		"sample --model g.onnx --seeds 0":    {2, "no output"},
		"sample g.onnx y.onnx --seeds 0 --grid x.png":                                        {2, `unexpected argument "y.onnx"`},
		"sample --model g.onnx --seeds 0 --seed 1 --grid x.png":                              {2, "got 2"},
		"sample --model g.onnx --seeds 0 --count 3 --grid x.png":                             {2, "--first and --count need --seed"},
		"sample --model g.onnx --seed 0 --count 0 --grid x.png":                              {2, "--count 0: must be 1 to"},
		"sample --model g.onnx --seeds 0 --input z=z.npy --out x.npy":                        {1, "want latents of float32"},
		"sample --model g.onnx --seed 1 --first 18446744073709551615 --count 2 --grid x.png": {2, "--first 18446744073709551615"},
		"sample --model g.onnx --seed -1 --grid x.png":                                       {2, "invalid argument"},
		"sample --model g.onnx --seeds 5-1 --grid x.png":                                     {2, "range 5-1 ends before it begins"},
		"sample --model g.onnx --seeds 0-99999999999 --grid x.png":                           {2, "more than 1048576 seeds"},
		"sample --model g.onnx --seeds 0,,2 --grid x.png":                                    {2, `"" is not a number`},
		"sample --model g.onnx --seeds 0 --batch -1 --grid x.png":                            {2, "--batch -1"},
		"sample --model g.onnx --seeds 0 --threads -1 --grid x.png":                          {2, "--threads -1"},
		"sample --model g.onnx --seeds 0 --threads 1025 --grid x.png":                        {2, "--threads 1025: must be at most 1024"},
		"sample --model g.onnx --seeds 0 --threads 4611686018427387904 --grid x.png":         {2, "must be at most 1024"},
		"sample --model g.onnx --seeds 0 --grid x.jpg":                                       {2, "--grid x.jpg: want a name that ends in .png"},
		"sample --model g.onnx --seeds 0 --grid - --out -":                                   {2, "--grid - --out -: there is one standard output"},
		"sample --model g.onnx --seeds 0 --out x.png":                                        {2, "--out x.png: want a directory or a name that ends in .npy"},
		"sample --model g.onnx --seeds 0 --out x.JPEG":                                       {2, "--out x.JPEG: want a directory"},
		"sample --model g.onnx --seeds 1,2,1 --out images":                                   {2, "--seeds 1,2,1: 1 is there twice, which is one file of --out images"},
		"sample --model nan.onnx --seed 1 --first 7 --count 2 --grid x.png":                  {1, "sample 0 (seed0001-000007): element 2 is NaN"},
		"sample --model nan.onnx --seeds 3 --out x.npy":                                      {1, "sample 0 (seed0003): element 2 is NaN"},
		"sample --model nan.onnx --seeds 3 --out images":                                     {1, "sample 0 (seed0003): element 2 is NaN"},
		"sample --model points.onnx --seeds 0 --grid x.png":                                  {2, "which is no picture"},
		"sample --model wide.onnx --seeds 0 --out images":                                    {2, "6 channels, want 1 (grey) or 3 (RGB)"},
		"sample --model g.onnx --seed 0 --count 100000000 --grid x.png":                      {2, "too much for one picture"},
		"sample --model g.onnx --seeds 0 --batch 1000000000 --out x.npy":                     {1, "above the limit"},
		"sample --model none.onnx --seeds 0 --grid x.png":                                    {1, "none.onnx: no such file"},
		"sample --model text.onnx --seeds 0 --grid x.png":                                    {1, "text.onnx: infer: onnx: invalid format"},
		"sample --model loop.onnx --seeds 0 --grid x.png":                                    {1, `node 1 "act0" (Loop): operator Loop of opset 13 is not supported`},
		"sample --model g.onnx --seeds 0 --grid no/such/dir/x.png":                           {1, "no such file or directory"},
		"sample --model g.onnx --seeds 0 --out g.onnx":                                       {1, "not a directory"},
		"sample --model g.onnx --z z5.npy --grid x.png":                                      {1, "a latent has 5 elements, but the model wants 4"},
		"sample --model g.onnx --z int.npy --grid x.png":                                     {1, "int.npy: is <i8 [1 4], want float32 [n, nz]"},
		"sample --model g.onnx --z g.onnx --grid x.png":                                      {1, "not an .npy file"},
		"run --model g.onnx --input z --output image=x.npy":                                  {2, "--input z: want NAME=FILE"},
		"run --model g.onnx --input z=z.npy --input z=z.npy":                                 {2, `"z" is given twice`},
		"run --model g.onnx --input y=z.npy":                                                 {2, `--input: the model has no input "y"`},
		"run --model g.onnx --input z=z.npy --output y=x.npy":                                {2, `--output: the model has no output "y"`},
		"run --model g.onnx --input z=z.npy --output image=-":                                {2, "--output image=-: standard output"},
		"run --model g.onnx --input z=":                                                      {2, "--input z=: want NAME=FILE"},
		"run --model odd.onnx --input a=z.npy":                                               {2, `--input for "a=b" is missing`},
		"run --model g.onnx":                                                                 {2, `--input for "z" is missing`},
		"run --model g.onnx --input z=int.npy":                                               {1, "int.npy: has elements of type <i8"},
		"run --model g.onnx --input z=z5.npy":                                                {1, `input "z" has shape [1 5], want [N=1 4]`},
		"verify g.onnx":                                                                      {1, "no golden"},
		"verify g.onnx points.onnx":                                                          {2, `unexpected argument "points.onnx"`},
		"inspect g.onnx --model g.onnx":                                                      {2, `unexpected argument "g.onnx"`},
		"bench g.onnx --batch x":                                                             {2, "--batch x: \"x\" is not a number"},
		"bench g.onnx --threads 0":                                                           {2, "--threads 0: must be"},
		"inspect --max-file 1 --max-elements 60 g.onnx":                                      {1, "(Limits.Elements)"},
		"inspect --max-nodes 1 g.onnx":                                                       {1, "(Limits.Nodes)"},
		"inspect --max-arena -1 g.onnx":                                                      {2, "--max-arena -1: must be 1 to 2^40"},
		"sample --model g.onnx --seeds 0 --max-arena 1 --batch 100000 --grid x.png":          {1, "above the limit"},
		"inspect --batch 0 g.onnx":                                                           {2, "--batch 0"},
	} {
		code, stdout, stderr := ganinfer(line)
		lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
		if code != want.code || !strings.HasPrefix(lines[0], "ganinfer: error: ") || !strings.Contains(lines[0], want.text) || stdout != "" {
			t.Errorf("ganinfer %s\n got %d %q %q\nwant %d and %q", line, code, stdout, stderr, want.code, want.text)
		}
		if len(lines) > 2 || len(lines) == 2 && !strings.HasPrefix(lines[1], "ganinfer: hint: ") {
			t.Errorf("ganinfer %s: stderr is %q, want one line and perhaps a hint", line, stderr)
		}
		for _, left := range []string{"x.png", "x.npy", "images"} {
			if left == "images" {
				os.Remove(left) // made before the first image fails
			}
			if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("ganinfer %s: left %s behind", line, left)
			}
		}
	}
}

// TestHelp runs the examples of every help text, with a model that is there.
func TestHelp(t *testing.T) {
	dirWithModels(t)
	pages := []string{"--help"}
	for _, c := range commands {
		pages = append(pages, c.name+" --help")
	}
	os.WriteFile("any.onnx", onnxtest.Bytes(onnxtest.Small()), 0o666)
	sum := onnxtest.Small()
	sum.Graph.Input = []*onnx.ValueInfoProto{onnxtest.Value("a", "N", 4), onnxtest.Value("b", "N", 4)}
	sum.Graph.Output = []*onnx.ValueInfoProto{onnxtest.Value("sum", "N", 4)}
	sum.Graph.Initializer, sum.Graph.Node = nil, []*onnx.NodeProto{{OpType: "Add", Input: []string{"a", "b"}, Output: []string{"sum"}}}
	os.WriteFile("sum.onnx", onnxtest.Bytes(sum), 0o666)
	save(t, "a.npy", read(t, "z.npy"))
	save(t, "b.npy", read(t, "z.npy"))
	for _, page := range pages {
		text := mustRun(t, page)
		_, examples, ok := strings.Cut(text, "Examples:\n")
		examples, _, _ = strings.Cut(examples, "\n\n")
		lines := strings.Split(strings.TrimSpace(examples), "\n")
		if !ok || len(lines) != 3 {
			t.Errorf("%s has %d examples, want 3", page, len(lines))
		}
		for _, l := range lines {
			l = strings.TrimPrefix(strings.TrimSpace(l), "ganinfer ")
			l, _, _ = strings.Cut(l, "   ")
			code, _, stderr := ganinfer(l)
			if code != 0 && !(strings.HasPrefix(l, "verify") && strings.Contains(stderr, "no golden")) {
				t.Errorf("%s: example %q: exit code %d, %s", page, l, code, stderr)
			}
		}
		for l := range strings.Lines(text) {
			if n := len(strings.TrimRight(l, "\n")); n > columns {
				t.Errorf("%s: line of %d columns: %s", page, n, l)
			}
		}
	}
	if v := mustRun(t, "--version"); !strings.HasPrefix(v, "ganinfer ") || !strings.Contains(v, "kernels ") {
		t.Errorf("--version prints %q", v)
	}
}

func TestParseSeeds(t *testing.T) {
	for s, want := range map[string][]uint64{
		"7": {7}, "0-3": {0, 1, 2, 3}, "0-2,85": {0, 1, 2, 85}, "5,5": {5, 5}, " 1 , 3-4": {1, 3, 4},
		"18446744073709551614-18446744073709551615": {math.MaxUint64 - 1, math.MaxUint64},
	} {
		if got, err := parseSeeds(s); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q gives %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "-", "1-", "-1", "a", "1.5", "18446744073709551616", "0-1048576", "0-18446744073709551615", "0-1048575,3"} {
		if got, err := parseSeeds(s); err == nil {
			t.Errorf("%q gives %d seeds, want an error", s, len(got))
		}
	}
}

func FuzzParseSeeds(f *testing.F) {
	f.Add("0-35,85")
	f.Add("18446744073709551615-18446744073709551615")
	f.Fuzz(func(t *testing.T, s string) {
		if seeds, err := parseSeeds(s); (err == nil) != (seeds != nil) || len(seeds) > maxSeeds {
			t.Errorf("%q gives %d seeds and %v", s, len(seeds), err)
		}
	})
}

// TestSignals stops a long run and expects the exit code, and no file.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "js" {
		t.Skip("signals cannot be sent here")
	}
	dirWithModels(t)
	for sig, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		done := make(chan int)
		started := make(chan bool)
		go func() {
			var stderr bytes.Buffer
			close(started)
			done <- run(strings.Fields("sample --model g.onnx --seed 1 --count 2000000000 --out long.npy"), io.Discard, &stderr)
		}()
		<-started
		for waiting := true; waiting; { // until the run has made its temporary file, it may not listen yet
			if left, _ := filepath.Glob(".long.npy.*.tmp"); len(left) > 0 {
				waiting = false
			}
			time.Sleep(time.Millisecond)
		}
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if err := self.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if code := <-done; code != want {
			t.Errorf("%v: exit code %d, want %d", sig, code, want)
		}
		if left, _ := filepath.Glob("*long.npy*"); len(left) > 0 {
			t.Errorf("%v: %v stay", sig, left)
		}
		if left, _ := filepath.Glob(".long.npy*"); len(left) > 0 {
			t.Errorf("%v: %v stay", sig, left)
		}
	}
}

// TestBinary builds the program as it is shipped: without cgo, and small.
func TestBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("links the program")
	}
	const limit = 6_000_000
	bin := filepath.Join(t.TempDir(), "ganinfer")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	st, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("%d bytes", st.Size()); st.Size() > limit {
		t.Errorf("ganinfer has %d bytes, want at most %d", st.Size(), limit)
	}
}

// TestDependencies keeps Gorgonia and training out of the program.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "gantry/infer") {
		t.Fatalf("go list gives %d packages without gantry/infer", len(deps))
	}
	for _, d := range deps {
		switch {
		case d == "gorgonia.org/gorgonia" || strings.HasPrefix(d, "gorgonia.org/gorgonia/"),
			strings.HasPrefix(d, "gantry/train"), d == "gantry/export", d == "gantry/internal/graph",
			strings.HasPrefix(d, "google.golang.org/protobuf"):
			t.Errorf("ganinfer depends on %s", d)
		}
	}
}
