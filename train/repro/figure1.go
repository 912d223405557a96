package repro

import (
	"context"
	"fmt"
	"math"
	"strings"

	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/internal/rng"
	"gantry/models"
	"gantry/train"
	"gantry/train/dataset"
)

// figure1Preset is a GAN on a line. D learns ten times as often as G and faster, from
// enough samples to stay near its optimum, which is what the paper's theory
// supposes; with G as quick as D, the two circle each other.
const figure1Preset = `{
 "name": "figure1", "description": "points on a line",
 "spec": {
  "version": 1,
  "inputs": [{"name": "z", "size": 1, "distribution": "normal"}],
  "generator": [{"type": "linear", "units": 32}, {"type": "tanh"}, {"type": "linear", "units": 32}, {"type": "tanh"}, {"type": "linear", "units": 1}],
  "discriminator": [{"type": "linear", "units": 32}, {"type": "tanh"}, {"type": "linear", "units": 32}, {"type": "tanh"}, {"type": "linear", "units": 1}],
  "sample": {"shape": [1], "range": [-8, 8]}
 },
 "recipe": {
  "batch": 1024, "k": 10, "shards": 1, "update": "alternating", "g_latents": "fresh", "g_loss": "non_saturating", "g_loss_scale": 1, "d_loss_scale": 1,
  "solver": {"type": "adam", "g_lr": 0.0002, "d_lr": 0.001, "beta2": 0.999, "eps": 1e-8},
  "init": {"g": {"type": "fan_in_uniform"}, "d": {"type": "fan_in_uniform"}}
 }
}`

// Figure1 is what [RunFigure1] draws and measures: how D follows its optimum for
// the present G, and G the data.
type Figure1 struct {
	Steps   int            `json:"steps"`
	Seed    uint64         `json:"seed"`
	Moments []Figure1State `json:"moments"` // those of the picture's panels; the last one is the end
	Picture string         `json:"picture"`
	Moving  string         `json:"animation"`
}

// Figure1State compares D, at one time, with the optimum for G, D* =
// p_data/(p_data + p_g). Integrals are sums over bins; the support is the
// central 99 % of the data.
type Figure1State struct {
	Step        int     `json:"step"`
	Difference  float64 `json:"mean_difference"`    // mean of |D - D*| over the support
	FromHalf    float64 `json:"mean_from_half"`     // mean of |D - 1/2| over the support
	Value       float64 `json:"value"`              // V(G, D) = E log D(x) + E log(1 - D(G(z)))
	ValueAtBest float64 `json:"value_at_optimum"`   // V(G, D*) = -log 4 + 2·JSD
	JSD         float64 `json:"jensen_shannon"`     // between p_data and p_g, nats
	MixtureDiff float64 `json:"mixture_difference"` // mean of |D - D*| over the data and G's samples, half of each
	Pinsker     float64 `json:"bound_by_value"`     // √(V(G, D*) - V(G, D))/2, which bounds that mean (Pinsker's inequality)

	data, model, d, optimum []float64 // densities and D at the bins' middles
	mapping                 []float64 // G at the latents of figure1Latents
}

// The bins of figure 1, the number of samples that make G's density, and that of
// the evenly spaced latents, from -figure1Z to figure1Z, whose mapping is drawn.
const (
	figure1Lo, figure1Hi = -1.0, 5.0
	figure1Bins          = 150
	figure1Width         = (figure1Hi - figure1Lo) / figure1Bins
	figure1Samples       = 100_000
	figure1Latents       = 21
	figure1Z             = 2.5
)

// middle returns the middle of a bin.
func middle(bin int) float64 { return figure1Lo + float64((float64(bin)+0.5)*figure1Width) }

// figure1Observer reads densities off a trainer.
type figure1Observer struct {
	g, d    *graph.Sampler
	z       []float32 // the latents of the mapping, then those of the density
	x       []float32 // the bins' middles
	data    []float64
	support [2]int // bins
}

func newFigure1Observer(m *graph.Model, data *dataset.Points, pool *kernel.Pool) (*figure1Observer, error) {
	o := &figure1Observer{z: make([]float32, figure1Latents+figure1Samples), x: make([]float32, figure1Bins)}
	var err error
	if o.g, err = graph.NewSampler(m, len(o.z), pool); err == nil {
		o.d, err = graph.NewJudge(m, figure1Bins, pool)
	}
	if err != nil {
		return nil, fmt.Errorf("repro: %w", err)
	}
	for i := range o.z {
		if i < figure1Latents {
			o.z[i] = float32(figure1Z * (2*float64(i)/(figure1Latents-1) - 1))
		} else {
			rng.Normal(o.z[i:i+1], 0, rng.SampleLatent, 0, uint64(i-figure1Latents))
		}
	}
	mean, std := data.Centers()[0][0], data.Std()
	exps := make([]float32, figure1Bins)
	for i := range o.x {
		o.x[i] = float32(middle(i))
		t := (middle(i) - mean) / std
		exps[i] = float32(-t * t / 2)
	}
	kernel.Exp(pool, exps, exps)
	for _, e := range exps {
		o.data = append(o.data, float64(e)/(std*math.Sqrt(2*math.Pi)))
	}
	const central99 = 2.5758293035489 // standard deviations on each side of the mean
	side := float64(central99 * std)
	o.support[0] = int(math.Round((mean - side - figure1Lo) / figure1Width))
	o.support[1] = int(math.Round((mean + side - figure1Lo) / figure1Width))
	return o, nil
}

