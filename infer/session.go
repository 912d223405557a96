package infer

import (
	"context"
	"fmt"
	"slices"

	"gantry/infer/internal/exec"
	"gantry/infer/internal/plan"
	"gantry/internal/onnx"
)

// Session runs a model. It owns the memory between runs, so that a second Run with the same shapes
// allocates little; it must not be used by two goroutines at once.
type Session struct {
	m      *Model
	runner *exec.Runner
	args   []*plan.Tensor
}

// NewSession returns a session of m.
func (m *Model) NewSession() *Session {
	s := &Session{m: m, runner: m.runner(), args: make([]*plan.Tensor, len(m.inputs))}
	for i := range s.args {
		s.args[i] = &plan.Tensor{}
	}
	return s
}

// Run computes all outputs from inputs, which must hold each input of the model by its name, and
// nothing else. The results own their memory, which Limits.ArenaBytes bounds. Inputs are only read, and only until Run
// returns. Run returns ctx's error soon after ctx is done: it looks between the steps of the plan, and within long ones that
// are no matrix products or convolutions.
func (s *Session) Run(ctx context.Context, inputs map[string]Tensor) (map[string]Tensor, error) {
	if err := s.m.checkNames(inputs); err != nil {
		return nil, err
	}
	open := map[string]int{}
	for i := range s.m.inputs {
		v := &s.m.inputs[i]
		t := inputs[v.Name]
		if err := s.m.check(v, t, open); err != nil {
			return nil, err
		}
		*s.args[i] = plan.Tensor{Type: plan.Type{DType: t.DType, Shape: t.Shape}, F: t.F32, I: t.I64}
	}
	results, err := s.run(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.m.limits.CheckCopies(results); err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	out := make(map[string]Tensor, len(results))
	for i, t := range results {
		out[s.m.outputs[i].Name] = Tensor{t.DType, slices.Clone(t.Shape), slices.Clone(t.F), slices.Clone(t.I)}
	}
	return out, nil
}

// run runs the plan for s.args, which must have passed check. The results are valid until the next
// run.
func (s *Session) run(ctx context.Context) ([]*plan.Tensor, error) {
	results, err := s.runner.Run(ctx, s.args)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("infer: %w", err)
	}
	return results, nil
}

func (m *Model) plan(in []*plan.Tensor) (*plan.Plan, error) {
	p, err := m.runner().Plan(context.Background(), in)
	if err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	return p, nil
}

// checkNames returns an error unless inputs has exactly the names of m's inputs.
func (m *Model) checkNames(inputs map[string]Tensor) error {
	for _, v := range m.inputs {
		if _, ok := inputs[v.Name]; !ok {
			return fmt.Errorf("infer: input %q is missing; the model's inputs are %s", v.Name, names(m.inputs))
		}
	}
	if len(inputs) == len(m.inputs) {
		return nil
	}
	var extra []string
	for name := range inputs {
		if !slices.ContainsFunc(m.inputs, func(v ValueInfo) bool { return v.Name == name }) {
			extra = append(extra, name)
		}
	}
	slices.Sort(extra)
	return fmt.Errorf("infer: the model has no input %q; its inputs are %s", extra[0], names(m.inputs))
}

func names(vs []ValueInfo) string {
	s := make([]string, len(vs))
	for i, v := range vs {
		s[i] = fmt.Sprintf("%q", v.Name)
	}
	return fmt.Sprint(s)
}

// check returns an error unless t fits v. open holds what the symbols stood for so far.
func (m *Model) check(v *ValueInfo, t Tensor, open map[string]int) error {
	if t.DType != v.DType {
		return fmt.Errorf("infer: input %q is %v, want %v", v.Name, t.DType, v.DType)
	}
	if err := m.limits.Check(plan.Type{DType: t.DType, Shape: t.Shape}); err != nil {
		return fmt.Errorf("infer: input %q: %w", v.Name, err)
	}
	n, other := len(t.F32), len(t.I64)
	if t.DType.Integer() {
		n, other = other, n
	}
	if other != 0 {
		return fmt.Errorf("infer: input %q is %v, but has elements of the other type too", v.Name, t.DType)
	}
	if want := plan.Count(t.Shape); n != want {
		return fmt.Errorf("infer: input %q has %d %v elements, want %d for shape %s", v.Name, n, t.DType, want, plan.ShapeString(t.Shape))
	}
	for i, x := range t.I64 {
		if t.DType.Wrap(x) != x {
			return fmt.Errorf("infer: input %q is %v, but its element %d is %d", v.Name, t.DType, i, x)
		}
	}
	if v.Shape == nil {
		return nil
	}
	ok := len(v.Shape) == len(t.Shape)
	for k := 0; ok && k < len(v.Shape); k++ {
		want := v.Shape[k]
		if want < 0 && v.Symbols[k] != "" {
			if seen, is := open[v.Symbols[k]]; is {
				want = seen
			}
			open[v.Symbols[k]] = t.Shape[k]
		}
		ok = want < 0 || t.Shape[k] == want
	}
	if !ok {
		return fmt.Errorf("infer: input %q has shape %s, want %s", v.Name, plan.ShapeString(t.Shape), v.shapeString(open))
	}
	return nil
}

// shapeString writes v's shape with the names of its open dimensions and what they stand for.
func (v *ValueInfo) shapeString(open map[string]int) string {
	if v.Shape == nil {
		return "any shape"
	}
	s := "["
	for k, d := range v.Shape {
		if k > 0 {
			s += " "
		}
		switch {
		case d >= 0:
			s += fmt.Sprint(d)
		case v.Symbols[k] == "":
			s += "?"
		default:
			s += onnx.Printable(v.Symbols[k])
			if n, ok := open[v.Symbols[k]]; ok {
				s += fmt.Sprintf("=%d", n)
			}
		}
	}
	return s + "]"
}
