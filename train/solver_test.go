package train

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"gantry/internal/graph"
	"gantry/internal/rng"
	"gantry/models"
)

// TestSolvers applies twenty random gradients and compares with the solvers'
// definitions in float64. Each update rounds a few times to float32, so after n
// of them a weight may be off by some n·2⁻²⁴ of what it and its steps are.
func TestSolvers(t *testing.T) {
	const n, updates = 50, 20
	for name, r := range map[string]models.Solver{
		"adam":             {Type: models.Adam, Beta1: 0.5, Beta2: 0.999, Eps: 1e-8},
		"adam, decay":      {Type: models.Adam, Beta1: 0.9, Beta2: 0.99, Eps: 1e-3, LRDecay: 1.1, LRMin: 0.005},
		"sgd":              {Type: models.SGD},
		"sgd with all":     {Type: models.SGD, Momentum: 0.5, MomentumFinal: 0.9, MomentumStart: 2, MomentumSaturate: 6, LRDecay: 1.05, LRMin: 1e-6},
		"sgd, no schedule": {Type: models.SGD, Momentum: 0.8},
	} {
		w := make([]float32, n)
		rng.Normal(w, 1, rng.Init, 0, 0)
		s := &solver{recipe: &r, lr: 0.01, slots: []slot{{w: w, m: make([]float32, n), v: make([]float32, n)}}}
		g := graph.Input(gorgonia.NewGraph(), "g", n)
		ref := &refNet{p: map[string][]float64{"w": nil}, m: map[string][]float64{"w": make([]float64, n)}, v: map[string][]float64{"w": make([]float64, n)}}
		for _, v := range w {
			ref.p["w"] = append(ref.p["w"], float64(v))
		}
		for i := range updates {
			rng.Normal(graph.Floats(g), 1, rng.Init, 1, uint64(i))
			grad := make([]float64, n)
			for j, v := range graph.Floats(g) {
				grad[j] = float64(v)
			}
			epoch := i/3 + 1
			s.step(gorgonia.Nodes{g}, i, epoch)
			ref.update(&r, float64(s.lr), gradients{"w": grad}, epoch)
		}
		for what, x := range map[string][2]any{"w": {w, ref.p["w"]}, "m": {s.slots[0].m, ref.m["w"]}, "v": {s.slots[0].v, ref.v["w"]}} {
			got, want := x[0].([]float32), x[1].([]float64)
			for i := range got {
				if d := math.Abs(float64(got[i]) - want[i]); d > 4*updates*(math.Abs(want[i])+0.1)/(1<<24) {
					t.Errorf("%s: %s[%d] is %v, want %v", name, what, i, got[i], want[i])
				}
			}
		}
	}
}

func TestLearningRate(t *testing.T) {
	for _, c := range []struct {
		lr    float32
		decay float64
		min   float32
		t     int
		want  float64
	}{
		{0.1, 0, 0, 1000, 0.1},
		{0.1, 1, 0.2, 1000, 0.1}, // a constant rate has no floor
		{0.1, 1.000004, 1e-6, 0, 0.1},
		{0.1, 1.000004, 1e-6, 1, 0.1 / 1.000004},
		{0.1, 1.000004, 1e-6, 250000, 0.1 / math.Pow(1.000004, 250000)},
		{0.1, 1.000004, 1e-6, 10000000, 1e-6},
		{0.1, 2, 0, 3, 0.0125},
	} {
		got := float64(learningRate(c.lr, c.decay, c.min, c.t))
		if math.Abs(got-c.want) > 1e-6*c.want {
			t.Errorf("rate %v, decay %v, update %d: got %v, want %v", c.lr, c.decay, c.t, got, c.want)
		}
	}
}

func TestMomentum(t *testing.T) {
	s := &models.Solver{Momentum: 0.5, MomentumFinal: 0.7, MomentumStart: 1, MomentumSaturate: 250}
	for epoch, want := range map[int]float64{1: 0.5, 2: 0.5 + 0.2/249, 125: 0.5 + 0.2*124/249, 250: 0.7, 1000: 0.7} {
		if got := momentum(s, epoch); math.Abs(float64(got)-want) > 1e-7 {
			t.Errorf("momentum in epoch %d is %v, want %v", epoch, got, want)
		}
	}
	jump := &models.Solver{Momentum: 0.5, MomentumFinal: 0.7, MomentumStart: 3, MomentumSaturate: 3}
	for epoch, want := range map[int]float32{1: 0.5, 2: 0.5, 3: 0.7, 4: 0.7} {
		if got := momentum(jump, epoch); got != want {
			t.Errorf("momentum that jumps in epoch 3 is %v in epoch %d, want %v", got, epoch, want)
		}
	}
	if got := momentum(&models.Solver{Momentum: 0.9}, 77); got != 0.9 {
		t.Errorf("constant momentum is %v, want 0.9", got)
	}
}
