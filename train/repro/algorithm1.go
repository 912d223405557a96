package repro

import (
	"context"
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"gantry/internal/figure"
	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/internal/rng"
	"gantry/models"
	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/metric"
)

// algorithm1Preset is a small GAN for points in the plane, without batch norm, whose
// G and D are as large and learn as fast.
const algorithm1Preset = `{
 "name": "algorithm1", "description": "points in the plane",
 "spec": {
  "version": 1,
  "inputs": [{"name": "z", "size": 8, "distribution": "normal"}],
  "generator": [{"type": "linear", "units": 128}, {"type": "relu"}, {"type": "linear", "units": 128}, {"type": "relu"}, {"type": "linear", "units": 2}],
  "discriminator": [{"type": "linear", "units": 128}, {"type": "relu"}, {"type": "linear", "units": 128}, {"type": "relu"}, {"type": "linear", "units": 1}],
  "sample": {"shape": [2], "range": [-8, 8]}
 },
 "recipe": {
  "batch": 256, "k": 1, "shards": 1, "update": "alternating", "g_latents": "fresh", "g_loss": "minimax", "g_loss_scale": 1, "d_loss_scale": 1,
  "solver": {"type": "adam", "g_lr": 0.0002, "d_lr": 0.0002, "beta1": 0.5, "beta2": 0.999, "eps": 1e-8},
  "init": {"g": {"type": "fan_in_uniform"}, "d": {"type": "fan_in_uniform"}}
 }
}`

// Algorithm1 is what [RunAlgorithm1] measures.
type Algorithm1 struct {
	Steps   int               `json:"steps"`
	Seed    uint64            `json:"seed"`
	Start   []Algorithm1Start `json:"start"`
	Rows    []Algorithm1Row   `json:"rows"`
	Picture string            `json:"picture"`
}

// An Algorithm1Start is G's first update, after k updates of D: the surer D is, the
// less of a gradient the saturating loss leaves.
type Algorithm1Start struct {
	K     int        `json:"k"`
	DGz   float64    `json:"dgz"`           // mean of D(G(z))
	Norms [2]float64 `json:"gradient_norm"` // of G's gradient, for the losses in the order of algorithm1Losses
}

// algorithm1Starts are the k of the first update that are tried.
var algorithm1Starts = []int{1, 10, 100, 1000}

var algorithm1Losses = []string{models.Minimax, models.NonSaturating}

// An Algorithm1Row is a training with one k and one loss of G.
type Algorithm1Row struct {
	K         int     `json:"k"` // updates of D for each of G
	Loss      string  `json:"g_loss"`
	EarlyNorm float64 `json:"gradient_norm_early"` // of G's gradient, mean over steps 1 to 100
	LeastNorm float64 `json:"gradient_norm_least"` // the smallest mean of 100 steps
	Modes     int     `json:"modes"`               // of 8, at the end
	Share     float64 `json:"high_quality"`        // of 2,500 samples, at the end
	MostModes int     `json:"most_modes"`
	FirstAll  int     `json:"first_with_all"` // first step that was looked at with all modes; 0: none

	norms, modes plotter.XYs
}

// algorithm1Every is the number of steps between two looks at the modes, and that
// of which norms are averaged.
const algorithm1Every = 100

// RunAlgorithm1 trains Algorithm 1 of Goodfellow et al. (2014) on the ring of 8
// Gaussians with k = 1, 2 and 5, and with both losses of G: the one of the value
// function, log(1 - D(G(z))), which saturates where D is sure, and the one that the
// paper recommends instead, -log D(G(z)).
func RunAlgorithm1(ctx context.Context, o Options, steps int) (*Algorithm1, error) {
	if steps < algorithm1Every || steps%algorithm1Every != 0 {
		return nil, misuse("leave it out for the default", "--steps %d: must be a multiple of %d", steps, algorithm1Every)
	}
	if err := o.prepare(); err != nil {
		return nil, err
	}
	data, err := dataset.NewPoints("ring", o.Seed)
	if err != nil {
		return nil, err
	}
	r := &Algorithm1{Steps: steps, Seed: o.Seed}
	for _, k := range []int{1, 2, 5} {
		for _, loss := range algorithm1Losses {
			r.Rows = append(r.Rows, Algorithm1Row{K: k, Loss: loss})
		}
	}
	work := 0.0
	for i := range r.Rows {
		work += r.Rows[i].work()
	}
	if err := r.start(ctx, &o, data); err != nil {
		return nil, err
	}
	clock := newClock(work)
	for i := range r.Rows {
		row := &r.Rows[i]
		if err := row.run(ctx, &o, data, steps); err != nil {
			return nil, err
		}
		fmt.Fprintf(o.Words, "k = %d, %s: %d modes; about %v left\n", row.K, row.name(), row.Modes, clock.did(row.work()))
	}
	return r, r.draw(&o)
}

