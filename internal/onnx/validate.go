package onnx

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A validator checks one decoded model and builds the results of Prepare.
type validator struct {
	lim    Limits
	mem    *budget
	model  *ModelProto
	info   *Info
	out    *GraphProto     // the topology
	known  map[string]bool // values that a graph input or a node has defined so far
	left   int64           // elements that weights may still have
	edges  int             // so far
	unused int             // outputs of nodes that got a name so far

	external external
}

func (v *validator) run() ([]byte, *Info, error) {
	v.info = &Info{Consts: map[string]Const{}, Metadata: map[string]string{}}
	v.known = map[string]bool{}
	v.left = v.lim.Elements
	for _, step := range []func() error{v.header, v.initializers, v.inputs, v.nodes, v.outputs} {
		if err := step(); err != nil {
			return nil, nil, err
		}
	}
	m := ModelProto{IrVersion: v.model.IrVersion, OpsetImport: []*OperatorSetIdProto{{Version: v.info.Opset}}, Graph: v.out}
	if err := v.mem.take(int64(m.Size()), "graph"); err != nil {
		return nil, nil, err
	}
	topology, err := m.Marshal()
	if err != nil {
		return nil, nil, fmt.Errorf("onnx: writing the topology: %w", err)
	}
	return topology, v.info, nil
}

// header checks everything outside the graph.
func (v *validator) header() error {
	m, g := v.model, v.model.Graph
	switch {
	case g == nil:
		return formatError("file", "no graph", "an ONNX model")
	case m.IrVersion <= 0:
		return formatError("file", fmt.Sprintf("ir_version is %d", m.IrVersion), "at least 1")
	case len(m.Functions) > 0:
		return &UnsupportedError{Where: "file", What: "local functions"}
	case len(m.TrainingInfo) > 0:
		return &UnsupportedError{Where: "file", What: "training_info"}
	case len(g.SparseInitializer) > 0:
		return &UnsupportedError{Where: "graph", What: "sparse initializers"}
	case len(g.Output) == 0:
		return formatError("graph", "no output", "at least one")
	case len(g.Output) > v.lim.Values:
		return formatError("graph", fmt.Sprintf("%d outputs", len(g.Output)), "at most %d (Limits.Values)", v.lim.Values)
	}
	v.info.IR = m.IrVersion
	for _, o := range m.OpsetImport {
		if !ownDomain(o.Domain) {
			continue // matters only if a node uses it
		}
		if o.Version < 1 || v.info.Opset != 0 {
			return formatError("opset_import", fmt.Sprintf("version %d", o.Version), "one version of ONNX's own operators, at least 1")
		}
		v.info.Opset = o.Version
	}
	if v.info.Opset == 0 {
		return formatError("opset_import", "no version of ONNX's own operators", "one")
	}
	v.info.Producer = strings.TrimSpace(m.ProducerName + " " + m.ProducerVersion)
	for _, p := range m.MetadataProps {
		if _, dup := v.info.Metadata[p.Key]; dup {
			return formatError("metadata_props", "key "+quote(p.Key)+" twice", "each key once")
		}
		v.info.Metadata[p.Key] = p.Value
	}
	for _, s := range []string{m.ProducerName, m.ProducerVersion, g.Name} {
		if err := text("file", "producer or graph name", s); err != nil {
			return err
		}
	}
	v.out = &GraphProto{Name: g.Name}
	return nil
}

func (v *validator) initializers() error {
	for i, t := range v.model.Graph.Initializer {
		where := "tensor " + quote(t.Name)
		if t.Name == "" {
			where = "initializer " + strconv.Itoa(i)
		}
		if err := v.addConst(where, t.Name, t); err != nil {
			return err
		}
		c := v.info.Consts[t.Name]
		c.Initializer = true
		v.info.Consts[t.Name] = c
	}
	return nil
}

