package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"sync"
)

// maxBytes is the largest data set that is held in memory, in bytes.
const maxBytes = min(4<<30, int64(^uint(0)>>1)/2)

// A Memory is a Dataset of 8-bit images held in memory.
type Memory struct {
	name   string
	shape  []int
	size   int // C·H·W
	pixels []byte
	labels []int32 // nil if there are none
	digest func() string
	report Report
}

// New returns the data set of the given images: pixels is [N C H W], one byte
// for each element, and shape is [C H W]. labels has one byte for each image,
// or is nil. pixels are kept, not copied, and must not change afterwards.
func New(name string, shape []int, pixels, labels []byte) (*Memory, error) {
	var wide []int32
	if labels != nil {
		wide = make([]int32, len(labels))
		for i, b := range labels {
			wide[i] = int32(b)
		}
	}
	return newMemory(name, shape, pixels, wide)
}

// newMemory is New with labels of more than a byte, -1 for none.
func newMemory(name string, shape []int, pixels []byte, labels []int32) (*Memory, error) {
	if len(shape) != 3 {
		return nil, fmt.Errorf("dataset: %s: shape is %v, want [C H W]", name, shape)
	}
	size := 1
	for _, d := range shape {
		if d < 1 || int64(d) > maxBytes/int64(size) {
			return nil, fmt.Errorf("dataset: %s: shape is %v, want at least 1 and at most %d elements", name, shape, maxBytes)
		}
		size *= d
	}
	n := len(pixels) / size
	if n == 0 || len(pixels)%size != 0 {
		return nil, fmt.Errorf("dataset: %s: %d bytes of pixels, want a positive multiple of %d for shape %v", name, len(pixels), size, shape)
	}
	if labels != nil && len(labels) != n {
		return nil, fmt.Errorf("dataset: %s: %d labels, want %d, one for each image", name, len(labels), n)
	}
	m := &Memory{name: name, shape: slices.Clone(shape), size: size, pixels: pixels, labels: labels}
	m.digest = sync.OnceValue(m.sum)
	m.report = Report{Kind: "memory", Images: n, Grey: shape[0] == 1, Memory: int64(len(pixels))}
	m.report.Sizes = map[[2]int]int{{shape[2], shape[1]}: n}
	return m, nil
}

func (m *Memory) sum() string {
	h := newDigest(m.Len(), m.shape)
	h.Write(m.pixels)
	return hex.EncodeToString(h.Sum(nil))
}

// newDigest begins a [Dataset.Digest]: it hashes N, C, H, W as 32-bit big-endian
// numbers; the pixels follow.
func newDigest(n int, shape []int) hash.Hash {
	h := sha256.New()
	for _, d := range append([]int{n}, shape...) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(d)))
	}
	return h
}

// Part returns the images first to last, which are in memory once.
func (m *Memory) Part(first, last int) (*Memory, error) {
	if first < 0 || last < first || last >= m.Len() {
		return nil, fmt.Errorf("dataset: %s: images %d to %d, want some of 0 to %d", m.name, first, last, m.Len()-1)
	}
	var labels []int32
	if m.labels != nil {
		labels = m.labels[first : last+1]
	}
	p, err := newMemory(fmt.Sprintf("%s-%d-%d", m.name, first, last), m.shape, m.pixels[first*m.size:(last+1)*m.size], labels)
	if err == nil {
		p.report.Kind, p.report.Classes = m.report.Kind, m.report.Classes
	}
	return p, err
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

// Report implements [Dataset].
func (m *Memory) Report() *Report { return &m.report }

// Read implements [Dataset]: byte b becomes b/255, the nearest float32.
func (m *Memory) Read(dst []float32, indices []int) error {
	if err := checkRead(m, m.size, len(dst), indices); err != nil {
		return err
	}
	for k, i := range indices {
		toUnit(dst[k*m.size:][:m.size], m.pixels[i*m.size:])
	}
	return nil
}

// checkRead checks what is asked of [Dataset.Read]: n elements for images of size.
func checkRead(d Dataset, size, n int, indices []int) error {
	if want := len(indices) * size; n != want {
		return fmt.Errorf("dataset: %s: %d elements for %d images, want %d", d.Name(), n, len(indices), want)
	}
	for _, i := range indices {
		if i < 0 || i >= d.Len() {
			return fmt.Errorf("dataset: %s: image %d, want 0 to %d", d.Name(), i, d.Len()-1)
		}
	}
	return nil
}

// toUnit maps bytes to [0, 1].
func toUnit(dst []float32, src []byte) {
	for i, b := range src[:len(dst)] {
		dst[i] = unit[b]
	}
}

// unit[b] = b/255, correctly rounded.
var unit = func() (t [256]float32) {
	for b := range t {
		t[b] = float32(b) / 255
	}
	return t
}()
