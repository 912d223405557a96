package infer

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"gantry/infer/internal/exec"
	"gantry/infer/internal/pass"
	"gantry/infer/internal/plan"
	"gantry/internal/kernel"
	"gantry/internal/memory"
	"gantry/internal/onnx"
)

// Model is a loaded model. It never changes and is safe for concurrent use.
type Model struct {
	graph   *plan.Graph // after all passes
	info    *onnx.Info
	inputs  []ValueInfo
	outputs []ValueInfo
	limits  plan.Limits
	seed    uint64
	pool    *kernel.Pool
	params  int64
}

// LoadFile reads the ONNX model at path, and the weights that it keeps in other files of its directory or below. A file that is
// larger than the limit is not read.
func LoadFile(path string, o Options) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	defer f.Close()
	limit := o.Limits.FileBytes
	if limit <= 0 {
		limit = onnx.DefaultLimits().FileBytes
	}
	var b []byte
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() && st.Size() <= limit {
		b = memory.Make[byte](int(st.Size()))
		if _, err := io.ReadFull(f, b); err != nil {
			return nil, fmt.Errorf("infer: %s: %w", path, err)
		}
	} else if b, err = io.ReadAll(io.LimitReader(f, limit+1)); err != nil {
		return nil, fmt.Errorf("infer: %s: %w", path, err)
	}
	m, err := loadFrom(filepath.Dir(path), b, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// LoadBytes reads the ONNX model in b. The model may keep slices of b, which must not change
// afterwards. Errors name the node; an operator that is missing here gives an *[UnsupportedError]. A model
// that keeps weights in other files is an error: only [LoadFile] knows where they are.
func LoadBytes(b []byte, o Options) (*Model, error) { return loadFrom("", b, o) }

// loadFrom reads the model in b, a file of the directory dir, or of none. b changes if there is a directory: the file was read for
// this model alone.
func loadFrom(dir string, b []byte, o Options) (*Model, error) {
	raw, info, err := decode(dir, b, o.Limits.decode())
	if err != nil {
		return nil, err
	}
	m := &Model{info: info, limits: o.Limits.plan(), seed: o.Seed, inputs: values(info.Inputs), outputs: values(info.Outputs)}
	for _, v := range raw.Values {
		if t := v.Const; t != nil {
			if err := m.limits.Check(t.Type); err != nil {
				return nil, fmt.Errorf("infer: weight %q: %w", v.Name, err)
			}
			if info.Consts[v.Name].Initializer {
				m.params += int64(len(t.F))
			}
		}
	}
	var trace func(string, *plan.Graph)
	if o.Trace != nil {
		trace = func(pass string, g *plan.Graph) { o.Trace(pass, g.String()) }
		trace("as decoded", raw)
	}
	if m.graph, err = pass.Run(raw, m.limits, dir != "", trace); err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	m.info.Consts = nil // what the graph still needs it holds itself
	m.pool = kernel.NewPool(o.threads())
	runtime.AddCleanup(m, (*kernel.Pool).Close, m.pool)
	return m, nil
}

// Inputs returns the inputs that Run wants, in the model's order.
func (m *Model) Inputs() []ValueInfo { return cloneValues(m.inputs) }

// Outputs returns the outputs that Run gives, in the model's order.
func (m *Model) Outputs() []ValueInfo { return cloneValues(m.outputs) }

// cloneValues returns a deep copy. Out of line: in line, which the compiler prefers, it takes kilobytes at each call.
//
//go:noinline
func cloneValues(vs []ValueInfo) []ValueInfo {
	vs = slices.Clone(vs)
	for i := range vs {
		vs[i].Shape, vs[i].Symbols = slices.Clone(vs[i].Shape), slices.Clone(vs[i].Symbols)
	}
	return vs
}

// Metadata returns a copy of the model's metadata_props.
func (m *Model) Metadata() map[string]string { return maps.Clone(m.info.Metadata) }

// Summary holds the facts about a model that are not in its inputs and outputs.
type Summary struct {
	IR, Opset  int64
	Producer   string
	Nodes      int   // as in the file, constants not counted
	Parameters int64 // elements of the floating-point initializers that nodes read; numbers in Constant nodes not counted
}

// Summary returns facts about the model.
func (m *Model) Summary() Summary {
	s := Summary{IR: m.info.IR, Opset: m.info.Opset, Producer: m.info.Producer, Parameters: m.params}
	for _, n := range m.info.Nodes {
		if n.Index >= 0 {
			s.Nodes++
		}
	}
	return s
}

// PlanText returns, for people, the steps that a Run takes in which every open dimension is open, and
// the memory it needs. Models whose inputs decide shapes by their elements have no such plan.
func (m *Model) PlanText(open int) (string, error) {
	p, err := m.openPlan(open)
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// openPlan returns the plan in which every open dimension is open.
func (m *Model) openPlan(open int) (*plan.Plan, error) {
	in := make([]*plan.Tensor, len(m.inputs))
	for i := range m.inputs {
		v := &m.inputs[i]
		if v.Shape == nil {
			return nil, fmt.Errorf("infer: input %q: the model does not state its shape", v.Name)
		}
		if m.graph.ValueInputs()[i] {
			return nil, fmt.Errorf("infer: input %q decides shapes, so there is no plan without it", v.Name)
		}
		in[i] = &plan.Tensor{Type: plan.Type{DType: v.DType, Shape: v.open(open)}}
	}
	return m.plan(in)
}

// open returns the shape of v in which every open dimension is n.
func (v *ValueInfo) open(n int) []int {
	shape := slices.Clone(v.Shape)
	for k, d := range shape {
		if d < 0 {
			shape[k] = n
		}
	}
	return shape
}

func (m *Model) runner() *exec.Runner {
	r := exec.NewRunner(m.graph, m.limits, m.pool)
	r.Seed = m.seed
	return r
}
