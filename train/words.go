package train

import (
	"fmt"
	"strconv"

	"gantry/train/dataset"
)

// printable quotes text that a terminal might obey.
func printable(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) || r == '\ufffd' {
			return strconv.Quote(s)
		}
	}
	return s
}

// samples is a number of images, or of points if the data are such.
func samples(n int, data dataset.Dataset) string { return plural(n, kindOf(data)) }

// kindOf says what the samples of data are.
func kindOf(data dataset.Dataset) string {
	if len(data.Shape()) == 1 {
		return "point"
	}
	return "image"
}

func files(n int) string { return plural(n, "file") }

// plural is a number of things for people.
func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// humanBytes prints a size with three figures, in decimal units.
func humanBytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n)/1000, 0
	for ; v >= 999.5 && unit < 4; unit++ {
		v /= 1000
	}
	return fmt.Sprintf("%.3g %cB", v, "kMGTP"[unit])
}