// start makes G's first update after some updates of D.
func (r *Algorithm1) start(ctx context.Context, o *Options, data *dataset.Points) error {
	for _, k := range algorithm1Starts {
		s := Algorithm1Start{K: k}
		for i, loss := range algorithm1Losses {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			t, err := algorithm1Trainer(o, data, k, loss)
			if err != nil {
				return err
			}
			stats, err := t.Step()
			s.DGz, s.Norms[i] = stats.DGz2, t.GradientNorm()
			t.Close()
			if err != nil {
				return fmt.Errorf("repro: %w", err)
			}
		}
		r.Start = append(r.Start, s)
	}
	return nil
}

func algorithm1Trainer(o *Options, data *dataset.Points, k int, loss string) (*train.Trainer, error) {
	p, err := models.ParsePreset([]byte(algorithm1Preset))
	if err != nil {
		return nil, err
	}
	p.Recipe.K, p.Recipe.GLoss = k, loss
	return train.NewTrainer(&p.Spec, &p.Recipe, data, o.Seed, train.Options{Threads: o.Threads})
}

func (r *Algorithm1Row) work() float64 { return float64(r.K) + 0.7 }

// name is the loss for people.
func (r *Algorithm1Row) name() string {
	if r.Loss == models.Minimax {
		return "saturating"
	}
	return "non-saturating"
}

func (r *Algorithm1Row) run(ctx context.Context, o *Options, data *dataset.Points, steps int) error {
	t, err := algorithm1Trainer(o, data, r.K, r.Loss)
	if err != nil {
		return err
	}
	defer t.Close()
	pool := kernel.NewPool(o.Threads)
	defer pool.Close()
	s, err := graph.NewSampler(t.Model(), modesSamples, pool)
	if err != nil {
		return err
	}
	in := t.Spec().Inputs[0].Size
	z := make([]float32, modesSamples*in)
	for i := range modesSamples {
		rng.Normal(z[i*in:(i+1)*in], 0, rng.SampleLatent, 0, uint64(i))
	}
	mean := 0.0 // of the norms since the last look
	for t.Steps() < steps {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		stats, err := t.Step()
		if err != nil {
			return fmt.Errorf("repro: k = %d, %s: %w", r.K, r.name(), err)
		}
		mean += t.GradientNorm() / algorithm1Every
		if stats.Step%algorithm1Every > 0 {
			continue
		}
		x, err := s.Run(z)
		if err != nil {
			return err
		}
		m := metric.Modes(x, data.Centers(), data.Std())
		r.Modes, r.Share, r.MostModes = m.Hit, m.Share(), max(r.MostModes, m.Hit)
		if m.Hit == len(m.Counts) && r.FirstAll == 0 {
			r.FirstAll = stats.Step
		}
		if stats.Step == algorithm1Every {
			r.EarlyNorm, r.LeastNorm = mean, mean
		}
		r.LeastNorm = min(r.LeastNorm, mean)
		r.norms = append(r.norms, plotter.XY{X: float64(stats.Step), Y: max(mean, 1e-8)})
		r.modes = append(r.modes, plotter.XY{X: float64(stats.Step), Y: float64(m.Hit)})
		mean = 0
	}
	return nil
}

