package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"gantry/export"
	"gantry/infer"
	"gantry/internal/kernel"
	"gantry/internal/version"
	"gantry/models"
	"gantry/train/dataset"
)

// A Host is what a run needs of the program it is part of.
type Host struct {
	Open  func(ref string) (dataset.Dataset, error) // opens Settings.Data; nil: dataset.Open
	Words io.Writer                                 // progress, for people; a terminal gets a bar. nil: none
}

// A Result is what a complete run leaves.
type Result struct {
	Dir       string         // the run directory
	Step      int            // completed steps
	Generator string         // path of the exported generator
	Export    *export.Report // how it was verified; nil if it was there already
	Fakes     string         // path of the last grid; "" if samples are no images
}

// An Interrupted error says that the context ended the run, which has been
// saved and can be resumed.
type Interrupted struct {
	Dir   string
	Step  int // completed steps
	Cause error
}

// Error says where the run stopped.
func (e *Interrupted) Error() string {
	return fmt.Sprintf("train: %s: stopped after step %d: %v", e.Dir, e.Step, e.Cause)
}

// Unwrap returns the context's cause.
func (e *Interrupted) Unwrap() error { return e.Cause }

// Run starts a new run in the directory out, which must be empty or new; ""
// stands for the next free one in runs/. It returns when the last step is done
// and the generator is exported, or with an error: an [*Error], an
// [*Interrupted] if ctx is done, a [*NonFiniteError] if training diverged.
//
// The directory can be resumed after any end, a power failure included.
func Run(ctx context.Context, s Settings, out string, h Host) (*Result, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := checkOrigin(&s); err != nil {
		return nil, err
	}
	if err := checkSpace(cmp.Or(out, "runs"), &s); err != nil {
		return nil, err
	}
	d, err := createRunDir(out, dataset.RefName(s.Data), s.Preset)
	if err != nil {
		return nil, err
	}
	defer d.close()
	if err := d.removeTemp(); err != nil {
		return nil, failure("", "%w", err)
	}
	s.Version = version.Version
	r := &runner{dir: d, s: &s, host: h}
	err = s.write(d.file(optionsName))
	if err == nil {
		err = r.openData()
	}
	if err == nil {
		err = r.prepare()
	}
	if err != nil {
		d.discard()
		return nil, err
	}
	return r.run(ctx)
}

// runner is a run in progress.
type runner struct {
	dir  *runDir
	s    *Settings
	host Host
	data dataset.Dataset
	from *Checkpoint // where to go on; nil: from the start
	note []string    // what to say about how from was found

	t     *Trainer
	p     *progress
	stats *appender
	pace  pace
	saved int // step of the newest checkpoint; -1: none
}

// openData opens the data set and checks that it suits spec, recipe and
// checkpoint.
func (r *runner) openData() error {
	open := r.host.Open
	if open == nil {
		open = dataset.Open
	}
	data, err := open(r.s.Data)
	if err != nil {
		return failure("--data takes mnist, or idx:DIR for a directory of IDX files", "%w", err)
	}
	if err := suits(r.s, data); err != nil {
		return err
	}
	if c := r.from; c != nil && c.DataSHA256 != data.Digest() {
		return misuse("give --data the images the run began with", "%s was trained on %s with SHA-256 %.12s..., %s has %.12s...",
			r.dir.path, c.DataName, c.DataSHA256, r.s.Data, data.Digest())
	}
	r.data = data
	return nil
}

// suits reports whether a run can train on data.
func suits(s *Settings, data dataset.Dataset) error {
	want, got := s.Spec.Sample.Shape, data.Shape()
	if !slices.Equal(want, got) && !(len(want) == 1 && want[0] == models.Elements(got)) {
		return misuse("choose a preset for images of that shape, or write one: --preset FILE.json",
			"preset %s makes samples of shape %v, but the images of %s have shape %v", s.Preset, want, data.Name(), got)
	}
	if s.Recipe.Batch > data.Len() {
		return misuse(fmt.Sprintf("give --batch at most %d", data.Len()),
			"--batch %d: %s has only %d images", s.Recipe.Batch, data.Name(), data.Len())
	}
	return nil
}

