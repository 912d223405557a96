package repro

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gantry/export"
	"gantry/internal/atomicfile"
	"gantry/models"
	"gantry/train"
	"gantry/train/dataset"
	"gantry/train/evaluate"
	"gantry/train/metric"
)

// parzenSizes are numbers of images.
type parzenSizes struct {
	trained   int // the first training images, which the networks see
	held      int // those after them, to choose the checkpoint on
	bandwidth int // the first of these, to choose the bandwidth on
	samples   int // of G
}

// authorsSizes are those of the authors' code.
var authorsSizes = parzenSizes{50_000, 10_000, 1000, 10_000}

// parzenHalfLife is that of the moving average of G, in images, of which a second
// row is made: five passes through the data.
const parzenHalfLife = 250_000

// ParzenConfig says how long to train, and on what.
type ParzenConfig struct {
	Runs     int             // of the seeds Options.Seed and up
	Steps    int             // updates of G in each run
	Every    int             // steps between two checkpoints of which the best is chosen; divides Steps
	Training *dataset.Memory // MNIST's 60,000
	Test     dataset.Dataset // and 10,000

	sizes parzenSizes
}

// A ParzenScore is a generator chosen on held-out images, and its score on the
// test images.
type ParzenScore struct {
	Seed       uint64              `json:"seed"`
	Step       int                 `json:"step"`       // of the checkpoint
	Validation float64             `json:"validation"` // its mean log-likelihood of the held-out images, nats
	Test       metric.ParzenResult `json:"test"`
	Model      string              `json:"model"`
}

// A ParzenRow is one way to take the generator of the runs.
type ParzenRow struct {
	Name   string        `json:"name"`
	Scores []ParzenScore `json:"runs"`
	Test   MeanErr       `json:"nats"` // over runs
}

// ParzenTable is the table of [Parzen].
type ParzenTable struct {
	Steps int         `json:"steps"`
	Every int         `json:"every"`
	Rows  []ParzenRow `json:"rows"`
}

// parzenKinds are the two generators of a run: as the authors have it, and
// its moving average, which changes nothing in the training.
var parzenKinds = []struct {
	name, file string
	ema        train.EMA
}{
	{"as trained, like the paper's", "trained", train.EMANone},
	{"the same runs, moving average of G", "average", train.EMAOnly},
}

// Parzen trains the MNIST networks of Goodfellow et al. (2014) as their code
// does, on the first 50,000 training images; chooses, among a run's checkpoints,
// the one under which the last 10,000 are the likeliest; and scores it on the test
// images, which nothing has seen before. Each run has a directory below
// Options.Out, and goes on where it was stopped.
func Parzen(ctx context.Context, o Options, c ParzenConfig) (*ParzenTable, error) {
	c.sizes = authorsSizes
	return c.run(ctx, o)
}

func (c *ParzenConfig) run(ctx context.Context, o Options) (*ParzenTable, error) {
	switch {
	case c.Runs < 1 || c.Runs > 1000:
		return nil, misuse("leave it out for 1", "--seeds %d: must be from 1 to 1000", c.Runs)
	case c.Every < 1:
		return nil, misuse("leave it out for 10 passes through the data", "--every %d: must be at least 1", c.Every)
	case c.Steps < c.Every || c.Steps%c.Every != 0:
		return nil, misuse(fmt.Sprintf("give --steps a multiple of %d, or another --every", c.Every), "--steps %d: --every %d does not divide it", c.Steps, c.Every)
	}
	if err := o.prepare(); err != nil {
		return nil, err
	}
	unlock, err := train.Lock(o.Out)
	if err != nil {
		return nil, err
	}
	defer unlock()
	table := &ParzenTable{Steps: c.Steps, Every: c.Every}
	for _, k := range parzenKinds {
		table.Rows = append(table.Rows, ParzenRow{Name: k.name})
	}
	held, err := evaluate.Images(c.Training, c.sizes.trained, c.sizes.held)
	if err != nil {
		return nil, err
	}
	tested, err := evaluate.Images(c.Test, 0, c.Test.Len())
	if err != nil {
		return nil, err
	}
	work := newClock(float64(c.Runs * c.Steps))
	for i := range c.Runs {
		r := &parzenRun{o: &o, c: c, seed: o.Seed + uint64(i), held: held}
		r.dir = filepath.Join(o.Out, fmt.Sprintf("seed-%d", r.seed))
		if err := r.read(); err != nil {
			return nil, err
		}
		work.skip(float64(len(r.candidates) * c.Every))
		err := r.train(ctx, func() {
			now := r.candidates[len(r.candidates)-1]
			fmt.Fprintf(o.Words, "seed %d, step %s: held-out %.1f nats (best %.1f), average %.1f (best %.1f); about %v left\n", r.seed, grouped(now.Step),
				now.Held[0], r.best(0).Held[0], now.Held[1], r.best(1).Held[1], work.did(float64(c.Every)))
		})
		if err != nil {
			return nil, err
		}
		for k := range parzenKinds {
			s, err := r.score(ctx, k, tested)
			if err != nil {
				return nil, err
			}
			table.Rows[k].Scores = append(table.Rows[k].Scores, *s)
		}
	}
	for k := range table.Rows {
		var nats []float64
		for _, s := range table.Rows[k].Scores {
			nats = append(nats, s.Test.Test)
		}
		table.Rows[k].Test = meanErr(nats)
	}
	return table, nil
}

// parzenRun is one run, and what its checkpoints are worth.
type parzenRun struct {
	o    *Options
	c    *ParzenConfig
	seed uint64
	dir  string
	held metric.Set

	candidates []candidate
}

