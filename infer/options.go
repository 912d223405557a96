package infer

import (
	"runtime"

	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
)

// Options says how a model is loaded and run. The zero value holds the defaults.
type Options struct {
	// Limits bounds what a file may ask for. Zero fields stand for the defaults.
	Limits Limits
	// Threads is the number of threads that one Run may use; 0 is GOMAXPROCS. Results do not
	// depend on it. Runs of one model that overlap share the threads: the first to come has them,
	// the others run on one each. More than 1024 are not made.
	Threads int
	// Seed decides the numbers of the model's RandomNormal, RandomUniform and -Like nodes, where no attribute and no sample
	// decides them; docs/infer.md says how.
	Seed uint64
	// Trace, if it is not nil, is called while the model is loaded: with the graph as it was decoded, then after each pass
	// over it with the name of the pass. The text is for people and says what the names in the file are, whatever is in them.
	Trace func(pass, graph string)
}

// Limits bounds what loading and running a model may take. A zero field stands for its default.
//
// Loading and the first runs also copy weights: scaled where a Gemm has alpha, folded where a batch norm
// follows, packed for the processor. However many nodes share a weight, all copies ever made take at
// most twice the memory of the weights and 64 MiB more; what is past that runs without them, slower.
type Limits struct {
	FileBytes      int64 // size of the file, with the weights that it keeps in others; default 512 MiB
	DecodeBytes    int64 // memory that decoding takes beyond the file; default 192 MiB
	Nodes          int   // nodes of the graph; default 32768
	Elements       int64 // elements of all weights together; default 2^27
	TensorElements int64 // elements of any one tensor that Run makes; default 2^28
	ArenaBytes     int64 // bytes of all tensors alive at once in a Run, and of its results; default 1 GiB
}

func (l Limits) decode() onnx.Limits {
	return onnx.Limits{FileBytes: l.FileBytes, Memory: l.DecodeBytes, Nodes: l.Nodes, Elements: l.Elements}
}

func (l Limits) plan() plan.Limits {
	p := plan.Limits{Elements: l.TensorElements, ArenaBytes: l.ArenaBytes}
	if p.Elements <= 0 {
		p.Elements = 1 << 28
	}
	if p.ArenaBytes <= 0 {
		p.ArenaBytes = 1 << 30
	}
	return p
}

func (o Options) threads() int {
	if o.Threads > 0 {
		return o.Threads
	}
	return runtime.GOMAXPROCS(0)
}
