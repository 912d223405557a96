package ref

import (
	"math"
	"slices"
	"strings"
)

func init() { operators["Einsum"] = einsum }

// einsum goes over all letters. An ellipsis becomes as many digits.
func einsum(n node, in []*Tensor) (*Tensor, error) {
	equation := strings.ReplaceAll(strings.ReplaceAll(n.text("equation", ""), " ", ""), "...", ".")
	left, out, stated := strings.Cut(equation, "->")
	terms := strings.Split(left, ",")
	wide := ""
	for i, t := range terms {
		digits := "0123456789"[10-max(len(in[i].Shape)-len(t)+1, 0):]
		if strings.Contains(t, ".") && len(digits) > len(wide) {
			wide = digits
		}
		terms[i] = strings.Replace(t, ".", digits, 1)
	}
	if !stated {
		out = "."
		for c := 'A'; c <= 'z'; c++ {
			if strings.Count(left, string(c)) == 1 {
				out += string(c)
			}
		}
	}
	out = strings.Replace(out, ".", wide, 1)
	letters, sizes := []rune(out), []int{}
	for _, c := range strings.Join(terms, "") {
		if !slices.Contains(letters, c) {
			letters = append(letters, c)
		}
	}
	for _, c := range letters {
		d := 1
		for i, t := range terms {
			for k, l := range t {
				if l == c {
					d = max(d, in[i].Shape[k])
				}
			}
		}
		sizes = append(sizes, d)
	}
	y := newFloats(slices.Clone(sizes[:len(out)]))
	abs, count := make([]float64, len(y.V)), float64(size(sizes[len(out):]))
	each(sizes, func(_ int, c []int) {
		at := index(c[:len(out)], y.Shape)
		p, e := 1.0, 0.0
		for i, t := range terms {
			place := []int{}
			for _, l := range t {
				place = append(place, c[slices.Index(letters, l)])
			}
			j := index(place, in[i].Shape)
			p, e = p*in[i].V[j], math.Abs(p)*in[i].E[j]+math.Abs(in[i].V[j])*e+e*in[i].E[j]
		}
		y.V[at] += p
		y.E[at] += e
		abs[at] += math.Abs(p)
	})
	for i := range y.V {
		y.set(i, y.V[i], y.E[i]+unit*(count+float64(len(in)))*abs[i])
	}
	return y, nil
}
