package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Decl is a node as a file declares it. Its methods read attributes: each is asked for by name, with
// the value that stands for a missing one, and close finds those that nobody asked for.
type Decl struct {
	Opset int64
	In    []bool // whether each input is given
	Outs  int    // number of outputs, without those at the end that nobody wants
	List  int    // number of outputs with those, as the file lists them
	// Attrs holds int64, float32, string, []int64, []float32, []string or *Tensor by name.
	Attrs map[string]any

	read map[string]bool
	err  error
}

// Has reports whether input i is given.
func (d *Decl) Has(i int) bool { return i < len(d.In) && d.In[i] }

// Given reports whether the attribute is there. It does not count as read.
func (d *Decl) Given(name string) bool { _, ok := d.Attrs[name]; return ok }

// Int reads an integer attribute.
func (d *Decl) Int(name string, def int64) int64 { return get(d, name, def) }

// Bool reads an integer attribute that must be 0 or 1.
func (d *Decl) Bool(name string, def bool) bool {
	v := int64(0)
	if def {
		v = 1
	}
	v = get(d, name, v)
	if v != 0 && v != 1 {
		d.fail("attribute %s is %d, want 0 or 1", name, v)
	}
	return v == 1
}

// Float reads a float attribute.
func (d *Decl) Float(name string, def float32) float32 { return get(d, name, def) }

// String reads a string attribute.
func (d *Decl) String(name, def string) string { return get(d, name, def) }

// Choice reads a string attribute that must be one of options. The first of these stands for a missing or an empty one.
func (d *Decl) Choice(name string, options ...string) string {
	v := cmp.Or(d.String(name, ""), options[0])
	if !slices.Contains(options, v) {
		d.fail("attribute %s is %q, want one of %s", name, v, strings.Join(options, ", "))
	}
	return v
}

// Ints reads a list of integers; nil if it is missing.
func (d *Decl) Ints(name string) []int64 { return get(d, name, []int64(nil)) }

// Floats reads a list of floats; nil if it is missing.
func (d *Decl) Floats(name string) []float32 { return get(d, name, []float32(nil)) }

// Tensor reads a tensor; nil if it is missing.
func (d *Decl) Tensor(name string) *Tensor { return get(d, name, (*Tensor)(nil)) }

// lookup returns an attribute, which counts as read from then on. Out of line, for the size of programs.
//
//go:noinline
func (d *Decl) lookup(name string) (any, bool) {
	if d.read == nil {
		d.read = map[string]bool{}
	}
	d.read[name] = true
	v, ok := d.Attrs[name]
	return v, ok
}

func get[T any](d *Decl, name string, def T) T {
	v, ok := d.lookup(name)
	if !ok {
		return def
	}
	t, ok := v.(T)
	if !ok {
		d.fail("attribute %s is %T, want %T", name, v, def)
		return def
	}
	return t
}

func (d *Decl) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// close returns the first error of the readers, or one for an attribute that was not read.
func (d *Decl) close() error {
	if d.err != nil {
		return d.err
	}
	var unread []string
	for name := range d.Attrs {
		if !d.read[name] {
			unread = append(unread, name)
		}
	}
	if len(unread) == 0 {
		return nil
	}
	slices.Sort(unread)
	return fmt.Errorf("attribute %q is not known at opset %d", unread[0], d.Opset)
}
