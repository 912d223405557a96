//go:build !linux

package train

// freeMemory is not known here.
func freeMemory() (int64, bool) { return 0, false }

// peakMemory is not known here.
func peakMemory() (int64, bool) { return 0, false }
