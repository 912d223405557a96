package models

import (
	"fmt"
	"strconv"
)

// didYouMean returns ` (did you mean "x"?)` for the name nearest to got, or
// nothing if none is near.
func didYouMean(got string, names []string) string {
	best, least := "", 1+len(got)/3
	for _, name := range names {
		if d := distance(got, name); d <= least && (best == "" || d < least) {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance is the Levenshtein distance of two strings, in bytes. Only the first
// 64 bytes count.
func distance(a, b string) int {
	a, b = a[:min(64, len(a))], b[:min(64, len(b))]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
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
