package memory

import (
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Free returns how many bytes this process may still have: what the system
// calls available, or less where the process is limited (ulimit -v).
func Free() (int64, bool) {
	free, found := procBytes("/proc/meminfo", "MemAvailable")
	if !found {
		free = math.MaxInt64
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err == nil && limit.Cur < uint64(free) {
		free, found = int64(limit.Cur), true
	}
	return free, found
}

// Peak returns the most memory that this process has had at a time, since the
// last [ResetPeak] if there was one.
func Peak() (int64, bool) { return procBytes("/proc/self/status", "VmHWM") }

// ResetPeak lets Peak begin anew at what the process has now, if the system can.
func ResetPeak() { os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// advise asks for huge pages for b. A system that has none goes on with small ones.
func advise(b []byte) { _ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) }

// release gives pages back, after which they read as zeros.
func release(b []byte) { _ = syscall.Madvise(b, syscall.MADV_DONTNEED) }

// procBytes returns the value of a key in a file of lines "key: n kB".
func procBytes(file, key string) (int64, bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == key+":" && f[2] == "kB" {
			kB, err := strconv.ParseInt(f[1], 10, 50)
			return kB << 10, err == nil
		}
	}
	return 0, false
}
