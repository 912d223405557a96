package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// maxHeader is the longest header the format's reference implementation takes.
const maxHeader = 100_000_000

// A File is a decoded file.
type File struct {
	Metadata map[string]string // never nil
	Tensors  []Tensor          // in the order of their names
}

// Decode reads a whole file. Every length is checked against the bytes that are
// there before anything of that length is allocated: the header's size, each
// tensor's shape against its offsets, and that the tensors fill what follows
// the header without a gap or an overlap. An element type other than F32, a key
// used twice and an unknown key are errors too. The result does not alias b.
func Decode(b []byte) (*File, error) {
	if len(b) < 8 {
		return nil, fmt.Errorf("safetensors: file of %d bytes, want at least 8", len(b))
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(len(b)-8) || n > maxHeader {
		return nil, fmt.Errorf("safetensors: header of %d bytes, want at most %d", n, min(len(b)-8, maxHeader))
	}
	header, data := b[8:8+n], b[8+n:]
	f, entries, err := decodeHeader(header)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b named) int {
		if c := a.Offsets[0] - b.Offsets[0]; c != 0 {
			return int(max(-1, min(1, c)))
		}
		return int(max(-1, min(1, a.Offsets[1]-b.Offsets[1])))
	})
	end := int64(0)
	for _, e := range entries {
		size, ok := elements(e.Shape)
		switch {
		case e.DType != "F32":
			return nil, fmt.Errorf("safetensors: tensor %q has type %q, want F32", e.name, e.DType)
		case e.Offsets[0] != end:
			return nil, fmt.Errorf("safetensors: tensor %q begins at byte %d, want %d", e.name, e.Offsets[0], end)
		case !ok || e.Offsets[1]-e.Offsets[0] != 4*size:
			return nil, fmt.Errorf("safetensors: tensor %q has bytes %d to %d, want 4 for each element of %v", e.name, e.Offsets[0], e.Offsets[1], e.Shape)
		case e.Offsets[1] > int64(len(data)):
			return nil, fmt.Errorf("safetensors: tensor %q ends at byte %d of %d", e.name, e.Offsets[1], len(data))
		}
		end = e.Offsets[1]
	}
	if end != int64(len(data)) {
		return nil, fmt.Errorf("safetensors: %d bytes after the header, want %d", len(data), end)
	}
	for _, e := range entries {
		t := Tensor{Name: e.name, Shape: make([]int, len(e.Shape)), Data: make([]float32, (e.Offsets[1]-e.Offsets[0])/4)}
		for i, d := range e.Shape {
			if int64(int(d)) != d { // a dimension beside a zero, on 32 bits
				return nil, fmt.Errorf("safetensors: tensor %q: shape %v is too large", e.name, e.Shape)
			}
			t.Shape[i] = int(d)
		}
		src := data[e.Offsets[0]:e.Offsets[1]]
		for i := range t.Data {
			t.Data[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
		f.Tensors = append(f.Tensors, t)
	}
	slices.SortFunc(f.Tensors, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	return f, nil
}

type named struct {
	name string
	entry
}

// decodeHeader reads the header's JSON key by key: encoding/json alone would
// let the last of two equal keys win.
func decodeHeader(header []byte) (*File, []named, error) {
	fail := func(err error) (*File, []named, error) {
		return nil, nil, fmt.Errorf("safetensors: header: %w", err)
	}
	if len(header) == 0 || header[0] != '{' {
		return fail(fmt.Errorf("want a JSON object"))
	}
	f := &File{Metadata: map[string]string{}}
	var entries []named
	seen := map[string]bool{}
	dec := json.NewDecoder(bytes.NewReader(header))
	dec.DisallowUnknownFields()
	dec.Token() // the brace
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return fail(err)
		}
		key, ok := tok.(string)
		if !ok {
			return fail(fmt.Errorf("got %v, want a key", tok))
		}
		if seen[key] {
			return fail(fmt.Errorf("key %q stands twice", key))
		}
		seen[key] = true
		if key == metadataKey {
			if err := dec.Decode(&f.Metadata); err != nil {
				return fail(fmt.Errorf("metadata: %w", err))
			}
			if f.Metadata == nil { // JSON's null
				f.Metadata = map[string]string{}
			}
			continue
		}
		e := named{name: key, entry: entry{Offsets: [2]int64{-1, -1}}}
		if err := dec.Decode(&e.entry); err != nil {
			return fail(fmt.Errorf("tensor %q: %w", key, err))
		}
		entries = append(entries, e)
	}
	if _, err := dec.Token(); err != nil {
		return fail(err)
	}
	if rest := bytes.Trim(header[dec.InputOffset():], " "); len(rest) > 0 {
		return fail(fmt.Errorf("%d bytes after the JSON object", len(rest)))
	}
	return f, entries, nil
}
