//go:build darwin || linux

package train

import "syscall"

// freeSpace returns how many bytes may be written to the file system that
// holds dir; false if it does not say.
func freeSpace(dir string) (int64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil || s.Blocks == 0 {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
