package onnx

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A jsonReader reads one JSON value from left to right, as its caller expects
// it: another type, a number out of range or a key given twice is an error. It
// takes numbers and escapes as strconv does, a little more than JSON has.
// encoding/json would be a twentieth of ganinfer (RATIONALE.md).
//
// After the first error the methods return zero values and call nothing.
type jsonReader struct {
	rest   string
	spaces bool // whether there was white space between tokens
	err    error
}

// readJSON calls read, which must read all of s.
func readJSON(s string, read func(r *jsonReader)) error {
	r := jsonReader{rest: s}
	read(&r)
	if r.peek(); r.rest != "" {
		r.fail("the end")
	}
	return r.err
}

// fail records the first error: what was wanted instead of the rest.
func (r *jsonReader) fail(want string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s, want %s", clip(cmp.Or(r.rest, "the end")), want)
	}
}

// peek returns the first byte of the next token; 0 if there is none.
func (r *jsonReader) peek() byte {
	rest := strings.TrimLeft(r.rest, " \t\r\n")
	r.spaces = r.spaces || len(rest) < len(r.rest)
	r.rest = rest
	if r.err != nil || rest == "" {
		return 0
	}
	return rest[0]
}

// next reads the token c if it is the next one.
func (r *jsonReader) next(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// list calls element at each element between open and end.
func (r *jsonReader) list(open, end byte, element func()) {
	if !r.next(open) {
		r.fail(strconv.QuoteRune(rune(open)))
	}
	for first := true; r.err == nil && !r.next(end); first = false {
		if !first && !r.next(',') {
			r.fail("',' or " + strconv.QuoteRune(rune(end)))
			return
		}
		element()
	}
}

// array calls element at each element.
func (r *jsonReader) array(element func()) { r.list('[', ']', element) }

// object calls value after each key, at its value.
func (r *jsonReader) object(value func(key string)) {
	var seen []string
	r.list('{', '}', func() {
		key := r.key()
		if slices.Contains(seen, key) {
			r.fail("no second value of key " + quote(key))
		}
		seen = append(seen, key)
		if r.err == nil {
			value(key)
		}
	})
}

// key reads a key and the colon.
func (r *jsonReader) key() string {
	s := r.text()
	if !r.next(':') {
		r.fail("':'")
	}
	return s
}

// text reads a string.
func (r *jsonReader) text() string {
	if r.peek() == '"' {
		if quoted, err := strconv.QuotedPrefix(r.rest); err == nil {
			if s, err := strconv.Unquote(quoted); err == nil && utf8.ValidString(s) {
				r.rest = r.rest[len(quoted):]
				return s
			}
		}
	}
	r.fail("a string")
	return ""
}

// number takes the characters of a number.
func (r *jsonReader) number() string {
	r.peek()
	if r.err != nil {
		return ""
	}
	n := len(r.rest) - len(strings.TrimLeft(r.rest, "+-.0123456789Ee"))
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// float reads a number that is rounded to so many bits.
func (r *jsonReader) float(bits int) float64 {
	s := r.number()
	v, err := strconv.ParseFloat(s, bits)
	if err != nil {
		r.fail("a number within float" + strconv.Itoa(bits) + " instead of " + quote(s))
		return 0
	}
	return v
}

// natural reads a number without sign or fraction.
func (r *jsonReader) natural(bits int) uint64 {
	s := r.number()
	v, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		r.fail("a natural number of " + strconv.Itoa(bits) + " bits instead of " + quote(s))
		return 0
	}
	return v
}

// pair reads a list of two numbers.
func (r *jsonReader) pair() (p [2]float32) {
	n := 0
	r.array(func() {
		if n == len(p) {
			r.fail("two numbers")
			return
		}
		p[n] = float32(r.float(32))
		n++
	})
	if n < len(p) {
		r.fail("two numbers before it")
	}
	return p
}

// unknown refuses a key.
func (r *jsonReader) unknown(key string) { r.fail("no value of unknown key " + quote(key)) }

// skip reads any value that nests at most depth deep.
func (r *jsonReader) skip(depth int) {
	if depth < 0 {
		r.fail("fewer levels")
	}
	switch c := r.peek(); {
	case c == '{':
		r.list('{', '}', func() { r.key(); r.skip(depth - 1) })
	case c == '[':
		r.list('[', ']', func() { r.skip(depth - 1) })
	case c == '"':
		r.text()
	case c == '-' || '0' <= c && c <= '9':
		r.float(64)
	default:
		for _, word := range []string{"true", "false", "null"} {
			if rest, ok := strings.CutPrefix(r.rest, word); ok {
				r.rest = rest
				return
			}
		}
		r.fail("a value")
	}
}
