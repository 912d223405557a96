package train

import (
	"math"

	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/models"
)

// An average is the exponential moving average of a generator: of its weights
// and, so that they go together, of its batch norms' running statistics. After
// each update of G
//
//	ema += (1 - 0.5^(batch/half-life))·(w - ema)
//
// where the half-life, in images, is that of the recipe or a twentieth of the
// images that G has drawn before, whichever is less: the ramp-up of StyleGAN2-ADA
// (Karras et al., 2020; its ema_rampup of 0.05). Without it a short run would
// ship an average that still holds the initial weights: after one half-life,
// half of them. With it the first update copies G, the initial weights never
// enter, and at any time the average reaches back over the last part of the run
// so far. It follows from the number of the update alone, so a resumed run needs
// nothing but the tensors.
type average struct {
	model *graph.Model // its generator is the average, its discriminator the trained one
	to    [][]float32  // its generator's parameters
	from  [][]float32  // those of the generator that is trained
	life  int          // half-life in images
	batch int          // images per update
	pool  *kernel.Pool
}

// emaRampUp is the largest half-life as a part of the images drawn before.
const emaRampUp = 0.05

// newAverage returns an average that begins as a copy of the generator, or nil
// if the recipe has none.
func newAverage(r *models.Recipe, m *graph.Model, pool *kernel.Pool) *average {
	if r.EMA.HalfLifeImages == 0 {
		return nil
	}
	a := &average{model: m.CopyG(), life: r.EMA.HalfLifeImages, batch: r.Batch, pool: pool}
	for _, p := range m.G.Params() {
		a.to = append(a.to, a.model.G.Tensor(p.Name).Float32s())
		a.from = append(a.from, m.G.Tensor(p.Name).Float32s())
	}
	return a
}

// update follows the generator's update of the given number, counted from 0.
func (a *average) update(n int) {
	if a == nil {
		return
	}
	gain := emaGain(a.life, a.batch, n)
	for i, w := range a.from {
		kernel.Lerp(a.pool, a.to[i], w, gain)
	}
}

// restart makes the average a copy of the generator again.
func (a *average) restart() {
	if a == nil {
		return
	}
	for i, w := range a.from {
		copy(a.to[i], w)
	}
}

// emaGain is the weight of the new values in update n, counted from 0.
func emaGain(life, batch, n int) float32 {
	l := min(float64(life), emaRampUp*float64(n)*float64(batch))
	if l == 0 {
		return 1
	}
	return float32(1 - halved(float64(batch)/l))
}

// halved returns 0.5^x for x >= 0 to some units of the last place: a power of
// two and the exponential's series, so that it is the same number on every
// machine, which math.Exp2 does not promise.
func halved(x float64) float64 {
	whole := math.Floor(min(x, 2000)) // 0.5^2000 is 0
	y := -math.Ln2 * (min(x, 2000) - whole)
	term, sum := 1.0, 1.0
	for k := 1; k <= 20; k++ { // ln(2)^20/20! is 3e-22
		term = float64(term*y) / float64(k)
		sum += term
	}
	return math.Ldexp(sum, -int(whole))
}

// emaPrefix begins the names of the average's tensors: "ema.g.2.weight".
const emaPrefix = "ema."

// averageTensors lists the generator's parameters of a model that is an average.
func averageTensors(m *graph.Model) []NamedTensor {
	var ts []NamedTensor
	for _, p := range m.G.Params() {
		ts = append(ts, NamedTensor{emaPrefix + p.Name, p.Shape, m.G.Tensor(p.Name).Float32s()})
	}
	return ts
}
