// Package bundle appends a file to a program, and finds it there when the program runs.
//
// # Format
//
// What follows the program's own bytes is
//
//	record   24 bytes
//	file     length bytes
//	record   the same again: the last bytes of all
//
// and a record is, with numbers in little-endian order,
//
//	magic    8 bytes, "\x00gantry\x01": the last one is the format's version
//	length   8 bytes, of the file
//	sum      4 bytes, CRC-32 (IEEE) of the file
//	check    4 bytes, CRC-32 (IEEE) of the 20 bytes before
//
// The record at the end says where to look, with one short read; the one in front tells a program whose end was cut off
// from one that never had a file.
package bundle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// magic is a variable so that it stands in programs as it is, where Reads finds it.
var magic = []byte("\x00gantry\x01")

const recordSize = 24

// File is a file inside a program.
type File struct {
	program io.ReaderAt
	At      int64 // where the program's own bytes end
	Size    int64
	sum     uint32
}

// Write writes a program with a file behind it. The program must have none yet.
func Write(w io.Writer, program io.Reader, file []byte) error {
	if _, err := io.Copy(w, program); err != nil {
		return err
	}
	r := record(uint64(len(file)), crc32.ChecksumIEEE(file))
	for _, b := range [][]byte{r, file, r} {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func record(length uint64, sum uint32) []byte {
	b := binary.LittleEndian.AppendUint64(bytes.Clone(magic), length)
	b = binary.LittleEndian.AppendUint32(b, sum)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// parse returns what the record b says, if it is one.
func parse(b []byte) (length uint64, sum uint32, ok bool) {
	length, sum = binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint32(b[16:])
	return length, sum, bytes.Equal(b, record(length, sum))
}

// Find returns the file behind a program of the given size in all, or nil if there is none. It reads 48 bytes.
func Find(program io.ReaderAt, size int64) (*File, error) {
	if size < 2*recordSize {
		return nil, nil
	}
	var end, front [recordSize]byte
	if _, err := program.ReadAt(end[:], size-recordSize); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(end[:], magic) {
		return nil, nil
	}
	length, sum, ok := parse(end[:])
	if !ok {
		return nil, errors.New("the record at the end is damaged")
	}
	if length > uint64(size-2*recordSize) {
		return nil, fmt.Errorf("the record at the end speaks of %d bytes, want at most %d", length, size-2*recordSize)
	}
	f := &File{program, size - 2*recordSize - int64(length), int64(length), sum}
	if _, err := program.ReadAt(front[:], f.At); err != nil {
		return nil, err
	}
	if front != end {
		return nil, errors.New("the records in front of the file and behind it differ")
	}
	return f, nil
}

// Read returns the file's bytes, which it compares with their checksum.
func (f *File) Read() ([]byte, error) {
	b := make([]byte, f.Size)
	if _, err := f.program.ReadAt(b, f.At+recordSize); err != nil { // never at the end: a record follows
		return nil, err
	}
	if got := crc32.ChecksumIEEE(b); got != f.sum {
		return nil, fmt.Errorf("the checksum of the file is %08x, want %08x", got, f.sum)
	}
	return b, nil
}

// Lost returns an error if a file begins in a program in which [Find] found none: its end is missing. It reads everything.
func Lost(program io.ReaderAt, size int64) error {
	b := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(program, 0, size), b); err != nil && size > 0 {
		return err
	}
	for at := 0; ; at += len(magic) {
		i := bytes.Index(b[at:], magic)
		if at += i; i < 0 || len(b)-at < recordSize {
			return nil
		}
		if length, _, ok := parse(b[at:][:recordSize]); ok {
			return fmt.Errorf("a file of %d bytes begins there, but only %d bytes follow and no record is at the end", length, len(b)-at-recordSize)
		}
	}
}

// Reads reports whether a program has this package in it, so that it would find a file.
func Reads(program []byte) bool { return bytes.Contains(program, magic) }
