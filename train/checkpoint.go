package train

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"gantry/internal/atomicfile"
	"gantry/internal/graph"
	"gantry/internal/kernel"
	"gantry/internal/safetensors"
	"gantry/internal/version"
	"gantry/models"
)

// A Checkpoint is the whole state of a training after a step: one safetensors
// file, from which training goes on to the same bits as if it had never
// stopped. It holds nothing of threads, paths, cadence, processor or time, so
// that equal trainings give equal files.
type Checkpoint struct {
	Spec       *models.Spec
	Recipe     *models.Recipe
	Seed       uint64
	DataName   string
	DataSHA256 string // [dataset.Dataset.Digest]
	Init       string // SHA-256 of the checkpoint the first weights came from; "" if drawn
	Step       int    // completed steps
	Numerics   int    // kernel.Numerics of the Gantry that wrote it
	Version    string // of the Gantry that wrote it
	Tensors    []NamedTensor
}

// A DamagedError says that a checkpoint is not as it was written.
type DamagedError struct {
	Path string
	Err  error
}

// Error names the file and what is wrong with it.
func (e *DamagedError) Error() string {
	if errors.Is(e.Err, errForeign) {
		return fmt.Sprintf("train: %s is no checkpoint: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("train: %s is damaged: %v", e.Path, e.Err)
}

// errForeign is for a file that never was a checkpoint of ours.
var errForeign = errors.New("it is no safetensors file of gantrain")

// Unwrap returns what is wrong.
func (e *DamagedError) Unwrap() error { return e.Err }

// Keys of a checkpoint's metadata. The last one is the SHA-256 of the file as
// it would be without that key.
const (
	keyVersion  = "gantry.version"
	keyNumerics = "gantry.numerics"
	keySpec     = "gantry.spec"
	keyRecipe   = "gantry.recipe"
	keySeed     = "gantry.seed"
	keyData     = "gantry.data"
	keyInit     = "gantry.init"
	keyStep     = "gantry.step"
	keySHA256   = "gantry.sha256"
)

type dataRef struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// metadata returns all of a checkpoint but tensors and digest.
func (c *Checkpoint) metadata() (map[string]string, error) {
	spec, err := c.Spec.JSON()
	if err != nil {
		return nil, err
	}
	recipe, err := c.Recipe.JSON()
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(dataRef{c.DataName, c.DataSHA256})
	if err != nil {
		return nil, err
	}
	m := map[string]string{
		keyVersion:  c.Version,
		keyNumerics: strconv.Itoa(c.Numerics),
		keySpec:     string(spec),
		keyRecipe:   string(recipe),
		keySeed:     strconv.FormatUint(c.Seed, 10),
		keyData:     string(data),
		keyStep:     strconv.Itoa(c.Step),
	}
	if c.Init != "" {
		m[keyInit] = c.Init
	}
	return m, nil
}

// tensors returns c.Tensors as the codec wants them, sharing their data.
func (c *Checkpoint) tensors() []safetensors.Tensor {
	ts := make([]safetensors.Tensor, len(c.Tensors))
	for i, t := range c.Tensors {
		ts[i] = safetensors.Tensor{Name: t.Name, Shape: t.Shape, Data: t.Data}
	}
	return ts
}

// WriteFile writes the checkpoint in one step: path holds all of it or what it
// held before.
func (c *Checkpoint) WriteFile(path string) error {
	meta, err := c.metadata()
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	tensors := c.tensors()
	if meta[keySHA256], err = digest(meta, tensors); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	err = atomicfile.WriteFileAtomic(path, func(w io.Writer) error {
		return safetensors.Encode(w, meta, tensors)
	})
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	return nil
}

// digest is the SHA-256 of the file that would hold meta and tensors.
func digest(meta map[string]string, tensors []safetensors.Tensor) (string, error) {
	h := sha256.New()
	if err := safetensors.Encode(h, meta, tensors); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// ReadCheckpoint reads a checkpoint and checks its digest. Where the file is
// there but not right, the error is a [*DamagedError].
func ReadCheckpoint(path string) (*Checkpoint, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("train: checkpoint: %w", err)
	}
	c, err := decodeCheckpoint(b)
	if err != nil {
		return nil, &DamagedError{path, err}
	}
	return c, nil
}

func decodeCheckpoint(b []byte) (*Checkpoint, error) {
	if len(b) > 8 && b[8] != '{' {
		return nil, errForeign
	}
	f, err := safetensors.Decode(b)
	if err != nil {
		return nil, err
	}
	m := f.Metadata
	want, ok := m[keySHA256]
	if !ok {
		return nil, errForeign
	}
	delete(m, keySHA256)
	if got, err := digest(m, f.Tensors); err != nil || got != want {
		return nil, fmt.Errorf("its SHA-256 is %.12s..., want %.12s...: %w", got, want, cmp.Or(err, errors.New("bits have changed")))
	}
	c, err := decodeMetadata(m)
	if err != nil {
		return nil, err
	}
	for _, t := range f.Tensors {
		c.Tensors = append(c.Tensors, NamedTensor{t.Name, t.Shape, t.Data})
	}
	return c, nil
}

// decodeMetadata reads what metadata wrote.
func decodeMetadata(m map[string]string) (*Checkpoint, error) {
	c := &Checkpoint{Version: m[keyVersion], Init: m[keyInit]}
	var err error
	if c.Spec, err = models.ParseSpec([]byte(m[keySpec])); err != nil {
		return nil, err
	}
	if c.Recipe, err = models.ParseRecipe([]byte(m[keyRecipe])); err != nil {
		return nil, err
	}
	if c.Seed, err = strconv.ParseUint(m[keySeed], 10, 64); err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	if c.Step, err = strconv.Atoi(m[keyStep]); err != nil || c.Step < 0 || c.Step > maxSteps {
		return nil, fmt.Errorf("step is %q, want 0 to %d", m[keyStep], maxSteps)
	}
	if c.Numerics, err = strconv.Atoi(m[keyNumerics]); err != nil {
		return nil, fmt.Errorf("numerics: %w", err)
	}
	var data dataRef
	if err := json.Unmarshal([]byte(m[keyData]), &data); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	c.DataName, c.DataSHA256 = data.Name, data.SHA256
	return c, nil
}

// FindCheckpoint returns the path of the checkpoint of the given step in a run
// directory, of the newest if step is negative. The path of a regular file is
// taken to be that of a checkpoint.
func FindCheckpoint(path string, step int) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", misuse("give a run directory, such as runs/00000-mnist-dcgan28", "%w", err)
	}
	switch regular := info.Mode().IsRegular(); {
	case regular && step >= 0:
		return "", misuse("give the run directory, or leave out the step", "%s is one checkpoint, not a run to take step %d from", path, step)
	case regular:
		return path, nil
	case !info.IsDir(): // a device has no end, and a pipe may have none
		return "", misuse("give a run directory, such as runs/00000-mnist-dcgan28", "%s is neither a directory nor a regular file", path)
	}
	steps, err := checkpointSteps(path)
	if err != nil {
		return "", failure("", "%w", err)
	}
	if len(steps) == 0 {
		return "", misuse("give a run directory, such as runs/00000-mnist-dcgan28", "%s has no checkpoint", path)
	}
	if step < 0 {
		return filepath.Join(path, fmt.Sprintf(checkpointForm, steps[0])), nil
	}
	name := filepath.Join(path, fmt.Sprintf(checkpointForm, step))
	if _, err := os.Stat(name); err != nil {
		return "", misuse(fmt.Sprintf("it has %s", joinSteps(steps)), "%s has no checkpoint of step %d", path, step)
	}
	return name, nil
}

