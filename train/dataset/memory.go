package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
)

// A Memory is a Dataset of 8-bit images held in memory.
type Memory struct {
	name   string
	shape  []int
	size   int // C·H·W
	pixels []byte
	labels []byte // nil if there are none
	digest func() string
}

// New returns the data set of the given images: pixels is [N C H W], one byte
// for each element, and shape is [C H W]. labels has one byte for each image,
// or is nil. Both are kept, not copied, and must not change afterwards.
func New(name string, shape []int, pixels, labels []byte) (*Memory, error) {
	if len(shape) != 3 {
		return nil, fmt.Errorf("dataset: %s: shape is %v, expected [C H W]", name, shape)
	}
	size := 1
	for _, d := range shape {
		if d < 1 || int64(d) > maxBytes/int64(size) {
			return nil, fmt.Errorf("dataset: %s: shape is %v, expected at least 1 and at most %d elements", name, shape, maxBytes)
		}
		size *= d
	}
	n := len(pixels) / size
	if n == 0 || len(pixels)%size != 0 {
		return nil, fmt.Errorf("dataset: %s: %d bytes of pixels, expected a positive multiple of %d for shape %v", name, len(pixels), size, shape)
	}
	if labels != nil && len(labels) != n {
		return nil, fmt.Errorf("dataset: %s: %d labels, expected %d, one for each image", name, len(labels), n)
	}
	m := &Memory{name: name, shape: slices.Clone(shape), size: size, pixels: pixels, labels: labels}
	m.digest = sync.OnceValue(m.sum)
	return m, nil
}

// sum hashes N, C, H, W as 32-bit big-endian numbers, then the pixels.
func (m *Memory) sum() string {
	h := sha256.New()
	for _, d := range append([]int{m.Len()}, m.shape...) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(d)))
	}
	h.Write(m.pixels)
	return hex.EncodeToString(h.Sum(nil))
}

// Name implements [Dataset].
func (m *Memory) Name() string { return m.name }

// Len implements [Dataset].
func (m *Memory) Len() int { return len(m.pixels) / m.size }

// Shape implements [Dataset].
func (m *Memory) Shape() []int { return slices.Clone(m.shape) }

// Label implements [Dataset].
func (m *Memory) Label(i int) int {
	if m.labels == nil {
		return -1
	}
	return int(m.labels[i])
}

// Digest implements [Dataset]. It is computed once, at the first call.
func (m *Memory) Digest() string { return m.digest() }

// Read implements [Dataset]: byte b becomes b/255, the nearest float32.
func (m *Memory) Read(dst []float32, indices []int) error {
	if len(dst) != len(indices)*m.size {
		return fmt.Errorf("dataset: %s: %d elements for %d images, expected %d", m.name, len(dst), len(indices), len(indices)*m.size)
	}
	for k, i := range indices {
		if i < 0 || i >= m.Len() {
			return fmt.Errorf("dataset: %s: image %d, expected 0 to %d", m.name, i, m.Len()-1)
		}
		src := m.pixels[i*m.size:][:m.size]
		out := dst[k*m.size:][:m.size]
		for j, b := range src {
			out[j] = unit[b]
		}
	}
	return nil
}

// unit[b] = b/255, correctly rounded.
var unit = func() (t [256]float32) {
	for b := range t {
		t[b] = float32(b) / 255
	}
	return t
}()
