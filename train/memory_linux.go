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
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	free, found := int64(math.MaxInt64), false
	for lines := bufio.NewScanner(f); !found && lines.Scan(); {
		var kB int64
		if n, _ := fmt.Sscanf(lines.Text(), "MemAvailable: %d kB", &kB); n == 1 {
			free, found = kB<<10, true
		}
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err == nil && limit.Cur < uint64(free) {
		free, found = int64(limit.Cur), true
	}
	return free, found
}
