//go:build !unix

package atomicfile

// syncDir does nothing: these systems have no sync of directories.
func syncDir(string) error { return nil }
