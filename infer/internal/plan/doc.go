// Package plan holds what a model is between the file and the numbers: a graph of values and nodes,
// the contract of an operator, and the plan that runs a graph for given input shapes.
//
// # Concepts
//
// A [Graph] is the model as data. Its values are numbers; its nodes hold an [Op], which is an
// operator with its attributes checked. Passes (package pass) rewrite graphs. A graph knows no
// shapes: most models leave the batch open.
//
// [Compile] takes a graph and the shapes of its inputs, infers every other shape, computes what is
// known already (shapes that the graph itself computes), and lays all intermediate tensors into one
// arena, so that two that are never alive together share memory. The result is a [Plan], a list of
// steps that package exec runs. An operator that has something to prepare for the shapes of a plan, such
// as the geometry of a convolution, is a [Binder].
//
// An operator is one file of package exec, which registers it with [Register].
package plan
