package train

import (
	"errors"

	"gantry/export"
	"gantry/models"
)

// EMA says which weights of a generator are meant.
type EMA uint8

// Values of EMA.
const (
	EMAIfAny EMA = iota // the moving average, or the trained weights if the recipe has none
	EMAOnly             // the moving average
	EMANone             // the trained weights
)

// ExportCheckpoint writes the generator of a checkpoint to an ONNX file and
// verifies it. path is a run directory or a checkpoint; step chooses one of a
// directory's checkpoints, the newest if negative. The run may be in progress.
func ExportCheckpoint(path string, step int, out string, ema EMA, o export.Options) (*export.Report, error) {
	name, err := FindCheckpoint(path, step)
	if err != nil {
		return nil, err
	}
	c, err := ReadCheckpoint(name)
	if err != nil {
		return nil, failure("export takes a run (and --step N), or a checkpoint", "%w", err)
	}
	model := c.Averaged
	switch none := c.Recipe.EMA == (models.EMA{}); {
	case none && ema == EMAOnly:
		return nil, misuse("leave it out for the weights there are", "--ema: %s was trained without a moving average", name)
	case none || ema == EMANone:
		model = c.Model
	}
	m, err := model()
	if err != nil {
		return nil, failure("", "%w", err)
	}
	r, err := export.WriteFile(out, m, export.Info{DataName: c.DataName, DataSHA256: c.DataSHA256, Step: c.Step}, o)
	switch {
	case err == nil:
		return r, nil
	case errors.As(err, new(*export.DifferenceError)):
		return nil, failure("values have grown too far: take an earlier checkpoint, --step N", "%w", err)
	case isFileError(err):
		return nil, failure("-o takes a file that you may write, on a disk that is not full", "%w", err)
	}
	return nil, failure("", "%w", err)
}
