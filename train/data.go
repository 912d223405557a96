package train

import (
	"context"
	"fmt"
	"slices"

	"gantry/models"
	"gantry/train/dataset"
)

// openData opens the data set and checks that it suits spec, recipe and
// checkpoint.
func (r *runner) openData(ctx context.Context) error {
	data, err := r.host.open(ctx, r.s.Data)
	if err != nil {
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

// open opens a data set, or gives up when ctx is done.
func (h *Host) open(ctx context.Context, ref string) (dataset.Dataset, error) {
	open := h.Open
	if open == nil {
		open = dataset.Open
	}
	var data dataset.Dataset
	done := make(chan error, 1)
	go func() {
		var err error
		data, err = open(ref)
		done <- err
	}()
	select {
	case <-ctx.Done():
		return nil, failure("", "stopped while the data were read: %w", context.Cause(ctx))
	case err := <-done:
		if err != nil {
			return nil, failure("--data takes mnist, or idx:DIR for a directory of IDX files", "%w", err)
		}
		return data, nil
	}
}

// suits reports whether networks and a batch fit the images of data. Samples of
// rank 1 take images of as many elements.
func suits(spec *models.Spec, r *models.Recipe, data dataset.Dataset) error {
	want, got := spec.Sample.Shape, data.Shape()
	if !slices.Equal(want, got) && !(len(want) == 1 && want[0] == models.Elements(got)) {
		return misuse("take a preset for such images, or write one: --preset FILE.json",
			"the networks make samples of shape %v, but the images of %s have shape %v", want, data.Name(), got)
	}
	if r.Batch > data.Len() {
		return misuse(fmt.Sprintf("give --batch at most %d", data.Len()),
			"--batch %d: %s has only %d images", r.Batch, data.Name(), data.Len())
	}
	return nil
}
