package infer

import (
	"errors"
	"fmt"
	"strings"

	onnxlib "github.com/owulveryck/onnx-go"

	"gantry/infer/internal/plan"
	"gantry/infer/onnxgo"
	"gantry/internal/onnx"
)

// decode makes the graph of a file, as it is there, before any pass.
func decode(b []byte, lim onnx.Limits) (*plan.Graph, *onnx.Info, error) {
	topology, info, err := onnx.Prepare(b, lim)
	if err != nil {
		return nil, nil, fmt.Errorf("infer: %w", err)
	}
	if info.Opset < plan.MinOpset || info.Opset > plan.MaxOpset {
		return nil, nil, fmt.Errorf("infer: the model imports opset %d, want %d to %d", info.Opset, plan.MinOpset, plan.MaxOpset)
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
			g.Values[v].Const = &plan.Tensor{Type: plan.Type{DType: plan.Float32, Shape: c.Shape}, F: c.F, I: c.I}
			if c.I != nil {
				g.Values[v].Const.DType = plan.Int64
			}
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

// values translates what a file says about inputs or outputs.
func values(vs []onnx.Value) ([]ValueInfo, error) {
	out := make([]ValueInfo, len(vs))
	for i, v := range vs {
		out[i] = ValueInfo{Name: v.Name, Symbols: v.Sym}
		switch v.Type {
		case onnx.Float32:
			out[i].DType = Float32
		case onnx.Int64:
			out[i].DType = Int64
		case 0: // an output may leave it open
		default:
			return nil, fmt.Errorf("infer: %q has elements of type %s, want float32 or int64", v.Name, strings.ToLower(v.Type.String()))
		}
		if v.Dims == nil {
			continue
		}
		out[i].Shape = make([]int, len(v.Dims))
		for k, d := range v.Dims {
			out[i].Shape[k] = int(d)
		}
	}
	return out, nil
}
