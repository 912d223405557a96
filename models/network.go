package models

// Network is one of the two networks of a valid [Spec], or one by itself
// ([NewNetwork]), with all shapes inferred. It is immutable by convention: callers
// must not change it.
type Network struct {
	Name   string // "generator" or "discriminator"
	Prefix string // "g" or "d": what the names of its layers and parameters begin with
	Input  []int  // shape of one input sample
	Output []int  // shape of one result
	Nodes  []Node // in the order of evaluation
	Out    int    // index of the node whose result is the network's output
}

// Node is a layer of a [Network] with its defaults filled in.
type Node struct {
	Layer
	ID     string  // unique name: prefix and the layer's name or number, "g.2" or "g.up"
	Args   []int   // indices of the nodes that feed it; -1 is the network's input
	In     []int   // shape of one sample of the first argument
	Out    []int   // shape of one sample of the result
	Params []Param // what the layer learns or keeps, in a fixed order
}

// Param is a tensor that belongs to a layer.
type Param struct {
	Name  string // the node's ID and what it is, "g.2.weight"
	Shape []int
	Role  Role
	FanIn int // inputs of each unit as PyTorch counts them, for initialisation; 0 for batch norm
}

// Role says what a parameter is for.
type Role uint8

// Roles of parameters. The running statistics are kept, not trained.
const (
	Weight Role = iota
	Bias
	Gamma
	Beta
	RunningMean
	RunningVar
)

// Trainable reports whether a solver updates parameters of this role.
func (r Role) Trainable() bool { return r <= Beta }

// String returns the role's name as it ends a parameter's name.
func (r Role) String() string {
	switch r {
	case Weight, Gamma:
		return "weight"
	case Bias, Beta:
		return "bias"
	case RunningMean:
		return "running_mean"
	case RunningVar:
		return "running_var"
	}
	return "unknown"
}

// Elements returns the number of elements of a tensor of the given shape; 1 for
// the empty shape.
func Elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Elements returns the number of elements of the parameter.
func (p Param) Elements() int { return Elements(p.Shape) }

// Params returns all parameters in the order of the layers, running statistics
// included.
func (n *Network) Params() []Param {
	var ps []Param
	for i := range n.Nodes {
		ps = append(ps, n.Nodes[i].Params...)
	}
	return ps
}

// NumParams returns the number of trainable scalars.
func (n *Network) NumParams() int {
	sum := 0
	for _, p := range n.Params() {
		if p.Role.Trainable() {
			sum += p.Elements()
		}
	}
	return sum
}
