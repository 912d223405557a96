package graph

import (
	"fmt"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"gantry/internal/kernel"
	"gantry/internal/rng"
)

// TestPixelLowering: images are NCHW in the file, and layouts are no nodes there.
func TestPixelLowering(t *testing.T) {
	want := `g.0 (3, 36) = Gemm(z, g.0.weight, g.0.bias) map[transB:1]
g.1 (3, 6, 2, 3) = Reshape(g.0) [[-1 6 2 3]]
g.2 (2, 3, 3, 6) = BatchNormalization(g.1, g.2.weight, g.2.bias, g.2.running_mean, g.2.running_var) map[epsilon:1e-05]
g.3 (2, 3, 3, 6) = Relu(g.2)
g.4 (4, 6, 3, 6) = Resize(g.3) map[coordinate_transformation_mode:asymmetric mode:nearest nearest_mode:floor] [<nil> [1 1 2 2]]
g.5 (4, 6, 3, 5) = Conv(g.4, g.5.weight, g.5.bias) map[kernel_shape:[3 3] pads:[1 1 1 1] strides:[1 1]]
g.6 (4, 6, 3, 5) = BatchNormalization(g.5, g.6.weight, g.6.bias, g.6.running_mean, g.6.running_var) map[epsilon:1e-05]
g.7 (4, 6, 3, 5) = Tanh(g.6)
g.9 (8, 12, 3, 2) = ConvTranspose(g.7, g.9.weight, g.9.bias) map[kernel_shape:[3 3] output_padding:[1 1] pads:[1 1 1 1] strides:[2 2]]
g.10 (8, 12, 3, 2) = Sigmoid(g.9)`
	if got := lowerings(t, newTestModel(t, pixelSpec, fanIn)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestFused: an activation in the pass of a convolution or a batch norm gives the
// bits of one that is an operation of its own, forwards and backwards.
func TestFused(t *testing.T) {
	shapes := map[string][][]int{"conv": {{6, 5, 4, 3}, {2, 3, 4, 4}, {2}}, "batch_norm": {{6, 5, 4, 3}, {3}, {3}}}
	for _, a := range []act{{kind: kernel.Relu}, {kernel.LeakyRelu, 0.2}, {kind: kernel.Tanh}, {kind: kernel.Sigmoid}} {
		for name, s := range shapes {
			if name == "batch_norm" && (a.kind == kernel.Tanh || a.kind == kernel.Sigmoid) {
				continue // Build does not ask for it
			}
			run := func(fused bool) [][]float32 {
				g, c := gorgonia.NewGraph(), &Context{}
				x := inputsFor(g, opCase{shapes: s})
				inner := act{}
				if fused {
					inner = a
				}
				var y *gorgonia.Node
				var err error
				if name == "conv" {
					y, err = convOf(c, x[0], x[1], x[2], 2, 1, inner)
				} else {
					y, _, err = normOf(c, x[0], x[1], x[2], 1e-5, inner)
				}
				if err == nil && !fused {
					y, err = elementwise(c, a, y)
				}
				if err != nil {
					t.Fatal(err)
				}
				gy := Input(g, "gy", y.Shape()...)
				fillCase(Floats(gy), false, 99)
				gs, err := Grad(y, gy, x...)
				if err != nil {
					t.Fatal(err)
				}
				vm, err := NewVM(append(gs, y))
				if err != nil {
					t.Fatal(err)
				}
				if err := vm.RunAll(); err != nil {
					t.Fatal(err)
				}
				p := passCase{y: y, grads: gs}
				return p.results()
			}
			sameResults(t, fmt.Sprint(name, " ", a.name()), run(true), run(false))
		}
	}
}

// TestPixelThreads: no number of threads changes a bit of a pass, whatever the shards.
func TestPixelThreads(t *testing.T) {
	m := newTestModel(t, pixelSpec, fanIn)
	for _, shards := range []int{1, 2, 3} {
		for _, net := range []*Net{m.G, m.D} {
			var want [][]float32
			for _, threads := range []int{1, 2, 3} {
				pool := kernel.NewPool(threads)
				p := newPassCase(t, m, net, &Context{Pool: pool, Shards: shards}, 6)
				vm, err := NewVM(gorgonia.Nodes{p.y}, p.grads)
				if err != nil {
					t.Fatal(err)
				}
				if err := vm.RunAll(); err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = p.results()
				}
				sameResults(t, fmt.Sprintf("%s, %d shards, %d threads", net.Name, shards, threads), p.results(), want)
				pool.Close()
			}
		}
	}
}

// TestPixelShards: the sums over a batch of images in shards are those of the
// shards alone, which other machines may have. Images of shard s are s·N/S ... of
// every pixel.
func TestPixelShards(t *testing.T) {
	const h, w, n, c, k, shards = 4, 3, 6, 5, 4, 3
	const pixels, part = h * w, n / shards
	x, g := make([]float32, pixels*n*c), make([]float32, pixels*n*c)
	rng.Normal(x, 1, rng.Augment, 0, 0)
	rng.Normal(g, 1, rng.Augment, 1, 0)
	together := func(v []float32) []float32 {
		dst := make([]float32, len(v))
		kernel.ToShards(nil, dst, v, pixels, n, c, shards)
		return dst
	}
	run := func(ctx *Context, outputs func(x, g, gamma, beta *gorgonia.Node) (gorgonia.Nodes, error), shape []int, xv, gv []float32) [][]float32 {
		graph := gorgonia.NewGraph()
		xn, gn, gamma, beta := Input(graph, "x", shape...), Input(graph, "g", shape...), Input(graph, "gamma", c), Input(graph, "beta", c)
		copy(Floats(xn), xv)
		copy(Floats(gn), gv)
		fillCase(Floats(gamma), false, 1)
		fillCase(Floats(beta), false, 2)
		out, err := outputs(xn, gn, gamma, beta)
		if err != nil {
			t.Fatal(err)
		}
		vm, err := NewVM(out)
		if err != nil {
			t.Fatal(err)
		}
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		p := passCase{y: out[0], grads: out[1:]}
		return p.results()
	}

	// Batch norm and bias gradients of images are those of a matrix in which shards stand together.
	ctx := &Context{Shards: shards}
	sums := func(x, g, gamma, beta *gorgonia.Node) (gorgonia.Nodes, error) {
		y, _, err := normOf(ctx, x, gamma, beta, 1e-5, act{kernel.LeakyRelu, 0.2})
		if err != nil {
			return nil, err
		}
		gs, err := Grad(y, g, x, gamma, beta)
		if err != nil {
			return nil, err
		}
		bias, err := colSumOf(ctx, x)
		return append(gorgonia.Nodes{y}, append(gs, bias)...), err
	}
	got := run(ctx, sums, []int{h, w, n, c}, x, g)
	want := run(ctx, sums, []int{pixels * n, c}, together(x), together(g))
	got[0], got[1] = together(got[0]), together(got[1]) // y and dx are images
	sameResults(t, "batch norm", got, want)

	// Weight gradients are the sum of those of each shard's images.
	s := kernel.ConvShape{H: h, W: w, C: c, OH: h, OW: w, K: k, R: 3, S: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 1}
	conv := kernel.NewConv(s)
	coarse := make([]float32, pixels*n*k)
	rng.Normal(coarse, 1, rng.Augment, 2, 0)
	xs, gs := together(x), make([]float32, len(coarse))
	kernel.ToShards(nil, gs, coarse, pixels, n, k, shards)
	var parts [shards][]float32
	for i := range parts {
		parts[i] = make([]float32, k*c*9)
		conv.WeightGrad(nil, parts[i], xs[i*pixels*part*c:], gs[i*pixels*part*k:], part, 1)
	}
	kernel.Add(nil, parts[0], parts[0], parts[1]) // the tree of three: (0 + 1) + 2
	kernel.Add(nil, parts[0], parts[0], parts[2])
	whole := make([]float32, k*c*9)
	convWeight{conv, n}.run(ctx, whole, [][]float32{x, coarse})
	sameBits(t, "weight gradient", whole, parts[0])
}

// TestLayout: a change of layout that is a view leaves elements where they stand.
func TestLayout(t *testing.T) {
	for _, n := range []int{1, 2} {
		for _, c := range []int{1, 3} {
			for _, size := range [][]int{{1, 1}, {1, 2}, {2, 1}, {3, 2}} {
				pixels := size[0] * size[1]
				x := make([]float32, n*c*pixels)
				want := make([]float32, len(x)) // HWNC of the numbers 0, 1, ... in NCHW
				for i := range x {
					x[i] = float32(i)
					image, channel, pixel := i/pixels/c, i/pixels%c, i%pixels
					want[(pixel*n+image)*c+channel] = x[i]
				}
				o := layout{n, c, size[0], size[1], true}
				got, back := slices.Clone(x), slices.Clone(want)
				if !o.view() {
					o.run(&Context{}, got, [][]float32{x})
				}
				sameBits(t, fmt.Sprint(o), got, want)
				if o.hwnc = false; !o.view() {
					o.run(&Context{}, back, [][]float32{want})
				}
				sameBits(t, fmt.Sprint(o), back, x)
			}
		}
	}
}

func TestPixelErrors(t *testing.T) {
	g, c := gorgonia.NewGraph(), &Context{}
	x, w, b := Input(g, "x", 4, 4, 2, 3), Input(g, "w", 5, 3, 2, 2), Input(g, "b", 4)
	flat := Input(g, "flat", 4, 4)
	for name, err := range map[string]error{
		"conv of other channels":           second(convOf(c, Input(g, "x2", 4, 4, 2, 2), w, nil, 1, 0, act{})),
		"conv_transpose of other channels": second(convTransposeOf(c, x, w, nil, 1, 0, 0, act{})),
		"bias of other channels":           second(convOf(c, x, w, b, 1, 0, act{})),
		"upsample of a matrix":             second(upsampleOf(c, flat, 2)),
		"pool of a matrix":                 second(meanPixelsOf(c, flat)),
		"layout of a matrix":               second(layoutOf(c, flat, true)),
	} {
		if err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func second(_ *gorgonia.Node, err error) error { return err }
