package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decode reads one JSON value from data into v, a pointer to a struct of this
// package. It is stricter than encoding/json: unknown, duplicate or differently
// spelled keys, null, numbers that do not fit, arrays of the wrong length and
// anything after the value are errors. root begins the path that errors give.
func decode(data []byte, root string, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	c := &checker{dec: dec, data: data, root: root}
	if err := c.value(root, reflect.TypeOf(v).Elem()); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("models: %s: line %d: found more after the end of the object", root, c.line(dec.InputOffset()))
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("models: %s: %w", root, err)
	}
	return nil
}

// checker walks JSON tokens and a Go type side by side.
type checker struct {
	dec  *json.Decoder
	data []byte
	root string
}

func (c *checker) line(offset int64) int {
	return 1 + bytes.Count(c.data[:min(offset, int64(len(c.data)))], []byte("\n"))
}

func (c *checker) token() (json.Token, error) {
	t, err := c.dec.Token()
	if err == nil {
		return t, nil
	}
	offset := c.dec.InputOffset()
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		offset = syntax.Offset
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errors.New("unexpected end of JSON")
	}
	return nil, fmt.Errorf("models: %s: line %d: %w", c.root, c.line(offset), err)
}

// value checks that the next value fits type t. Types are structs, slices and
// arrays of them, strings, int, float32, float64 and *bool.
func (c *checker) value(path string, t reflect.Type) error {
	tok, err := c.token()
	if err != nil {
		return err
	}
	switch t.Kind() {
	case reflect.Struct:
		if tok != json.Delim('{') {
			return wrongType(path, tok, "an object")
		}
		return c.object(path, t)
	case reflect.Slice, reflect.Array:
		if tok != json.Delim('[') {
			return wrongType(path, tok, "an array")
		}
		return c.array(path, t)
	case reflect.String:
		if _, ok := tok.(string); !ok {
			return wrongType(path, tok, "a string")
		}
	case reflect.Pointer:
		if _, ok := tok.(bool); t.Elem().Kind() != reflect.Bool || !ok {
			return wrongType(path, tok, "true or false")
		}
	case reflect.Int:
		n, ok := tok.(json.Number)
		if !ok {
			return wrongType(path, tok, "an integer")
		}
		if _, err := strconv.ParseInt(n.String(), 10, 32); err != nil {
			return fmt.Errorf("models: %s: %s, want an integer of 32 bits", path, clip(n.String()))
		}
	case reflect.Float32, reflect.Float64:
		n, ok := tok.(json.Number)
		if !ok {
			return wrongType(path, tok, "a number")
		}
		if _, err := strconv.ParseFloat(n.String(), t.Bits()); err != nil {
			return fmt.Errorf("models: %s: %s, want a float%d number", path, clip(n.String()), t.Bits())
		}
	default:
		panic("models: internal error: no JSON for " + t.String())
	}
	return nil
}

func (c *checker) object(path string, t reflect.Type) error {
	seen := map[string]bool{}
	for c.dec.More() {
		tok, err := c.token()
		if err != nil {
			return err
		}
		key, ok := tok.(string)
		if !ok {
			return wrongType(path, tok, "a key")
		}
		field := path + "." + plain(key)
		var names []string
		var found reflect.Type
		var strict bool
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
			if name == key {
				found, strict = f.Type, t == reflect.TypeFor[Layer]() || f.Type == reflect.TypeFor[EMA]()
			}
		}
		if found == nil {
			return fmt.Errorf("models: %s: unknown field%s", field, didYouMean(key, names))
		}
		if seen[key] {
			return fmt.Errorf("models: %s: stands twice", field)
		}
		seen[key] = true
		start := c.dec.InputOffset()
		if err := c.value(field, found); err != nil {
			return err
		}
		if strict && !slices.Contains(zeroDefault, key) {
			if err := c.notZero(field, start, found); err != nil {
				return err
			}
		}
	}
	_, err := c.token()
	return err
}

// zeroDefault lists the keys of layers that are 0 unless set.
var zeroDefault = []string{"pad", "output_pad"}

// notZero refuses a key whose value is that of the key left out: it would
// silently give the default, and no other key of a layer, nor an EMA, may be zero.
func (c *checker) notZero(path string, start int64, t reflect.Type) error {
	text := bytes.TrimLeft(c.data[start:c.dec.InputOffset()], ": \t\r\n")
	v := reflect.New(t)
	if err := json.Unmarshal(text, v.Interface()); err != nil {
		return fmt.Errorf("models: %s: %w", path, err)
	}
	switch v = v.Elem(); {
	case v.Kind() == reflect.Slice && v.Len() == 0:
		return fmt.Errorf("models: %s: [], want at least one element", path)
	case v.Kind() == reflect.String && v.Len() == 0:
		return fmt.Errorf("models: %s: \"\", want a name", path)
	case v.Kind() == reflect.Struct && v.IsZero():
		return fmt.Errorf("models: %s: %s, want values above 0; leave it out for none", path, text)
	case v.IsZero():
		return fmt.Errorf("models: %s: %s, want above 0", path, text)
	}
	return nil
}

func (c *checker) array(path string, t reflect.Type) error {
	n := 0
	for ; c.dec.More(); n++ {
		if err := c.value(fmt.Sprintf("%s[%d]", path, n), t.Elem()); err != nil {
			return err
		}
	}
	if _, err := c.token(); err != nil {
		return err
	}
	if t.Kind() == reflect.Array && n != t.Len() {
		return fmt.Errorf("models: %s: %d values, want %d", path, n, t.Len())
	}
	return nil
}

func wrongType(path string, tok json.Token, want string) error {
	got := "null"
	switch tok := tok.(type) {
	case json.Delim:
		got = "an object"
		if tok == '[' {
			got = "an array"
		}
	case string:
		got = strconv.Quote(clip(tok))
	case json.Number:
		got = clip(tok.String())
	case bool:
		got = strconv.FormatBool(tok)
	}
	return fmt.Errorf("models: %s: %s, want %s", path, got, want)
}
