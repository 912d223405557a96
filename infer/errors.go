package infer

import (
	"fmt"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
)

// UnsupportedError says that a model uses an operator that cannot run here.
type UnsupportedError struct {
	Node  int    // place of the node in the file, from 0
	Name  string // of the node; may be empty
	Op    string
	Opset int64
	Hint  string // what would help
}

func (e *UnsupportedError) Error() string {
	name, op := "", onnx.Printable(e.Op)
	if e.Name != "" {
		name = fmt.Sprintf(" %q", e.Name)
	}
	return fmt.Sprintf("infer: node %d%s (%s): operator %s of opset %d is not supported", e.Node, name, op, op, e.Opset)
}

// ErrLimit is wrapped by errors about tensors that would go past Limits.
var ErrLimit = plan.ErrLimit