// addConst decodes a weight and adds it under its value name.
func (v *validator) addConst(where, name string, t *TensorProto) error {
	if err := valueName(where, "name", name); err != nil {
		return err
	}
	if _, dup := v.info.Consts[name]; dup || v.known[name] {
		return formatError(where, "value "+quote(name)+" is defined twice", "one definition")
	}
	c, err := v.constant(t, where)
	if err != nil {
		return err
	}
	v.left -= int64(c.Len())
	v.info.Consts[name] = c
	return nil
}

func (v *validator) inputs() error {
	listed := map[string]bool{}
	for i, p := range v.model.Graph.Input {
		where := "input " + quote(p.Name)
		if p.Name == "" {
			where = "input " + strconv.Itoa(i)
		}
		if err := valueName(where, "name", p.Name); err != nil {
			return err
		}
		if listed[p.Name] {
			return formatError(where, "listed twice", "each input once")
		}
		listed[p.Name] = true
		x, err := v.value(where, p)
		if err != nil {
			return err
		}
		if _, isConst := v.info.Consts[p.Name]; isConst {
			continue // IR 3 lists initializers as inputs too
		}
		if x.Type == 0 {
			return formatError(where, "no tensor type", "an element type")
		}
		if len(v.info.Inputs)+len(v.model.Graph.Output) == v.lim.Values {
			return formatError(where, "one input too many", "at most %d inputs and outputs (Limits.Values)", v.lim.Values)
		}
		v.known[p.Name] = true
		v.info.Inputs = append(v.info.Inputs, x)
		v.out.Input = append(v.out.Input, &ValueInfoProto{Name: p.Name}) // no type: onnx-go would allocate its shape
	}
	for _, p := range v.model.Graph.ValueInfo { // onnx-go would allocate these too: checked and dropped
		if _, err := v.value("value_info "+quote(p.Name), p); err != nil {
			return err
		}
	}
	return nil
}

// value checks a declared type and shape.
func (v *validator) value(where string, p *ValueInfoProto) (Value, error) {
	x := Value{Name: p.Name}
	t := p.Type
	switch {
	case t == nil:
		return x, nil
	case t.SequenceType != nil || t.MapType != nil || t.OptionalType != nil || t.SparseTensorType != nil:
		return x, &UnsupportedError{Where: where, What: "a sequence, map, optional or sparse value"}
	case t.TensorType == nil:
		return x, nil
	}
	x.Type = DataType(t.TensorType.ElemType)
	if x.Type != 0 && width(x.Type) == 0 {
		return x, &UnsupportedError{Where: where, What: "element type " + x.Type.String()}
	}
	if t.TensorType.Shape == nil {
		return x, nil
	}
	dims := t.TensorType.Shape.Dim
	if len(dims) > maxRank {
		return x, formatError(where, "rank "+strconv.Itoa(len(dims)), "at most %d", maxRank)
	}
	x.Dims, x.Sym = make([]int64, len(dims)), make([]string, len(dims))
	fixed := make([]int64, len(dims)) // 1 for each symbol
	for i, d := range dims {
		x.Dims[i], fixed[i] = -1, 1
		switch d := d.Value.(type) {
		case *TensorShapeProto_Dimension_DimValue:
			x.Dims[i], fixed[i] = d.DimValue, d.DimValue
		case *TensorShapeProto_Dimension_DimParam:
			x.Sym[i] = d.DimParam
		}
	}
	_, err := elements(where, fixed, v.lim.Elements)
	return x, err
}

func (v *validator) nodes() error {
	for i, n := range v.model.Graph.Node {
		info := NodeInfo{Index: i, Name: n.Name, Op: n.OpType}
		if err := v.node(info, n); err != nil {
			var u *UnsupportedError
			if errors.As(err, &u) {
				u.Op = n.OpType
				if !ownDomain(n.Domain) {
					u.Op = n.Domain + "." + n.OpType
				}
			}
			return err
		}
	}
	return nil
}

