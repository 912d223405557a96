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

func TestRelease(t *testing.T) {
	const size = 64 << 20
	x := Make[byte](size)
	for i := range x {
		x[i] = 1
	}
	ResetPeak()
	if peak, _ := Peak(); peak < size {
		t.Fatalf("peak is %d with %d bytes in use", peak, size)
	}
	Release(x[1 : size-1])
	ResetPeak()
	if peak, _ := Peak(); peak >= size {
		t.Skipf("peak is %d after %d bytes were given back: this system does not reset it", peak, size)
	}
	if x[0] != 1 || x[size-1] != 1 || x[size/2] != 0 {
		t.Errorf("got %d %d %d, want 1 0 1", x[0], x[size/2], x[size-1])
	}
	x[size/2] = 2
	if Release(x[:0]); x[size/2] != 2 {
		t.Errorf("releasing nothing has changed a byte to %d", x[size/2])
	}
}
