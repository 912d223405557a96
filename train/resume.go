package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gantry/internal/kernel"
	"gantry/internal/version"
)

// Resume goes on with the run in dir, from its newest checkpoint that is whole,
// to the same bits as if it had never stopped. If nothing is missing it does
// nothing.
//
// adjust, if not nil, may change the run's settings: number of steps, place of
// the data, and whatever does not decide the result. A change of spec, recipe,
// seed or origin is refused.
func Resume(ctx context.Context, dir string, adjust func(*Settings) error, h Host) (*Result, error) {
	d, old, err := openRunDir(dir)
	if err != nil {
		return nil, err
	}
	defer d.close()
	s := old.clone()
	if adjust != nil {
		if err := adjust(s); err != nil {
			return nil, err
		}
	}
	if err := s.check(); err != nil {
		if e := (*Error)(nil); errors.As(err, &e) {
			e.Hint = "leave it out for what the run has"
		}
		return nil, err
	}
	if err := sameRun(dir, old, s); err != nil {
		return nil, err
	}
	r := &runner{dir: d, s: s, host: h}
	if err := r.findCheckpoint(); err != nil {
		return nil, err
	}
	if err := d.removeTemp(); err != nil {
		return nil, failure("", "%w", err)
	}
	if err := r.openData(ctx); err != nil {
		return nil, err
	}
	if err := checkRoom(dir, s); err != nil {
		return nil, err
	}
	if err := r.prepare(); err != nil {
		return nil, err
	}
	s.Version = version.Version
	if err := s.write(d.file(optionsName)); err != nil {
		r.t.Close()
		return nil, err
	}
	return r.run(ctx)
}

// sameRun refuses settings that another run than old's would have.
func sameRun(dir string, old, s *Settings) error {
	const hint = "leave it out, or start a new run with these weights: --init DIR"
	oldSpec, _ := old.Spec.JSON()
	spec, _ := s.Spec.JSON()
	switch {
	case s.FitChannels != old.FitChannels:
		return misuse(hint, "%s takes the channels of its images", dir)
	case string(spec) != string(oldSpec) && old.Preset == s.Preset:
		return misuse(hint, "%s trains preset %s with networks of other sizes", dir, old.Preset)
	case string(spec) != string(oldSpec):
		return misuse(hint, "%s trains preset %s, which is not %s", dir, old.Preset, s.Preset)
	case *s.Recipe != *old.Recipe:
		return misuse(hint, "%s has another recipe: %s", dir, recipeDifference(old.Recipe, s.Recipe))
	case s.Resize != old.Resize:
		return misuse(hint, "%s has --resize %d, not %d", dir, old.Resize, s.Resize)
	case s.Mirror != old.Mirror:
		return misuse(hint, "%s has --mirror=%t, not %t", dir, old.Mirror, s.Mirror)
	case s.Seed != old.Seed:
		return misuse(hint, "%s has --seed %d, not %d", dir, old.Seed, s.Seed)
	case (s.Init == nil) != (old.Init == nil) || s.Init != nil && *s.Init != *old.Init:
		return misuse(hint, "%s began with other weights", dir)
	}
	return nil
}

// findCheckpoint reads the newest checkpoint that is whole. Those that are not
// are renamed, so that nothing takes them for results.
func (r *runner) findCheckpoint() error {
	steps, err := checkpointSteps(r.dir.path)
	if err != nil {
		return failure("", "%w", err)
	}
	var damaged []string
	for _, n := range steps {
		path := r.dir.file(fmt.Sprintf(checkpointForm, n))
		c, err := ReadCheckpoint(path)
		if bad := (*DamagedError)(nil); errors.As(err, &bad) {
			damaged = append(damaged, path)
			r.note = append(r.note, fmt.Sprintf("%s is damaged and set aside: %v", filepath.Base(path), bad.Err))
			continue
		}
		if err != nil {
			return failure("make it readable, or move it away", "%w", err)
		}
		if err := r.checkCheckpoint(path, n, c); err != nil {
			return err
		}
		r.from = c
		break
	}
	for _, path := range damaged {
		if err := os.Rename(path, path+".damaged"); err != nil {
			return failure("", "%w", err)
		}
	}
	return nil
}

// checkCheckpoint refuses a whole checkpoint that is not of this run, or that
// this program cannot go on with to the same bits.
func (r *runner) checkCheckpoint(path string, n int, c *Checkpoint) error {
	spec, _ := c.Spec.JSON()
	want, _ := r.s.Spec.JSON()
	init := ""
	if r.s.Init != nil {
		init = r.s.Init.SHA256
	}
	switch {
	case c.Numerics != kernel.Numerics:
		return failure(fmt.Sprintf("use Gantry %s, or begin again from these weights: --init %s", c.Version, Quote(r.dir.path)),
			"%s was made with numerics version %d, this program has %d: the bits would differ", path, c.Numerics, kernel.Numerics)
	case string(spec) != string(want) || *c.Recipe != *r.s.Recipe || c.Seed != r.s.Seed || c.Init != init:
		return misuse("put the run's own options.json back", "%s and %s do not belong to one run", path, r.dir.file(optionsName))
	case c.Step != n:
		return misuse("give the file the name it had", "%s holds step %d", path, c.Step)
	case r.s.Steps < n:
		return misuse(fmt.Sprintf("give --steps at least %d, or leave it out", n), "--steps %d: %s has already done %d", r.s.Steps, r.dir.path, n)
	}
	return nil
}
