package train

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"gantry/models"
	"gantry/train/dataset"
)

// openData opens the data set, fits the networks to its channels if they are to
// have them, and checks that it suits spec, recipe and checkpoint.
func (r *runner) openData(ctx context.Context) error {
	data, err := r.host.open(ctx, r.s.Data, r.s.dataOptions())
	if err != nil {
		return err
	}
	if err := r.s.fitChannels(data); err != nil {
		return err
	}
	if err := suits(r.s.Spec, r.s.Recipe, data); err != nil {
		return err
	}
	if c := r.from; c != nil && c.DataSHA256 != data.Digest() {
		return misuse("give --data the images the run began with", "%s was trained on %s with SHA-256 %.12s..., %s has %.12s...",
			r.dir.path, c.DataName, c.DataSHA256, r.s.Data, data.Digest())
	} else if c != nil && c.DataName != data.Name() {
		data = renamed{data, c.DataName}
	}
	r.data = data
	return nil
}

// renamed is a data set that was moved: checkpoints and the generator keep the
// name that it had when the run began.
type renamed struct {
	dataset.Dataset
	name string
}

// Name implements [dataset.Dataset].
func (d renamed) Name() string { return d.name }

// dataOptions says what is made of the images of s.Data.
func (s *Settings) dataOptions() dataset.Options {
	shape := slices.Clone(s.Spec.Sample.Shape)
	if s.FitChannels {
		shape[0] = 0
	}
	return dataset.Options{Resize: s.Resize, Shape: shape, Mirror: s.Mirror, Threads: s.Threads}
}

// fitChannels does what FitChannels asks for, with data opened as dataOptions
// say. Points have no channels: [suits] refuses them.
func (s *Settings) fitChannels(data dataset.Dataset) error {
	shape := data.Shape()
	if !s.FitChannels || len(shape) != 3 {
		return nil
	}
	c, _ := models.DCGANOf(s.Spec)
	c.Channels = shape[0]
	spec, err := c.Spec()
	if err != nil {
		return misuse("", "%w", err)
	}
	s.Spec, s.FitChannels = spec, false
	return nil
}

// DataHint is a hint for a reference that names no data.
const DataHint = "--data takes mnist, ring, grid, folders, .zip, CIFAR-10, idx:DIR"

// openPatience is how long an opener may take to stop when the context ends.
const openPatience = time.Second

// open opens a data set, or gives up when ctx is done.
func (h *Host) open(ctx context.Context, ref string, o dataset.Options) (dataset.Dataset, error) {
	open := h.Open
	if open == nil {
		open = dataset.Open
	}
	p := NewCounter(h.Words, "images decoded")
	o.Progress = p.Step
	type result struct {
		data dataset.Dataset
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := open(ctx, ref, o)
		p.End()
		done <- result{data, err}
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		select { // it removes what it has begun
		case <-done:
		case <-time.After(openPatience):
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, failure("", "stopped while the data were read: %w", context.Cause(ctx))
	case errors.Is(r.err, syscall.ENOSPC):
		return nil, failure("decoded images are kept where XDG_CACHE_HOME says", "%w", r.err)
	case r.err != nil:
		return nil, failure(DataHint, "%w", r.err)
	}
	return r.data, nil
}

// apart refuses a run directory, or where it is to be made, inside of the folder
// whose images it trains on: the run's own pictures would be among them when it
// is resumed, and when another run begins.
func apart(dir, ref string, data dataset.Dataset) error {
	if data.Report().Kind != "folder" || !exists(ref) { // removed, perhaps, when all was decoded
		return nil
	}
	var paths [2]string
	for i, path := range []string{ref, dir} {
		abs, err := filepath.Abs(path)
		if err == nil {
			paths[i], err = filepath.EvalSymlinks(existing(abs))
		}
		if err != nil {
			return failure("", "%w", err)
		}
	}
	if within, err := filepath.Rel(paths[0], paths[1]); err == nil && filepath.IsLocal(within) {
		return misuse("give --out a directory outside of it", "the run's pictures would be among the images of %s, inside of which it lies", ref)
	}
	return nil
}

// suits reports whether networks and a batch fit the images of data. Samples of
// rank 1 take images of as many elements.
func suits(spec *models.Spec, r *models.Recipe, data dataset.Dataset) error {
	want, got := spec.Sample.Shape, data.Shape()
	if !slices.Equal(want, got) && !(len(want) == 1 && want[0] == models.Elements(got)) {
		return misuse(misfit(spec, got), "the networks make samples of shape %v, but the %s of %s have shape %v", want, kindOf(data)+"s", data.Name(), got)
	}
	if n := spec.Packed(); r.Batch%(n*r.Shards) != 0 {
		return misuse(fmt.Sprintf("give --batch a multiple of %d", n*r.Shards),
			"--batch %d: packs of %s in %s do not divide it", r.Batch, plural(n, "sample"), plural(r.Shards, "shard"))
	}
	if r.Batch > data.Len() {
		return misuse(fmt.Sprintf("give --batch at most %d", data.Len()),
			"--batch %d: %s has only %s", r.Batch, data.Name(), samples(data.Len(), data))
	}
	return nil
}

// misfit is a hint for networks that do not make samples of the data's shape.
func misfit(spec *models.Spec, got []int) string {
	want := spec.Sample.Shape
	if scattered(got) {
		return "a preset for points: --preset pacgan2d"
	}
	if c, ok := models.DCGANOf(spec); ok && len(got) == 3 && got[0] == want[0] && got[1] == got[2] {
		c.Size = got[1]
		if _, err := c.Spec(); err == nil {
			return fmt.Sprintf("--resize %d makes the images fit, --size %d the networks", want[1], got[1])
		}
	}
	if len(got) == 3 && len(want) == 3 && want[1] == want[2] && (want[0] == 1 || want[0] == 3) {
		return fmt.Sprintf("--resize %d makes them fit; or take a preset for such images", want[1])
	}
	return "take a preset for such data, or write one: --preset FILE.json"
}
