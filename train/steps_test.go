package train

import (
	"testing"

	"gantry/internal/rng"
	"gantry/models"
	"gantry/train/dataset"
)

// noiseImages is a data set of n images of random pixels.
func noiseImages(t testing.TB, n int, shape ...int) dataset.Dataset {
	pixels := make([]byte, n*models.Elements(shape))
	for i := range pixels {
		pixels[i] = byte(rng.Block(1, rng.Augment, 1, uint64(i), 0)[0])
	}
	d, err := dataset.New("noise", shape, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
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