// draw plots G's first gradient and D's verdict, and then, for each k, the norms of
// gradients above the modes.
func (r *Algorithm1) draw(o *Options) error {
	first := figure.New("norm of G's first gradient", "updates of D before it", "")
	verdict := figure.New("D(G(z))", "updates of D", "")
	var norms [2]plotter.XYs
	var dgz plotter.XYs
	for _, s := range r.Start {
		for i, n := range s.Norms {
			norms[i] = append(norms[i], plotter.XY{X: float64(s.K), Y: max(n, 1e-8)})
		}
		dgz = append(dgz, plotter.XY{X: float64(s.K), Y: s.DGz})
	}
	if _, err := figure.Line(verdict, "", figure.Black, dgz); err != nil {
		return err
	}
	verdict.Y.Min, verdict.Y.Max = 0, max(0.6, verdict.Y.Max)
	for _, p := range []*plot.Plot{first, verdict} {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	rows := [][]*plot.Plot{{first}, {verdict}}
	above := []*plot.Plot{first}
	for i := 0; i < len(r.Rows); i += len(algorithm1Losses) {
		norms := figure.New(fmt.Sprintf("norm of G's gradient, k = %d", r.Rows[i].K), "step", "")
		modes := figure.New(fmt.Sprintf("modes of 8, k = %d", r.Rows[i].K), "step", "")
		for j, c := range algorithm1Colors {
			row := &r.Rows[i+j]
			if _, err := figure.Line(norms, row.name(), c, row.norms); err != nil {
				return err
			}
			if _, err := figure.Line(modes, "", c, row.modes); err != nil {
				return err
			}
		}
		norms.X.Min = 0
		modes.X.Min, modes.Y.Min, modes.Y.Max = 0, 0, 8.3
		modes.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 2, Label: "2"}, {Value: 4, Label: "4"}, {Value: 6, Label: "6"}, {Value: 8, Label: "8"}}
		rows[0], rows[1] = append(rows[0], norms), append(rows[1], modes)
		above = append(above, norms)
	}
	for i, c := range algorithm1Colors {
		if _, err := figure.Line(first, r.Rows[i].name(), c, norms[i]); err != nil {
			return err
		}
	}
	lo, hi := first.Y.Min, first.Y.Max
	for _, p := range above {
		lo, hi = min(lo, p.Y.Min), max(hi, p.Y.Max)
	}
	for _, p := range above { // one scale, with room for the legend
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
		p.Y.Min, p.Y.Max = lo/1.5, hi*5
	}
	var err error
	r.Picture, err = o.picture("algorithm1.png", figure.Image(16*vg.Inch, 7.5*vg.Inch, rows...))
	return err
}

// algorithm1Colors are those of algorithm1Losses.
var algorithm1Colors = []color.Color{figure.Red, figure.Blue}

// String returns the tables, for people.
func (r *Algorithm1) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "G's first gradient, after so many updates of D\n%8s  %8s  %10s  %14s\n", "updates", "D(G(z))", "saturating", "non-saturating")
	for _, s := range r.Start {
		fmt.Fprintf(&b, "%8d  %8.3f  %10.2g  %14.2g\n", s.K, s.DGz, s.Norms[0], s.Norms[1])
	}
	fmt.Fprintf(&b, "\nTraining with k updates of D for each of G\n%2s  %-14s  %11s  %6s  %5s  %4s  %6s  %s\n", "k", "loss of G", "norm, 1-100", "least", "modes", "most", "% high", "all 8 at step")
	for _, row := range r.Rows {
		all := "never"
		if row.FirstAll > 0 {
			all = grouped(row.FirstAll)
		}
		fmt.Fprintf(&b, "%2d  %-14s  %11.2g  %6.2g  %5d  %4d  %6.1f  %s\n", row.K, row.name(), row.EarlyNorm, row.LeastNorm, row.Modes, row.MostModes, 100*row.Share, all)
	}
	fmt.Fprintf(&b, "%s steps on ring, seed %d. Norms are of G's gradient, means over 100 steps; modes and\nhigh quality at the end, of %s samples; all 8 is the first step with all modes.\nfigure: %s\n", grouped(r.Steps), r.Seed, grouped(modesSamples), r.Picture)
	return b.String()
}
