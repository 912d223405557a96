// Package suggest finds the name that a misspelt one was meant to be.
package suggest

// Nearest returns the name that got may have been meant to be, the first of
// the nearest, or "" if none is near: if more than one byte, and a third of the
// shorter of the two, would have to change.
func Nearest(got string, names []string) string {
	best, least := "", 0
	for _, name := range names {
		if d := distance(got, name); d <= 1+min(len(got), len(name))/3 && (best == "" || d < least) {
			best, least = name, d
		}
	}
	return best
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
