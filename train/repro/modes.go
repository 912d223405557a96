package repro

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"gantry/models"
	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/evaluate"
	"gantry/train/metric"
)

// modesSamples is how many samples PacGAN's protocol looks at.
const modesSamples = 2500

// PacGANSteps and PacGANTrials are the length and the number of the trials in Lin et
// al. (2018): 400 passes through 100,000 packs, 100 at a time.
const (
	PacGANSteps  = 400_000
	PacGANTrials = 10
)

// ModesConfig says how much of PacGAN's protocol to run.
type ModesConfig struct {
	Steps  int // updates of G in each trial
	Trials int // of each data set and each method
}

// A ModesRow is a data set and a method: means over trials, with their standard
// errors.
type ModesRow struct {
	Data      string       `json:"data"`
	Pack      int          `json:"pack"` // 1: the plain GAN
	Modes     MeanErr      `json:"modes"`
	Share     MeanErr      `json:"high_quality"` // 0 to 1
	ReverseKL MeanErr      `json:"reverse_kl"`   // nats; NaN trials, without one good sample, are left out
	Trials    []ModesTrial `json:"trials"`
}

// A ModesTrial is one run.
type ModesTrial struct {
	Seed      uint64  `json:"seed"`
	Modes     int     `json:"modes"`
	Share     float64 `json:"high_quality"`
	ReverseKL Number  `json:"reverse_kl"`
	Dir       string  `json:"dir"`
}

// ModesResult is the table of [Modes].
type ModesResult struct {
	Steps   int        `json:"steps"`
	Rows    []ModesRow `json:"rows"`
	Picture string     `json:"picture"`
}

// modesRows are the data sets and packs that are compared.
var modesRows = []ModesRow{{Data: "ring", Pack: 1}, {Data: "ring", Pack: 2}, {Data: "grid", Pack: 1}, {Data: "grid", Pack: 2}}

// Modes runs PacGAN's experiment on synthetic data, with its networks and
// training: do packs of two keep a GAN from dropping modes? Each trial is a run of its
// own below Options.Out, on points and with weights of its own seed,
// Options.Seed and up. Runs that are there go on where they were stopped, or to a
// larger number of steps.
func Modes(ctx context.Context, o Options, c ModesConfig) (*ModesResult, error) {
	switch {
	case c.Steps < 1:
		return nil, misuse("leave it out for a tenth of PacGAN's", "--steps %d: must be at least 1", c.Steps)
	case c.Trials < 1 || c.Trials > 1000:
		return nil, misuse("leave it out for 3", "--trials %d: must be from 1 to 1000", c.Trials)
	}
	if err := o.prepare(); err != nil {
		return nil, err
	}
	unlock, err := train.Lock(o.Out)
	if err != nil {
		return nil, err
	}
	defer unlock()
	preset, err := models.LoadPreset("pacgan2d")
	if err != nil {
		return nil, err
	}
	r := &ModesResult{Steps: c.Steps, Rows: slices.Clone(modesRows)}
	clock := newClock(0)
	for i := range r.Rows {
		clock.todo += float64(float64(c.Trials) * r.Rows[i].work())
	}
	for k := range c.Trials {
		for i := range r.Rows {
			row := &r.Rows[i]
			seed := o.Seed + uint64(k)
			_, missing := train.FindCheckpoint(row.dir(&o, seed), c.Steps)
			t, err := row.trial(ctx, &o, preset, c.Steps, seed)
			if err != nil {
				return nil, err
			}
			row.Trials = append(row.Trials, *t)
			if missing == nil { // it was done before
				clock.skip(row.work())
				continue
			}
			fmt.Fprintf(o.Words, "%s, %s, trial %d of %d: %d modes, %.1f %% of high quality; about %v left\n",
				row.Data, row.method(), k+1, c.Trials, t.Modes, 100*t.Share, clock.did(row.work()))
		}
	}
	for i := range r.Rows {
		r.Rows[i].summarise()
	}
	return r, r.draw(ctx, &o)
}

// work is how long a step takes, in any unit.
func (r *ModesRow) work() float64 { return float64(2 + r.Pack) }

// dir is the directory of a trial.
func (r *ModesRow) dir(o *Options, seed uint64) string {
	return filepath.Join(o.Out, fmt.Sprintf("%s-%s-%d", r.Data, strings.ToLower(r.method()), seed))
}

func (r *ModesRow) method() string {
	if r.Pack == 1 {
		return "GAN"
	}
	return fmt.Sprintf("PacGAN%d", r.Pack)
}

// trial trains to the given step, in as much as that is not done, and counts
// modes.
func (r *ModesRow) trial(ctx context.Context, o *Options, preset *models.Preset, steps int, seed uint64) (*ModesTrial, error) {
	s := train.DefaultSettings(preset)
	recipe := preset.Recipe
	recipe.Batch *= r.Pack // as many packs as the plain GAN has samples
	s.Spec, s.Recipe = preset.Spec.WithPack(r.Pack), &recipe
	s.Data, s.Seed, s.Steps, s.Threads, s.Keep = fmt.Sprintf("%s:%d", r.Data, seed), seed, steps, o.Threads, 1
	s.CheckpointEvery, s.SampleEvery, s.LogEvery = 5000, 10_000, 500
	t := &ModesTrial{Seed: seed, Dir: r.dir(o, seed)}
	what := fmt.Sprintf("%s, %s, seed %d", r.Data, r.method(), seed)
	if err := runTo(ctx, s, t.Dir, train.Host{Words: &now{w: o.Words, what: what}}); err != nil {
		return nil, err
	}
	data, err := dataset.NewPoints(r.Data, seed)
	if err != nil {
		return nil, err
	}
	x, err := r.sample(ctx, o, t.Dir)
	if err != nil {
		return nil, err
	}
	m := metric.Modes(x, data.Centers(), data.Std())
	t.Modes, t.Share, t.ReverseKL = m.Hit, m.Share(), Number(m.ReverseKL)
	return t, nil
}

// sample draws the samples of a run's generator: those of seed 0.
func (r *ModesRow) sample(ctx context.Context, o *Options, dir string) ([]float32, error) {
	g, err := evaluate.OpenGenerator(dir, o.Threads)
	if err != nil {
		return nil, err
	}
	s, err := g.Samples(ctx, modesSamples, 0, evaluate.Options{})
	return s.X, err
}

func (r *ModesRow) summarise() {
	var modes, shares, kls []float64
	for _, t := range r.Trials {
		modes, shares = append(modes, float64(t.Modes)), append(shares, t.Share)
		if kl := float64(t.ReverseKL); !math.IsNaN(kl) {
			kls = append(kls, kl)
		}
	}
	r.Modes, r.Share, r.ReverseKL = meanErr(modes), meanErr(shares), meanErr(kls)
}
