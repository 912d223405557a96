package train

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"gantry/export"
	"gantry/internal/kernel"
	"gantry/internal/version"
	"gantry/train/dataset"
)

// A Host is what a run needs of the program it is part of.
type Host struct {
	// Open opens Settings.Data; nil: dataset.Open. If the context ends it is not
	// waited for, but for the moment that it may need to clean up.
	Open func(context.Context, string, dataset.Options) (dataset.Dataset, error)

	Words io.Writer // progress, for people; a terminal gets a bar. nil: none
}

// A Result is what a complete run leaves.
type Result struct {
	Dir       string         // the run directory
	Step      int            // completed steps
	Generator string         // path of the exported generator
	Export    *export.Report // how it was verified
	Fakes     string         // path of the last grid; "" if the data are no images
	Shape     []int          // of a sample
}

// An Interrupted error says that the context ended the run, which has been
// saved and can be resumed. (Where it ends before the data are read, there is
// nothing to save, and the error is an [*Error] with the context's cause.)
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
	fits := s.FitChannels
	if !fits {
		if err := checkOrigin(&s); err != nil {
			return nil, err
		}
	}
	if err := checkRoom(cmp.Or(out, "runs"), &s); err != nil {
		return nil, err
	}
	d, err := createRunDir(out, dataset.RefName(s.Data), s.Preset)
	if err != nil {
		return nil, err
	}
	defer d.close()
	s.Version = version.Version
	r := &runner{dir: d, s: &s, host: h}
	if err = d.removeTemp(); err != nil {
		err = failure("", "%w", err)
	}
	if err == nil {
		err = s.write(d.file(optionsName))
	}
	if err == nil {
		err = r.openData(ctx)
	}
	if err == nil {
		err = apart(d.path, s.Data, r.data)
	}
	if err == nil && fits { // the networks are known now
		if err = checkOrigin(&s); err == nil {
			err = s.write(d.file(optionsName))
		}
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
	saved int  // step of the newest checkpoint; -1: none
	wrote bool // a result was written
}

