//go:build !linux

package memory

// Free is not known here.
func Free() (int64, bool) { return 0, false }

// Peak is not known here.
func Peak() (int64, bool) { return 0, false }

// ResetPeak does nothing here.
func ResetPeak() {}

// advise does nothing here.
func advise([]byte) {}

// release does nothing here.
func release([]byte) {}
