package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"

	"gantry/internal/atomicfile"
	"gantry/models"
	"gantry/train/dataset"
)

// Settings is everything that a run was asked to do: what options.json holds.
// The first group decides the result; the second changes nothing in it.
type Settings struct {
	Preset string         `json:"preset"`           // name of the preset that Spec and Recipe began as
	Data   string         `json:"data"`             // reference, as dataset.Open or the caller's opener reads it
	Resize int            `json:"resize,omitempty"` // side that images are scaled to; 0: as the data and Spec.Sample are
	Mirror bool           `json:"mirror,omitempty"` // each image is also there mirrored
	Seed   uint64         `json:"seed"`
	Steps  int            `json:"steps"` // where the run ends
	Spec   *models.Spec   `json:"spec"`
	Recipe *models.Recipe `json:"recipe"`
	Init   *Origin        `json:"init,omitempty"` // where the first weights come from; nil: drawn from the seed

	// FitChannels has Spec, which must be a DCGAN's, get the channels of the
	// images as soon as they are read; from then on it is false.
	FitChannels bool `json:"fit_channels,omitempty"`

	Threads         int    `json:"threads"`
	VM              string `json:"vm"`
	CheckpointEvery int    `json:"checkpoint_every"` // steps; likewise below
	SampleEvery     int    `json:"sample_every"`
	LogEvery        int    `json:"log_every"`
	Keep            int    `json:"keep"`    // how many checkpoints to keep; 0: all
	Version         string `json:"version"` // of the Gantry that wrote this
}

// check reports the first setting that is out of range.
func (s *Settings) check() error {
	for _, c := range []struct {
		flag       string
		value, min int
	}{
		{"steps", s.Steps, 1}, {"threads", s.Threads, 1}, {"keep", s.Keep, 0}, {"resize", s.Resize, 0},
		{"checkpoint-every", s.CheckpointEvery, 1}, {"sample-every", s.SampleEvery, 1}, {"log-every", s.LogEvery, 1},
	} {
		if c.value < c.min {
			return misuse("leave it out for the default", "--%s %d: must be at least %d", c.flag, c.value, c.min)
		}
	}
	if s.Steps > maxSteps {
		return misuse("leave it out for the default", "--steps %d: must be at most %d", s.Steps, maxSteps)
	}
	if s.Threads > maxThreads {
		return misuse("leave it out for as many as there are processors", "--threads %d: must be at most %d", s.Threads, maxThreads)
	}
	if s.Resize > dataset.MaxSide {
		return misuse("leave it out for the size of the networks' samples", "--resize %d: must be at most %d", s.Resize, dataset.MaxSide)
	}
	if s.VM != GantryVM && s.VM != TapeVM {
		return misuse("leave it out for the default, gantry", "--vm %s: must be gantry or tape", s.VM)
	}
	if err := s.Recipe.Validate(); err != nil {
		return misuse("", "%w", err)
	}
	if _, _, err := s.Spec.Networks(); err != nil {
		return misuse("", "%w", err)
	}
	if _, ok := models.DCGANOf(s.Spec); s.FitChannels && !ok {
		return misuse("", "the networks of preset %s are no DCGAN's, and do not take the channels of the images", s.Preset)
	}
	return nil
}

// maxSteps keeps step·(k+1)·batch far from overflow, and numbers in file names.
const maxSteps = 999_999_999

// maxThreads is more than any machine has use for.
const maxThreads = 1024

// write replaces options.json.
func (s *Settings) write(path string) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return failure("", "options: %w", err)
	}
	if err := atomicfile.WriteFile(path, append(b, '\n')); err != nil {
		return failure("the run directory must be writable, and the disk not full", "%w", err)
	}
	return nil
}

// readSettings reads options.json back.
func readSettings(path string) (*Settings, error) {
	const hint = "options.json must be as gantrain wrote it; or start a new run"
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, failure(hint, "options: %w", err)
	}
	if len(b) == 0 {
		return nil, misuse(hint, "%s is empty", path)
	}
	type plain Settings
	var s struct { // spec and recipe go through their own, stricter, parsers
		plain
		Spec   json.RawMessage `json:"spec"`
		Recipe json.RawMessage `json:"recipe"`
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return nil, misuse(hint, "%s: %w", path, err)
	}
	out := Settings(s.plain)
	if out.Spec, err = models.ParseSpec(s.Spec); err == nil {
		out.Recipe, err = models.ParseRecipe(s.Recipe)
	}
	if err != nil {
		return nil, misuse(hint, "%s: %w", path, err)
	}
	if err := out.check(); err != nil {
		return nil, misuse(hint, "%s: %w", path, err)
	}
	return &out, nil
}

// clone copies s so far that changing the copy's fields, and its recipe's,
// leaves s alone.
func (s *Settings) clone() *Settings {
	c, r := *s, *s.Recipe
	c.Recipe = &r
	return &c
}

// recipeDifference names the first field in which two recipes differ.
func recipeDifference(old, other *models.Recipe) string {
	a, _ := old.JSON()
	b, _ := other.JSON()
	var was, is map[string]any
	json.Unmarshal(a, &was)
	json.Unmarshal(b, &is)
	return mapDifference("", was, is)
}

func mapDifference(path string, was, is map[string]any) string {
	keys := slices.Sorted(maps.Keys(was))
	for k := range is {
		if _, ok := was[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		a, aMap := was[k].(map[string]any)
		b, bMap := is[k].(map[string]any)
		if aMap || bMap { // one that is left out is an empty one
			if d := mapDifference(path+k+".", a, b); d != "" {
				return d
			}
		} else if was[k] != is[k] {
			return fmt.Sprintf("%s is %v, not %v", path+k, orNone(was[k]), orNone(is[k]))
		}
	}
	return ""
}

func orNone(v any) any {
	if v == nil {
		return "unset"
	}
	return v
}

// DefaultSettings returns the settings of a run of p where nothing is said: 3000
// steps on MNIST with seed 0, on all processors.
func DefaultSettings(p *models.Preset) Settings {
	return Settings{
		Preset: p.Name, Data: "mnist", Steps: 3000, Spec: &p.Spec, Recipe: &p.Recipe,
		Threads: runtime.GOMAXPROCS(0), VM: GantryVM,
		CheckpointEvery: 1000, SampleEvery: 500, LogEvery: 50, Keep: 3,
	}
}
