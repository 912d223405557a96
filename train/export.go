package train

import (
	"errors"

	"gantry/export"
)

// ExportCheckpoint writes the generator of a checkpoint to an ONNX file and
// verifies it. path is a run directory or a checkpoint; step chooses one of a
// directory's checkpoints, the newest if negative. The run may be in progress.
func ExportCheckpoint(path string, step int, out string, o export.Options) (*export.Report, error) {
	name, err := FindCheckpoint(path, step)
	if err != nil {
		return nil, err
	}
	c, err := ReadCheckpoint(name)
	if err != nil {
		return nil, failure("export takes a run (and --step N), or a checkpoint", "%w", err)
	}
	m, err := c.Model()
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