// observe measures the present state.
func (o *figure1Observer) observe(step int) (*Figure1State, error) {
	s := &Figure1State{Step: step, data: o.data, model: make([]float64, figure1Bins)}
	x, err := o.g.Run(o.z)
	if err != nil {
		return nil, fmt.Errorf("repro: %w", err)
	}
	for _, v := range x[:figure1Latents] {
		s.mapping = append(s.mapping, float64(v))
	}
	for _, v := range x[figure1Latents:] {
		if bin := math.Floor((float64(v) - figure1Lo) / figure1Width); bin >= 0 && bin < figure1Bins {
			s.model[int(bin)] += 1 / (figure1Samples * figure1Width)
		}
	}
	logits, err := o.d.Run(o.x)
	if err != nil {
		return nil, fmt.Errorf("repro: %w", err)
	}
	for _, l := range logits {
		s.d = append(s.d, sigmoid(float64(l)))
	}
	s.measure(o.support)
	return s, nil
}

// measure computes what follows from the densities and D.
func (s *Figure1State) measure(support [2]int) {
	for i, d := range s.d {
		p, q := s.data[i], s.model[i]
		best := p / (p + q)
		s.optimum = append(s.optimum, best)
		s.Value += float64(figure1Width * (float64(p*rng.Log(d)) + float64(q*rng.Log(1-d))))
		s.ValueAtBest += float64(figure1Width * (plog(p, best) + plog(q, 1-best)))
		s.JSD += float64(figure1Width / 2 * (plog(p, 2*best) + plog(q, 2*(1-best))))
		s.MixtureDiff += float64(figure1Width / 2 * (p + q) * math.Abs(d-best))
	}
	s.Pinsker = math.Sqrt(max(0, s.ValueAtBest-s.Value)) / 2
	n := float64(support[1] - support[0])
	for i := support[0]; i < support[1]; i++ {
		s.Difference += math.Abs(s.d[i]-s.optimum[i]) / n
		s.FromHalf += math.Abs(s.d[i]-0.5) / n
	}
}

// plog is p·log x, 0 where p is.
func plog(p, x float64) float64 {
	if p == 0 {
		return 0
	}
	return p * rng.Log(x)
}

// sigmoid is 1/(1+e^-x), within [1e-7, 1-1e-7].
func sigmoid(x float64) float64 {
	e := []float32{float32(-math.Abs(x))}
	kernel.Exp(nil, e, e)
	p := 1 / (1 + float64(e[0]))
	if x < 0 {
		p = 1 - p
	}
	return min(max(p, 1e-7), 1-1e-7)
}

// RunFigure1 trains a GAN on points of a Gaussian on a line, and draws, as figure 1
// of Goodfellow et al. (2014) does, the density of the data, that of G's samples,
// D and its optimum: at six times as figure1.png, and as figure1.gif.
func RunFigure1(ctx context.Context, o Options, steps int) (*Figure1, error) {
	if steps < figure1Panels {
		return nil, misuse("leave it out for the default", "--steps %d: must be at least %d", steps, figure1Panels)
	}
	if err := o.prepare(); err != nil {
		return nil, err
	}
	p, err := models.ParsePreset([]byte(figure1Preset))
	if err != nil {
		return nil, err
	}
	p.Recipe.Solver.LRDecay = 1 + 0.23/float64(steps) // D's rate, which has ten times as many updates, falls to a tenth
	data, err := dataset.NewPoints("normal", o.Seed)
	if err != nil {
		return nil, err
	}
	t, err := train.NewTrainer(&p.Spec, &p.Recipe, data, o.Seed, train.Options{Threads: o.Threads})
	if err != nil {
		return nil, err
	}
	defer t.Close()
	pool := kernel.NewPool(o.Threads)
	defer pool.Close()
	observer, err := newFigure1Observer(t.Model(), data, pool)
	if err != nil {
		return nil, err
	}
	var frames []*Figure1State
	times := figure1Times(steps)
	work := train.NewCounter(o.Words, "steps done")
	defer work.End()
	for len(frames) < len(times) {
		if t.Steps() == times[len(frames)] {
			s, err := observer.observe(t.Steps())
			if err != nil {
				return nil, err
			}
			frames = append(frames, s)
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if _, err := t.Step(); err != nil {
			return nil, err
		}
		work.Step(t.Steps(), steps)
	}
	r := &Figure1{Steps: steps, Seed: o.Seed}
	for i := range figure1Panels {
		r.Moments = append(r.Moments, *frames[i*(len(frames)-1)/(figure1Panels-1)])
	}
	return r, r.draw(&o, frames)
}

// figure1Times returns the steps of the animation's frames: dense at first.
func figure1Times(steps int) []int {
	const frames = 61
	var times []int
	for i := range frames {
		a := float64(i) / (frames - 1)
		if n := int(math.Round(a * a * a * float64(steps))); len(times) == 0 || n > times[len(times)-1] {
			times = append(times, n)
		}
	}
	return times
}

// String returns the table, for people.
func (r *Figure1) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%8s  %9s  %9s  %9s  %9s  %9s\n", "step", "|D-D*|", "|D-1/2|", "V(G,D)", "V(G,D*)", "JSD")
	for _, s := range r.Moments {
		fmt.Fprintf(&b, "%8d  %9.4f  %9.4f  %9.4f  %9.4f  %9.4f\n", s.Step, s.Difference, s.FromHalf, s.Value, s.ValueAtBest, s.JSD)
	}
	fmt.Fprintf(&b, "theory, at the end: 0, 0, -log 4 = %.4f twice, 0. Means are over the central 99 %% of the data.\n", -2*math.Ln2)
	fmt.Fprintf(&b, "figure: %s\nanimation: %s\n", r.Picture, r.Moving)
	return b.String()
}
