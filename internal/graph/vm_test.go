package graph

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"gantry/internal/kernel"
	"gantry/internal/rng"
)

// sameBits fails the test unless got and want agree in every bit.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d elements, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d: got %v, want %v", what, i, got[i], want[i])
		}
	}
}

// TestMachinesAgree runs every operation and its gradients in two segments on
// both machines, several times with changing inputs: stale buffers show only in
// a second run.
func TestMachinesAgree(t *testing.T) {
	pool := kernel.NewPool(2)
	defer pool.Close()
	for _, o := range opCases {
		t.Run(o.name, func(t *testing.T) {
			g := gorgonia.NewGraph()
			x := inputsFor(g, o)
			c := &Context{Seed: 5, Pool: pool}
			y, err := o.build(c, x)
			if err != nil {
				t.Fatal(err)
			}
			gy := Input(g, "gy", y.Shape()...)
			gs, err := Grad(y, gy, x...)
			if err != nil {
				t.Fatal(err)
			}
			outputs := append(gorgonia.Nodes{y}, gs...)
			run := func(m Machine, round int) (results [][]float32) {
				for i, in := range append(x, gy) {
					fillCase(Floats(in), false, uint64(100*round+i))
				}
				for s := range 2 {
					if err := m.Run(s); err != nil {
						t.Fatal(err)
					}
				}
				for _, n := range outputs {
					results = append(results, append([]float32(nil), Floats(n)...))
				}
				return results
			}
			var all [2][][]float32
			for i, make := range []func(...gorgonia.Nodes) (Machine, error){NewVM, NewTape} {
				m, err := make(gorgonia.Nodes{y}, gs)
				if err != nil {
					t.Fatal(err)
				}
				for _, round := range []int{0, 1, 2, 0} {
					all[i] = append(all[i], run(m, round)...)
				}
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			}
			for i := range all[0] {
				sameBits(t, fmt.Sprintf("run %d, output %d", i/len(outputs), i%len(outputs)), all[1][i], all[0][i])
			}
			n := len(outputs)
			for i := range n {
				sameBits(t, "the first inputs again", all[0][3*n+i], all[0][i])
			}
		})
	}
}

// TestSegments feeds a value in between two segments and runs the second twice.
func TestSegments(t *testing.T) {
	for name, make := range map[string]func(...gorgonia.Nodes) (Machine, error){"vm": NewVM, "tape": NewTape} {
		g := gorgonia.NewGraph()
		c := &Context{}
		x, fed := Input(g, "x", 2), Input(g, "fed", 2)
		y, _ := mulOf(c, x, x)
		z, _ := mulOf(c, y, fed)
		m, err := make(gorgonia.Nodes{y}, gorgonia.Nodes{z})
		if err != nil {
			t.Fatal(err)
		}
		copy(Floats(x), []float32{2, 3})
		if err := m.Run(0); err != nil {
			t.Fatal(err)
		}
		sameBits(t, name, Floats(y), []float32{4, 9})
		for _, f := range []float32{1, 10} {
			fill(Floats(fed), f)
			if err := m.Run(1); err != nil {
				t.Fatal(err)
			}
			sameBits(t, name, Floats(z), []float32{4 * f, 9 * f})
		}
		if err := gorgonia.Let(fed, newTensor([]int{2})); err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		sameBits(t, name+" after Let", Floats(z), []float32{0, 0})
		if err := m.Run(2); err == nil {
			t.Errorf("%s: a segment that is not there: got no error", name)
		}
	}
}

