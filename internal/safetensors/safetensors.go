// Package safetensors reads and writes the safetensors format of Hugging Face
// (https://huggingface.co/docs/safetensors): the length of a JSON header as 8
// little-endian bytes, the header, the tensors' bytes. It knows the one element
// type that checkpoints need, F32.
//
// What [Encode] writes depends on its arguments only: keys are sorted, tensors
// lie in the order of their names, and the header is padded with blanks to a
// multiple of 8 bytes.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Tensor is a named array of float32 in row-major order. A scalar has an
// empty shape and one element.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// metadataKey is the header's one key that names no tensor.
const metadataKey = "__metadata__"

// entry is what the header says of a tensor.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// Encode writes a file. It reports an error, before it writes anything, if a
// name is empty, reserved, used twice or not UTF-8, or a shape does not fit its
// data. Infinities and NaNs are written as they are.
func Encode(w io.Writer, metadata map[string]string, tensors []Tensor) error {
	for k, v := range metadata {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return fmt.Errorf("safetensors: metadata %q is not UTF-8", k)
		}
	}
	sorted := slices.SortedFunc(slices.Values(tensors), func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	header := make(map[string]any, len(sorted)+1)
	if len(metadata) > 0 {
		header[metadataKey] = metadata
	}
	offset, longest := int64(0), 0
	for i, t := range sorted {
		switch {
		case t.Name == "" || t.Name == metadataKey || !utf8.ValidString(t.Name):
			return fmt.Errorf("safetensors: %q cannot be the name of a tensor", t.Name)
		case i > 0 && t.Name == sorted[i-1].Name:
			return fmt.Errorf("safetensors: two tensors are named %q", t.Name)
		}
		shape := make([]int64, len(t.Shape))
		for j, d := range t.Shape {
			shape[j] = int64(d)
		}
		size, ok := elements(shape)
		if !ok || size != int64(len(t.Data)) {
			return fmt.Errorf("safetensors: tensor %q: %d elements, shape %v", t.Name, len(t.Data), t.Shape)
		}
		header[t.Name] = entry{"F32", shape, [2]int64{offset, offset + 4*size}}
		offset += 4 * size
		longest = max(longest, len(t.Data))
	}
	var head bytes.Buffer
	enc := json.NewEncoder(&head) // sorts the keys
	enc.SetEscapeHTML(false)
	if err := enc.Encode(header); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	text := bytes.TrimSuffix(head.Bytes(), []byte("\n"))
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	if len(text) > maxHeader {
		return fmt.Errorf("safetensors: header of %d bytes, want at most %d", len(text), maxHeader)
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text)))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	buf := make([]byte, 0, min(4*longest, 1<<18))
	for _, t := range sorted {
		for part := range slices.Chunk(t.Data, 1<<16) {
			buf = buf[:0]
			for _, v := range part {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
	}
	return nil
}

// elements is the product of shape; ok is false if a dimension is negative or
// the product in bytes passes 2^62.
func elements(shape []int64) (n int64, ok bool) {
	n = 1
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		if d > 0 && n > (1<<60)/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}
