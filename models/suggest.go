package models

import (
	"fmt"
	"strconv"

	"gantry/internal/suggest"
)

// didYouMean returns ` (did you mean "x"?)` for the name nearest to got, or
// nothing if none is near.
func didYouMean(got string, names []string) string {
	best := suggest.Nearest(got, names)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// clip shortens a string from a file for a message.
func clip(s string) string {
	if len(s) <= 80 {
		return s
	}
	return s[:80] + "..."
}

// plain is clip for a word that needs no quotes; what is not a word gets them.
func plain(s string) string {
	if wellFormed(s) {
		return s
	}
	return strconv.Quote(clip(s))
}
