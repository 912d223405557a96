package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
)

const magic = "\x93NUMPY"

// maxHeader is the largest description that is read. NumPy itself stops at
// 10,000 bytes.
const maxHeader = 1 << 16

// ReadFile reads an array file of at most limit bytes.
func ReadFile(path string, limit int64) (*Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("npy: %s: not a regular file", path)
	}
	if st.Size() > limit {
		return nil, fmt.Errorf("npy: %s: %d bytes, want at most %d", path, st.Size(), limit)
	}
	a, err := Read(f, st.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// Read reads an array file of exactly size bytes from r. It allocates for data
// no more than size bytes, and that only after the header has been found to
// agree with size. Bytes after the data are an error.
func Read(r io.Reader, size int64) (*Array, error) {
	var head [12]byte
	n := int64(10)
	if err := fill(r, head[:n], size); err != nil {
		return nil, err
	}
	if string(head[:6]) != magic {
		return nil, fmt.Errorf("npy: file begins with %q, want %q: not an .npy file", head[:6], magic)
	}
	hlen := int64(binary.LittleEndian.Uint16(head[8:]))
	switch major, minor := head[6], head[7]; {
	case major == 1 && minor == 0:
	case major == 2 && minor == 0:
		if err := fill(r, head[n:], size-n); err != nil {
			return nil, err
		}
		n = 12
		hlen = int64(binary.LittleEndian.Uint32(head[8:]))
	default:
		return nil, fmt.Errorf("npy: version %d.%d, want 1.0 or 2.0", major, minor)
	}
	if hlen > maxHeader {
		return nil, fmt.Errorf("npy: header: %d bytes, want at most %d", hlen, maxHeader)
	}
	if hlen > size-n {
		return nil, fmt.Errorf("npy: header: %d bytes, but only %d are left in the file", hlen, size-n)
	}
	text := make([]byte, hlen)
	if err := fill(r, text, size-n); err != nil {
		return nil, err
	}
	a, err := parseHeader(string(text))
	if err != nil {
		return nil, err
	}
	left := size - n - hlen
	es := sizes[a.DType]
	count, err := elements(a.Shape, left/es)
	if err != nil {
		return nil, fmt.Errorf("%w of type %v in %d bytes of data", err, a.DType, left)
	}
	if count*es != left {
		return nil, fmt.Errorf("npy: data: %d bytes, want %d for %v %v", left, count*es, a.DType, a.Shape)
	}
	if err := a.readData(r, int(count)); err != nil {
		return nil, err
	}
	return a, nil
}

// fill reads len(b) bytes, of which the file claims to have left.
func fill(r io.Reader, b []byte, left int64) error {
	if left < int64(len(b)) {
		return fmt.Errorf("npy: file ends within its header")
	}
	if _, err := io.ReadFull(r, b); err != nil {
		return fmt.Errorf("npy: read: %w", err)
	}
	return nil
}

func (a *Array) readData(r io.Reader, n int) (err error) {
	switch a.DType {
	case Float32:
		a.F32, err = readAs(r, n, 4, func(b []byte) float32 {
			return math.Float32frombits(binary.LittleEndian.Uint32(b))
		})
	case Float64:
		a.F64, err = readAs(r, n, 8, func(b []byte) float64 {
			return math.Float64frombits(binary.LittleEndian.Uint64(b))
		})
	case Int64:
		a.I64, err = readAs(r, n, 8, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) })
	case Int32:
		a.I32, err = readAs(r, n, 4, func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) })
	case Uint8, Bool:
		a.U8 = make([]uint8, n)
		if _, err = io.ReadFull(r, a.U8); err != nil {
			err = fmt.Errorf("npy: data: %w", err)
		}
		for i, v := range a.U8 {
			if a.DType == Bool && v > 1 {
				return fmt.Errorf("npy: data: element %d of type |b1 is %d, want 0 or 1", i, v)
			}
		}
	}
	return err
}

// readAs reads n elements of size bytes each through a buffer of 64 KiB.
func readAs[E any](r io.Reader, n, size int, dec func([]byte) E) ([]E, error) {
	out := make([]E, n)
	buf := make([]byte, min(1<<16, n*size))
	for done := 0; done < n; {
		b := buf[:min(len(buf), (n-done)*size)]
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, fmt.Errorf("npy: data: %w", err)
		}
		for ; len(b) > 0; b = b[size:] {
			out[done] = dec(b)
			done++
		}
	}
	return out, nil
}
