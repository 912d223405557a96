package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
)

// mirrored is a data set of n images and, as image n+i, the mirror image of i.
type mirrored struct {
	Dataset
	width   int
	indices sync.Pool // of *[]int
}

// Mirror returns a data set that is twice as long as d: image Len+i is image i
// with left and right exchanged, and has its label. It takes no memory. Its
// digest is the SHA-256 of "mirror" and that of d.
func Mirror(d Dataset) Dataset {
	return &mirrored{Dataset: d, width: d.Shape()[2], indices: sync.Pool{New: func() any { return new([]int) }}}
}

// Len implements [Dataset].
func (m *mirrored) Len() int { return 2 * m.Dataset.Len() }

// Label implements [Dataset].
func (m *mirrored) Label(i int) int { return m.Dataset.Label(i % m.Dataset.Len()) }

// Digest implements [Dataset].
func (m *mirrored) Digest() string {
	sum := sha256.Sum256([]byte("mirror" + m.Dataset.Digest()))
	return hex.EncodeToString(sum[:])
}

// Report implements [Dataset].
func (m *mirrored) Report() *Report {
	r := *m.Dataset.Report()
	r.Mirror = true
	return &r
}

// Read implements [Dataset].
func (m *mirrored) Read(dst []float32, indices []int) error {
	n := m.Dataset.Len()
	scratch := m.indices.Get().(*[]int)
	defer m.indices.Put(scratch)
	plain := grow(*scratch, len(indices))
	*scratch = plain
	for k, i := range indices {
		if plain[k] = i; i >= n && i < 2*n {
			plain[k] = i - n
		}
	}
	if err := m.Dataset.Read(dst, plain); err != nil {
		return err
	}
	size := len(dst) / max(len(indices), 1)
	for k, i := range indices {
		if i < n {
			continue
		}
		for x := dst[k*size:][:size]; len(x) > 0; x = x[m.width:] {
			slices.Reverse(x[:m.width])
		}
	}
	return nil
}