// run trains to the last step and exports.
func (r *runner) run(ctx context.Context) (*Result, error) {
	defer r.t.Close()
	log, err := r.dir.appendTo(logName)
	if err != nil {
		return nil, failure(r.hint(err), "%w", err)
	}
	defer log.close()
	r.p = newProgress(r.host.Words, log)
	defer r.p.end()
	if err := r.announce(); err != nil {
		return nil, err
	}
	if err := r.dir.truncateStats(r.t.Steps()); err != nil {
		return nil, failure(r.hint(err), "%w", err)
	}
	if r.stats, err = r.dir.appendTo(statsName); err != nil {
		return nil, failure(r.hint(err), "%w", err)
	}
	defer r.stats.close()

	if r.saved < 0 {
		err = r.save()
	} else if err = r.dir.prune(r.s.Keep); err != nil {
		err = failure("", "%w", err)
	}
	if err != nil {
		return nil, err
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
	return r.finish(ctx)
}

// prepare makes the trainer, in the state of the checkpoint to go on from.
func (r *runner) prepare() error {
	var origin *Checkpoint
	if r.from == nil {
		var err error
		if origin, err = readOrigin(r.s.Init); err != nil {
			return err
		}
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
			t.ema.restart()
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
	s := r.s
	e := NewEstimate(s, r.data)
	lines := append([]string(nil), r.note...)
	verb := fmt.Sprintf("training %s on %s for %d steps", s.Preset, r.data.Name(), s.Steps)
	if n := r.t.Steps(); n > 0 {
		verb = fmt.Sprintf("going on with %s on %s after step %d of %d", s.Preset, r.data.Name(), n, s.Steps)
	}
	lines = append(lines, verb,
		fmt.Sprintf("batch %d, seed %d, %s (%s)", s.Recipe.Batch, s.Seed, plural(s.Threads, "thread"), kernel.Tier()),
		fmt.Sprintf("%s of shape %v; parameters: G %d, D %d", samples(r.data.Len(), r.data), r.data.Shape(), e.Generator, e.Discriminator))
	lines = append(lines, e.lines(r.dir.path)...)
	lines = append(lines,
		"results go to "+r.dir.path, "Ctrl-C saves and stops")
	lines = append(lines, dataNotes(r.data.Report())...)
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
			return r.diverged(err)
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
			return failure(r.hint(err), "%w", err)
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
	if err := r.t.checkState(); err != nil {
		return r.diverged(err)
	}
	if err := r.stats.f.Sync(); err != nil {
		return failure(r.hint(err), "%w", err)
	}
	init := ""
	if r.s.Init != nil {
		init = r.s.Init.SHA256
	}
	c := newCheckpoint(r.t, init)
	if err := c.WriteFile(r.dir.file(fmt.Sprintf(checkpointForm, c.Step))); err != nil {
		return failure(r.hint(err), "%w", err)
	}
	r.saved, r.wrote = c.Step, true
	if err := r.dir.prune(r.s.Keep); err != nil {
		return failure("", "%w", err)
	}
	return nil
}

// diverged is the error for a loss, gradient or state that is not finite.
func (r *runner) diverged(err error) error {
	if r.saved < 0 {
		return failure("the weights that --init names are not good to begin with", "training diverged: %w", err)
	}
	return failure(fmt.Sprintf("a smaller --lr may help; the checkpoint of step %d is good", r.saved), "training diverged: %w", err)
}

// hint says what may have caused err, and what is left.
func (r *runner) hint(err error) string {
	what := ""
	if isFileError(err) {
		what = "is the disk full, or read-only? "
	}
	switch {
	case !exists(r.dir.path):
		return "the run directory is gone: begin again"
	case r.saved < 0:
		return what
	}
	return fmt.Sprintf("%sthe checkpoint of step %d is good", what, r.saved)
}

// images draws the grids that the present step should have and has not.
func (r *runner) images(ctx context.Context) error {
	if !drawable(r.data.Shape()) {
		return nil
	}
	if path := r.dir.file(realsName); !exists(path) {
		if err := drawReals(path, r.data); err != nil {
			return failure(r.hint(err), "%w", err)
		}
		r.wrote = true
	}
	n := r.t.Steps()
	path := r.dir.file(fakesName(n))
	if exists(path) || n%r.s.SampleEvery != 0 && n != r.s.Steps {
		return nil
	}
	onnx, _, err := export.Generator(r.t.Averaged(), r.exportInfo(), export.Options{Fold: true})
	if d := (*export.DifferenceError)(nil); errors.As(err, &d) { // a later step may be better
		return r.p.say("no grid of step %d: exporting changes samples by %.2g of their range", n, d.Diff)
	}
	if err == nil {
		err = drawFakes(ctx, path, onnx, r.data, r.s.Threads)
	}
	if err != nil {
		return failure(r.hint(err), "drawing samples of step %d: %w", n, err)
	}
	r.wrote = true
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
	if err := r.pictures(); err != nil {
		return nil, err
	}
	res := &Result{Dir: r.dir.path, Step: r.t.Steps(), Generator: r.dir.file(generatorName), Shape: slices.Clone(r.s.Spec.Sample.Shape)}
	if drawable(r.data.Shape()) {
		res.Fakes = r.dir.file(fakesName(res.Step))
	}
	old, err := os.ReadFile(res.Generator)
	var file []byte
	if err == nil { // those bytes, if nothing is missing
		file, res.Export, err = export.Generator(r.t.Averaged(), r.exportInfo(), export.Options{Fold: true})
	}
	if err != nil || !bytes.Equal(file, old) {
		r.wrote = true
		res.Export, err = export.WriteFile(res.Generator, r.t.Averaged(), r.exportInfo(), export.Options{Fold: true})
	}
	switch {
	case errors.As(err, new(*export.DifferenceError)):
		return nil, failure(fmt.Sprintf("a smaller --lr may help; the checkpoint of step %d is good", r.saved), "%w", err)
	case err != nil:
		return nil, failure(r.hint(err), "%w", err)
	case !r.wrote:
		return res, r.p.say("nothing is missing: step %d is the last; --steps N goes further", res.Step)
	}
	return res, r.p.say("%s: read back and verified, largest difference %.2g (bound %.2g)", generatorName, res.Export.MaxDiff, res.Export.Bound)
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