// run trains to the last step and exports.
func (r *runner) run(ctx context.Context) (*Result, error) {
	defer r.t.Close()
	const full = "is the disk full? earlier checkpoints are good"
	log, err := r.dir.appendTo(logName)
	if err != nil {
		return nil, failure(full, "%w", err)
	}
	defer log.close()
	r.p = newProgress(r.host.Words, log)
	defer r.p.end()
	if err := r.announce(); err != nil {
		return nil, err
	}
	if err := r.dir.truncateStats(r.t.Steps()); err != nil {
		return nil, failure(full, "%w", err)
	}
	if r.stats, err = r.dir.appendTo(statsName); err != nil {
		return nil, failure(full, "%w", err)
	}
	defer r.stats.close()

	if r.saved < 0 {
		if err := r.save(); err != nil {
			return nil, err
		}
	}
	if err := r.images(ctx); err != nil {
		return nil, r.interrupted(ctx, err)
	}
	r.p.begin(r.pace, r.t.Steps())
	for r.t.Steps() < r.s.Steps {
		if ctx.Err() != nil {
			return nil, r.interrupted(ctx, nil)
		}
		if err := r.step(ctx); err != nil {
			return nil, r.interrupted(ctx, err)
		}
	}
	r.p.end()
	if r.saved != r.t.Steps() { // nothing was left to do
		if err := r.save(); err != nil {
			return nil, err
		}
	}
	return r.finish(ctx)
}

// prepare makes the trainer, in the state of the checkpoint to go on from.
func (r *runner) prepare() error {
	origin, err := readOrigin(r.s.Init)
	if err != nil && r.from == nil {
		return err
	}
	t, err := NewTrainer(r.s.Spec, r.s.Recipe, r.data, r.s.Seed, Options{Threads: r.s.Threads, VM: r.s.VM})
	if err != nil {
		return misuse("", "%w", err)
	}
	r.saved = -1
	switch {
	case r.from != nil:
		err = t.Restore(r.from.Step, r.from.Tensors)
		r.saved = r.from.Step
	case origin != nil:
		if err = origin.copyTo(modelTensors(t.Model())); err == nil {
			err = t.Restore(0, t.State())
		}
	}
	if err != nil {
		t.Close()
		return failure("", "%w", err)
	}
	r.t, r.from = t, nil
	r.pace = pace{perStep: int64(r.s.Recipe.K) * int64(r.s.Recipe.Batch), images: int64(r.data.Len()), steps: r.s.Steps}
	return nil
}

// announce says what is about to happen.
func (r *runner) announce() error {
	s, threads := r.s, "thread"
	if s.Threads > 1 {
		threads = "threads"
	}
	e := NewEstimate(s, r.data)
	lines := append([]string(nil), r.note...)
	verb := fmt.Sprintf("training %s on %s for %d steps", s.Preset, r.data.Name(), s.Steps)
	if n := r.t.Steps(); n > 0 {
		verb = fmt.Sprintf("going on with %s on %s after step %d of %d", s.Preset, r.data.Name(), n, s.Steps)
	}
	lines = append(lines,
		fmt.Sprintf("%s: batch %d, seed %d, %d %s (%s)", verb, s.Recipe.Batch, s.Seed, s.Threads, threads, kernel.Tier()),
		fmt.Sprintf("%d images of shape %v; parameters: generator %d, discriminator %d", r.data.Len(), r.data.Shape(), e.Generator, e.Discriminator),
		fmt.Sprintf("results go to %s; Ctrl-C saves and stops", r.dir.path))
	for _, l := range lines {
		if err := r.p.say("%s", l); err != nil {
			return err
		}
	}
	return nil
}

// step runs one step and what is due after it.
func (r *runner) step(ctx context.Context) error {
	stats, err := r.t.Step()
	if err != nil {
		if nan := (*NonFiniteError)(nil); errors.As(err, &nan) {
			return failure(fmt.Sprintf("a smaller --lr may help; the checkpoint of step %d is good", r.saved), "training diverged: %w", err)
		}
		return failure("", "%w", err)
	}
	n := stats.Step
	entry := n == 1 || n%r.s.LogEvery == 0
	now, rate, err := r.p.step(stats, entry)
	if err != nil {
		return err
	}
	if entry {
		b, err := r.pace.line(stats, now, rate)
		if err == nil {
			err = r.stats.line(b)
		}
		if err != nil {
			return failure("is the disk full? the last checkpoint is good", "%w", err)
		}
	}
	if n%r.s.CheckpointEvery == 0 || n == r.s.Steps {
		if err := r.save(); err != nil {
			return err
		}
	}
	if n%r.s.SampleEvery == 0 {
		return r.images(ctx)
	}
	return nil
}

