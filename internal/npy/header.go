package npy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// parseHeader reads the description of an array, a Python dictionary of strings,
// booleans and tuples of integers with exactly the keys descr, fortran_order
// and shape:
//
//	{'descr': '<f4', 'fortran_order': False, 'shape': (64, 100), }
func parseHeader(text string) (*Array, error) {
	p := &parser{rest: text}
	a := new(Array)
	seen := map[string]bool{}
	if !p.eat("{") {
		return nil, p.want(`"{"`)
	}
	for !p.eat("}") {
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		if seen[key] {
			return nil, fmt.Errorf("npy: header: key %q stands twice", key)
		}
		seen[key] = true
		if !p.eat(":") {
			return nil, p.want(`":"`)
		}
		switch key {
		case "descr":
			a.DType, err = p.dtype()
		case "fortran_order":
			err = p.cOrder()
		case "shape":
			a.Shape, err = p.tuple()
		default:
			err = fmt.Errorf("npy: header: unknown key %q, want descr, fortran_order and shape", key)
		}
		if err != nil {
			return nil, err
		}
		if !p.eat(",") {
			if !p.eat("}") {
				return nil, p.want(`"," or "}"`)
			}
			break
		}
	}
	if p.space(); p.rest != "" {
		return nil, p.want("nothing")
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return nil, fmt.Errorf("npy: header: key %q is missing", key)
		}
	}
	return a, nil
}

type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// eat skips white space and then s, if it comes next.
func (p *parser) eat(s string) bool {
	p.space()
	if !strings.HasPrefix(p.rest, s) {
		return false
	}
	p.rest = p.rest[len(s):]
	return true
}

func (p *parser) want(what string) error {
	p.space()
	return fmt.Errorf("npy: header: found %q, want %s", p.rest[:min(20, len(p.rest))], what)
}

func (p *parser) str() (string, error) {
	for _, quote := range []string{"'", `"`} {
		if !p.eat(quote) {
			continue
		}
		s, rest, ok := strings.Cut(p.rest, quote)
		if !ok || strings.Contains(s, `\`) {
			break
		}
		p.rest = rest
		return s, nil
	}
	return "", p.want("a string")
}

// wanted lists the element types for messages.
const wanted = "<f4, <f8, <i8, <i4, |u1 or |b1"

func (p *parser) dtype() (DType, error) {
	if p.space(); strings.HasPrefix(p.rest, "[") {
		return 0, fmt.Errorf("npy: header: the array has fields, want %s", wanted)
	}
	s, err := p.str()
	if err != nil {
		return 0, err
	}
	if i := slices.Index(descrs[:], s); i > 0 {
		return DType(i), nil
	}
	return 0, fmt.Errorf("npy: header: element type %q, want %s", s, wanted)
}

func (p *parser) cOrder() error {
	switch {
	case p.eat("False"):
		return nil
	case p.eat("True"):
		return fmt.Errorf("npy: header: array is in Fortran order, want C order (numpy.ascontiguousarray)")
	}
	return p.want("True or False")
}

// tuple reads (), (3,) or (3, 4) with an optional comma at the end.
func (p *parser) tuple() ([]int, error) {
	if !p.eat("(") {
		return nil, p.want(`"("`)
	}
	shape := []int{}
	for comma := true; !p.eat(")"); comma = p.eat(",") {
		if !comma {
			return nil, p.want(`"," or ")"`)
		}
		p.space()
		n := 0
		for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
			n++
		}
		d, err := strconv.ParseInt(p.rest[:n], 10, 32)
		if err != nil {
			return nil, p.want("a dimension, 0..2147483647")
		}
		if len(shape) == maxDims {
			return nil, fmt.Errorf("npy: header: more than %d dimensions", maxDims)
		}
		shape = append(shape, int(d))
		p.rest = p.rest[n:]
	}
	return shape, nil
}
