package train

import (
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
		return nil, failure("take another one with --step", "%w", err)
	}
	m, err := c.Model()
	if err != nil {
		return nil, failure("", "%w", err)
	}
	return export.WriteFile(out, m, export.Info{DataName: c.DataName, DataSHA256: c.DataSHA256, Step: c.Step}, o)
}
