package train

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"gantry/internal/graph"
)

// An Origin is the checkpoint whose weights a run begins with.
type Origin struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // of the file
}

// NewOrigin returns the origin for a run that begins with the weights of a
// checkpoint; path is the checkpoint, or a run directory for its newest one.
func NewOrigin(path string) (*Origin, error) {
	path, err := FindCheckpoint(path, -1)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, failure("", "%w", err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, failure("--init takes a run directory or a checkpoint", "%w", err)
	}
	sum := sha256.Sum256(b)
	return &Origin{path, hex.EncodeToString(sum[:])}, nil
}

// readOrigin reads the checkpoint that o names; nil for nil.
func readOrigin(o *Origin) (*Checkpoint, error) {
	if o == nil {
		return nil, nil
	}
	const hint = "put it back, or start a new run"
	now, err := NewOrigin(o.Path)
	if err != nil {
		return nil, failure(hint, "the run begins with the weights of %s: %w", o.Path, err)
	}
	if now.SHA256 != o.SHA256 {
		return nil, failure(hint, "%s is not what it was when the run began", o.Path)
	}
	return ReadCheckpoint(o.Path)
}

// checkOrigin reports whether s can begin with the weights it names.
func checkOrigin(s *Settings) error {
	c, err := readOrigin(s.Init)
	if c == nil || err != nil {
		return err
	}
	m, err := graph.NewModel(s.Spec)
	if err == nil {
		err = c.copyTo(modelTensors(m))
	}
	if err != nil {
		return misuse("--init takes a run of the same networks", "%s does not fit preset %s: %w", s.Init.Path, s.Preset, err)
	}
	return nil
}
