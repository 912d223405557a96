package exec

import (
	"slices"
	"strings"

	"gantry/infer/internal/plan"
)

func init() {
	plan.Register(plan.Operator{Name: "Einsum", Since: 12, MinIn: 1, MaxIn: -1, MaxOut: 1, New: newEinsum})
}

// Einsum is ONNX Einsum: sums of products over the letters of an equation. Products and sums are taken in float64, the last letter
// that is summed over first.
type Einsum struct {
	terms []string // of the operands and, last, of the result: letters, and . for an ellipsis
	open  bool     // the equation does not state the result
}

func newEinsum(d *plan.Decl) (plan.Op, error) {
	equation := strings.ReplaceAll(strings.ReplaceAll(d.String("equation", ""), " ", ""), "...", ".")
	left, right, stated := strings.Cut(equation, "->")
	e := &Einsum{terms: append(strings.Split(left, ","), right), open: !stated}
	if len(e.terms) != len(d.In)+1 {
		return nil, errorf("attribute equation has %d operands, the node %d", len(e.terms)-1, len(d.In))
	}
	for i, t := range e.terms {
		for k, c := range t {
			letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
			again := strings.ContainsRune(t[:k], c) && (c == '.' || i == len(d.In))
			if !letter && c != '.' || again || i == len(d.In) && !strings.ContainsRune(left, c) {
				return nil, errorf("attribute equation is %q, which is no equation at %q", equation, c)
			}
		}
	}
	return e, nil
}

// einsum is an equation for operands of given shapes. A loop is a letter or a dimension of an ellipsis.
type einsum struct {
	sizes []int   // by loop: those of the result, then those that are summed over
	steps [][]int // by operand, by loop
	shape []int   // of the result
}

// loops numbers the loops for the shapes of operands.
func (e *Einsum) loops(in []*plan.Arg) (*einsum, error) {
	out := e.terms[len(in)]
	if e.open {
		out = "."
		all := strings.Join(e.terms, "")
		for c := rune('A'); c <= 'z'; c++ {
			if strings.Count(all, string(c)) == 1 {
				out += string(c)
			}
		}
	}
	wide, widths := 0, make([]int, len(in)) // dimensions of the widest ellipsis, and of each
	for i, a := range in {
		letters := strings.Replace(e.terms[i], ".", "", 1)
		n := len(a.Shape) - len(letters)
		if n < 0 || n > 0 && letters == e.terms[i] {
			return nil, errorf("operand %d is %s, but its term is %q", i, plan.ShapeString(a.Shape), e.terms[i])
		}
		wide, widths[i] = max(wide, n), n
	}
	// names returns a term as runes, the dimensions of an ellipsis of n as the last n of wide numbers.
	names := func(term string, n int) (list []rune) {
		for _, c := range term {
			if c != '.' {
				list = append(list, c)
			}
			for k := wide - n; c == '.' && k < wide; k++ {
				list = append(list, rune(k))
			}
		}
		return list
	}
	order := names(out, wide)
	s := &einsum{}
	rank := len(order)
	for i, n := range widths {
		for _, c := range names(e.terms[i], n) {
			if !slices.Contains(order, c) {
				order = append(order, c)
			}
		}
	}
	s.sizes = make([]int, len(order))
	for i := range s.sizes {
		s.sizes[i] = 1
	}
	for i, a := range in {
		steps := make([]int, len(order))
		for k, c := range names(e.terms[i], widths[i]) {
			loop, d := slices.Index(order, c), a.Shape[k]
			if d == 1 {
				continue
			}
			if s.sizes[loop] != 1 && s.sizes[loop] != d {
				return nil, errorf("operand %d is %s, whose dimension %d was %d before", i, plan.ShapeString(a.Shape), k, s.sizes[loop])
			}
			s.sizes[loop] = d
			steps[loop] += plan.Count(a.Shape[k+1:])
		}
		s.steps = append(s.steps, steps)
	}
	s.shape = s.sizes[:rank:rank]
	return s, nil
}

// Infer returns the shape of the result.
func (e *Einsum) Infer(in []*plan.Arg) (plan.Result, error) {
	if err := plan.WantFloats(in); err != nil {
		return plan.Result{}, err
	}
	s, err := e.loops(in)
	if err != nil {
		return plan.Result{}, err
	}
	r := result(plan.Float32, s.shape)
	err = bounded(&r, float64(volume(s.sizes))*float64(4*len(in)))
	return r, err
}

// Run computes the sums.
func (e *Einsum) Run(c *plan.Context, in, out []*plan.Tensor) error {
	s, err := e.loops(asArgs(in))
	if err != nil {
		return err
	}
	y, summed := out[0].F, s.sizes[len(s.shape):]
	terms := plan.Count(summed)
	each(c, len(y), terms*len(in), func(lo, hi int) {
		at, count := make([]int, len(in)), make([]int, len(summed))
		for i := lo; i < hi; i++ {
			for j := range in {
				at[j] = 0
				for k, rest := len(s.shape)-1, i; k >= 0; k-- {
					at[j] += rest % s.shape[k] * s.steps[j][k]
					rest /= s.shape[k]
				}
			}
			sum := 0.0
			for t := range terms {
				if t%longWork == longWork-1 && c.Stopped() {
					return
				}
				p := 1.0
				for j, x := range in {
					p *= float64(x.F[at[j]])
				}
				sum += p
				for k := len(summed) - 1; k >= 0; k-- {
					loop, back := len(s.shape)+k, 0
					if count[k]++; count[k] == summed[k] {
						count[k], back = 0, summed[k]
					}
					for j := range in {
						at[j] += s.steps[j][loop] * (1 - back)
					}
					if back == 0 {
						break
					}
				}
			}
			y[i] = float32(sum)
		}
	})
	return nil
}