// A candidate is a checkpoint and the mean log-likelihoods of the held-out images
// under its generators, in the order of parzenKinds.
type candidate struct {
	Step int        `json:"step"`
	Held [2]float64 `json:"held_out"`
}

const candidatesName = "candidates.json"

// train trains to the last step, and writes down what each checkpoint is worth as
// soon as it is there. The best generators lie beside the run.
func (r *parzenRun) train(ctx context.Context, say func()) error {
	preset, err := models.LoadPreset("goodfellow-mnist")
	if err != nil {
		return err
	}
	preset.Recipe.EMA.HalfLifeImages = parzenHalfLife
	part, err := r.c.Training.Part(0, r.c.sizes.trained-1)
	if err != nil {
		return err
	}
	s := train.DefaultSettings(preset)
	s.Data, s.Seed, s.Threads, s.Keep = fmt.Sprintf("mnist:0-%d", r.c.sizes.trained-1), r.seed, r.o.Threads, 1
	s.CheckpointEvery, s.SampleEvery, s.LogEvery = r.c.Every, r.c.Every, 100
	host := train.Host{
		Open:  func(context.Context, string, dataset.Options) (dataset.Dataset, error) { return part, nil },
		Words: &now{w: r.o.Words, what: fmt.Sprintf("seed %d", r.seed)},
	}
	if err := os.MkdirAll(r.dir, 0o777); err != nil {
		return fmt.Errorf("repro: %w", err)
	}
	for s.Steps = (len(r.candidates) + 1) * r.c.Every; s.Steps <= r.c.Steps; s.Steps += r.c.Every {
		if err := runTo(ctx, s, r.run(), host); err != nil {
			return err
		}
		if err := r.weigh(ctx, s.Steps); err != nil {
			return err
		}
		say()
	}
	return nil
}

func (r *parzenRun) run() string { return filepath.Join(r.dir, "run") }

// model is the path of the best generator of a kind.
func (r *parzenRun) model(kind int) string {
	return filepath.Join(r.dir, "best-"+parzenKinds[kind].file+".onnx")
}

// weigh scores the generators of the present checkpoint on the held-out images, and
// keeps them if they are the best so far.
func (r *parzenRun) weigh(ctx context.Context, step int) error {
	c := candidate{Step: step}
	for k, kind := range parzenKinds {
		file := filepath.Join(r.dir, kind.file+".onnx")
		if _, err := train.ExportCheckpoint(r.run(), step, file, kind.ema, export.Options{Fold: true}); err != nil {
			return err
		}
		m, err := r.parzen(ctx, file, r.held)
		if err != nil {
			return err
		}
		c.Held[k] = m.Test
		keep := os.Remove
		if len(r.candidates) == 0 || m.Test > r.best(k).Held[k] {
			keep = func(file string) error { return os.Rename(file, r.model(k)) }
		}
		if err := keep(file); err != nil {
			return fmt.Errorf("repro: %w", err)
		}
	}
	r.candidates = append(r.candidates, c)
	return r.write()
}

// parzen estimates the log-likelihood of x under the generator in a file.
func (r *parzenRun) parzen(ctx context.Context, file string, x metric.Set) (*metric.ParzenResult, error) {
	g, err := evaluate.OpenGenerator(file, r.o.Threads)
	if err != nil {
		return nil, err
	}
	samples, err := g.Samples(ctx, r.c.sizes.samples, 0, evaluate.Options{})
	if err != nil {
		return nil, err
	}
	return metric.Parzen(samples, r.held.Slice(0, r.c.sizes.bandwidth), x, metric.Options{Threads: r.o.Threads})
}

// score measures the best generator of a kind on the test images.
func (r *parzenRun) score(ctx context.Context, kind int, tested metric.Set) (*ParzenScore, error) {
	m, err := r.parzen(ctx, r.model(kind), tested)
	if err != nil {
		return nil, err
	}
	best := r.best(kind)
	return &ParzenScore{Seed: r.seed, Step: best.Step, Validation: best.Held[kind], Test: *m, Model: r.model(kind)}, nil
}

// best returns the first of the best candidates of a kind.
func (r *parzenRun) best(kind int) *candidate {
	best := &r.candidates[0]
	for i := range r.candidates {
		if r.candidates[i].Held[kind] > best.Held[kind] {
			best = &r.candidates[i]
		}
	}
	return best
}

// read reads the candidates that an earlier call wrote down.
func (r *parzenRun) read() error {
	path := filepath.Join(r.dir, candidatesName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, &r.candidates)
	}
	anew := fmt.Sprintf("give another --out, or delete %s to begin it anew", train.Quote(r.dir))
	if err != nil {
		return misuse(anew, "%s: %w", path, err)
	}
	for i, c := range r.candidates {
		if c.Step != (i+1)*r.c.Every || c.Step > r.c.Steps {
			return misuse("give --every and --steps as before, or more steps; or "+anew,
				"%s has a checkpoint of step %d, want every %d up to %d", path, c.Step, r.c.Every, r.c.Steps)
		}
	}
	for k := range parzenKinds {
		if _, err := os.Stat(r.model(k)); err != nil && len(r.candidates) > 0 {
			return misuse(anew, "the best generator so far is missing: %w", err)
		}
	}
	return nil
}

func (r *parzenRun) write() error {
	b, err := json.MarshalIndent(r.candidates, "", " ")
	if err != nil {
		return fmt.Errorf("repro: %w", err)
	}
	return atomicfile.WriteFile(filepath.Join(r.dir, candidatesName), append(b, '\n'))
}
