package graph

import (
	"gantry/internal/kernel"
	"gantry/models"
)

// activation returns the operation of a layer that is an activation.
func activation(l *models.Node) (act, bool) {
	switch l.Type {
	case models.Relu:
		return act{kind: kernel.Relu}, true
	case models.LeakyRelu:
		return act{kernel.LeakyRelu, l.Alpha}, true
	case models.Tanh:
		return act{kind: kernel.Tanh}, true
	case models.Sigmoid:
		return act{kind: kernel.Sigmoid}, true
	}
	return act{}, false
}

// Fuses reports whether layer l has an operation that applies the activation
// next, the layer after it, as well, in training. Nothing else uses l's result:
// valid networks are chains. Batch norms leave tanh and sigmoid, which would cost
// their backward pass a reading of y, to an operation of its own.
func Fuses(l, next *models.Node) bool {
	a, ok := activation(next)
	switch l.Type {
	case models.Conv, models.ConvTranspose:
		return ok
	case models.BatchNorm:
		return ok && (a.kind == kernel.Relu || a.kind == kernel.LeakyRelu)
	}
	return false
}
