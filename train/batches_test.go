package train

import (
	"math"
	"slices"
	"testing"

	"gantry/internal/kernel"
	"gantry/internal/rng"
	"gantry/models"
	"gantry/train/dataset"
)

// numberedImages is a data set whose image i is i in each of its two pixels.
func numberedImages(t testing.TB, n int) dataset.Dataset {
	pixels := make([]byte, 2*n)
	for i := range pixels {
		pixels[i] = byte(i / 2)
	}
	d, err := dataset.New("numbered", []int{1, 1, 2}, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestBatches reads batches of 4 from 10 images: each epoch is a permutation,
// batches run across its end, and any batch can be read at any time.
func TestBatches(t *testing.T) {
	data := numberedImages(t, 10)
	b := newBatches(data, 5, 4, [2]float32{-1, 1}, nil)
	var seen []uint32
	x := make([]float32, 8)
	for i := range 10 {
		if err := b.read(x, i); err != nil {
			t.Fatal(err)
		}
		for j := range 4 {
			image := math.Round(float64(x[2*j]+1) * 255 / 2)
			if want := float32(image)/255*2 - 1; x[2*j] != want || x[2*j+1] != want {
				t.Errorf("batch %d: pixels are %v, want %v", i, x[2*j:2*j+2], want)
			}
			seen = append(seen, uint32(image))
		}
	}
	for epoch := range 4 {
		want := make([]uint32, 10)
		rng.Permutation(want, 5, rng.Order, uint64(epoch))
		if got := seen[10*epoch : 10*epoch+10]; !slices.Equal(got, want) {
			t.Errorf("epoch %d has images %v, want %v", epoch, got, want)
		}
	}
	before := slices.Clone(x)
	if err := b.read(x, 2); err != nil {
		t.Fatal(err)
	}
	if err := b.read(x, 9); err != nil || !slices.Equal(x, before) {
		t.Errorf("batch 9 is %v after batch 2, was %v (%v)", x, before, err)
	}
	if err := b.read(x[:3], 0); err == nil {
		t.Error("a batch of the wrong size: got no error")
	}
}

func TestMarginals(t *testing.T) {
	m, err := marginals(numberedImages(t, 256)) // one chunk, and the last value of a byte
	if err != nil {
		t.Fatal(err)
	}
	if len(m) != 2 || math.Abs(float64(m[0])-0.5) > 1e-6 || m[0] != m[1] {
		t.Errorf("got %v, want the mean 0.5 twice", m)
	}
	if m, err = marginals(numberedImages(t, 103)); err != nil || math.Abs(float64(m[1])-0.2) > 1e-6 { // 51/255
		t.Errorf("got %v (%v), want 0.2", m, err)
	}
}

// TestLatents: row i of batch b is training latent b·rows + i, on any number of
// threads.
func TestLatents(t *testing.T) {
	pool := kernel.NewPool(3)
	defer pool.Close()
	for _, in := range []models.Input{{Size: 7, Distribution: models.Normal}, {Size: 7, Distribution: models.Uniform, Bounds: [2]float32{-2, 3}}} {
		l := &latents{input: in, seed: 9, rows: 20, pool: pool}
		z := make([]float32, 140)
		l.draw(z, 3)
		for i := range 20 {
			want := make([]float32, 7)
			if in.Distribution == models.Normal {
				rng.Normal(want, 9, rng.TrainLatent, 0, uint64(60+i))
			} else {
				rng.Uniform(want, -2, 3, 9, rng.TrainLatent, 0, uint64(60+i))
			}
			if !slices.Equal(z[7*i:7*i+7], want) {
				t.Errorf("%s row %d is %v, want %v", in.Distribution, i, z[7*i:7*i+7], want)
			}
		}
	}
}
