package train

import (
	"fmt"
	"strings"
)

// An Error says why a run was refused or stopped, and what to do about it.
type Error struct {
	Misuse bool   // what was asked for cannot be done, rather than: doing it failed
	Err    error  // one line
	Hint   string // what to do, one line; may be empty
}

// Error returns the message without the hint.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// misuse is an error about a request; format takes %w.
func misuse(hint, format string, args ...any) error {
	return &Error{Misuse: true, Err: ours(fmt.Errorf(format, args...)), Hint: hint}
}

// failure is an error about carrying out a request; format takes %w.
func failure(hint, format string, args ...any) error {
	return &Error{Err: ours(fmt.Errorf(format, args...)), Hint: hint}
}

// ours puts the package's name before a message that does not begin with it.
func ours(err error) error {
	if strings.HasPrefix(err.Error(), "train: ") {
		return err
	}
	return fmt.Errorf("train: %w", err)
}
