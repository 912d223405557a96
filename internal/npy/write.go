package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// A Writer writes one array file piece by piece. It needs to know the whole
// shape at the start. Writes are not buffered beyond 64 KiB pieces of the
// caller's data. After an error all calls fail with it. It must not be used by
// several goroutines at once.
type Writer struct {
	w    io.Writer
	t    DType
	left int64 // elements still to come
	buf  []byte
	err  error
}

// NewWriter writes the header of an array of type t and the given shape, and
// returns a Writer for its elements.
func NewWriter(w io.Writer, t DType, shape []int) (*Writer, error) {
	if !t.valid() {
		return nil, fmt.Errorf("npy: write: unknown element type %v", t)
	}
	n, err := elements(shape, 1<<59)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(header(t, shape)); err != nil {
		return nil, fmt.Errorf("npy: write: %w", err)
	}
	return &Writer{w: w, t: t, left: n, buf: make([]byte, 0, 1<<16)}, nil
}

// header returns magic, version 1.0, length and the description, padded with
// spaces to a multiple of 64 bytes. With at most 32 dimensions of 10 digits
// it stays below the 64 KiB that version 1.0 can express.
func header(t DType, shape []int) []byte {
	var s strings.Builder
	fmt.Fprintf(&s, "{'descr': '%s', 'fortran_order': False, 'shape': (", t)
	for i, d := range shape {
		if i > 0 {
			s.WriteString(", ")
		}
		fmt.Fprint(&s, d)
	}
	if len(shape) == 1 {
		s.WriteString(",")
	}
	s.WriteString("), }")
	const prefix = 10
	for (prefix+s.Len()+1)%64 != 0 {
		s.WriteByte(' ')
	}
	s.WriteByte('\n')
	h := append([]byte(magic), 1, 0)
	h = binary.LittleEndian.AppendUint16(h, uint16(s.Len()))
	return append(h, s.String()...)
}

// Float32 appends elements to an array of type Float32.
func (w *Writer) Float32(x []float32) error {
	return write(w, Float32, x, func(b []byte, v float32) []byte {
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	})
}

// Float64 appends elements to an array of type Float64.
func (w *Writer) Float64(x []float64) error {
	return write(w, Float64, x, func(b []byte, v float64) []byte {
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	})
}

// Int64 appends elements to an array of type Int64.
func (w *Writer) Int64(x []int64) error {
	return write(w, Int64, x, func(b []byte, v int64) []byte {
		return binary.LittleEndian.AppendUint64(b, uint64(v))
	})
}

// Int32 appends elements to an array of type Int32.
func (w *Writer) Int32(x []int32) error {
	return write(w, Int32, x, func(b []byte, v int32) []byte {
		return binary.LittleEndian.AppendUint32(b, uint32(v))
	})
}

// Uint8 appends elements to an array of type Uint8, or of type Bool: 0 or 1.
func (w *Writer) Uint8(x []uint8) error {
	t := Uint8
	if w.t == Bool {
		t = Bool
	}
	if err := w.take(t, len(x)); err != nil {
		return err
	}
	return w.put(x)
}

// Close reports whether all elements were written. It does not close the
// underlying writer.
func (w *Writer) Close() error {
	if w.err == nil && w.left > 0 {
		w.err = fmt.Errorf("npy: write: %d elements are missing", w.left)
	}
	if w.err != nil {
		return w.err
	}
	w.err = errors.New("npy: write: writer is closed")
	return nil
}

func (w *Writer) take(t DType, n int) error {
	switch {
	case w.err != nil:
	case t != w.t:
		w.err = fmt.Errorf("npy: write: elements of type %v for an array of %v", t, w.t)
	case int64(n) > w.left:
		w.err = fmt.Errorf("npy: write: %d elements, but only %d are left in the shape", n, w.left)
	default:
		w.left -= int64(n)
	}
	return w.err
}

func (w *Writer) put(b []byte) error {
	if _, err := w.w.Write(b); err != nil {
		w.err = fmt.Errorf("npy: write: %w", err)
	}
	return w.err
}

func write[E any](w *Writer, t DType, x []E, enc func([]byte, E) []byte) error {
	if err := w.take(t, len(x)); err != nil {
		return err
	}
	per := cap(w.buf) / t.Size()
	for len(x) > 0 {
		n := min(per, len(x))
		b := w.buf[:0]
		for _, v := range x[:n] {
			b = enc(b, v)
		}
		if err := w.put(b); err != nil {
			return err
		}
		x = x[n:]
	}
	return nil
}

// Write writes a whole array file.
func Write(w io.Writer, a *Array) error {
	aw, err := NewWriter(w, a.DType, a.Shape)
	if err != nil {
		return err
	}
	switch a.DType {
	case Float32:
		err = aw.Float32(a.F32)
	case Float64:
		err = aw.Float64(a.F64)
	case Int64:
		err = aw.Int64(a.I64)
	case Int32:
		err = aw.Int32(a.I32)
	case Uint8, Bool:
		err = aw.Uint8(a.U8)
	}
	if err != nil {
		return err
	}
	return aw.Close()
}
