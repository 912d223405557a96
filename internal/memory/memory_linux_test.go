package memory

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestPeak(t *testing.T) {
	const size = 64 << 20
	before, ok := Peak()
	if free, known := Free(); !ok || !known || before < 1<<20 || free < 1 {
		t.Fatalf("peak %d, %v, free %d, %v, want both known", before, ok, free, known)
	}
	x := make([]byte, size)
	for i := 0; i < len(x); i += 4096 {
		x[i] = 1
	}
	runtime.KeepAlive(x)
	if after, _ := Peak(); after < size {
		t.Errorf("peak is %d after %d bytes were written", after, size)
	}
	x = nil
	debug.FreeOSMemory()
	ResetPeak()
	if after, _ := Peak(); after >= size {
		t.Skipf("peak is %d after %d bytes were given back: this system does not reset it", after, size)
	}
}