// joinSteps lists steps for people, the newest first.
func joinSteps(steps []int) string {
	var b bytes.Buffer
	for i, n := range steps {
		if i == 8 {
			fmt.Fprintf(&b, " and %d more", len(steps)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, n)
	}
	return b.String()
}

// Model returns the networks of the checkpoint as they were trained.
func (c *Checkpoint) Model() (*graph.Model, error) {
	g, d, err := c.Spec.Networks()
	if err != nil {
		return nil, err
	}
	var params []NamedTensor // before anything of their size is allocated
	for _, p := range slices.Concat(g.Params(), d.Params()) {
		params = append(params, NamedTensor{Name: p.Name, Shape: p.Shape})
	}
	if err := c.copyTo(params); err != nil {
		return nil, err
	}
	m, err := graph.NewModel(c.Spec)
	if err != nil {
		return nil, err
	}
	if err := c.copyTo(modelTensors(m)); err != nil {
		return nil, err
	}
	return m, nil
}

// Averaged returns the networks of the checkpoint with the moving average of
// the generator, or an error if it has none.
func (c *Checkpoint) Averaged() (*graph.Model, error) {
	m, err := c.Model()
	if err != nil {
		return nil, err
	}
	return m, c.copyTo(averageTensors(m))
}

// modelTensors lists the parameters of a model, the generator's first, as they
// stand in its memory.
func modelTensors(m *graph.Model) []NamedTensor {
	var ts []NamedTensor
	for _, n := range []*graph.Net{m.G, m.D} {
		for _, p := range n.Params() {
			ts = append(ts, NamedTensor{p.Name, p.Shape, n.Tensor(p.Name).Float32s()})
		}
	}
	return ts
}

// copyTo copies the checkpoint's tensors of the same names into dst.
func (c *Checkpoint) copyTo(dst []NamedTensor) error {
	byName := make(map[string]NamedTensor, len(c.Tensors))
	for _, t := range c.Tensors {
		byName[t.Name] = t
	}
	for _, t := range dst {
		from, ok := byName[t.Name]
		if !ok || !slices.Equal(from.Shape, t.Shape) {
			return fmt.Errorf("train: checkpoint: tensor %q has shape %v, want %v", t.Name, from.Shape, t.Shape)
		}
		copy(t.Data, from.Data)
	}
	return nil
}

// newCheckpoint is the present state of a trainer. Its tensors are live: it
// must be written before the next step.
func newCheckpoint(t *Trainer, init string) *Checkpoint {
	return &Checkpoint{
		Spec: t.Spec(), Recipe: t.Recipe(), Seed: t.Seed(),
		DataName: t.Data().Name(), DataSHA256: t.Data().Digest(),
		Init: init, Step: t.Steps(), Numerics: kernel.Numerics, Version: version.Version,
		Tensors: t.State(),
	}
}
