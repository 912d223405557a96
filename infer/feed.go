package infer

import (
	"fmt"
	"slices"
	"strings"

	"gantry/infer/internal/plan"
	"gantry/models"
)

// feed is what a Sampler gives to an input of the model.
type feed struct {
	t     plan.Tensor  // a batch; without rows, what every run gets
	size  int          // of a row; 0 without rows
	given *plan.Tensor // the rows that go round; nil for latents and labels
}

// make makes the memory of a batch.
func (f *feed) make(batch int) {
	if f.size > 0 {
		f.t = *plan.NewTensor(f.of(batch).Type)
	}
}

// of returns the first rows of the batch; their elements only after make.
func (f *feed) of(rows int) *plan.Tensor {
	t := f.t
	if f.size == 0 {
		return &t
	}
	t.Shape = append([]int{rows}, t.Shape[1:]...)
	if n := rows * f.size; t.I != nil {
		t.I = t.I[:n]
	} else if t.F != nil {
		t.F = t.F[:n]
	}
	return &t
}

// row returns the floats of row i.
func (f *feed) row(i int) []float32 { return f.t.F[i*f.size : (i+1)*f.size : (i+1)*f.size] }

// fill sets n rows to those that were given for the samples from first on.
func (f *feed) fill(first, n int) {
	if f.given == nil || f.size == 0 {
		return
	}
	for i := range n {
		from := (first + i) % f.given.Shape[0] * f.size
		if f.t.I != nil {
			copy(f.t.I[i*f.size:][:f.size], f.given.I[from:])
		} else {
			copy(f.row(i), f.given.F[from:])
		}
	}
}

// assign finds out which inputs of m are latents and labels; given holds the others.
func (s *Sampler) assign(m *Model, given map[string]Tensor) error {
	for name := range given {
		if !slices.ContainsFunc(m.inputs, func(v ValueInfo) bool { return v.Name == name }) {
			return fmt.Errorf("infer: the model has no input %q; its inputs are %s", name, names(m.inputs))
		}
	}
	s.inputs = make([]feed, len(m.inputs))
	latents, rest := -1, []ValueInfo{}
	for i := range m.inputs {
		v := &m.inputs[i]
		switch _, ok := given[v.Name]; {
		case ok:
		case s.label == nil && v.Name != s.latent.Name && isLabel(v):
			s.label = &s.inputs[i]
			s.classes = m.classes(i)
		case v.DType == Float32 && (latents < 0 || v.Name == s.latent.Name):
			if latents >= 0 {
				rest = append(rest, m.inputs[latents])
			}
			latents = i
		default:
			rest = append(rest, *v)
		}
	}
	if latents < 0 || len(rest) > 0 {
		return &InputsError{Have: m.Inputs(), Missing: cloneValues(rest)}
	}
	if err := s.setLatents(m, latents); err != nil {
		return err
	}
	for i := range m.inputs {
		v, f := &m.inputs[i], &s.inputs[i]
		if f == s.z {
			continue
		}
		f.t = plan.Tensor{Type: plan.Type{DType: v.DType, Shape: slices.Clone(v.Shape)}}
		if f == s.label {
			if v.Shape[0] >= 0 && !(s.fixed && v.Shape[0] == s.batch) {
				return fmt.Errorf("infer: labels %q have shape %s, want one for each of the latents", v.Name, v.shapeString(nil))
			}
			f.size = plan.Count(v.Shape[1:])
			continue
		}
		if err := f.give(m, *v, given[v.Name], s.fixed && len(v.Shape) > 0 && v.Shape[0] == s.batch); err != nil {
			return err
		}
	}
	return nil
}

// InputsError says that a model has no input of latents, or others that nobody has given.
type InputsError struct {
	Have    []ValueInfo
	Missing []ValueInfo // which SamplerOptions.Inputs must hold; empty if there are no latents
}

func (e *InputsError) Error() string {
	if len(e.Missing) == 0 {
		return fmt.Sprintf("infer: the model's inputs are %s, want latents of float32 to sample from it", names(e.Have))
	}
	return fmt.Sprintf("infer: the model's inputs are %s; beside latents and labels, %s must be given to sample from it", names(e.Have), names(e.Missing))
}

