package onnx

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A FormatError says that a file is not valid ONNX, or goes past a limit.
type FormatError struct {
	Where string // byte, node (index, name, operator), tensor or value
	Seen  string // what the file has there
	Want  string // what was expected instead
}

func (e *FormatError) Error() string {
	return "onnx: invalid format: " + e.Where + ": " + e.Seen + ", want " + e.Want
}

// An UnsupportedError says that a file may be valid ONNX but uses a feature that
// this package leaves out.
type UnsupportedError struct {
	Where string // node (index, name, operator), tensor or value
	Op    string // the node's operator, with its domain unless that is ONNX's own; "" outside nodes
	Attr  string // the attribute; "" if it is not one
	What  string // the feature
}

func (e *UnsupportedError) Error() string {
	s := "onnx: unsupported feature: " + e.Where + ": "
	if e.Attr != "" {
		s += "attribute " + quote(e.Attr) + ": "
	}
	return s + e.What
}

// formatError makes a FormatError; args belong to want. Out of line, for the size of programs: it has many callers.
//
//go:noinline
func formatError(where, seen, want string, args ...any) error {
	return &FormatError{Where: where, Seen: seen, Want: fmt.Sprintf(want, args...)}
}

// Printable returns a string of a file for people: one line, with ? for each character that is
// invisible or could steer a terminal (control characters, escapes, directions of writing).
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, s)
}

// quote quotes a string of the file, cut to a length that fits into a message.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}

// clip cuts a string of the file to a length that fits into a message.
func clip(s string) string {
	q := quote(s)
	if q == `"`+s+`"` {
		return s
	}
	return q
}