// node checks a node and adds it to the topology, or to the constants.
func (v *validator) node(info NodeInfo, n *NodeProto) error {
	where := info.String()
	if err := text(where, "name", n.Name); err != nil {
		return err
	}
	if err := valueName(where, "op_type", n.OpType); err != nil {
		return err
	}
	if !ownDomain(n.Domain) {
		return &UnsupportedError{Where: where, What: "operators of domain " + quote(n.Domain) + "; an export that no optimizer has rewritten has standard ones"}
	}
	if k := len(n.Input) + len(n.Output); len(n.Output) == 0 || k > v.lim.NodeValues {
		return formatError(where, fmt.Sprintf("%d inputs and %d outputs", len(n.Input), len(n.Output)), "an output, and at most %d of both (Limits.NodeValues)", v.lim.NodeValues)
	}
	if v.edges += (len(n.Input) + 1) * len(n.Output); v.edges > v.lim.Edges {
		return formatError(where, "too many edges up to here", "at most %d (Limits.Edges)", v.lim.Edges)
	}
	if err := attributeNames(where, n.Attribute); err != nil {
		return err
	}
	if n.OpType == "Constant" {
		return v.constantNode(where, n)
	}
	q := &NodeProto{Name: "\x00n" + strconv.Itoa(len(v.out.Node)), OpType: n.OpType, Input: n.Input}
	for j, x := range n.Input {
		if _, isConst := v.info.Consts[x]; x != "" && !isConst && !v.known[x] {
			return formatError(where, fmt.Sprintf("input %d is %s", j, quote(x)), "a graph input, a constant, or an output of an earlier node")
		}
	}
	for _, a := range n.Attribute {
		b, err := v.attribute(where, a)
		if err != nil {
			return err
		}
		q.Attribute = append(q.Attribute, b)
	}
	q.Output = make([]string, len(n.Output))
	for j, y := range n.Output {
		if y == "" { // to onnx-go "" is a value like any other: leave that name to absent inputs
			q.Output[j] = "\x00unused" + strconv.Itoa(v.unused)
			v.unused++
			continue
		}
		if err := v.define(where, y); err != nil {
			return err
		}
		q.Output[j] = y
	}
	v.out.Node = append(v.out.Node, q)
	v.info.Nodes = append(v.info.Nodes, info)
	return nil
}

// define notes that a node computes the value y.
func (v *validator) define(where, y string) error {
	if err := valueName(where, "output", y); err != nil {
		return err
	}
	if _, isConst := v.info.Consts[y]; isConst || v.known[y] {
		return formatError(where, "value "+quote(y)+" is defined twice", "one definition")
	}
	v.known[y] = true
	return nil
}

// outputs gives every output of the graph a node of its own, which onnx-go would
// otherwise make without connecting it.
func (v *validator) outputs() error {
	listed := map[string]bool{}
	for i, p := range v.model.Graph.Output {
		where := "output " + quote(p.Name)
		if _, isConst := v.info.Consts[p.Name]; !isConst && !v.known[p.Name] {
			return formatError(where, "nothing computes it", "a graph input, a constant, or an output of a node")
		}
		if listed[p.Name] {
			return formatError(where, "listed twice", "each output once")
		}
		listed[p.Name] = true
		x, err := v.value(where, p)
		if err != nil {
			return err
		}
		v.info.Outputs = append(v.info.Outputs, x)
		y := "\x00out" + strconv.Itoa(i)
		v.out.Node = append(v.out.Node, &NodeProto{Name: "\x00n" + strconv.Itoa(len(v.out.Node)), OpType: "Identity", Input: []string{p.Name}, Output: []string{y}})
		v.out.Output = append(v.out.Output, &ValueInfoProto{Name: y})
		v.info.Nodes = append(v.info.Nodes, NodeInfo{Index: -1, Name: p.Name, Op: "Identity"})
	}
	return nil
}

// ownDomain says whether a domain is that of ONNX's own operators.
func ownDomain(domain string) bool { return domain == "" || domain == "ai.onnx" }

// valueName checks a name that must be there.
func valueName(where, what, s string) error {
	if s == "" {
		return formatError(where, "no "+what, "one")
	}
	return text(where, what, s)
}

// text checks a string that reaches onnx-go: UTF-8 and without NUL, with which
// the names that we add begin.
func text(where, what, s string) error {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return formatError(where, what+" is "+quote(s), "UTF-8 without NUL")
	}
	return nil
}