// setLatents makes input i the latents.
func (s *Sampler) setLatents(m *Model, i int) error {
	in := &m.inputs[i]
	if len(in.Shape) < 2 || slices.Min(in.Shape[1:]) < 1 {
		return fmt.Errorf("infer: input %q has shape %s, want [N, nz] with a fixed nz to sample from it", in.Name, in.shapeString(nil))
	}
	row := plan.Type{DType: plan.Float32, Shape: in.Shape[1:]}
	if err := m.limits.Check(row); err != nil {
		return fmt.Errorf("infer: input %q: %w", in.Name, err)
	}
	if s.latent.Distribution == "" {
		s.latent.Distribution = models.Normal
	}
	s.latent.Name, s.latent.Size = in.Name, row.Count()
	s.fixed, s.batch = in.Shape[0] >= 0, in.Shape[0]
	s.z = &s.inputs[i]
	*s.z = feed{t: plan.Tensor{Type: plan.Type{DType: plan.Float32, Shape: slices.Clone(in.Shape)}}, size: s.latent.Size}
	return nil
}

// give makes t what input v gets, row by row if v's first dimension is open or that of the model's fixed batch.
func (f *feed) give(m *Model, v ValueInfo, t Tensor, batch bool) error {
	rows := batch || len(v.Shape) > 0 && v.Shape[0] < 0
	if rows {
		v.Shape, v.Symbols = slices.Clone(v.Shape), make([]string, len(v.Shape))
		v.Shape[0] = -1
	}
	if err := m.check(&v, t, map[string]int{}); err != nil {
		return err
	}
	f.t = plan.Tensor{Type: plan.Type{DType: t.DType, Shape: t.Shape}, F: t.F32, I: t.I64}
	if !rows {
		return nil
	}
	if f.size = plan.Count(t.Shape[1:]); f.size == 0 || t.Shape[0] == 0 {
		return fmt.Errorf("infer: input %q has shape %s, which holds nothing", v.Name, plan.ShapeString(t.Shape))
	}
	given := f.t
	f.given, f.t.F, f.t.I = &given, nil, nil
	return nil
}

// isLabel reports whether v looks like labels: integers, one for each sample, or a matrix with a name that says so.
func isLabel(v *ValueInfo) bool {
	if v.DType.Integer() {
		return v.DType != Bool && (len(v.Shape) == 1 || len(v.Shape) == 2 && v.Shape[1] == 1)
	}
	name := strings.ToLower(v.Name)
	for _, s := range []string{"label", "class", "onehot", "one_hot", "cond"} {
		if strings.Contains(name, s) {
			name = "y"
		}
	}
	return len(v.Shape) == 2 && v.Shape[1] > 0 && (name == "y" || name == "c")
}

// classes returns how many classes the labels of input i tell apart: their columns where they are one-hot, or the rows
// of the table in which the model looks them up, or -1.
func (m *Model) classes(i int) int {
	if v := &m.inputs[i]; !v.DType.Integer() {
		return v.Shape[1]
	}
	g := m.graph
	label := map[int]bool{g.Inputs[i]: true} // values that are the labels
	for i := range g.Nodes {
		n := &g.Nodes[i]
		constant := func(k int) *plan.Tensor {
			if k >= len(n.In) || n.In[k] == plan.Absent {
				return nil
			}
			return g.Values[n.In[k]].Const
		}
		switch n.Kind {
		case "Cast", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze":
			label[n.Out[0]] = label[n.In[0]]
		case "Gather":
			axis, _ := n.Attrs["axis"].(int64)
			if t := constant(0); t != nil && label[n.In[1]] && axis >= 0 && int(axis) < len(t.Shape) && t.Shape[axis] > 0 {
				return t.Shape[axis]
			}
		case "Equal": // one-hot, as PyTorch's newest exporter writes it
			for k := range 2 {
				if t := constant(k); t != nil && label[n.In[1-k]] && counts(t.I) {
					return len(t.I)
				}
			}
		case "OneHot":
			if t := constant(1); t != nil && label[n.In[0]] && len(t.I) == 1 && t.I[0] > 0 {
				return int(t.I[0])
			}
		}
	}
	return -1
}

// counts reports whether x is 0, 1, 2 and so on, up to 1 at least.
func counts(x []int64) bool {
	for i, v := range x {
		if v != int64(i) {
			return false
		}
	}
	return len(x) > 1
}

// setLabel sets the label of row i of the batch.
func (s *Sampler) setLabel(i, label int) error {
	switch {
	case s.label == nil:
		return nil
	case label < 0 || s.classes > 0 && label >= s.classes:
		return fmt.Errorf("label is %d, want 0 to %d", label, max(s.classes, 1)-1)
	case s.label.t.I != nil:
		s.label.t.I[i] = s.label.t.DType.Wrap(int64(label))
	default:
		row := s.label.row(i)
		clear(row)
		row[label] = 1
	}
	return nil
}
