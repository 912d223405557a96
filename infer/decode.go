package infer

import (
	"errors"
	"fmt"

	onnxlib "github.com/owulveryck/onnx-go"

	"gantry/infer/internal/plan"
	"gantry/infer/onnxgo"
	"gantry/internal/onnx"
)

// decode makes the graph of a file, as it is there, before any pass. What the file keeps in others is read from dir.
func decode(dir string, b []byte, lim onnx.Limits) (*plan.Graph, *onnx.Info, error) {
	topology, info, err := onnx.PrepareIn(dir, b, lim)
	if err != nil {
		return nil, nil, fmt.Errorf("infer: %w", err)
	}
	if info.Opset < plan.MinOpset || info.Opset > plan.MaxOpset {
		return nil, nil, fmt.Errorf("infer: the model imports opset %d, want %d to %d: export it for one of these, or see onnx.version_converter", info.Opset, plan.MinOpset, plan.MaxOpset)
	}
	backend := onnxgo.New(onnxgo.WithOpset(info.Opset))
	if err := unmarshal(backend, topology); err != nil {
		return nil, nil, located(err, backend, info)
	}
	g := backend.Graph()
	byName := map[string]int{}
	for v := range g.Values {
		byName[g.Values[v].Name] = v
	}
	for name, c := range info.Consts {
		if v, ok := byName[name]; ok {
			g.Values[v].Const = &plan.Tensor{Type: plan.Type{DType: dtype(c.Type), Shape: c.Shape}, F: c.F, I: c.I}
		}
	}
	for _, in := range info.Inputs {
		g.Inputs = append(g.Inputs, byName[in.Name])
	}
	for i := range info.Outputs {
		g.Outputs = append(g.Outputs, byName[fmt.Sprintf("\x00out%d", i)])
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		file := info.Nodes[n.Index]
		n.Index, n.Name = file.Index, file.Name
	}
	for i, v := range g.Outputs {
		g.Values[v].Name = info.Outputs[i].Name
	}
	if err := g.Check(); err != nil {
		return nil, nil, fmt.Errorf("infer: %w", err)
	}
	return g, info, nil
}

// unmarshal lets onnx-go read the topology. Nothing that Prepare lets through is known to make it
// panic; if something does, that is an error of the file all the same.
func unmarshal(backend *onnxgo.Backend, topology []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("onnx-go cannot read the topology: %v", r)
		}
	}()
	return onnxlib.NewModel(backend).UnmarshalBinary(topology)
}

// located says which node of the file an error of onnx-go or the backend is about: the first that
// was not handed over.
func located(err error, backend *onnxgo.Backend, info *onnx.Info) error {
	k := backend.Operations()
	if k >= len(info.Nodes) {
		return fmt.Errorf("infer: %w", err)
	}
	n := info.Nodes[k]
	if e := (*onnxlib.ErrNotImplemented)(nil); errors.As(err, &e) && e.Operator != "" {
		u := plan.Unsupported(n.Op, info.Opset)
		return &UnsupportedError{Node: n.Index, Name: n.Name, Op: n.Op, Opset: info.Opset, Hint: u.Hint}
	}
	if e := (*onnxgo.OperationError)(nil); errors.As(err, &e) {
		err = e.Err
	}
	return fmt.Errorf("infer: %v: %w", n, err)
}

// dtype returns the type in which elements that a file declares as t are held, 0 if t is 0: float32 stands for all floating
// point, int32 and int64 for the other integers that fit.
func dtype(t onnx.DataType) DType {
	switch t {
	case 0:
		return 0
	case onnx.Int64, onnx.Uint64, onnx.Uint32:
		return Int64
	case onnx.Int32, onnx.Int16, onnx.Int8, onnx.Uint16:
		return Int32
	case onnx.Uint8:
		return Uint8
	case onnx.Bool:
		return Bool
	}
	return Float32 // Prepare has refused what is no number
}

// values translates what a file says about inputs or outputs.
func values(vs []onnx.Value) []ValueInfo {
	out := make([]ValueInfo, len(vs))
	for i, v := range vs {
		out[i] = ValueInfo{Name: v.Name, Symbols: v.Sym, DType: dtype(v.Type)} // an output may leave its type open
		if v.Dims == nil {
			continue
		}
		out[i].Shape = make([]int, len(v.Dims))
		for k, d := range v.Dims {
			out[i].Shape[k] = int(d)
		}
	}
	return out
}
