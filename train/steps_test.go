package train

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/models"
	"gantry/train/dataset"
)

// noiseImages is a data set of n images of random pixels.
func noiseImages(t testing.TB, n int, shape ...int) dataset.Dataset {
	d, err := syntheticImages(shape, n)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestGradientsOfParts: two machines with half of each batch, whose lists of
// gradients are added in the shards' tree, give the bits of one machine with two
// shards. D's gradients by the pass through real and by that through fake are
// two lists; their sum comes after.
func TestGradientsOfParts(t *testing.T) {
	convolutions := trainings[0]
	convolutions.name = "convolutions"
	convolutions.spec = strings.ReplaceAll(pixelSpec, `{"type": "batch_norm"},`, "")
	for _, c := range append(trainings[2:4:4], convolutions) { // no batch norm, whose statistics are of the whole batch
		for _, vm := range []string{GantryVM, TapeVM} {
			// run makes the gradients of part i of a batch that is cut into parts.
			run := func(parts, i int) (lists [3][][]float32) {
				spec, recipe := parse(t, c.spec, c.recipe)
				recipe.Shards = 2 / parts
				recipe.Batch /= parts
				recipe.DLossScale /= float32(parts) // the losses are means over the machine's samples
				recipe.GLossScale /= float32(parts)
				x, err := NewTrainer(spec, recipe, blobs(t), 7, Options{VM: vm})
				if err != nil {
					t.Fatal(err)
				}
				defer x.Close()
				number := func(pass int) uint64 { return uint64(pass*parts + i) } // part i has these samples' masks
				check := func(err error) {
					if err != nil {
						t.Fatal(err)
					}
				}
				check(x.generate(i))
				check(x.real.read(graph.Floats(x.d.x[0]), i))
				check(bind(x.d.x[1], x.g.fake))
				x.d.pass[0].Number, x.d.pass[1].Number = number(0), number(1)
				check(x.d.vm.Run(0))
				if x.a.at == 0 { // a graph of its own
					x.a.pass.Number = number(2)
					check(bind(x.a.fake, x.g.fake))
				}
				check(x.a.vm.Run(x.a.at))
				check(bind(x.g.gfake, x.a.gfake))
				check(x.g.vm.Run(1))
				for k, list := range []gorgonia.Nodes{x.d.grads[0], x.d.grads[1], x.g.grads} {
					for _, n := range list {
						lists[k] = append(lists[k], slices.Clone(graph.Floats(n)))
					}
				}
				return lists
			}
			whole, first, second := run(1, 0), run(2, 0), run(2, 1)
			for k, list := range whole {
				for p, want := range list {
					kernel.Add(nil, first[k][p], first[k][p], second[k][p])
					for j, v := range first[k][p] {
						if math.Float32bits(v) != math.Float32bits(want[j]) {
							t.Fatalf("%s, %s: list %d, parameter %d, element %d: the parts give %v, the whole %v", c.name, vm, k, p, j, v, want[j])
						}
					}
				}
			}
		}
	}
}

// BenchmarkStep measures a training step of each preset on two threads.
// mlp28 needs 2.0 GFLOP for it, goodfellow-mnist 2.8.
func BenchmarkStep(b *testing.B) {
	for _, p := range models.Presets() {
		b.Run(p.Name, func(b *testing.B) {
			t, err := NewTrainer(&p.Spec, &p.Recipe, noiseImages(b, 1000, p.Spec.Sample.Shape...), 1, Options{Threads: 2})
			if err != nil {
				b.Fatal(err)
			}
			defer t.Close()
			steps(b, t, 2)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := t.Step(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(p.Recipe.Batch)*float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