// save writes a checkpoint of the present step, the statistics before it, and
// removes those that are too many.
func (r *runner) save() error {
	if r.stats != nil {
		if err := r.stats.f.Sync(); err != nil {
			return failure("", "%w", err)
		}
	}
	init := ""
	if r.s.Init != nil {
		init = r.s.Init.SHA256
	}
	c := newCheckpoint(r.t, init)
	if err := c.WriteFile(r.dir.file(fmt.Sprintf(checkpointForm, c.Step))); err != nil {
		hint := "is the disk full, or the directory read-only?"
		if r.saved >= 0 {
			hint += fmt.Sprintf(" the checkpoint of step %d is good", r.saved)
		}
		return failure(hint, "%w", err)
	}
	r.saved = c.Step
	if err := r.dir.prune(r.s.Keep); err != nil {
		return failure("", "%w", err)
	}
	return nil
}

// images draws the grids that the present step should have and has not.
func (r *runner) images(ctx context.Context) error {
	if !drawable(r.data.Shape()) {
		return nil
	}
	if path := r.dir.file(realsName); !exists(path) {
		if err := drawReals(path, r.data); err != nil {
			return failure("", "%w", err)
		}
	}
	n := r.t.Steps()
	path := r.dir.file(fmt.Sprintf(fakesFormat, n))
	if exists(path) || n%r.s.SampleEvery != 0 && n != r.s.Steps {
		return nil
	}
	onnx, _, err := export.Generator(r.t.Model(), r.exportInfo(), export.Options{Fold: true})
	if err == nil {
		err = drawFakes(ctx, path, onnx, r.data.Shape(), r.s.Threads)
	}
	if err != nil {
		return failure("", "drawing samples of step %d: %w", n, err)
	}
	return nil
}

func (r *runner) exportInfo() export.Info {
	return export.Info{DataName: r.data.Name(), DataSHA256: r.data.Digest(), Step: r.t.Steps()}
}

// finish does what a run whose last step is saved may still lack.
func (r *runner) finish(ctx context.Context) (*Result, error) {
	if err := r.images(ctx); err != nil {
		return nil, r.interrupted(ctx, err)
	}
	res := &Result{Dir: r.dir.path, Step: r.t.Steps(), Generator: r.dir.file(generatorName)}
	if drawable(r.data.Shape()) {
		res.Fakes = r.dir.file(fmt.Sprintf(fakesFormat, res.Step))
	}
	if exportedStep(res.Generator) == res.Step {
		return res, r.p.say("nothing is missing: step %d is the last, and %s is there", res.Step, generatorName)
	}
	rep, err := export.WriteFile(res.Generator, r.t.Model(), r.exportInfo(), export.Options{Fold: true})
	if err != nil {
		return nil, failure(fmt.Sprintf("the checkpoint of step %d is good; --resume tries again", r.saved), "%w", err)
	}
	res.Export = rep
	return res, r.p.say("%s: read back and verified, largest difference %.2g (bound %.2g)", generatorName, rep.MaxDiff, rep.Bound)
}

// exportedStep is the training step of the generator in an ONNX file, or -1 if
// there is none that is whole.
func exportedStep(path string) int {
	m, err := infer.LoadFile(path, infer.Options{})
	if err != nil {
		return -1
	}
	n := -1
	fmt.Sscan(m.Metadata()["gantry.step"], &n)
	return n
}

// interrupted saves, if it is the context that ended the run, and says so;
// any other error is returned as it is.
func (r *runner) interrupted(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if cause == nil || err != nil && !errors.Is(err, ctx.Err()) && !errors.Is(err, cause) {
		return err
	}
	r.p.end()
	if r.saved != r.t.Steps() {
		if err := r.save(); err != nil {
			return err
		}
	}
	r.p.say("stopped after step %d of %d; everything is saved", r.t.Steps(), r.s.Steps)
	return &Interrupted{Dir: r.dir.path, Step: r.t.Steps(), Cause: cause}
}
