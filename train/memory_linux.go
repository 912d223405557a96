package train

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"syscall"
)

// freeMemory returns how many bytes this process may still have: what the
// system calls available, or less where the process is limited (ulimit -v).
func freeMemory() (int64, bool) {
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

// peakMemory returns the most memory that this process has had at a time.
func peakMemory() (int64, bool) { return procBytes("/proc/self/status", "VmHWM") }

// procBytes returns the value of a key in a file of lines "key: n kB".
func procBytes(file, key string) (int64, bool) {
	f, err := os.Open(file)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kB int64
		if n, _ := fmt.Sscanf(lines.Text(), key+": %d kB", &kB); n == 1 {
			return kB << 10, true
		}
	}
	return 0, false
}
