// Package graph is everything Gantry adds to Gorgonia: operations on package
// kernel, symbolic gradients that can be taken twice, a virtual machine that
// allocates nothing in the steady state, and the graphs of a [models.Spec].
//
// # Concepts
//
// A [Model] owns the weights of a generator and a discriminator as named
// *tensor.Dense. [Build] adds one pass through one of the two networks to an
// expression graph; any number of graphs and passes wrap the same tensors.
// [Grad] adds the nodes of a gradient. [NewVM] runs a graph in segments, so
// that a value can be fed in between (the discriminator's gradient with
// respect to the generated images); [NewTape] runs the same segments on
// Gorgonia's own TapeMachine and gives the same bits. A [Sampler] is the
// generator's graph in sampling mode, which is also what package export walks;
// what an exporter needs to know about an operation is [Lowering].
//
// No operation of Gorgonia's own is used: several of them are wrong or alias
// their inputs, and the graph would not give the same bits on every machine.
// Every operation here writes its whole result into a buffer that it is given,
// reads its inputs only, has no effect that outlasts a run, and takes part in
// Gorgonia's hashing with an identity of its own, so that no two are merged.
package graph

// Gorgonia's tensors need this on every Go release after 1.17; without it the
// program panics when it starts.
import _ "go4.org/unsafe/assume-no-moving-gc"