// TestMachinesPrune makes sure that what no output needs is not run.
func TestMachinesPrune(t *testing.T) {
	g := gorgonia.NewGraph()
	c := &Context{}
	x := Input(g, "x", 4, 3)
	if _, err := elementwise(c, panics{}, x); err != nil {
		t.Fatal(err)
	}
	y, _ := mulOf(c, x, x)
	for name, make := range map[string]func(...gorgonia.Nodes) (Machine, error){"vm": NewVM, "tape": NewTape} {
		m, err := make(gorgonia.Nodes{y})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMachineErrors(t *testing.T) {
	g, other := gorgonia.NewGraph(), gorgonia.NewGraph()
	x, z := Input(g, "x", 2), Input(other, "z", 2)
	builtIn := gorgonia.Must(gorgonia.Add(x, x))
	for name, segments := range map[string][]gorgonia.Nodes{
		"no segments":              nil,
		"an empty segment":         {{}},
		"two graphs":               {{x}, {z}},
		"Gorgonia's own operation": {{builtIn}},
	} {
		if _, err := NewVM(segments...); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// TestNoAllocation runs every operation in the steady state.
func TestNoAllocation(t *testing.T) {
	for _, o := range opCases {
		g := gorgonia.NewGraph()
		x := inputsFor(g, o)
		y, err := o.build(&Context{}, x)
		if err != nil {
			t.Fatal(err)
		}
		gy := Input(g, "gy", y.Shape()...)
		gs, err := Grad(y, gy, x...)
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewVM(gorgonia.Nodes{y}, gs)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(10, func() {
			if err := m.RunAll(); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations a run, want none", o.name, n)
		}
	}
}

// TestShardsReachKernels: each sum over the batch is the kernel's with the
// context's shards, on inputs whose sum in one shard is another.
func TestShardsReachKernels(t *testing.T) {
	const rows, shards = 4, 2
	big := []float32{1 << 60, 1, -1 << 60, 1} // in order 1; in halves 0
	tie := []float32{1 << 53, 1 << 29, 0, 0}  // softplus: log 2 is lost at 2⁵³, twice log 2 is not
	ones, zero := []float32{1, 1, 1, 1}, []float32{0}
	var mean, variance, dgamma, dbeta [1]float32
	for _, c := range []struct {
		name   string
		inputs [][]float32 // [rows 1], then [1]
		build  func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error)
		kernel func(shards int) []float32
	}{
		{"col_sum", [][]float32{big}, func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return colSumOf(c, x[0]) },
			func(shards int) []float32 {
				dst := make([]float32, 1)
				kernel.ColSum(nil, dst, big, rows, 1, shards)
				return dst
			}},
		{"softplus_mean", [][]float32{tie}, func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) { return Softplus(c, x[0], 1, 1) },
			func(shards int) []float32 { return []float32{kernel.SoftplusMean(tie, 1, 1, shards)} }},
		{"batch_norm", [][]float32{big, {1}, {0}}, func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
			y, _, err := normOf(c, x[0], x[1], x[2], 1e-5, act{})
			return y, err
		}, func(shards int) []float32 {
			dst, inv := make([]float32, rows), make([]float32, 1)
			kernel.BatchNormStats(nil, mean[:], variance[:], big, rows, 1, shards)
			invert(inv, variance[:], 1e-5)
			kernel.BatchNormApply(nil, dst, big, mean[:], inv, []float32{1}, zero, rows, 1, kernel.Identity, 0)
			return dst
		}},
		{"batch_norm_grad", [][]float32{ones, {1}, {0}, big}, func(c *Context, x []*gorgonia.Node) (*gorgonia.Node, error) {
			y, _, err := normOf(c, x[0], x[1], x[2], 1, act{})
			if err != nil {
				return nil, err
			}
			gs, err := Grad(y, x[3], x[2])
			if err != nil {
				return nil, err
			}
			return gs[0], nil
		}, func(shards int) []float32 {
			kernel.BatchNormGrad(nil, make([]float32, rows), dgamma[:], dbeta[:], ones, nil, big, []float32{1}, []float32{1}, []float32{1}, []float32{0}, rows, 1, shards, kernel.Identity, 0)
			return []float32{dbeta[0]}
		}},
	} {
		g := gorgonia.NewGraph()
		var x []*gorgonia.Node
		for i, v := range c.inputs {
			shape := []int{1}
			if len(v) == rows {
				shape = []int{rows, 1}
			}
			n := Input(g, fmt.Sprintf("x%d", i), shape...)
			copy(Floats(n), v)
			x = append(x, n)
		}
		y, err := c.build(&Context{Shards: shards}, x)
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewVM(gorgonia.Nodes{y})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		sameBits(t, c.name, Floats(y), c.kernel(shards))
		if slices.Equal(c.kernel(1), c.kernel(shards)) {
			t.Errorf("%s: the shards make no difference here, so that this test says nothing", c.name)
		}
	}
}

// TestThreadsAndShards: threads change no bit; shards change sums over the
// batch by rounding only.
func TestThreadsAndShards(t *testing.T) {
	type result struct{ y, dw, db []float32 }
	const batch, in, out = 96, 130, 70
	run := func(threads, shards int) result {
		pool := kernel.NewPool(threads)
		defer pool.Close()
		c := &Context{Pool: pool, Shards: shards, Seed: 3}
		g := gorgonia.NewGraph()
		x, w, b := Input(g, "x", batch, in), Input(g, "w", out, in), Input(g, "b", out)
		gamma, beta, gy := Input(g, "gamma", out), Input(g, "beta", out), Input(g, "gy", batch, out)
		for i, n := range []*gorgonia.Node{x, w, b, gamma, beta, gy} {
			rng.Uniform(Floats(n), -1, 1, 9, rng.Augment, 0, uint64(i))
		}
		y, err := linearOf(c, x, w, b)
		if err == nil {
			y, _, err = normOf(c, y, gamma, beta, 1e-5, act{})
		}
		if err == nil {
			y, err = dropoutOf(c, y, &Pass{Number: 1}, 2, 0.75, 1.25)
		}
		if err != nil {
			t.Fatal(err)
		}
		gs, err := Grad(y, gy, w, gamma)
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewVM(append(gs, y))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		return result{Floats(y), Floats(gs[0]), Floats(gs[1])}
	}
	for _, shards := range []int{1, 2, 3} {
		want := run(1, shards)
		for _, threads := range []int{2, 3} {
			got := run(threads, shards)
			sameBits(t, "y", got.y, want.y)
			sameBits(t, "dw", got.dw, want.dw)
			sameBits(t, "dgamma", got.db, want.db)
		}
		one := run(1, 1)
		differ := false
		for i := range one.dw {
			diff := math.Abs(float64(one.dw[i]) - float64(want.dw[i]))
			differ = differ || diff > 0
			if bound := batch * 20.0 / (1 << 24); diff > bound {
				t.Fatalf("%d shards: dw[%d] differs by %v, more than rounding (%v)", shards, i, diff, bound)
			}
		}
		if differ != (shards > 1) {
			t.Errorf("%d shards: the order of summation differs: %v", shards, differ)
		}
	}
}
