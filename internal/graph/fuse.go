package graph

import (
	"gantry/internal/kernel"
	"gantry/models"
)

// followers returns, for each layer whose result is used by one other layer and
// nowhere else, the number of that layer; 0 for the rest.
func followers(net *Net) []int {
	uses, by := make([]int, len(net.Nodes)), make([]int, len(net.Nodes))
	uses[net.Out]++
	for j := range net.Nodes {
		for _, a := range net.Nodes[j].Args {
			if a >= 0 {
				uses[a]++
				by[a] = j
			}
		}
	}
	for i, n := range uses {
		if n > 1 {
			by[i] = 0
		}
	}
	return by
}

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
// next as well, in training, where nothing else uses its result. Batch norms leave
// tanh and sigmoid, which would cost their backward pass a reading of y, to an
// operation of its own.
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
