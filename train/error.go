package train

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"gantry/internal/atomicfile"
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

// isFileError tells errors of the file system from others.
func isFileError(err error) bool {
	return errors.As(err, new(syscall.Errno)) || errors.Is(err, atomicfile.ErrNotRegular)
}

// Quote makes a path one word of a shell's command line.
func Quote(path string) string {
	safe := strings.IndexFunc(path, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:,@\\", r))
	}) < 0
	if safe && path != "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// ours puts the package's name before a message that does not begin with it.
func ours(err error) error {
	if strings.HasPrefix(err.Error(), "train: ") {
		return err
	}
	return fmt.Errorf("train: %w", err)
}
